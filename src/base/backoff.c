#include "base/backoff.h"

void backoff_init(struct backoff *b, uint32_t base_ms, uint32_t max_ms)
{
    *b = (struct backoff){.base_ms = base_ms == 0 ? 1 : base_ms, .max_ms = max_ms};
    if (b->max_ms < b->base_ms)
        b->max_ms = b->base_ms;
}

static uint32_t upper_bound(const struct backoff *b)
{
    uint64_t bound = b->base_ms;
    for (uint32_t i = 0; i < b->failures && bound < b->max_ms; i++)
        bound *= 2;
    return bound < b->max_ms ? (uint32_t)bound : b->max_ms;
}

uint32_t backoff_next(struct backoff *b, const struct rng *rng)
{
    const uint32_t bound = upper_bound(b);
    if (b->failures < UINT32_MAX)
        b->failures++;
    const uint32_t half = bound / 2;
    const uint32_t wait = half + rng_below(rng, bound - half + 1);
    return wait == 0 ? 1 : wait;
}

void backoff_reset(struct backoff *b)
{
    b->failures = 0;
}
