/*
 * ciphers: what the phone offers and accepts in TLS, and in which order; tables only.
 *
 * Forward secrecy and authenticated encryption only: ECDHE with AES-GCM or ChaCha20-Poly1305. No
 * CBC, no static RSA, no SHA-1 (RFC 9325 sections 4.1 and 4.2; all of TLS 1.3 is of that kind).
 *
 * The order is for a phone's processor. Without AES instructions (ARMv7, older MIPS) ChaCha20 is
 * about three times as fast as AES-GCM, and AES from tables leaks its key through the cache; with
 * them AES-128-GCM is the faster one. AES-256 comes last: it costs more and gains nothing that the
 * 128-bit groups and certificates around it could keep up with.
 *
 * X25519 first: the fastest here and made for constant time; then the NIST curves by their cost.
 */
#ifndef SIPSD_TLS_CIPHERS_H
#define SIPSD_TLS_CIPHERS_H

#include <stdint.h>

/* For mbedTLS's configuration: zero-terminated, best first, in static storage. */
extern const int tls_cipher_suites[];   /* of TLS 1.3 and 1.2 */
extern const uint16_t tls_groups[];     /* NamedGroup, RFC 8446 section 4.2.7 */
extern const uint16_t tls_signatures[]; /* SignatureScheme, RFC 8446 section 4.2.3 */

/* A suite's name as IANA registers it ("TLS_AES_128_GCM_SHA256"); NULL for one not in the table. */
const char *tls_cipher_name(int suite);

#endif
