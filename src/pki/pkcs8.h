/*
 * pkcs8: private keys made, and written as PKCS#8 (RFC 5958), in the clear or encrypted (RFC 8018:
 * PBES2 with PBKDF2-HMAC-SHA-256 and AES-256-CBC). What reads them is pki/privkey.
 *
 * What is written is a secret: the buffer is the caller's to wipe.
 */
#ifndef SIPSD_PKI_PKCS8_H
#define SIPSD_PKI_PKCS8_H

#include "base/buf.h"
#include "base/errinfo.h"
#include "base/rng.h"

struct mbedtls_pk_context;

/* A new key into KEY, which is initialised and empty: RSA of RSA_BITS, or EC P-256 if that is 0.
 * ERR_INVALID for a size that is not 2048, 3072 or 4096; ERR_CRYPTO. */
RESULT pkcs8_new_key(unsigned rsa_bits, const struct rng *rng, struct mbedtls_pk_context *key,
                     struct errinfo *e);

/* Appends KEY as a PEM block, PRIVATE KEY. */
RESULT pkcs8_write(const struct mbedtls_pk_context *key, struct buf *pem, struct errinfo *e);

/* The same as ENCRYPTED PRIVATE KEY. The PASSWORD is not empty; it is hashed ITERATIONS times, here
 * and whenever the key is read. */
RESULT pkcs8_write_encrypted(const struct mbedtls_pk_context *key, struct slice password,
                             uint32_t iterations, const struct rng *rng, struct buf *pem,
                             struct errinfo *e);

/* Appends KEY's public part, the DER of a SubjectPublicKeyInfo. */
RESULT pkcs8_public(const struct mbedtls_pk_context *key, struct buf *der, struct errinfo *e);

#endif
