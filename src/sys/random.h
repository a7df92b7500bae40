/* random: the system's random numbers (getrandom(2)) as a base/rng. Waits for the pool at first use
 * only. */
#ifndef SIPSD_SYS_RANDOM_H
#define SIPSD_SYS_RANDOM_H

#include "base/rng.h"

extern const struct rng random_system;

#endif
