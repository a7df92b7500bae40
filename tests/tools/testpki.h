/*
 * testpki: certificates and keys for tests, made in memory, good or as wrong as a test wants them.
 *
 *     const struct testpki_cert *ca = testpki_make(&(struct testpki_spec){
 *         .subject = "CN=Test CA", .ca = true});
 *     const struct testpki_cert *leaf = testpki_make(&(struct testpki_spec){
 *         .subject = "CN=sip.example.com", .issuer = ca, .san = "DNS:sip.example.com"});
 *
 * What is left out of a spec gets what an ordinary certificate has: version 3, a new P-256 key,
 * valid from TESTPKI_NOT_BEFORE to TESTPKI_NOT_AFTER, SHA-256, key identifiers, the key usage of a
 * CA if it is one. No other key usage, no EKU and no SAN is written unless the spec says so.
 *
 * Certificates and keys live until the process ends; keys are shared by all certificates that name
 * the same one, because making them takes the time. A spec that makes no sense ends the process.
 */
#ifndef SIPSD_TESTS_TOOLS_TESTPKI_H
#define SIPSD_TESTS_TOOLS_TESTPKI_H

#include "base/rng.h"
#include "base/slice.h"

struct testpki_cert;
struct mbedtls_pk_context;

#define TESTPKI_NOT_BEFORE 1577836800 /* 2020-01-01T00:00:00Z */
#define TESTPKI_NOT_AFTER  2524607999 /* 2049-12-31T23:59:59Z */
#define TESTPKI_NOW        1800000000 /* 2027-01-15T08:00:00Z: a time between the two */

enum testpki_key_type {
    TESTPKI_P256,
    TESTPKI_P384,
    TESTPKI_P521,
    TESTPKI_RSA_2048,
    TESTPKI_RSA_3072,
    TESTPKI_RSA_1024, /* weak */
};

enum testpki_digest {
    TESTPKI_SHA256,
    TESTPKI_SHA384,
    TESTPKI_SHA512,
    TESTPKI_SHA1,
    TESTPKI_MD5, /* RSA only */
};

/* Key usage bits (RFC 5280 section 4.2.1.3), bit 0 on top. */
enum {
    TESTPKI_DIGITAL_SIGNATURE = 0x8000,
    TESTPKI_NON_REPUDIATION = 0x4000,
    TESTPKI_KEY_ENCIPHERMENT = 0x2000,
    TESTPKI_DATA_ENCIPHERMENT = 0x1000,
    TESTPKI_KEY_AGREEMENT = 0x0800,
    TESTPKI_KEY_CERT_SIGN = 0x0400,
    TESTPKI_CRL_SIGN = 0x0200,
};

#define TESTPKI_OID_SERVER_AUTH "1.3.6.1.5.5.7.3.1"
#define TESTPKI_OID_CLIENT_AUTH "1.3.6.1.5.5.7.3.2"
#define TESTPKI_OID_SIP_DOMAIN  "1.3.6.1.5.5.7.3.20" /* RFC 5924 */
#define TESTPKI_OID_ANY_EKU     "2.5.29.37.0"

/* An extension as it is to stand in the certificate; VALUE is what goes into the OCTET STRING. */
struct testpki_ext {
    const char *oid; /* dotted */
    bool critical;
    struct slice value;
};

/* For .pathlen, whose 0 means that there is none. */
#define TESTPKI_PATHLEN(n) ((n) + 1)

struct testpki_spec {
    /*
     * "CN=x,O=y" in the order in which they are encoded, "+" between those of one multi-valued RDN;
     * "\," for a comma, "\00" for a byte; NULL or "" for an empty name. C and serialNumber become
     * PrintableString, DC and emailAddress IA5String, all others UTF8String. SUBJECT_DER, if not
     * empty, is taken instead, as it is.
     */
    const char *subject;
    struct slice subject_der;

    const struct testpki_cert *issuer; /* NULL: self-signed */
    struct slice issuer_der;           /* not empty: the issuer's name, whoever signs */

    enum testpki_key_type key_type;
    unsigned key; /* 0: one that no other certificate has; N: key number N of KEY_TYPE */

    bool ca;                /* basicConstraints, critical, with cA */
    int pathlen;            /* TESTPKI_PATHLEN(n), with .ca */
    bool not_ca;            /* basicConstraints without cA; with neither there is none */
    unsigned key_usage;     /* TESTPKI_... bits, critical; 0: a CA's for a CA, else none */
    bool no_key_usage;      /* none for a CA either */
    const char *const *eku; /* dotted OIDs, NULL-terminated; NULL: none */
    const char *san;        /* "DNS:a IP:192.0.2.1 IP:::1 URI:sip:a email:b@a", "\20" for a blank */
    bool san_critical;
    bool no_ski, no_aki;
    struct slice ski, aki; /* not empty: instead of the real key identifiers */
    const struct testpki_ext *exts;
    size_t exts_count; /* added behind all others */

    int64_t not_before, not_after; /* seconds since 1970; 0: TESTPKI_NOT_BEFORE, _AFTER */
    struct slice serial;           /* the INTEGER's bytes; empty: a new positive one */
    unsigned version;              /* 1, 2, 3; 0: 3. Extensions are written into version 3 only */

    enum testpki_digest digest;
    bool pss;           /* RSASSA-PSS, for an RSA issuer */
    bool bad_signature; /* one bit of the signature is wrong */
};

const struct testpki_cert *testpki_make(const struct testpki_spec *spec);

struct slice testpki_der(const struct testpki_cert *c);
struct slice testpki_name(const struct testpki_cert *c);   /* its subject, DER */
struct slice testpki_key_id(const struct testpki_cert *c); /* as its issuees' AKI has it */
struct mbedtls_pk_context *testpki_key(const struct testpki_cert *c);

/* PEM as C strings, to free() by the caller; of N certificates, in order, and of C's key. */
char *testpki_pem(const struct testpki_cert *const *certs, size_t n);
char *testpki_key_pem(const struct testpki_cert *c);

/* PEM of any DER. */
char *testpki_pem_of(struct slice der, const char *label);

/* DER of a name as .subject describes it, to free() by the caller. */
uint8_t *testpki_name_der(const char *text, size_t *n);

/* Random numbers for tests, and for what is made here: the system's. */
struct rng testpki_rng(void);

/* From now on the ones that follow from SEED, the same in every run: for fuzz targets. */
void testpki_repeat(uint64_t seed);

#endif
