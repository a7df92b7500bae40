/*
 * selftest: tries one of the phone's own certificates with a handshake in memory, before anything
 * depends on it.
 */
#ifndef SIPSD_TLS_SELFTEST_H
#define SIPSD_TLS_SELFTEST_H

#include "base/errinfo.h"
#include "base/rng.h"
#include "pki/identity.h"

/*
 * ID as the server's and as the client's certificate, with TLS 1.2 and again with TLS 1.3: each
 * side must receive the other's very leaf and chain. No certificate is judged: what it is worth to
 * peers is not for the phone to say.
 *
 * It takes the time of two handshakes, both sides of them. ERR_CRYPTO, with a sentence that says
 * with which version and why; ERR_LIMIT for a chain that TLS cannot send; ERR_NOMEM.
 */
RESULT tls_selftest(struct identity *id, const struct rng *rng, struct errinfo *e);

#endif
