/*
 * issue: makes certificates: the maker's root and issuing CA, and the identities of phones. For the
 * maker's tool; the daemon issues nothing.
 *
 * Each kind has one profile (RFC 5280 section 4), so there is nothing to get wrong in a request:
 *
 *   ROOT     self-signed; basicConstraints critical, cA; keyUsage critical, keyCertSign and
 *            cRLSign; subjectKeyIdentifier
 *   ISSUING  the same with pathLenConstraint 0, and authorityKeyIdentifier
 *   PHONE    keyUsage critical, digitalSignature; extKeyUsage serverAuth and clientAuth; both key
 *            identifiers; with a MAC, subjectAltName with its URN (RFC 9039). Its organisation is
 *            its issuer's. No dNSName: a MAC is no host name, and a DNS name that anybody's
 *            resolver may complete would vouch for the wrong thing.
 *
 * Serial numbers are 16 octets from 40... to 7f...: 126 random bits, positive, so that no list of
 * used ones is needed. A key identifier is the first 160 bits of the SHA-256 of the key (RFC 7093
 * section 2, method 1). The digest is SHA-256 or, with a P-384 or P-521 key of the issuer, what
 * goes with that.
 */
#ifndef SIPSD_PKI_ISSUE_H
#define SIPSD_PKI_ISSUE_H

#include "base/buf.h"
#include "base/errinfo.h"
#include "base/mac.h"
#include "base/rng.h"
#include "pki/certfields.h"

struct mbedtls_pk_context;

#define ISSUE_SERIAL_SIZE 16

/* 9999-12-31T23:59:59Z: RFC 5280 section 4.1.2.5 has it mean that there is no end. */
#define ISSUE_NO_END 253402300799

/* RFC 5280 appendix A.1: ub-common-name and ub-organization-name, in characters. */
#define ISSUE_NAME_MAX 64

enum issue_kind { ISSUE_ROOT, ISSUE_ISSUING, ISSUE_PHONE };

/* A value type, borrowed. */
struct issue_request {
    enum issue_kind kind;
    const char *common_name;  /* UTF-8 */
    const char *organization; /* UTF-8, or NULL: none; not for PHONE */
    const struct mac *mac;    /* PHONE: of a unique one; NULL: none */
    struct slice key;         /* SubjectPublicKeyInfo, DER */
    int64_t not_before_s, not_after_s;
};

/* Who signs; for a ROOT, CERT is NULL. The key must be that of the certificate. */
struct issue_signer {
    const struct certfields *cert;
    struct mbedtls_pk_context *key;
};

/*
 * Appends the certificate's DER to OUT. It is checked with the signer's public key before it is
 * given out: a fault in the machine must not go into ten thousand phones.
 *
 * ERR_INVALID: a name that is empty, too long or no text, dates in the wrong order or outside of
 * the signer's, a key that is too weak or unknown, a signer that is no CA for this kind.
 * ERR_CRYPTO: the random numbers or the signature failed. Each with a sentence.
 */
RESULT issue_certificate(const struct issue_request *request, const struct issue_signer *signer,
                         const struct rng *rng, struct buf *out, struct errinfo *e);

/* Whether KEY (SubjectPublicKeyInfo, DER) is of a kind and size that certificates are made for: RSA
 * of 2048 to 8192 bits, EC P-256, P-384, P-521. ERR_INVALID with a sentence. */
RESULT issue_check_key(struct slice key, struct errinfo *e);

/*
 * A SIGN of the bytes TBS by KEY, as certificates and requests have it: appends SEQUENCE { TBS,
 * algorithm, signature } to OUT. The algorithm is that which issue_algorithm() gives.
 */
RESULT issue_sign(struct slice tbs, struct mbedtls_pk_context *key, const struct rng *rng,
                  struct buf *out, struct errinfo *e);

/* The AlgorithmIdentifier that KEY signs with; empty for a kind of key that signs nothing here. */
struct slice issue_algorithm(const struct mbedtls_pk_context *key);

#endif
