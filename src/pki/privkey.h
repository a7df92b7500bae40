/*
 * privkey: reads a private key: PEM or DER; PKCS#8, PKCS#1 (RSA) or SEC 1 (EC); in the clear or
 * encrypted with a password.
 *
 * Everything that held a part of the key on the way is wiped.
 */
#ifndef SIPSD_PKI_PRIVKEY_H
#define SIPSD_PKI_PRIVKEY_H

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
 * known here, with how to convert it; ERR_PARSE; ERR_LIMIT.
 */
RESULT privkey_load(struct slice content, struct slice password, const struct rng *rng,
                    struct mbedtls_pk_context *key, struct errinfo *e);

#endif
