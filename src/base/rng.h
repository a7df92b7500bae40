/*
 * rng: a source of random bytes, passed to whoever needs them, so that no module below the loop has
 * one of its own and tests can repeat a run. The system's is sys/entropy.h.
 *
 * The fill function has mbedTLS's signature (0 is success) and can be handed to it as it stands.
 */
#ifndef SIPSD_BASE_RNG_H
#define SIPSD_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    int (*fill)(void *ctx, unsigned char *out, size_t n);
    void *ctx;
};

/* A uniform number in [0, BOUND); 0 if BOUND is 0 or the source fails. For jitter, not for secrets.
 */
uint32_t rng_below(const struct rng *rng, uint32_t bound);

/* Fills OUT with N characters of [0-9a-z] and a NUL behind them: tags, branches, Call-IDs. */
void rng_token(const struct rng *rng, char *out, size_t n);

#endif
