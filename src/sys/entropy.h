/*
 * entropy: the system's random numbers (getrandom(2)) as a base/rng. Waits for the kernel's pool at
 * the first use after boot only. (Not called random: <sys/random.h> is the system's.)
 */
#ifndef SIPSD_SYS_ENTROPY_H
#define SIPSD_SYS_ENTROPY_H

#include "base/rng.h"

extern const struct rng entropy_system;

#endif
