/*
 * pubkey: public keys and signatures of certificates and CRLs: how strong they are, and whether one
 * was made with the other.
 *
 * Reading is done here, on the DER; mbedTLS checks single signatures and decides nothing.
 */
#ifndef SIPSD_PKI_PUBKEY_H
#define SIPSD_PKI_PUBKEY_H

#include "base/slice.h"

/* --- keys: SubjectPublicKeyInfo --- */

enum pubkey_type { PUBKEY_OTHER, PUBKEY_RSA, PUBKEY_EC };

struct pubkey {
    enum pubkey_type type; /* OTHER: an algorithm that we do not use, or malformed */
    unsigned bits;         /* of the modulus, of the curve's field; 0: a curve that is not known */
    bool bad_exponent;     /* RSA: even, one, or absurdly long */
    bool bad_point;        /* EC: its form or length is not that of a point of the curve */
};

/* DER of a SubjectPublicKeyInfo; only its form is looked at, not whether the point is on the curve.
 */
struct pubkey pubkey_read(struct slice spki);

/* Whether a key that reads well is one: its point is on the curve. Costs a little arithmetic; a
 * signature check finds out by itself. */
bool pubkey_is_sound(struct slice spki);

/* --- signatures: AlgorithmIdentifier --- */

enum sig_digest { SIG_MD5, SIG_SHA1, SIG_SHA224, SIG_SHA256, SIG_SHA384, SIG_SHA512 };
enum sig_scheme { SIG_RSA_PKCS1, SIG_RSA_PSS, SIG_ECDSA };

struct sig_algorithm {
    enum sig_scheme scheme;
    enum sig_digest digest;
    unsigned salt_len; /* PSS */
};

/* False for an algorithm that is not known, or parameters that make no sense. */
bool sig_algorithm_read(struct slice algorithm, struct sig_algorithm *out);

/* Whether SIGNATURE over SIGNED was made by the owner of the key SPKI. False for a key that does
 * not go with the algorithm, too. */
bool sig_check(struct slice algorithm, struct slice signed_bytes, struct slice signature,
               struct slice spki);

#endif
