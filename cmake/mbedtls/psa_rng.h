/*
 * psa_rng: where the PSA half of mbedTLS, which makes the keys of TLS 1.3 handshakes, gets its
 * random numbers. The other half is told at each call; this one knows a single source.
 */
#ifndef SIPSD_MBEDTLS_PSA_RNG_H
#define SIPSD_MBEDTLS_PSA_RNG_H

#include <stddef.h>

/* FILL has mbedTLS's signature, 0 is success. Without a source (NULL) what needs one fails. */
void mbedtls_psa_rng_set(int (*fill)(void *ctx, unsigned char *out, size_t n), void *ctx);

#endif
