#include "pki/privkey.h"

#include <mbedtls/pem.h>
#include <mbedtls/pk.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/wipe.h"
#include "pki/der.h"
#include "pki/pem.h"

#define OID_PBES2  SLICE_LIT("\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d")
#define OID_PBKDF2 SLICE_LIT("\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c")
#define OID_AES    SLICE_LIT("\x60\x86\x48\x01\x65\x03\x04\x01") /* all its kinds begin so */

/* What opens a key. */
struct opener {
    struct slice password;
    unsigned iterations_max;
    const struct rng *rng;
};

static struct result parse_key(const struct opener *o, struct slice bytes, bool encrypted,
                               struct mbedtls_pk_context *key, struct errinfo *e)
{
    int rc = mbedtls_pk_parse_key(key, bytes.p, bytes.n, encrypted ? o->password.p : NULL,
                                  encrypted ? o->password.n : 0, o->rng->fill, o->rng->ctx);

    if (rc == 0)
        return OK;
    if (rc == MBEDTLS_ERR_PK_ALLOC_FAILED)
        return fail_native(e, ERR_NOMEM, rc, "out of memory");
    if (encrypted)
        return fail_native(e, ERR_CRYPTO, rc, "the password does not open the private key");
    return fail_native(e, ERR_PARSE, rc,
                       "the private key is damaged, or of a kind that is not supported");
}

/* --- encrypted keys --- */

static struct result need_password(const struct opener *o, struct errinfo *e)
{
    if (o->password.n == 0)
        return fail(e, ERR_CRYPTO, "the private key is encrypted: its password is needed");
    return OK;
}

static struct result refuse_encryption(struct errinfo *e)
{
    return fail(e, ERR_UNSUPPORTED,
                "the private key is encrypted in a way that is not supported; convert it with: "
                "openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out NEW.key");
}

/*
 * PBES2 (RFC 8018 section 6.2) with PBKDF2 and AES is what is supported. ALGORITHM is what is in
 * the AlgorithmIdentifier. The number of iterations is the file's to choose, and the time is ours:
 * it is capped.
 */
static struct result check_encryption(const struct opener *o, struct slice algorithm,
                                      struct errinfo *e)
{
    struct slice oid, params, kdf, cipher, salt, count;
    uint64_t iterations = 0;

    if (!der_take(&algorithm, DER_OID, &oid) || !slice_eq(oid, OID_PBES2) ||
        !der_take(&algorithm, DER_SEQUENCE, &params) || !der_take(&params, DER_SEQUENCE, &kdf) ||
        !der_take(&params, DER_SEQUENCE, &cipher) || !der_take(&kdf, DER_OID, &oid) ||
        !slice_eq(oid, OID_PBKDF2) || !der_take(&kdf, DER_SEQUENCE, &params) ||
        !der_take(&params, DER_OCTET_STRING, &salt) || !der_take(&params, DER_INTEGER, &count) ||
        !der_take(&cipher, DER_OID, &oid) || !slice_starts(oid, OID_AES))
        return refuse_encryption(e);
    for (size_t i = 0; i < count.n && iterations <= o->iterations_max; i++)
        iterations = iterations << 8 | count.p[i];
    if (iterations > o->iterations_max)
        return fail(e, ERR_LIMIT,
                    "the private key's password is hashed more than %u times, which takes "
                    "too long; decrypt it first: openssl pkey -in FILE -out NEW.key",
                    o->iterations_max);
    return OK;
}

/* A key in DER, of any kind. */
static struct result parse_der(const struct opener *o, struct slice der,
                               struct mbedtls_pk_context *key, struct errinfo *e)
{
    struct slice rest = der;
    struct slice content, algorithm;
    bool encrypted;

