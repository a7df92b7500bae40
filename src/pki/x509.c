#define MBEDTLS_ALLOW_PRIVATE_ACCESS /* the signature, CA flag and key usage have no getters */

#include "pki/x509.h"

#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <mbedtls/md.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "pki/der.h"
#include "pki/dn.h"

struct cert {
    unsigned refs;
    int64_t not_before_s, not_after_s;
    uint8_t sha256[HASH_SHA256_SIZE];
    mbedtls_x509_crt crt;
};

static struct slice slice_of_buf(const mbedtls_x509_buf *b)
{
    return slice_of(b->p, b->len);
}

/* --- parsing --- */

/* Days from 1970-01-01 to a day of the proleptic Gregorian calendar. */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    /* Years that begin in March end with the leap day; eras of 400 years are all alike. */
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

static int64_t epoch_s(const mbedtls_x509_time *t)
{
    if (t->year < 1)
        return days_from_civil(1, 1, 1) * 86400;
    return days_from_civil(t->year, t->mon, t->day) * 86400 + t->hour * 3600 + t->min * 60 + t->sec;
}

/* Which part of a certificate mbedTLS stumbled over; the table is by the high part of its codes. */
static struct result parse_error(int rc, struct errinfo *e)
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

static struct result parse(struct slice der, bool copy, struct cert **out, struct errinfo *e)
{
    struct cert *c;
    int rc;

    if (der.n > LIMIT_CERT_BYTES)
        return fail(e, ERR_LIMIT, "the certificate is larger than %d KB", LIMIT_CERT_BYTES / 1024);
    if (der.n == 0)
        return fail(e, ERR_PARSE, "the certificate is empty");
    c = malloc(sizeof(*c));
    if (c == NULL)
        return fail(e, ERR_NOMEM, "out of memory");
    mbedtls_x509_crt_init(&c->crt);
    rc =
        mbedtls_x509_crt_parse_der_with_ext_cb(&c->crt, der.p, der.n, copy, accept_extension, NULL);
    if (rc == 0 && c->crt.raw.len != der.n) {
        mbedtls_x509_crt_free(&c->crt);
        free(c);
        return fail(e, ERR_PARSE, "there are bytes behind the certificate");
    }
    if (rc != 0) {
        free(c);
        return parse_error(rc, e);
    }
    c->refs = 1;
    c->not_before_s = epoch_s(&c->crt.valid_from);
    c->not_after_s = epoch_s(&c->crt.valid_to);
    hash_sha256(der, c->sha256);
    *out = c;
    return OK;
}

struct result cert_parse(struct slice der, struct cert **out, struct errinfo *e)
{
    return parse(der, true, out, e);
}

struct result cert_parse_static(struct slice der, struct cert **out, struct errinfo *e)
{
    return parse(der, false, out, e);
}

struct cert *cert_ref(struct cert *c)
{
    c->refs++;
    return c;
}

void cert_unref(struct cert *c)
{
    if (c == NULL || --c->refs > 0)
        return;
    mbedtls_x509_crt_free(&c->crt);
    free(c);
}

/* --- fields --- */

const struct mbedtls_x509_crt *cert_mbedtls(const struct cert *c)
{
    return &c->crt;
}

struct result cert_mbedtls_append(const struct cert *c, struct mbedtls_x509_crt *list,
                                  struct errinfo *e)
{
    int rc = mbedtls_x509_crt_parse_der_with_ext_cb(list, c->crt.raw.p, c->crt.raw.len, false,
                                                    accept_extension, NULL);

    return rc == 0 ? OK : parse_error(rc, e);
}

struct slice cert_der(const struct cert *c)
{
    return slice_of_buf(&c->crt.raw);
}

const uint8_t *cert_sha256(const struct cert *c)
{
    return c->sha256;
}

unsigned cert_version(const struct cert *c)
{
    return (unsigned)c->crt.version;
}

struct slice cert_serial(const struct cert *c)
{
    return slice_of_buf(&c->crt.serial);
}

struct slice cert_tbs(const struct cert *c)
{
    return slice_of_buf(&c->crt.tbs);
}

struct slice cert_issuer(const struct cert *c)
{
    return slice_of_buf(&c->crt.issuer_raw);
}

struct slice cert_subject(const struct cert *c)
{
    return slice_of_buf(&c->crt.subject_raw);
}

int64_t cert_not_before(const struct cert *c)
{
    return c->not_before_s;
}

int64_t cert_not_after(const struct cert *c)
{
    return c->not_after_s;
}

bool cert_is_self_issued(const struct cert *c)
{
    return dn_equal(cert_issuer(c), cert_subject(c));
}

struct slice cert_public_key(const struct cert *c)
{
    return slice_of_buf(&c->crt.pk_raw);
}

/* --- key and signature --- */

struct cert_key cert_key(const struct cert *c)
{
    struct cert_key key = {CERT_KEY_OTHER, (unsigned)mbedtls_pk_get_bitlen(&c->crt.pk)};

    switch (mbedtls_pk_get_type(&c->crt.pk)) {
    case MBEDTLS_PK_RSA:
        key.type = CERT_KEY_RSA;
        break;
    case MBEDTLS_PK_ECKEY:
    case MBEDTLS_PK_ECDSA:
        key.type = CERT_KEY_EC;
        break;
    default:
        break;
    }
    return key;
}

void cert_key_text(const struct cert *c, char *out, size_t size)
{
    struct cert_key key = cert_key(c);

    switch (key.type) {
    case CERT_KEY_RSA:
        (void)snprintf(out, size, "RSA %u", key.bits);
        break;
    case CERT_KEY_EC:
        /* All curves of this build are NIST's: the size names them. X25519 signs nothing. */
        (void)snprintf(out, size, "EC P-%u", key.bits);
        break;
    case CERT_KEY_OTHER:
        (void)snprintf(out, size, "%s %u", mbedtls_pk_get_name(&c->crt.pk), key.bits);
        break;
    }
}

