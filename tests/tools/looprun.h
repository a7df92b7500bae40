/* looprun: lets a real loop run for a while, for tests that then look at what has happened. */
#ifndef SIPSD_TESTS_TOOLS_LOOPRUN_H
#define SIPSD_TESTS_TOOLS_LOOPRUN_H

#include <stdint.h>

#include "sys/loop.h"

/*
 * Runs LOOP until something stops it, or for MS milliseconds and at least some turns: on a busy
 * machine the time may be over before the loop has looked at its descriptors for the first time.
 */
void looprun_for(struct loop *loop, uint64_t ms);

#endif
