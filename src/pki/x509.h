/*
 * x509: one certificate, parsed once, immutable, reference-counted.
 *
 * A cert keeps its own DER. What a field means is decided elsewhere (pki/verify): here a
 * certificate that can be parsed is a certificate, however old, weak or strange, and whatever its
 * critical extensions ask for. All slices are borrowed from the cert and valid as long as it is.
 *
 * Not for threads: the reference count is a plain number.
 */
#ifndef SIPSD_PKI_X509_H
#define SIPSD_PKI_X509_H

#include "base/errinfo.h"
#include "base/hash.h"
#include "base/slice.h"

struct cert;
struct mbedtls_x509_crt;

/*
 * Parses DER (copied), all of it: bytes behind the certificate are an error. ERR_PARSE; ERR_LIMIT
 * over LIMIT_CERT_BYTES; ERR_UNSUPPORTED for a kind of key or signature that this build does not
 * know; each with a sentence.
 */
RESULT cert_parse(struct slice der, struct cert **out, struct errinfo *e);

/* The same without a copy: DER is read-only memory that outlives the cert (the built-in blob). */
RESULT cert_parse_static(struct slice der, struct cert **out, struct errinfo *e);

struct cert *cert_ref(struct cert *c);
void cert_unref(struct cert *c); /* NULL is fine */

/* --- the fields --- */

struct slice cert_der(const struct cert *c);
const uint8_t *cert_sha256(const struct cert *c); /* HASH_SHA256_SIZE bytes, of the DER */

unsigned cert_version(const struct cert *c);        /* 1, 2 or 3 */
struct slice cert_serial(const struct cert *c);     /* the INTEGER's bytes */
struct slice cert_tbs(const struct cert *c);        /* what is signed */
struct slice cert_issuer(const struct cert *c);     /* a Name: see pki/dn */
struct slice cert_subject(const struct cert *c);    /* the same; may be an empty Name */
int64_t cert_not_before(const struct cert *c);      /* seconds since 1970 */
int64_t cert_not_after(const struct cert *c);       /* the last second that is within */
bool cert_is_self_issued(const struct cert *c);     /* issuer and subject are the same name */
struct slice cert_public_key(const struct cert *c); /* SubjectPublicKeyInfo */

/* --- key and signature --- */

enum cert_key_type { CERT_KEY_OTHER, CERT_KEY_RSA, CERT_KEY_EC };

struct cert_key {
    enum cert_key_type type;
    unsigned bits; /* of the modulus, of the curve */
};
struct cert_key cert_key(const struct cert *c);
void cert_key_text(const struct cert *c, char *out, size_t size); /* "RSA 2048", "EC P-256" */

/* What the certificate's own signature hashes with, the weakest first. */
enum cert_digest {
    CERT_DIGEST_OTHER,
    CERT_DIGEST_MD5,
    CERT_DIGEST_SHA1,
    CERT_DIGEST_SHA224,
    CERT_DIGEST_SHA256,
    CERT_DIGEST_SHA384,
    CERT_DIGEST_SHA512,
};
enum cert_digest cert_signature_digest(const struct cert *c);

/* OK if C's signature was made with the key of ISSUER: nothing else is looked at. ERR_CRYPTO. */
RESULT cert_check_signature(const struct cert *c, const struct cert *issuer);

/* --- extensions --- */

struct cert_extension {
    struct slice oid; /* its bytes, as in CERT_OID_... */
    bool critical;
    struct slice value; /* what is inside the OCTET STRING */
};

/* Over all extensions: start with *AT = cert_extensions(c). */
struct slice cert_extensions(const struct cert *c);
bool cert_extension_next(struct slice *at, struct cert_extension *out);

/* The first one with OID. OUT may be NULL. */
bool cert_extension_find(const struct cert *c, struct slice oid, struct cert_extension *out);

