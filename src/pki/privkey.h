/*
 * privkey: reads a private key: PEM or DER; PKCS#8, PKCS#1 (RSA) or SEC 1 (EC); in the clear or
 * encrypted with a password. And writes one: PKCS#8 as PEM, in the clear.
 *
 * Everything that held a part of the key on the way is wiped.
 */
#ifndef SIPSD_PKI_PRIVKEY_H
#define SIPSD_PKI_PRIVKEY_H

#include "base/buf.h"
#include "base/errinfo.h"
#include "base/rng.h"
#include "base/slice.h"

struct mbedtls_pk_context;

/*
 * The private key in CONTENT, among whatever else it has, into KEY, which the caller has
 * initialised and frees. PASSWORD may be empty, and is not looked at for a key in the clear.
 *
 * ERR_NOT_FOUND if there is none; ERR_INVALID if there are several; ERR_CRYPTO if it is encrypted
 * and PASSWORD does not open it; ERR_UNSUPPORTED for an encryption or a kind of key that is not
 * known here, with how to convert it; ERR_PARSE; ERR_LIMIT, also for one whose password is hashed
 * more than ITERATIONS_MAX times.
 */
RESULT privkey_load(struct slice content, struct slice password, unsigned iterations_max,
                    const struct rng *rng, struct mbedtls_pk_context *key, struct errinfo *e);

/*
 * Appends KEY to OUT as a block "PRIVATE KEY" (RFC 5958, RFC 7468 section 10); SPKI is the
 * SubjectPublicKeyInfo of the same key, which has the algorithm's identifier. OUT holds a secret
 * from then on, also after a failure: the caller wipes it. ERR_LIMIT, ERR_NOMEM, ERR_CRYPTO.
 */
RESULT privkey_write(const struct mbedtls_pk_context *key, struct slice spki, struct buf *out,
                     struct errinfo *e);

#endif
