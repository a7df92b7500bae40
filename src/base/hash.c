#include "base/hash.h"

#include <assert.h>

#include <mbedtls/constant_time.h>
#include <mbedtls/md5.h>
#include <mbedtls/sha256.h>

#include "base/wipe.h"

size_t hash_size(enum hash_alg alg)
{
    return alg == HASH_MD5 ? HASH_MD5_SIZE : HASH_SHA256_SIZE;
}

static void md5_parts(const struct slice *parts, size_t n, uint8_t *out)
{
    mbedtls_md5_context ctx;
    mbedtls_md5_init(&ctx);
    int rc = mbedtls_md5_starts(&ctx);
    for (size_t i = 0; i < n; i++)
        rc |= mbedtls_md5_update(&ctx, parts[i].p, parts[i].n);
    rc |= mbedtls_md5_finish(&ctx, out);
    mbedtls_md5_free(&ctx); /* wipes */
    assert(rc == 0);
    (void)rc;
}

static void sha256_parts(const struct slice *parts, size_t n, uint8_t *out)
{
    mbedtls_sha256_context ctx;
    mbedtls_sha256_init(&ctx);
    int rc = mbedtls_sha256_starts(&ctx, 0);
    for (size_t i = 0; i < n; i++)
        rc |= mbedtls_sha256_update(&ctx, parts[i].p, parts[i].n);
    rc |= mbedtls_sha256_finish(&ctx, out);
    mbedtls_sha256_free(&ctx);
    assert(rc == 0);
    (void)rc;
}

void hash_parts(enum hash_alg alg, const struct slice *parts, size_t n, uint8_t out[HASH_MAX_SIZE])
{
    if (alg == HASH_MD5)
        md5_parts(parts, n, out);
    else
        sha256_parts(parts, n, out);
}

void hash_sha256(struct slice s, uint8_t out[HASH_SHA256_SIZE])
{
    sha256_parts(&s, 1, out);
}

#define SHA256_BLOCK 64

void hash_hmac_sha256(struct slice key, const struct slice *parts, size_t n,
                      uint8_t out[HASH_SHA256_SIZE])
{
    uint8_t pad[SHA256_BLOCK] = {0};
    mbedtls_sha256_context ctx;
    assert(key.n <= sizeof pad);
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] = (i < key.n ? key.p[i] : 0) ^ 0x36;
    mbedtls_sha256_init(&ctx);
    int rc = mbedtls_sha256_starts(&ctx, 0) | mbedtls_sha256_update(&ctx, pad, sizeof pad);
    for (size_t i = 0; i < n; i++)
        rc |= mbedtls_sha256_update(&ctx, parts[i].p, parts[i].n);
    rc |= mbedtls_sha256_finish(&ctx, out);
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    rc |= mbedtls_sha256_starts(&ctx, 0) | mbedtls_sha256_update(&ctx, pad, sizeof pad);
    rc |= mbedtls_sha256_update(&ctx, out, HASH_SHA256_SIZE) | mbedtls_sha256_finish(&ctx, out);
    mbedtls_sha256_free(&ctx);
    wipe(pad, sizeof pad);
    assert(rc == 0);
    (void)rc;
}

void hash_hex(struct slice s, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < s.n; i++) {
        out[2 * i] = digits[s.p[i] >> 4];
        out[2 * i + 1] = digits[s.p[i] & 15];
    }
    out[2 * s.n] = '\0';
}

bool hash_equal(const void *a, const void *b, size_t n)
{
    return mbedtls_ct_memcmp(a, b, n) == 0;
}
