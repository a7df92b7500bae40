/* rigged_rng: random numbers that are the same in every run, from a seed. For tests alone. */
#ifndef SIPSD_TESTS_TOOLS_RIGGED_RNG_H
#define SIPSD_TESTS_TOOLS_RIGGED_RNG_H

#include "base/rng.h"

/* *STATE is the seed, and must live as long as the rng. */
struct rng rigged_rng(uint64_t *state);

#endif
