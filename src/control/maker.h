/*
 * maker: the certificates that the maker put on the phone, as sipsd-factory makes them.
 */
#ifndef SIPSD_CONTROL_MAKER_H
#define SIPSD_CONTROL_MAKER_H

#include "base/rng.h"
#include "pki/identity_choice.h"

/*
 * Reads DIR/unique.pem, which must be this phone's own by its MAC address, and DIR/generic.pem,
 * each with chain and private key, into the slots of those names, which are empty. What is there
 * and cannot be used is told in the slot's problem, with its path, and logged; the other one
 * stands. A file that others than its owner can read is used, and logged as a warning: it has a
 * private key.
 */
void maker_identities(const char *dir, const char *mac, const struct rng *rng,
                      struct identity_slots *slots);

#endif