    if (!der_take(&rest, DER_SEQUENCE, &content))
        return fail(e, ERR_PARSE, "the private key is damaged or cut off");
    /* EncryptedPrivateKeyInfo begins with an algorithm, all other keys with a version. */
    encrypted = der_take(&content, DER_SEQUENCE, &algorithm);
    if (encrypted) {
        if (algorithm.n == 0 || algorithm.p[0] != DER_OID)
            return fail(e, ERR_NOT_FOUND, "there is no private key in the file");
        TRY(check_encryption(o, algorithm, e));
        TRY(need_password(o, e));
    }
    return parse_key(o, slice_first(der, der.n - rest.n), encrypted, key, e);
}

/* The value of the header NAME ("DEK-Info"), empty if there is none. */
static struct slice find_header(struct slice headers, const char *name)
{
    while (headers.n > 0) {
        struct slice line = slice_cut(&headers, '\n');
        struct slice field = slice_trim(slice_cut(&line, ':'));

        if (slice_eq_nocase_str(field, name))
            return slice_trim(line);
    }
    return SLICE_EMPTY;
}

/* BLOCK, whose Base64 is DECODED, as a text in the one layout that mbedTLS reads. */
static struct result lay_out(const struct pem_block *block, struct slice info, struct slice decoded,
                             struct buf *text)
{
    struct buf head, foot;
    struct result r;
    uint8_t *p;
    size_t n = 0;

    buf_init(&head, 512);
    buf_init(&foot, 512);
    r = buf_printf(&head, "-----BEGIN %.*s-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: %.*s\n\n",
                   SLICE_FMT(block->label), SLICE_FMT(info));
    if (is_ok(r))
        r = buf_printf(&foot, "-----END %.*s-----\n", SLICE_FMT(block->label));
    if (is_ok(r) && (buf_str(&head) == NULL || buf_str(&foot) == NULL))
        r = err(ERR_NOMEM);
    if (is_ok(r))
        (void)mbedtls_pem_write_buffer(buf_str(&head), buf_str(&foot), decoded.p, decoded.n, NULL,
                                       0, &n);
    if (is_ok(r) && is_ok(r = buf_reserve(text, n, &p))) {
        if (mbedtls_pem_write_buffer(buf_str(&head), buf_str(&foot), decoded.p, decoded.n, p, n,
                                     &n) != 0)
            r = err(ERR_INVALID);
        else
            buf_commit(text, n); /* with the NUL that mbedTLS knows PEM by */
    }
    buf_free(&head);
    buf_free(&foot);
    return r;
}

/* Encryption by PEM headers (RFC 1421), which mbedTLS undoes. */
static struct result parse_rfc1421(const struct opener *o, const struct pem_block *block,
                                   struct slice decoded, struct mbedtls_pk_context *key,
                                   struct errinfo *e)
{
    struct slice info = find_header(block->headers, "DEK-Info");
    struct buf text;
    struct result r;

    if (!slice_starts_nocase(info, SLICE_LIT("AES-")))
        return refuse_encryption(e);
    TRY(need_password(o, e));
    buf_init(&text, 2 * LIMIT_CERT_BYTES);
    r = lay_out(block, info, decoded, &text);
    if (is_ok(r))
        r = parse_key(o, buf_slice(&text), true, key, e);
    else
        r = fail(e, r.code, "line %zu: the private key is too large", block->line);
    buf_wipe(&text);
    return r;
}

/* --- files --- */

static struct result parse_block(const struct opener *o, const struct pem_block *block,
                                 struct mbedtls_pk_context *key, struct errinfo *e)
{
    const struct slice encrypted = SLICE_LIT("ENCRYPTED");
    struct buf decoded;
    struct result r;

    buf_init(&decoded, LIMIT_CERT_BYTES);
    r = pem_decode(block, &decoded, e);
    if (is_ok(r)) {
        if (slice_find_slice(block->headers, encrypted) < block->headers.n)
            r = parse_rfc1421(o, block, buf_slice(&decoded), key, e);
        else
            r = parse_der(o, buf_slice(&decoded), key, e);
    }
    buf_wipe(&decoded);
    return r;
}

