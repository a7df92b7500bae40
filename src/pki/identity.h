/*
 * identity: a certificate of the phone's own, with its chain and private key. Immutable,
 * reference-counted.
 */
#ifndef SIPSD_PKI_IDENTITY_H
#define SIPSD_PKI_IDENTITY_H

#include "base/errinfo.h"
#include "base/rng.h"
#include "base/slice.h"
#include "pki/x509.h"

struct identity;
struct mbedtls_x509_crt;
struct mbedtls_pk_context;

/*
 * From PEM: the chain (the leaf is the certificate whose key it is, wherever it stands) and the
 * private key, both in PEM or the key in KEY (may be empty). PASSWORD (may be empty) opens an
 * encrypted key. The key's own copies are wiped. ERR_PARSE, ERR_NOT_FOUND (no certificate, no key),
 * ERR_CRYPTO (wrong password), ERR_INVALID (the key is not the certificate's), each with a
 * sentence.
 */
RESULT identity_load(struct slice pem, struct slice key, struct slice password,
                     const struct rng *rng, struct identity **out, struct errinfo *e);

struct identity *identity_ref(struct identity *id);
void identity_unref(struct identity *id); /* NULL is fine; the last one wipes the key */

const struct cert *identity_leaf(const struct identity *id);
size_t identity_chain_len(const struct identity *id);

/* For pki/ and tls/ only: the chain as a linked list, leaf first, and the key. */
struct mbedtls_x509_crt *identity_mbedtls_chain(struct identity *id);
struct mbedtls_pk_context *identity_mbedtls_key(struct identity *id);

#endif
