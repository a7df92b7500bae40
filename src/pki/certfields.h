/*
 * certfields: the fields of one certificate, as slices of its DER.
 *
 * Reading allocates nothing and understands every certificate whose structure is right, whatever
 * algorithms and extensions it has: what the fields mean, and whether that is acceptable, is
 * decided by the validator. So a certificate that the TLS library cannot parse is no obstacle as
 * long as no path needs it.
 */
#ifndef SIPSD_PKI_CERTFIELDS_H
#define SIPSD_PKI_CERTFIELDS_H

#include "base/errinfo.h"
#include "base/slice.h"

/* The extensions that the validator understands (RFC 5280 section 4.2). */
enum cert_ext {
    CERT_EXT_BASIC_CONSTRAINTS,
    CERT_EXT_KEY_USAGE,
    CERT_EXT_EXT_KEY_USAGE,
    CERT_EXT_SUBJECT_ALT_NAME,
    CERT_EXT_NAME_CONSTRAINTS,
    CERT_EXT_POLICIES,
    CERT_EXT_POLICY_MAPPINGS,
    CERT_EXT_POLICY_CONSTRAINTS,
    CERT_EXT_INHIBIT_ANY_POLICY,
    CERT_EXT_SUBJECT_KEY_ID,
    CERT_EXT_AUTHORITY_KEY_ID,
    CERT_EXT_CRL_DISTRIBUTION_POINTS,
    CERT_EXT_AUTHORITY_INFO_ACCESS,
    CERT_EXT_COUNT
};

/* The OID for people and the name of the standard: "basicConstraints". Static storage. */
const char *cert_ext_name(enum cert_ext ext);

struct cert_ext_field {
    bool present;
    bool critical;
    struct slice value; /* what is inside the OCTET STRING */
};

/* Key usage bits as KeyUsage numbers them (RFC 5280 section 4.2.1.3). */
enum cert_key_usage {
    KEY_USAGE_DIGITAL_SIGNATURE = 1 << 0,
    KEY_USAGE_KEY_CERT_SIGN = 1 << 5,
    KEY_USAGE_CRL_SIGN = 1 << 6,
};

#define CERT_NO_PATHLEN UINT32_MAX

/* A value type; all slices point into the DER that it was read from. */
struct certfields {
    struct slice der;
    struct slice tbs;       /* what is signed, with its header */
    unsigned version;       /* 1, 2, 3 */
    struct slice serial;    /* the INTEGER's bytes */
    struct slice algorithm; /* signature's AlgorithmIdentifier, with its header; the one inside */
    struct slice outer_algorithm; /* and the one beside the signature: they must be the same */
    struct slice issuer, subject; /* each the DER of a Name */
    int64_t not_before_s, not_after_s;
    bool time_form_wrong;   /* a date before 2050 is written as a GeneralizedTime */
    struct slice key;       /* SubjectPublicKeyInfo, with its header */
    struct slice signature; /* the BIT STRING's bytes */

    struct cert_ext_field ext[CERT_EXT_COUNT];
    const char *flaw;      /* what is malformed in it, static; NULL: nothing. certfields_load() */
    bool unique_ids;       /* an issuerUniqueID or subjectUniqueID */
    bool unknown_critical; /* an extension that is not among those, marked critical */
    struct slice unknown_oid; /* the first such */

    /* What the short extensions say; the others are read where they are judged. */
    bool is_ca;
    uint32_t pathlen;              /* or CERT_NO_PATHLEN */
    unsigned key_usage;            /* meaningful if the extension is present */
    struct slice subject_key_id;   /* empty if there is none */
    struct slice authority_key_id; /* the keyIdentifier; empty if there is none */
    struct slice authority_issuer; /* GeneralNames, the content; empty if there are none */
    struct slice authority_serial;
};

/*
 * Reads DER, which must outlive OUT; it must be one certificate and nothing behind it. ERR_PARSE
 * for a wrong structure, an extension twice, or a known extension that is malformed, with a
 * sentence.
 */
RESULT certfields_read(struct slice der, struct certfields *out, struct errinfo *e);

/*
 * The same, for looking at what an admin has rather than for judging it: reads around details that
 * are malformed as long as it is clear where each field begins and ends, and says what the first
 * such detail is in OUT->flaw. A field that is malformed has no content, a date is 1970.
 */
RESULT certfields_load(struct slice der, struct certfields *out, struct errinfo *e);

/* Issuer and subject are the same name (RFC 5280 section 6.1: self-issued). */
bool certfields_self_issued(const struct certfields *c);

/* A name for people, UTF-8, cut to SIZE: the last common name, else organisation, else the whole
 * NAME; and that of the subject or, if it is empty, the first alternative name that is a text. */
void name_label(struct slice name, char *out, size_t size);
void certfields_label(const struct certfields *c, char *out, size_t size);

/* --- general names (RFC 5280 section 4.2.1.6) --- */

enum general_name_type {
    GENERAL_NAME_OTHER,
    GENERAL_NAME_EMAIL,
    GENERAL_NAME_DNS,
    GENERAL_NAME_X400,
    GENERAL_NAME_DIRECTORY,
    GENERAL_NAME_EDI_PARTY,
    GENERAL_NAME_URI,
    GENERAL_NAME_IP,
    GENERAL_NAME_REGISTERED_ID,
};

struct general_name {
    enum general_name_type type;
    struct slice value; /* of a directoryName: the DER of the Name; else the content */
};

/* Takes the next one off NAMES (the content of GeneralNames). False at the end or where it is
 * malformed: *NAMES then says which, by being empty or not. */
bool general_name_next(struct slice *names, struct general_name *out);

/* The subjectAltName's names, to walk with general_name_next(); empty if there is none. */
struct slice certfields_alt_names(const struct certfields *c);

/* Whether the authorityInfoAccess says where the issuer's certificate can be fetched. */
bool certfields_has_ca_issuers(const struct certfields *c);

/* --- extended key usage --- */

/* Whether the EKU extension lists OID (its content bytes). */
bool certfields_has_eku(const struct certfields *c, struct slice oid);

#define OID_SERVER_AUTH SLICE_LIT("\x2b\x06\x01\x05\x05\x07\x03\x01")
#define OID_CLIENT_AUTH SLICE_LIT("\x2b\x06\x01\x05\x05\x07\x03\x02")
#define OID_SIP_DOMAIN  SLICE_LIT("\x2b\x06\x01\x05\x05\x07\x03\x14") /* RFC 5924 */
#define OID_ANY_EKU     SLICE_LIT("\x55\x1d\x25\x00")

#endif
