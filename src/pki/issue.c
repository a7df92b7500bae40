#include "pki/issue.h"

#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "pki/der_write.h"
#include "pki/dn.h"
#include "pki/pkcs8.h"
#include "pki/pubkey.h"

#define KEY_ID_SIZE  20
#define CERT_MAX     16384 /* names are short here, and the largest key has a kilobyte */
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192

/* --- keys and signatures --- */

struct result issue_check_key(struct slice key, struct errinfo *e)
{
    const struct pubkey k = pubkey_read(key);

    if (k.type == PUBKEY_RSA && k.bad_exponent)
        return fail(e, ERR_INVALID, "the RSA key has an exponent that nobody should use");
    if (k.type == PUBKEY_RSA && (k.bits < RSA_BITS_MIN || k.bits > RSA_BITS_MAX || k.bits % 8 != 0))
        return fail(e, ERR_INVALID, "the RSA key has %u bits; from %d to %d are taken", k.bits,
                    RSA_BITS_MIN, RSA_BITS_MAX);
    if (k.type == PUBKEY_RSA ||
        (k.type == PUBKEY_EC && (k.bits == 256 || k.bits == 384 || k.bits == 521)))
        return OK;
    return fail(e, ERR_INVALID,
                "the key is none of RSA, EC P-256, P-384 and P-521, or is malformed");
}

/* AlgorithmIdentifiers: RFC 4055 section 5 (with NULL), RFC 5758 section 3.2 (without). */
static const struct algorithm {
    struct slice der;
    mbedtls_md_type_t md;
} rsa_sha256 = {{(const uint8_t *)"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00",
                 15},
                MBEDTLS_MD_SHA256},
  ecdsa_sha256 = {{(const uint8_t *)"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", 12},
                  MBEDTLS_MD_SHA256},
  ecdsa_sha384 = {{(const uint8_t *)"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03", 12},
                  MBEDTLS_MD_SHA384},
  ecdsa_sha512 = {{(const uint8_t *)"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04", 12},
                  MBEDTLS_MD_SHA512};

static const struct algorithm *algorithm_of(const mbedtls_pk_context *key)
{
    if (mbedtls_pk_can_do(key, MBEDTLS_PK_RSA) != 0)
        return &rsa_sha256;
    if (mbedtls_pk_can_do(key, MBEDTLS_PK_ECDSA) == 0)
        return NULL;
    switch (mbedtls_pk_get_bitlen(key)) {
    case 256:
        return &ecdsa_sha256;
    case 384:
        return &ecdsa_sha384;
    case 521:
        return &ecdsa_sha512;
    default:
        return NULL;
    }
}

struct slice issue_algorithm(const mbedtls_pk_context *key)
{
    const struct algorithm *a = algorithm_of(key);

    return a != NULL ? a->der : SLICE_EMPTY;
}

static int make_signature(struct slice tbs, const struct algorithm *a, mbedtls_pk_context *key,
                          const struct rng *rng, uint8_t *out, size_t size, size_t *n)
{
    const mbedtls_md_info_t *md = mbedtls_md_info_from_type(a->md);
    uint8_t hash[MBEDTLS_MD_MAX_SIZE];
    const int rc = mbedtls_md(md, tbs.p, tbs.n, hash);

    return rc != 0 ? rc
                   : mbedtls_pk_sign(key, a->md, hash, mbedtls_md_get_size(md), out, size, n,
                                     rng->fill, rng->ctx);
}

/* By the same code that judges peers. */
static struct result check_signature(struct slice tbs, const struct algorithm *a,
                                     struct slice signature, const mbedtls_pk_context *key,
                                     struct errinfo *e)
{
    struct buf spki;

    buf_init(&spki, CERT_MAX);
    struct result r = pkcs8_public(key, &spki, e);
    if (is_ok(r) && !sig_check(a->der, tbs, signature, buf_slice(&spki)))
        r = fail(e, ERR_CRYPTO, "a signature that was just made is wrong: this machine is faulty");
    buf_free(&spki);
    return r;
}

struct result issue_sign(struct slice tbs, mbedtls_pk_context *key, const struct rng *rng,
                         struct buf *out, struct errinfo *e)
{
    uint8_t signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
    size_t n = 0;
    const struct algorithm *a = algorithm_of(key);
    struct der_writer w = der_write_to(out);

