#include "pki/pkcs8.h"

#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>
#include <mbedtls/pkcs5.h>
#include <mbedtls/rsa.h>
#include <string.h>

#include "base/wipe.h"
#include "pki/der_write.h"
#include "pki/pem.h"

#define OID_PBES2            SLICE_LIT("\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d")
#define OID_PBKDF2           SLICE_LIT("\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c")
#define OID_HMAC_WITH_SHA256 SLICE_LIT("\x2a\x86\x48\x86\xf7\x0d\x02\x09")
#define OID_AES_256_CBC      SLICE_LIT("\x60\x86\x48\x01\x65\x03\x04\x01\x2a")

#define SALT_SIZE 16
#define IV_SIZE   16

/* RSA of 16384 bits, which is more than anything here takes, with all that PKCS#1 keeps of it. */
#define KEY_DER_MAX 12288

static struct result fail_native_key(struct errinfo *e, int rc)
{
    return fail_native(e, ERR_CRYPTO, rc, "a private key cannot be made or written");
}

/* --- making --- */

static int new_rsa(unsigned bits, const struct rng *rng, mbedtls_pk_context *key)
{
    const int rc = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA));

    return rc != 0 ? rc
                   : mbedtls_rsa_gen_key(mbedtls_pk_rsa(*key), rng->fill, rng->ctx, bits, 65537);
}

static int new_p256(const struct rng *rng, mbedtls_pk_context *key)
{
    const int rc = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));

    return rc != 0 ? rc
                   : mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), rng->fill,
                                         rng->ctx);
}

struct result pkcs8_new_key(unsigned rsa_bits, const struct rng *rng, mbedtls_pk_context *key,
                            struct errinfo *e)
{
    if (rsa_bits != 0 && rsa_bits != 2048 && rsa_bits != 3072 && rsa_bits != 4096)
        return fail(e, ERR_INVALID, "an RSA key has 2048, 3072 or 4096 bits, not %u", rsa_bits);
    const int rc = rsa_bits != 0 ? new_rsa(rsa_bits, rng, key) : new_p256(rng, key);
    return rc == 0 ? OK : fail_native_key(e, rc);
}

/* --- writing --- */

struct result pkcs8_public(const mbedtls_pk_context *key, struct buf *der, struct errinfo *e)
{
    uint8_t spki[KEY_DER_MAX];
    const int n = mbedtls_pk_write_pubkey_der(key, spki, sizeof spki); /* at the buffer's end */

    if (n < 0)
        return fail_native_key(e, n);
    return is_ok(buf_append(der, slice_of(spki + sizeof spki - n, (size_t)n)))
               ? OK
               : fail(e, ERR_NOMEM, "out of memory");
}

/* The AlgorithmIdentifier of KEY, which private and public form have in common, into OUT. */
static struct result write_algorithm(const mbedtls_pk_context *key, struct der_writer *w,
                                     struct errinfo *e)
{
    struct buf spki;
    struct slice rest, seq;
    struct der_item algorithm;

    buf_init(&spki, KEY_DER_MAX);
    struct result r = pkcs8_public(key, &spki, e);
    rest = buf_slice(&spki);
    if (is_ok(r) && (!der_take(&rest, DER_SEQUENCE, &seq) || !der_next(&seq, &algorithm)))
        r = fail(e, ERR_CRYPTO, "a public key is malformed");
    if (is_ok(r))
        der_write_raw(w, algorithm.whole);
    buf_free(&spki);
    return r;
}

/*
 * OneAsymmetricKey (RFC 5958 section 2), version 1: what mbedTLS writes, SEC 1 or PKCS#1, is what
 * goes into its OCTET STRING.
 */
static struct result write_plain(const mbedtls_pk_context *key, struct buf *out, struct errinfo *e)
{
    uint8_t inner[KEY_DER_MAX];
    struct der_writer w = der_write_to(out);
    const int n = mbedtls_pk_write_key_der(key, inner, sizeof inner); /* at the buffer's end */

    if (n < 0)
        return fail_native_key(e, n);
    const size_t seq = der_write_open(&w, DER_SEQUENCE);
    der_write_uint(&w, 0);
    struct result r = write_algorithm(key, &w, e);
    der_write_value(&w, DER_OCTET_STRING, slice_of(inner + sizeof inner - n, (size_t)n));
    der_write_close(&w, seq);
    wipe(inner, sizeof inner);
    if (is_ok(r))
        r = der_write_end(&w, e);
    return r;
}

static struct result write_pem(const char *label, const struct buf *der, struct buf *pem,
                               struct errinfo *e)
{
    return is_ok(pem_write(label, buf_slice(der), pem)) ? OK : fail(e, ERR_NOMEM, "out of memory");
}

struct result pkcs8_write(const mbedtls_pk_context *key, struct buf *pem, struct errinfo *e)
{
    struct buf der;

