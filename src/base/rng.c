#include "base/rng.h"

#include <string.h>

uint32_t rng_below(const struct rng *rng, uint32_t bound)
{
    unsigned char bytes[8];
    if (bound == 0 || rng->fill(rng->ctx, bytes, sizeof bytes) != 0)
        return 0;
    uint64_t v;
    memcpy(&v, bytes, sizeof v);
    return (uint32_t)(v % bound); /* 64 bits over at most 32: the bias is below 2^-32 */
}

void rng_token(const struct rng *rng, char *out, size_t n)
{
    static const char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    memset(out, '0', n);
    out[n] = '\0';
    unsigned char bytes[64];
    for (size_t i = 0; i < n; i++) {
        if (i % sizeof bytes == 0 && rng->fill(rng->ctx, bytes, sizeof bytes) != 0)
            return;
        out[i] = alphabet[bytes[i % sizeof bytes] % 36];
    }
}
