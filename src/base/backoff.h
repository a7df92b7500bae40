/*
 * backoff: how long to wait before the next try, so that a server is never hammered and never given
 * up.
 *
 * RFC 5626 section 4.5: the upper bound doubles with each failure from BASE up to MAX; the wait is
 * drawn between one half of the bound and the whole of it, so that phones that lost a server
 * together do not come back together. A pure value: it keeps no time and draws from the rng that is
 * passed in.
 */
#ifndef SIPSD_BASE_BACKOFF_H
#define SIPSD_BASE_BACKOFF_H

#include "base/rng.h"

struct backoff {
    uint32_t base_ms;
    uint32_t max_ms;
    uint32_t failures; /* in a row */
};

void backoff_init(struct backoff *b, uint32_t base_ms, uint32_t max_ms);

/* Counts one more failure and returns the milliseconds to wait: never 0, never above max_ms. */
uint32_t backoff_next(struct backoff *b, const struct rng *rng);

/* After a success. */
void backoff_reset(struct backoff *b);

#endif