static struct result load_pem(const struct opener *o, struct slice text,
                              struct mbedtls_pk_context *key, struct errinfo *e)
{
    struct pem_reader at = pem_begin(text);
    struct pem_block block, found = {0};
    struct result r;

    while (is_ok(r = pem_next(&at, &block, e))) {
        if (!slice_ends(block.label, SLICE_LIT("PRIVATE KEY")))
            continue;
        if (found.line != 0)
            return fail(e, ERR_INVALID,
                        "there are two private keys in the file, in lines %zu and %zu", found.line,
                        block.line);
        found = block;
    }
    if (r.code != ERR_NOT_FOUND)
        return r;
    if (found.line == 0)
        return fail(e, ERR_NOT_FOUND, "there is no private key in the file");
    return parse_block(o, &found, key, e);
}

struct result privkey_load(struct slice content, struct slice password, unsigned iterations_max,
                           const struct rng *rng, struct mbedtls_pk_context *key, struct errinfo *e)
{
    const struct opener o = {password, iterations_max, rng};

    if (content.n >= 2 && content.p[0] == DER_SEQUENCE &&
        (content.p[1] >= 0x80 || content.n < 128)) /* else it is text that begins with '0' */
        return parse_der(&o, content, key, e);
    return load_pem(&o, content, key, e);
}

/* --- writing --- */

#define KEY_DER_MAX 8192 /* RSA with 8192 bits, the largest that mbedTLS reads, has 4.7 KB */

static size_t header_len(size_t n)
{
    return n < 0x80 ? 2 : n < 0x100 ? 3 : 4;
}

/* DER's tag, and the length in its shortest form. */
static struct result put_header(struct buf *der, uint8_t tag, size_t n)
{
    const uint8_t header[] = {tag, 0x82, (uint8_t)(n >> 8), (uint8_t)n};

    switch (header_len(n)) {
    case 2:
        return buf_append(der, slice_of((uint8_t[]){tag, (uint8_t)n}, 2));
    case 3:
        return buf_append(der, slice_of((uint8_t[]){tag, 0x81, (uint8_t)n}, 3));
    default:
        return buf_append(der, slice_of(header, sizeof header));
    }
}

/* RFC 5958 section 2: version 0, the algorithm, and the key as its own standard writes it. */
static struct result put_pkcs8(struct buf *der, struct slice algorithm, struct slice key)
{
    const struct slice version = SLICE_LIT("\x02\x01\x00");

    TRY(put_header(der, DER_SEQUENCE, version.n + algorithm.n + header_len(key.n) + key.n));
    TRY(buf_append(der, version));
    TRY(buf_append(der, algorithm));
    TRY(put_header(der, DER_OCTET_STRING, key.n));
    return buf_append(der, key);
}

static struct result write_pkcs8(struct slice algorithm, struct slice key, struct buf *out)
{
    struct buf der;

    buf_init(&der, KEY_DER_MAX);
    struct result r = put_pkcs8(&der, algorithm, key);
    if (is_ok(r))
        r = pem_write("PRIVATE KEY", buf_slice(&der), out);
    buf_wipe(&der);
    return r;
}

struct result privkey_write(const struct mbedtls_pk_context *key, struct slice spki,
                            struct buf *out, struct errinfo *e)
{
    uint8_t bytes[KEY_DER_MAX];
    struct slice inside;
    struct der_item algorithm;

    if (!der_take(&spki, DER_SEQUENCE, &inside) || !der_next(&inside, &algorithm))
        return fail(e, ERR_INVALID, "the public key is malformed");
    const int n = mbedtls_pk_write_key_der(key, bytes, sizeof bytes); /* at their end */
    struct result r = n < 0
                          ? fail_native(e, ERR_CRYPTO, n, "the private key cannot be written")
                          : write_pkcs8(algorithm.whole,
                                        slice_of(bytes + sizeof bytes - (size_t)n, (size_t)n), out);
    wipe(bytes, sizeof bytes);
    if (is_err(r))
        IGNORE(fail(e, r.code, "the private key cannot be written: %s", err_text(r.code)));
    return r;
}
