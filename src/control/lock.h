/*
 * lock: what the lock icon of an account may show, reduced from what the account is.
 *
 * A pure reducer: account_status in, lock_entry out, and whether two entries differ in what a UI
 * shows. LOCK is the manual's icon: true from the moment that the handshake is done and the verdict
 * allows it, false as soon as the connection is gone. ASSURANCE lets a UI be stricter: encrypted is
 * not the same as verified.
 */
#ifndef SIPSD_CONTROL_LOCK_H
#define SIPSD_CONTROL_LOCK_H

#include "link/account.h"

enum lock_state { LOCK_DOWN, LOCK_CONNECTING, LOCK_UP };

enum lock_assurance {
    LOCK_ASSURANCE_NONE,  /* encrypted only, or not even that */
    LOCK_ASSURANCE_CHAIN, /* the chain is right, the name was not checked */
    LOCK_ASSURANCE_FULL,  /* chain and name */
};

struct lock_entry {
    int account;
    enum lock_state state;
    bool lock;
    enum lock_assurance assurance;
    enum verdict_class verdict;
    enum reason_code reason; /* the first of the verdict's, or NONE */
    char code[32]; /* what is wrong, for machines: a reason's name, or "dns", "connect", "timeout",
                      "tls", "closed", "registration" ...; "none" */
    char sentence[LIMIT_TEXT * 2]; /* one sentence, for people; never empty */
};

void lock_reduce(const struct account_status *s, struct lock_entry *out);

/* Whether a UI that shows A must be told of B. */
bool lock_differs(const struct lock_entry *a, const struct lock_entry *b);

const char *lock_state_name(enum lock_state s);
const char *lock_assurance_name(enum lock_assurance a);

#endif