#define CERT_OID_SUBJECT_KEY_ID     SLICE_LIT("\x55\x1d\x0e")
#define CERT_OID_KEY_USAGE          SLICE_LIT("\x55\x1d\x0f")
#define CERT_OID_SUBJECT_ALT_NAME   SLICE_LIT("\x55\x1d\x11")
#define CERT_OID_ISSUER_ALT_NAME    SLICE_LIT("\x55\x1d\x12")
#define CERT_OID_BASIC_CONSTRAINTS  SLICE_LIT("\x55\x1d\x13")
#define CERT_OID_NAME_CONSTRAINTS   SLICE_LIT("\x55\x1d\x1e")
#define CERT_OID_CRL_POINTS         SLICE_LIT("\x55\x1d\x1f")
#define CERT_OID_POLICIES           SLICE_LIT("\x55\x1d\x20")
#define CERT_OID_POLICY_MAPPINGS    SLICE_LIT("\x55\x1d\x21")
#define CERT_OID_AUTHORITY_KEY_ID   SLICE_LIT("\x55\x1d\x23")
#define CERT_OID_POLICY_CONSTRAINTS SLICE_LIT("\x55\x1d\x24")
#define CERT_OID_EXT_KEY_USAGE      SLICE_LIT("\x55\x1d\x25")
#define CERT_OID_INHIBIT_ANY_POLICY SLICE_LIT("\x55\x1d\x36")

/* The key identifiers, empty if there is none. */
struct slice cert_subject_key_id(const struct cert *c);
struct slice cert_authority_key_id(const struct cert *c);

/* False if the certificate has no such extension. PATHLEN is -1 where there is no limit. */
bool cert_basic_constraints(const struct cert *c, bool *ca, int *pathlen);

/* False if the certificate has no such extension. BITS are MBEDTLS_X509_KU_... */
bool cert_key_usage(const struct cert *c, unsigned *bits);

/* Over the purposes of the extended key usage: start with *AT = cert_purposes(c), which is empty if
 * there is no such extension. The OIDs' bytes, as in CERT_PURPOSE_... */
struct slice cert_purposes(const struct cert *c);
bool cert_purpose_next(struct slice *at, struct slice *oid);

#define CERT_PURPOSE_SERVER_AUTH SLICE_LIT("\x2b\x06\x01\x05\x05\x07\x03\x01")
#define CERT_PURPOSE_CLIENT_AUTH SLICE_LIT("\x2b\x06\x01\x05\x05\x07\x03\x02")
#define CERT_PURPOSE_SIP_DOMAIN  SLICE_LIT("\x2b\x06\x01\x05\x05\x07\x03\x14")
#define CERT_PURPOSE_ANY         SLICE_LIT("\x55\x1d\x25\x00")

/* A GeneralName: VALUE is the text of an e-mail address, host name or URI, the 4 or 16 bytes of an
 * IP address, the Name (DER) of a directory name; of others what is inside their tag. */
enum cert_name_type {
    CERT_NAME_OTHER = 0,
    CERT_NAME_EMAIL = 1,
    CERT_NAME_DNS = 2,
    CERT_NAME_X400 = 3,
    CERT_NAME_DIRECTORY = 4,
    CERT_NAME_EDI = 5,
    CERT_NAME_URI = 6,
    CERT_NAME_IP = 7,
    CERT_NAME_REGISTERED_ID = 8,
};

struct cert_name {
    enum cert_name_type type;
    struct slice value;
};

/* Over the subject alternative names: start with *AT = cert_alt_names(c). */
struct slice cert_alt_names(const struct cert *c);
bool cert_name_next(struct slice *at, struct cert_name *out);

/* --- for people: see dn_text() for what is done to strange characters --- */

/* The common name, else the organisation, else the whole subject, else the first alternative
 * name. */
void cert_label(const struct cert *c, char *out, size_t size);
void cert_subject_text(const struct cert *c, char *out, size_t size);
void cert_issuer_text(const struct cert *c, char *out, size_t size);

/* For pki/ and tls/ only. */
const struct mbedtls_x509_crt *cert_mbedtls(const struct cert *c);

/* Appends C to a LIST of mbedTLS's, which must be freed before C: the DER stays C's. */
RESULT cert_mbedtls_append(const struct cert *c, struct mbedtls_x509_crt *list, struct errinfo *e);

#endif