    if (a == NULL)
        return fail(e, ERR_INVALID, "the signing key is none of RSA, EC P-256, P-384 and P-521");
    const int rc = make_signature(tbs, a, key, rng, signature, sizeof signature, &n);
    if (rc != 0)
        return fail_native(e, ERR_CRYPTO, rc, "the signature cannot be made");
    TRY(check_signature(tbs, a, slice_of(signature, n), key, e));
    const size_t seq = der_write_open(&w, DER_SEQUENCE);
    der_write_raw(&w, tbs);
    der_write_raw(&w, a->der);
    der_write_bits(&w, slice_of(signature, n));
    der_write_close(&w, seq);
    return der_write_end(&w, e);
}

/* RFC 7093 section 2, method 1: of the BIT STRING's bytes. */
static bool key_id(struct slice spki, uint8_t out[KEY_ID_SIZE])
{
    uint8_t sha256[HASH_SHA256_SIZE];
    struct slice seq, algorithm, bits;

    if (!der_take(&spki, DER_SEQUENCE, &seq) || !der_take(&seq, DER_SEQUENCE, &algorithm) ||
        !der_take(&seq, DER_BIT_STRING, &bits))
        return false;
    hash_sha256(slice_from(bits, 1), sha256);
    memcpy(out, sha256, KEY_ID_SIZE);
    return true;
}

/* --- the request --- */

static size_t count_characters(struct slice s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] & 0xc0) != 0x80)
            n++;
    return n;
}

static struct result check_name(const char *what, const char *text, struct errinfo *e)
{
    const struct slice s = slice_of_str(text);

    if (s.n == 0)
        return fail(e, ERR_INVALID, "the %s is empty", what);
    if (!utf8_is_text(s))
        return fail(e, ERR_INVALID, "the %s is not UTF-8, or has control characters", what);
    if (count_characters(s) > ISSUE_NAME_MAX)
        return fail(e, ERR_INVALID, "the %s '%s' is longer than %d characters", what, text,
                    ISSUE_NAME_MAX);
    return OK;
}

static struct result check_dates(const struct issue_request *q, const struct certfields *issuer,
                                 struct errinfo *e)
{
    if (q->not_before_s < clock_from_utc(1950, 1, 1, 0, 0, 0) || q->not_after_s > ISSUE_NO_END ||
        q->not_before_s >= q->not_after_s)
        return fail(e, ERR_INVALID, "the dates are in the wrong order, or outside of 1950 to 9999");
    if (issuer != NULL &&
        (q->not_before_s < issuer->not_before_s || q->not_after_s > issuer->not_after_s))
        return fail(e, ERR_INVALID, "a certificate cannot outlive the CA that signs it");
    return OK;
}

static struct result check_issuer(const struct issue_request *q, const struct certfields *issuer,
                                  struct errinfo *e)
{
    if (issuer == NULL)
        return q->kind == ISSUE_ROOT ? OK : fail(e, ERR_INVALID, "no CA is there to sign it");
    if (q->kind == ISSUE_ROOT)
        return fail(e, ERR_INVALID, "a root signs itself");
    if (!issuer->is_ca || (issuer->ext[CERT_EXT_KEY_USAGE].present &&
                           (issuer->key_usage & KEY_USAGE_KEY_CERT_SIGN) == 0))
        return fail(e, ERR_INVALID, "the certificate that is to sign is not that of a CA");
    if (q->kind == ISSUE_ISSUING && issuer->pathlen == 0)
        return fail(e, ERR_INVALID, "the CA that is to sign may not sign other CAs");
    return OK;
}

static struct result check_request(const struct issue_request *q, const struct certfields *issuer,
                                   struct errinfo *e)
{
    TRY(check_name("common name", q->common_name, e));
    if (q->organization != NULL)
        TRY(check_name("organisation", q->organization, e));
    if (q->mac != NULL && !mac_is_device(q->mac))
        return fail(e, ERR_INVALID, "the MAC address is not one that a device can have");
    TRY(check_issuer(q, issuer, e));
    TRY(check_dates(q, issuer, e));
    return issue_check_key(q->key, e);
}

/* --- names --- */

