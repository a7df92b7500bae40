#include "pki/x509.h"

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "pki/dn.h"
#include "pki/pubkey.h"

struct cert {
    unsigned refs;
    struct certfields fields;
    bool hashed; /* those with a copy: they are kept, the others are gone after one look */
    uint8_t sha256[HASH_SHA256_SIZE];
    uint8_t copy[]; /* of the DER, unless that is static */
};

/* --- the object --- */

typedef struct result read_fn(struct slice der, struct certfields *out, struct errinfo *e);

static struct result parse(struct slice der, bool copy, read_fn *reader, struct cert **out,
                           struct errinfo *e)
{
    struct cert *c;
    struct result r;

    if (der.n > LIMIT_CERT_BYTES)
        return fail(e, ERR_LIMIT, "the certificate is larger than %d KB", LIMIT_CERT_BYTES / 1024);
    c = malloc(sizeof(*c) + (copy ? der.n : 0));
    if (c == NULL)
        return fail(e, ERR_NOMEM, "out of memory");
    if (copy && der.n > 0) {
        memcpy(c->copy, der.p, der.n);
        der.p = c->copy;
    }
    r = reader(der, &c->fields, e);
    if (is_err(r)) {
        errinfo_context(e, "the certificate cannot be read");
        free(c);
        return r;
    }
    c->hashed = copy;
    if (copy)
        hash_sha256(der, c->sha256);
    c->refs = 1;
    *out = c;
    return OK;
}

struct result cert_parse(struct slice der, struct cert **out, struct errinfo *e)
{
    return parse(der, true, certfields_read, out, e);
}

struct result cert_load(struct slice der, struct cert **out, struct errinfo *e)
{
    return parse(der, true, certfields_load, out, e);
}

struct result cert_parse_static(struct slice der, struct cert **out, struct errinfo *e)
{
    return parse(der, false, certfields_read, out, e);
}

struct cert *cert_ref(struct cert *c)
{
    c->refs++;
    return c;
}

void cert_unref(struct cert *c)
{
    if (c != NULL && --c->refs == 0)
        free(c);
}

/* --- fields --- */

struct slice cert_der(const struct cert *c)
{
    return c->fields.der;
}

void cert_sha256(const struct cert *c, uint8_t out[HASH_SHA256_SIZE])
{
    if (c->hashed)
        memcpy(out, c->sha256, sizeof(c->sha256));
    else
        hash_sha256(cert_der(c), out);
}

const struct certfields *cert_fields(const struct cert *c)
{
    return &c->fields;
}

struct slice cert_subject(const struct cert *c)
{
    return c->fields.subject;
}

struct slice cert_issuer(const struct cert *c)
{
    return c->fields.issuer;
}

struct slice cert_subject_key_id(const struct cert *c)
{
    return c->fields.subject_key_id;
}

int64_t cert_not_before(const struct cert *c)
{
    return c->fields.not_before_s;
}

int64_t cert_not_after(const struct cert *c)
{
    return c->fields.not_after_s;
}

/* --- texts --- */

void cert_subject_text(const struct cert *c, char *out, size_t size)
{
    dn_text(cert_subject(c), out, size);
}

void cert_issuer_text(const struct cert *c, char *out, size_t size)
{
    dn_text(cert_issuer(c), out, size);
}

void cert_label(const struct cert *c, char *out, size_t size)
{
    certfields_label(&c->fields, out, size);
}

void cert_key_text(const struct cert *c, char *out, size_t size)
{
    struct pubkey key = pubkey_read(c->fields.key);

    switch (key.type) {
    case PUBKEY_RSA:
        (void)snprintf(out, size, "RSA %u", key.bits);
        break;
    case PUBKEY_EC: /* all curves that are known here are NIST's: the size names them */
        if (key.bits != 0)
            (void)snprintf(out, size, "EC P-%u", key.bits);
        else
            (void)snprintf(out, size, "EC, unknown curve");
        break;
    case PUBKEY_OTHER:
        (void)snprintf(out, size, "unknown");
        break;
    }
}

/* --- mbedTLS --- */

/* Which part of a certificate mbedTLS stumbled over; the table is by the high part of its codes. */
static struct result mbedtls_error(int rc, struct errinfo *e)
{
    static const struct {
        int high;
        enum err code;
        const char *text;
    } table[] = {
        {MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG, ERR_UNSUPPORTED,
         "it is signed with an algorithm that is not supported"},
        {MBEDTLS_ERR_PK_UNKNOWN_PK_ALG, ERR_UNSUPPORTED,
         "its key is of a kind that is not supported"},
        {MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE, ERR_UNSUPPORTED,
         "its key is on an elliptic curve that is not supported"},
        {MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE, ERR_UNSUPPORTED,
         "its key is of a kind that is not supported"},
        {MBEDTLS_ERR_X509_FEATURE_UNAVAILABLE, ERR_UNSUPPORTED,
         "it uses a feature that is not supported"},
        {MBEDTLS_ERR_X509_ALLOC_FAILED, ERR_NOMEM, "out of memory"},
        {MBEDTLS_ERR_PK_ALLOC_FAILED, ERR_NOMEM, "out of memory"},
        {MBEDTLS_ERR_X509_UNKNOWN_VERSION, ERR_PARSE, "its version is unknown"},
        {MBEDTLS_ERR_X509_INVALID_VERSION, ERR_PARSE, "its version is malformed"},
        {MBEDTLS_ERR_X509_INVALID_SERIAL, ERR_PARSE, "its serial number is malformed"},
        {MBEDTLS_ERR_X509_INVALID_ALG, ERR_PARSE, "its signature algorithm is malformed"},
        {MBEDTLS_ERR_X509_INVALID_NAME, ERR_PARSE, "a name in it is malformed"},
        {MBEDTLS_ERR_X509_INVALID_DATE, ERR_PARSE, "its dates are malformed"},
        {MBEDTLS_ERR_X509_INVALID_SIGNATURE, ERR_PARSE, "its signature is malformed"},
        {MBEDTLS_ERR_X509_INVALID_EXTENSIONS, ERR_PARSE, "its extensions are malformed"},
        {MBEDTLS_ERR_X509_SIG_MISMATCH, ERR_PARSE, "it names two signature algorithms"},
        {MBEDTLS_ERR_PK_INVALID_PUBKEY, ERR_PARSE, "its key is malformed"},
        {MBEDTLS_ERR_PK_INVALID_ALG, ERR_PARSE, "its key is malformed"},
        {MBEDTLS_ERR_PK_KEY_INVALID_FORMAT, ERR_PARSE, "its key is malformed"},
    };
    int high = -(-rc & 0xff80);

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].high == high)
            return fail_native(e, table[i].code, rc, "the certificate cannot be read: %s",
                               table[i].text);
    return fail_native(e, ERR_PARSE, rc, "this is not a well-formed certificate");
}

/* Whether a critical extension is understood is for pki/verify to say, not for the parser. */
static int accept_extension(void *arg, const mbedtls_x509_crt *crt, const mbedtls_x509_buf *oid,
                            int critical, const unsigned char *p, const unsigned char *end)
{
    (void)arg;
    (void)crt;
    (void)oid;
    (void)critical;
    (void)p;
    (void)end;
    return 0;
}

struct result cert_mbedtls_append(const struct cert *c, struct mbedtls_x509_crt *list,
                                  struct errinfo *e)
{
    struct slice der = cert_der(c);
    int rc =
        mbedtls_x509_crt_parse_der_with_ext_cb(list, der.p, der.n, false, accept_extension, NULL);

    return rc == 0 ? OK : mbedtls_error(rc, e);
}
