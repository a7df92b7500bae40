/*
 * door_stack: what a local port (link/door) knows of the SIP stack behind it: what it wants to be
 * called, and where it would take a connection. A value type, without I/O.
 */
#ifndef SIPSD_LINK_DOOR_STACK_H
#define SIPSD_LINK_DOOR_STACK_H

#include "link/door_rules.h"

struct door_stack {
    const char *user;               /* of the account; borrowed */
    struct addr peer;               /* of the settings; family 0: none */
    struct door_contact registered; /* uri "" while it has not */
    struct door_contact used;       /* what it called itself last */
    struct door_contact made;       /* by us, for one that has not said anything */
    bool misled;                    /* where it should be, nobody answers */
};

/* M is a request of its, REGISTER too. */
void door_stack_learn(struct door_stack *s, const struct sip_message *m);

/* The REGISTER M, with one Contact: it is there from now on (true), or takes its leave. */
bool door_stack_register(struct door_stack *s, const struct sip_message *m);

/* The URI that it wants to be called at, by a connection to or from the address AT; NULL without
 * memory. Valid until the next call. */
const char *door_stack_contact(struct door_stack *s, const struct addr *at);

/* Where it can be dialled: where it said, else where the settings say; NULL if nobody knows. The
 * other of the two after a failure. OWN_PORT is ours, which is nowhere. */
const struct addr *door_stack_address(const struct door_stack *s, uint16_t own_port);

#endif