/* A RelativeDistinguishedName of one attribute, whose VALUE is an element. */
static void put_attribute(struct der_writer *w, struct slice oid, struct slice value)
{
    const size_t set = der_write_open(w, DER_SET);
    const size_t seq = der_write_open(w, DER_SEQUENCE);

    der_write_oid(w, oid);
    der_write_raw(w, value);
    der_write_close(w, seq);
    der_write_close(w, set);
}

static void put_text(struct der_writer *w, struct slice oid, const char *text)
{
    const size_t set = der_write_open(w, DER_SET);
    const size_t seq = der_write_open(w, DER_SEQUENCE);

    der_write_oid(w, oid);
    der_write_value(w, DER_UTF8_STRING, slice_of_str(text)); /* RFC 5280 section 4.1.2.4 */
    der_write_close(w, seq);
    der_write_close(w, set);
}

static void put_subject(struct der_writer *w, const struct issue_request *q,
                        const struct certfields *issuer)
{
    const size_t seq = der_write_open(w, DER_SEQUENCE);
    struct dn_attribute organization;

    if (q->kind == ISSUE_PHONE) {
        if (dn_last(issuer->subject, DN_OID_ORGANIZATION, &organization))
            put_attribute(w, DN_OID_ORGANIZATION, organization.whole);
    } else if (q->organization != NULL) {
        put_text(w, DN_OID_ORGANIZATION, q->organization);
    }
    put_text(w, DN_OID_COMMON_NAME, q->common_name);
    der_write_close(w, seq);
}

/* --- extensions --- */

#define OID_BASIC_CONSTRAINTS SLICE_LIT("\x55\x1d\x13")
#define OID_KEY_USAGE         SLICE_LIT("\x55\x1d\x0f")
#define OID_EXT_KEY_USAGE     SLICE_LIT("\x55\x1d\x25")
#define OID_SUBJECT_ALT_NAME  SLICE_LIT("\x55\x1d\x11")
#define OID_SUBJECT_KEY_ID    SLICE_LIT("\x55\x1d\x0e")
#define OID_AUTHORITY_KEY_ID  SLICE_LIT("\x55\x1d\x23")

/* What is open while an extension is written. */
struct extension {
    size_t seq, octets;
};

static struct extension open_extension(struct der_writer *w, struct slice oid, bool critical)
{
    struct extension x;

    x.seq = der_write_open(w, DER_SEQUENCE);
    der_write_oid(w, oid);
    if (critical)
        der_write_bool(w, true);
    x.octets = der_write_open(w, DER_OCTET_STRING);
    return x;
}

static void close_extension(struct der_writer *w, struct extension x)
{
    der_write_close(w, x.octets);
    der_write_close(w, x.seq);
}

/* Section 4.2.1.9: critical, in CA certificates. */
static void put_basic_constraints(struct der_writer *w, bool may_sign_cas)
{
    const struct extension x = open_extension(w, OID_BASIC_CONSTRAINTS, true);
    const size_t seq = der_write_open(w, DER_SEQUENCE);

    der_write_bool(w, true);
    if (!may_sign_cas)
        der_write_uint(w, 0);
    der_write_close(w, seq);
    close_extension(w, x);
}

static void put_key_usage(struct der_writer *w, uint8_t usage)
{
    const struct extension x = open_extension(w, OID_KEY_USAGE, true);

    der_write_flags(w, usage);
    close_extension(w, x);
}

/* A phone is both: server to those who call it, client where mutual TLS is asked for. */
static void put_ext_key_usage(struct der_writer *w)
{
    const struct extension x = open_extension(w, OID_EXT_KEY_USAGE, false);
    const size_t seq = der_write_open(w, DER_SEQUENCE);

    der_write_oid(w, OID_SERVER_AUTH);
    der_write_oid(w, OID_CLIENT_AUTH);
    der_write_close(w, seq);
    close_extension(w, x);
}

static void put_alt_name(struct der_writer *w, const struct mac *mac)
{
    const struct extension x = open_extension(w, OID_SUBJECT_ALT_NAME, false);
    const size_t seq = der_write_open(w, DER_SEQUENCE);
    char urn[MAC_URN_SIZE];

    mac_urn(mac, urn);
    der_write_value(w, DER_CONTEXT(6), slice_of_str(urn)); /* uniformResourceIdentifier */
    der_write_close(w, seq);
    close_extension(w, x);
}

