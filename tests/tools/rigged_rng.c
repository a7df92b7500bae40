#include "tools/rigged_rng.h"

/* splitmix64 */
static int fill(void *ctx, unsigned char *out, size_t n)
{
    uint64_t *state = ctx;
    for (size_t i = 0; i < n; i++) {
        uint64_t z = *state += 0x9e3779b97f4a7c15U;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        out[i] = (unsigned char)(z >> 56);
    }
    return 0;
}

struct rng rigged_rng(uint64_t *state)
{
    return (struct rng){fill, state};
}
