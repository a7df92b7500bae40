/*
 * verdict: what was decided about a peer's certificates, and why.
 *
 * A value type of fixed size that owns nothing, so that it can be kept with a connection, a session
 * ticket or an event. Reasons are in a stable order: the most useful first.
 */
#ifndef SIPSD_PKI_VERDICT_H
#define SIPSD_PKI_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/limits.h"
#include "pki/trust.h"

enum verdict_class {
    VERDICT_NONE, /* nothing was judged (yet), or the peer sent no certificate */
    VERDICT_REJECTED,
    VERDICT_UNVERIFIED,  /* accepted because the policy asks for no check; the reasons say what is
                            wrong */
    VERDICT_PROVISIONAL, /* right, as far as can be said while the clock is not set */
    VERDICT_VERIFIED,
};

/*
 * X(name, code, alert, text). CODE is what events carry and never changes; ALERT is the TLS alert
 * that a refusal for this reason sends (RFC 8446 section 6.2). TEXT is the sentence's core. The
 * order of the rows is the order of usefulness to the person who must act.
 */
#define REASON_TABLE(X)                                                                          \
    X(NONE, "none", 0, "nothing is wrong")                                                       \
    X(NO_CERTIFICATE, "no_certificate", 116, "the peer sent no certificate")                     \
    X(NAME_MISMATCH, "name_mismatch", 42, "the certificate is for another name")                 \
    X(EXPIRED, "expired", 45, "the certificate has expired")                                     \
    X(NOT_YET_VALID, "not_yet_valid", 45, "the certificate is not valid yet")                    \
    X(REVOKED, "revoked", 44, "the certificate was revoked")                                     \
    X(UNKNOWN_CA, "unknown_ca", 48, "the issuer is not among the trusted certificates")          \
    X(SELF_SIGNED, "self_signed", 48, "the certificate is self-signed and not trusted")          \
    X(MISSING_INTERMEDIATE, "missing_intermediate", 48, "the peer did not send an intermediate") \
    X(BAD_SIGNATURE, "bad_signature", 42, "a signature is wrong")                                \
    X(NOT_A_CA, "not_a_ca", 42, "an issuer is not a CA")                                         \
    X(PATH_LENGTH, "path_length", 42, "an issuer may not have so many CAs below it")             \
    X(KEY_USAGE, "key_usage", 42, "a key may not be used for this")                              \
    X(EXT_KEY_USAGE, "ext_key_usage", 42, "a certificate is not for this purpose")               \
    X(NAME_CONSTRAINTS, "name_constraints", 42, "an issuer may not issue for this name")         \
    X(WEAK_KEY, "weak_key", 42, "a key is too weak")                                             \
    X(WEAK_SIGNATURE, "weak_signature", 42, "a signature algorithm is too weak")                 \
    X(CRITICAL_EXTENSION, "critical_extension", 42, "a critical extension is not understood")    \
    X(POLICY, "policy", 42, "the certificate policies do not fit")                               \
    X(CRL, "crl", 42, "a revocation list could not be used")                                     \
    X(MALFORMED, "malformed", 42, "a certificate is malformed")                                  \
    X(LIMIT, "limit", 42, "the chain is too long or too complex")                                \
    X(CLOCK_UNSET, "clock_unset", 42, "the phone's clock is not set")                            \
    X(NOT_CHECKED, "not_checked", 0, "trust checking is off")                                    \
    X(INTERNAL, "internal", 80, "the check could not be done")

enum reason_code {
#define REASON_ENUM_(name, code, alert, text) REASON_##name,
    REASON_TABLE(REASON_ENUM_)
#undef REASON_ENUM_
        REASON_COUNT
};

#define VERDICT_REASONS_MAX 8

struct reason {
    enum reason_code code;
    int depth;                 /* in the path that came furthest; 0 is the leaf; -1 if about none */
    char about[96];            /* the certificate's label */
    char sentence[LIMIT_TEXT]; /* one sentence that an admin can act upon */
};

struct verdict_cert {
    char label[96];
    uint8_t sha256[HASH_SHA256_SIZE];
    int64_t not_before_s;
    int64_t not_after_s;
};

struct verdict {
    enum verdict_class class;
    bool name_checked; /* a name was asked for and matched */
    bool pinned;       /* the leaf itself is a custom trusted certificate */
    struct reason reasons[VERDICT_REASONS_MAX];
    size_t reasons_count;
    struct verdict_cert path[LIMIT_PATH_DEPTH]; /* leaf first; the best path that was found */
    size_t path_len;
    bool anchored; /* the last one of the path is a trust anchor */
    enum trust_source anchor_source;
    char matched[254];     /* the name in the certificate that matched */
    int64_t valid_until_s; /* the earliest end along the path */
    uint32_t signature_checks;
    char summary[LIMIT_TEXT]; /* where there are no reasons: what was verified, and by whom */
};

/* What an encrypted connection with a peer of this verdict is worth. */
enum assurance {
    ASSURANCE_NONE,  /* nothing but encryption: nobody knows who the peer is */
    ASSURANCE_CHAIN, /* the chain is right; the name, or for want of a clock the dates, were not
                        checked */
    ASSURANCE_FULL,  /* chain and name */
};
enum assurance verdict_assurance(const struct verdict *v);

/* verified, provisional or unverified. */
bool verdict_accepted(const struct verdict *v);

/* "verified" ...; the code and the text of the table. Static storage. */
const char *verdict_class_name(enum verdict_class c);
const char *reason_name(enum reason_code code);
const char *reason_text(enum reason_code code);

/* The alert of the first reason of a refused peer (42 bad_certificate if it has none). */
uint8_t verdict_alert(const struct verdict *v);

/* The one sentence: the first reason's, or that all is well. Valid as long as V is. */
const char *verdict_sentence(const struct verdict *v);

/* Adds a reason, keeping the stable order and leaving out one of the same code and depth; the least
 * useful drops off. Control characters become '?'; what is too long is cut. */
void verdict_add(struct verdict *v, enum reason_code code, int depth, const char *about,
                 const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