    buf_init(&der, 2 * KEY_DER_MAX);
    struct result r = write_plain(key, &der, e);
    if (is_ok(r))
        r = write_pem("PRIVATE KEY", &der, pem, e);
    buf_wipe(&der);
    return r;
}

/* --- encryption --- */

static void write_oid_and_null(struct der_writer *w, struct slice oid)
{
    const size_t seq = der_write_open(w, DER_SEQUENCE);

    der_write_oid(w, oid);
    der_write_value(w, DER_NULL, SLICE_EMPTY);
    der_write_close(w, seq);
}

/* PBES2-params (RFC 8018 section A.4): PBKDF2 (A.2), then the cipher. */
static void write_pbes2_params(struct der_writer *w, struct slice salt, uint32_t iterations,
                               struct slice iv)
{
    const size_t params = der_write_open(w, DER_SEQUENCE);
    const size_t kdf = der_write_open(w, DER_SEQUENCE);

    der_write_oid(w, OID_PBKDF2);
    const size_t kdf_params = der_write_open(w, DER_SEQUENCE);
    der_write_value(w, DER_OCTET_STRING, salt);
    der_write_uint(w, iterations);
    write_oid_and_null(w, OID_HMAC_WITH_SHA256);
    der_write_close(w, kdf_params);
    der_write_close(w, kdf);
    const size_t cipher = der_write_open(w, DER_SEQUENCE);
    der_write_oid(w, OID_AES_256_CBC);
    der_write_value(w, DER_OCTET_STRING, iv);
    der_write_close(w, cipher);
    der_write_close(w, params);
}

static struct result make_params(uint32_t iterations, const struct rng *rng, struct buf *params,
                                 struct errinfo *e)
{
    uint8_t random[SALT_SIZE + IV_SIZE];
    struct der_writer w = der_write_to(params);

    if (rng->fill(rng->ctx, random, sizeof random) != 0)
        return fail(e, ERR_CRYPTO, "there are no random numbers");
    write_pbes2_params(&w, slice_of(random, SALT_SIZE), iterations,
                       slice_of(random + SALT_SIZE, IV_SIZE));
    return der_write_end(&w, e);
}

/* PLAIN, encrypted, appended to OUT. */
static struct result encrypt(const struct buf *params, struct slice password, struct slice plain,
                             struct buf *out, struct errinfo *e)
{
    struct slice whole = buf_slice(params), inside;
    uint8_t *p;
    size_t n;

    if (!der_take(&whole, DER_SEQUENCE, &inside))
        return fail(e, ERR_INVALID, "the parameters of the encryption are malformed");
    const mbedtls_asn1_buf in = {DER_SEQUENCE, inside.n, (unsigned char *)(uintptr_t)inside.p};
    if (is_err(buf_reserve(out, plain.n + IV_SIZE, &p))) /* and the padding */
        return fail(e, ERR_NOMEM, "out of memory");
    const int rc = mbedtls_pkcs5_pbes2_ext(&in, MBEDTLS_PKCS5_ENCRYPT, password.p, password.n,
                                           plain.p, plain.n, p, plain.n + IV_SIZE, &n);
    if (rc != 0)
        return fail_native(e, ERR_CRYPTO, rc, "the private key cannot be encrypted");
    buf_commit(out, n);
    return OK;
}

/* EncryptedPrivateKeyInfo (RFC 5958 section 3) */
static struct result write_encrypted(const struct buf *params, const struct buf *data,
                                     struct buf *pem, struct errinfo *e)
{
    struct buf der;
    struct der_writer w = der_write_to(&der);

    buf_init(&der, 2 * KEY_DER_MAX);
    const size_t seq = der_write_open(&w, DER_SEQUENCE);
    const size_t algorithm = der_write_open(&w, DER_SEQUENCE);
    der_write_oid(&w, OID_PBES2);
    der_write_raw(&w, buf_slice(params));
    der_write_close(&w, algorithm);
    der_write_value(&w, DER_OCTET_STRING, buf_slice(data));
    der_write_close(&w, seq);
    struct result r = der_write_end(&w, e);
    if (is_ok(r))
        r = write_pem("ENCRYPTED PRIVATE KEY", &der, pem, e);
    buf_free(&der);
    return r;
}

struct result pkcs8_write_encrypted(const mbedtls_pk_context *key, struct slice password,
                                    uint32_t iterations, const struct rng *rng, struct buf *pem,
                                    struct errinfo *e)
{
    struct buf plain, params, data;

    buf_init(&plain, 2 * KEY_DER_MAX);
    buf_init(&params, 256);
    buf_init(&data, 2 * KEY_DER_MAX);
    struct result r = write_plain(key, &plain, e);
    if (is_ok(r))
        r = make_params(iterations, rng, &params, e);
    if (is_ok(r))
        r = encrypt(&params, password, buf_slice(&plain), &data, e);
    if (is_ok(r))
        r = write_encrypted(&params, &data, pem, e);
    buf_wipe(&plain);
    buf_free(&params);
    buf_wipe(&data); /* what a failure left may be half in the clear */
    return r;
}
