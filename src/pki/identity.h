/*
 * identity: a certificate of the phone's own, with its chain and private key. Immutable,
 * reference-counted.
 */
#ifndef SIPSD_PKI_IDENTITY_H
#define SIPSD_PKI_IDENTITY_H

#include "base/buf.h"
#include "base/errinfo.h"
#include "base/rng.h"
#include "base/slice.h"
#include "pki/x509.h"

struct identity;
struct mbedtls_x509_crt;
struct mbedtls_pk_context;

/*
 * From a file's content: the certificates, in any order, as pki/certfile reads them, and the
 * private key beside them or in KEY (may be empty). PASSWORD (may be empty) opens an encrypted key.
 * The leaf is the certificate whose key it is; behind it come its issuers, as far as they are
 * there, and what is no part of this chain is left out.
 *
 * ERR_NOT_FOUND (no certificate, no key), ERR_INVALID (the key is none of the certificates', or
 * there are two), ERR_CRYPTO (the password is missing or wrong), ERR_LIMIT (more than
 * LIMIT_OWN_CERTS certificates), and what certfile and privkey fail with; each with a sentence.
 */
RESULT identity_load(struct slice content, struct slice key, struct slice password,
                     const struct rng *rng, struct identity **out, struct errinfo *e);

/* The same for a tool that has nothing else to do: a key may be encrypted with so many hashes of
 * its password that a daemon would be held up. */
RESULT identity_load_patiently(struct slice content, struct slice key, struct slice password,
                               const struct rng *rng, struct identity **out, struct errinfo *e);

struct identity *identity_ref(struct identity *id);
void identity_unref(struct identity *id); /* NULL is fine; the last one wipes the key */

/* The chain: what the peer is sent. Number 0 is the leaf. Borrowed. */
const struct cert *identity_leaf(const struct identity *id);
const struct cert *identity_cert(const struct identity *id, size_t i);
size_t identity_chain_len(const struct identity *id);

/*
 * Appends to OUT what identity_load() makes the same identity of: the chain as PEM, leaf first, and
 * behind it the private key as PKCS#8 in the clear. OUT holds a secret from then on, also after a
 * failure: the caller wipes it. ERR_LIMIT if OUT may not hold so much, ERR_NOMEM, ERR_CRYPTO.
 */
RESULT identity_write(const struct identity *id, struct buf *out, struct errinfo *e);

/*
 * Whether it is that of the phone with this MAC address (in any form that base/mac reads; false for
 * another): the leaf's common name is the address, or one of its labels is ("001565123456", also
 * "00-15-65-12-34-56.phones.example.com"), or a label of a dNSName is, or there is a URI
 * urn:dev:mac: with it (RFC 9039 section 4.1, as EUI-48 or made an EUI-64).
 */
bool identity_is_for_mac(const struct identity *id, const char *mac);

/* Whether both show peers the same: the same certificates in the same order. NULL is the same as
 * NULL only. */
bool identity_same(const struct identity *a, const struct identity *b);

/* For pki/ and tls/ only: the chain as a linked list, leaf first, and the key. */
struct mbedtls_x509_crt *identity_mbedtls_chain(struct identity *id);
struct mbedtls_pk_context *identity_mbedtls_key(struct identity *id);

#endif
