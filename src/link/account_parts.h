/* account_parts: what the files of link/account have in common, and nobody else needs. */
#ifndef SIPSD_LINK_ACCOUNT_PARTS_H
#define SIPSD_LINK_ACCOUNT_PARTS_H

#include "base/backoff.h"
#include "link/account.h"
#include "link/calls.h"
#include "link/flow.h"
#include "link/recheck.h"
#include "link/route.h"

struct account {
    enum account_state state;
    const struct account_shared *shared;
    account_changed_fn *changed;
    void *arg;
    bool dirty; /* something visible changed, and was not told yet */

    /* from the settings */
    int number;
    bool enabled;
    char area[16]; /* "account 3", for the log */
    char *label;
    char *aor;
    char *host;

    /* of the present try */
    struct route route;
    struct flow flow;
    struct recheck recheck; /* of the live connection's verdict */
    bool identity_replaced; /* our certificate, since the try began */
    struct calls calls;

    struct registration *registration;
    struct errinfo given_up; /* the connection has to go, and why; ERR_OK: it may stay */
    uint64_t opened_ms;      /* when the connection became OPEN */
    bool registered;         /* on this connection, at some time */

    struct loop_timer *timer; /* WAITING: the next try; OPEN: the registration's; STOPPING: both */
    uint64_t deadline_ms;     /* of WAITING and STOPPING */
    struct backoff backoff;

    struct verdict verdict;
    struct errinfo error;
};

/* There is a connection that its server was accepted on. */
static inline bool account_is_up(const struct account *a)
{
    return a->state == ACCOUNT_OPEN || a->state == ACCOUNT_STOPPING;
}

#endif
