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
#include "link/inbound.h"

enum lock_state { LOCK_DOWN, LOCK_CONNECTING, LOCK_UP };

enum lock_assurance {
    LOCK_ASSURANCE_NONE,  /* encrypted only, or not even that */
    LOCK_ASSURANCE_CHAIN, /* the chain is right; the name, or for want of a clock the dates, were
                             not checked */
    LOCK_ASSURANCE_FULL,  /* chain and name */
};

/* A value type that owns nothing: to be kept and compared with the next one. */
struct lock_entry {
    int account;
    enum lock_state state;
    bool lock;
    enum lock_assurance assurance;
    enum verdict_class verdict; /* lock_verdict()'s, or NONE */

    /*
     * What is wrong, for machines; "none" if nothing is. The name of the verdict's first reason
     * ("expired", see REASON_TABLE), or of what failed before or after there was a verdict:
     * "identity" (of the phone itself), "dns", "connect", "timeout", "tls", "closed", "protocol",
     * "registration", "internal"; or "off".
     */
    char code[32];

    /* The same for people, never empty, UTF-8. While a failed connection is tried again, code and
     * sentence go on telling what failed. */
    char sentence[2 * LIMIT_TEXT];
};

void lock_reduce(const struct account_status *s, struct lock_entry *out);

/*
 * The same of a connection that somebody made to the phone; ACCOUNT is the one that it called, or
 * 0. The assurance is full only where its certificate is verified and has the name of that
 * account's server: a certificate of a public CA alone is what anybody can have.
 */
void lock_reduce_inbound(const struct inbound_status *s, struct lock_entry *out);

/* The verdict that counts now: of the live connection, or the one that refused the last; else NULL.
 */
const struct verdict *lock_verdict(const struct account_status *s);

/* Whether a UI that shows A must be told of B. */
bool lock_differs(const struct lock_entry *a, const struct lock_entry *b);

const char *lock_state_name(enum lock_state s);         /* "down", "connecting", "up" */
const char *lock_assurance_name(enum lock_assurance a); /* "none", "chain", "full" */

#endif