static void put_subject_key_id(struct der_writer *w, struct slice id)
{
    const struct extension x = open_extension(w, OID_SUBJECT_KEY_ID, false);

    der_write_value(w, DER_OCTET_STRING, id);
    close_extension(w, x);
}

static void put_authority_key_id(struct der_writer *w, struct slice id)
{
    const struct extension x = open_extension(w, OID_AUTHORITY_KEY_ID, false);
    const size_t seq = der_write_open(w, DER_SEQUENCE);

    der_write_value(w, DER_CONTEXT(0), id);
    der_write_close(w, seq);
    close_extension(w, x);
}

/* As the issuer's certificate has it (section 4.2.1.1), or as it would, where a maker's older CA
 * has none. */
static void put_issuer_key_id(struct der_writer *w, const struct certfields *issuer)
{
    uint8_t made[KEY_ID_SIZE];

    if (issuer->subject_key_id.n > 0)
        put_authority_key_id(w, issuer->subject_key_id);
    else if (key_id(issuer->key, made))
        put_authority_key_id(w, slice_of(made, sizeof made));
}

static void put_extensions(struct der_writer *w, const struct issue_request *q,
                           const struct certfields *issuer)
{
    const size_t tagged = der_write_open(w, DER_CONTEXT_CONSTRUCTED(3));
    const size_t list = der_write_open(w, DER_SEQUENCE);
    uint8_t id[KEY_ID_SIZE];

    if (q->kind == ISSUE_PHONE) {
        put_key_usage(w, KEY_USAGE_DIGITAL_SIGNATURE);
        put_ext_key_usage(w);
        if (q->mac != NULL)
            put_alt_name(w, q->mac);
    } else {
        put_basic_constraints(w, q->kind == ISSUE_ROOT);
        put_key_usage(w, KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN);
    }
    if (key_id(q->key, id)) /* it was checked: it can be read */
        put_subject_key_id(w, slice_of(id, sizeof id));
    if (issuer != NULL)
        put_issuer_key_id(w, issuer);
    der_write_close(w, list);
    der_write_close(w, tagged);
}

/* --- the certificate --- */

/* TBSCertificate, version 3 (section 4.1.2). */
static struct result write_tbs(const struct issue_request *q, const struct issue_signer *signer,
                               struct slice serial, struct buf *out, struct errinfo *e)
{
    struct der_writer w = der_write_to(out);
    const size_t tbs = der_write_open(&w, DER_SEQUENCE);
    size_t opened = der_write_open(&w, DER_CONTEXT_CONSTRUCTED(0));

    der_write_uint(&w, 2);
    der_write_close(&w, opened);
    der_write_value(&w, DER_INTEGER, serial);
    der_write_raw(&w, issue_algorithm(signer->key));
    if (signer->cert != NULL) /* byte for byte: many compare names so */
        der_write_raw(&w, signer->cert->subject);
    else
        put_subject(&w, q, NULL);
    opened = der_write_open(&w, DER_SEQUENCE);
    der_write_time(&w, q->not_before_s);
    der_write_time(&w, q->not_after_s);
    der_write_close(&w, opened);
    put_subject(&w, q, signer->cert);
    der_write_raw(&w, q->key);
    put_extensions(&w, q, signer->cert);
    der_write_close(&w, tbs);
    return der_write_end(&w, e);
}

struct result issue_certificate(const struct issue_request *request,
                                const struct issue_signer *signer, const struct rng *rng,
                                struct buf *out, struct errinfo *e)
{
    uint8_t serial[ISSUE_SERIAL_SIZE];
    struct buf tbs;

    TRY(check_request(request, signer->cert, e));
    if (rng->fill(rng->ctx, serial, sizeof serial) != 0)
        return fail(e, ERR_CRYPTO, "there are no random numbers");
    serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40); /* positive, and always of the same length */
    buf_init(&tbs, CERT_MAX);
    struct result r = write_tbs(request, signer, slice_of(serial, sizeof serial), &tbs, e);
    if (is_ok(r))
        r = issue_sign(buf_slice(&tbs), signer->key, rng, out, e);
    buf_free(&tbs);
    return r;
}
