/*
 * expirywatch: gathers the certificates that are in use for control/expiry, and wakes it in time.
 *
 * It looks at trust, accounts and identities through a source and keeps nothing of them. Whoever
 * changes one of these says so with expirywatch_look(); the look is taken once, in the next turn of
 * the loop, however often that was said.
 */
#ifndef SIPSD_CONTROL_EXPIRYWATCH_H
#define SIPSD_CONTROL_EXPIRYWATCH_H

#include "control/expiry.h"
#include "link/account.h"
#include "pki/identity.h"

struct expirywatch;

/* Borrowed, must outlive the watch; asked from the loop. */
struct expirywatch_source {
    size_t (*account_count)(void *arg);
    struct account *(*account_at)(void *arg, size_t i);
    struct trust *(*trust)(void *arg);
    /* The phone's own identities, used now or held for use: number I, or NULL from the first one
     * that there is not; at most LIMIT_EXPIRY_OWN are asked for. Borrowed. */
    struct identity *(*identity_at)(void *arg, size_t i);
    struct wallclock (*now)(void *arg);
    expiry_tell_fn *tell; /* from the loop */
    void *arg;
};

/* Takes the first look in the next turn of the loop. ERR_NOMEM. */
RESULT expirywatch_new(struct loop *l, const struct expirywatch_source *s, struct expirywatch **out,
                       struct errinfo *e);
void expirywatch_free(struct expirywatch *w); /* NULL is fine */

/* Certificates, accounts or the clock may be others now. NULL is fine. */
void expirywatch_look(struct expirywatch *w);

/* What is told of those that end soon or have ended, see expiry_each(). NULL: none. */
void expirywatch_each(const struct expirywatch *w, expiry_tell_fn *visit, void *arg);

#endif