enum cert_digest cert_signature_digest(const struct cert *c)
{
    switch (c->crt.sig_md) {
    case MBEDTLS_MD_MD5:
        return CERT_DIGEST_MD5;
    case MBEDTLS_MD_SHA1:
        return CERT_DIGEST_SHA1;
    case MBEDTLS_MD_SHA224:
        return CERT_DIGEST_SHA224;
    case MBEDTLS_MD_SHA256:
        return CERT_DIGEST_SHA256;
    case MBEDTLS_MD_SHA384:
        return CERT_DIGEST_SHA384;
    case MBEDTLS_MD_SHA512:
        return CERT_DIGEST_SHA512;
    default:
        return CERT_DIGEST_OTHER;
    }
}

struct result cert_check_signature(const struct cert *c, const struct cert *issuer)
{
    const mbedtls_x509_crt *crt = &c->crt;
    const mbedtls_md_info_t *md = mbedtls_md_info_from_type(crt->sig_md);
    mbedtls_pk_context *key = (mbedtls_pk_context *)&issuer->crt.pk; /* only read */
    unsigned char digest[MBEDTLS_MD_MAX_SIZE];

    if (md == NULL || !mbedtls_pk_can_do(key, crt->sig_pk) ||
        mbedtls_md(md, crt->tbs.p, crt->tbs.len, digest) != 0 ||
        mbedtls_pk_verify_ext(crt->sig_pk, crt->sig_opts, key, crt->sig_md, digest,
                              mbedtls_md_get_size(md), crt->sig.p, crt->sig.len) != 0)
        return err(ERR_CRYPTO);
    return OK;
}

/* --- extensions --- */

struct slice cert_extensions(const struct cert *c)
{
    struct slice tagged = slice_of_buf(&c->crt.v3_ext);
    struct slice list;

    return der_take(&tagged, DER_SEQUENCE, &list) ? list : SLICE_EMPTY;
}

bool cert_extension_next(struct slice *at, struct cert_extension *out)
{
    struct slice ext, critical;

    if (!der_take(at, DER_SEQUENCE, &ext) || !der_take(&ext, DER_OID, &out->oid))
        return false;
    out->critical = der_take(&ext, DER_BOOLEAN, &critical) && critical.n == 1 && critical.p[0] != 0;
    return der_take(&ext, DER_OCTET_STRING, &out->value);
}

bool cert_extension_find(const struct cert *c, struct slice oid, struct cert_extension *out)
{
    struct slice at = cert_extensions(c);
    struct cert_extension ext;

    while (cert_extension_next(&at, &ext)) {
        if (slice_eq(ext.oid, oid)) {
            if (out != NULL)
                *out = ext;
            return true;
        }
    }
    return false;
}

struct slice cert_subject_key_id(const struct cert *c)
{
    return slice_of_buf(&c->crt.subject_key_id);
}

struct slice cert_authority_key_id(const struct cert *c)
{
    return slice_of_buf(&c->crt.authority_key_id.keyIdentifier);
}

bool cert_basic_constraints(const struct cert *c, bool *ca, int *pathlen)
{
    *ca = c->crt.ca_istrue != 0;
    *pathlen = c->crt.max_pathlen - 1; /* mbedTLS counts from one; 0 is no limit */
    return (c->crt.ext_types & MBEDTLS_X509_EXT_BASIC_CONSTRAINTS) != 0;
}

bool cert_key_usage(const struct cert *c, unsigned *bits)
{
    *bits = c->crt.key_usage;
    return (c->crt.ext_types & MBEDTLS_X509_EXT_KEY_USAGE) != 0;
}

/* What is inside the SEQUENCE that is the value of the extension OID. */
static struct slice extension_list(const struct cert *c, struct slice oid)
{
    struct cert_extension ext;
    struct slice list;

    if (!cert_extension_find(c, oid, &ext) || !der_take(&ext.value, DER_SEQUENCE, &list))
        return SLICE_EMPTY;
    return list;
}

struct slice cert_purposes(const struct cert *c)
{
    return extension_list(c, CERT_OID_EXT_KEY_USAGE);
}

bool cert_purpose_next(struct slice *at, struct slice *oid)
{
    return der_take(at, DER_OID, oid);
}

struct slice cert_alt_names(const struct cert *c)
{
    return extension_list(c, CERT_OID_SUBJECT_ALT_NAME);
}

bool cert_name_next(struct slice *at, struct cert_name *out)
{
    struct der_item item;

    if (!der_next(at, &item))
        return false;
    out->type = (enum cert_name_type)(item.tag & 0x1f);
    out->value = item.value;
    return true;
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
    struct slice names = cert_alt_names(c);
    struct dn_attribute a;
    struct cert_name name;

    if (dn_last(cert_subject(c), DN_OID_COMMON_NAME, &a) ||
        dn_last(cert_subject(c), DN_OID_ORGANIZATION, &a)) {
        dn_value_text(&a, out, size);
        return;
    }
    if (!dn_is_empty(cert_subject(c))) {
        cert_subject_text(c, out, size);
        return;
    }
    while (cert_name_next(&names, &name)) {
        if (name.type == CERT_NAME_DNS || name.type == CERT_NAME_URI ||
            name.type == CERT_NAME_EMAIL) {
            a = (struct dn_attribute){.tag = DER_IA5_STRING, .value = name.value};
            dn_value_text(&a, out, size);
            return;
        }
    }
    (void)snprintf(out, size, "a certificate without a name");
}
