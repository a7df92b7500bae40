/*
 * tlsfuzz: what fuzz_tls_client and fuzz_tls_server have in common: our session against a peer
 * whose bytes are carried whole, cut, damaged, or made up by the fuzzer, in an order that it
 * chooses; and what must hold after every step.
 */
#ifndef SIPSD_TESTS_TOOLS_TLSFUZZ_H
#define SIPSD_TESTS_TOOLS_TLSFUZZ_H

#include "tls/profile.h"

/* Plays DATA; aborts the process when something does not hold that must. */
void tlsfuzz_play(enum tls_role role, const uint8_t *data, size_t size);

#endif
