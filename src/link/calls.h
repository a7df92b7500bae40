/*
 * calls: an account's part in the calls that others make over its connection: what is not the
 * registration's goes to the carrier, and it is known when the last call has ended. And who looks
 * at the carrier's messages sees the registration's beside them.
 */
#ifndef SIPSD_LINK_CALLS_H
#define SIPSD_LINK_CALLS_H

#include "link/carrier.h"
#include "link/flow.h"
#include "link/registration.h"

/* A value type, to be embedded; zeroed, then filled by calls_init(). */
struct calls {
    struct carrier *carrier; /* NULL: nobody takes calls */
    int account;
    const struct flow *flow;           /* borrowed, likewise */
    struct registration *registration; /* borrowed */
    struct carrier_line *line;         /* while the connection is open */
    struct loop_timer *drain;
    bool retiring;
    loop_fn *ended;
    void *arg;
};

/* ENDED(ARG) comes from the loop after calls_retire(). FLOW and the rest must outlive it. */
RESULT calls_init(struct calls *c, const struct flow *flow, struct registration *r, loop_fn *ended,
                  void *arg);
void calls_clear(struct calls *c); /* a zeroed one is fine */

/* The flow's connection is open; V is what it is worth. */
void calls_open(struct calls *c, const struct verdict *v);

/* Something of it may have changed; nothing if it is not open. */
void calls_update(struct calls *c, const struct verdict *v);

/* It is gone, or will be at once. */
void calls_close(struct calls *c);

/* Sends a message of our own, as connection_send(), and shows it to whoever looks. */
RESULT calls_send(const struct calls *c, struct slice message);

/*
 * M has come, whose text is RAW: the registration takes what it has asked for; a request is handed
 * on, or answered if there is no carrier, or if it asks whether the phone is there, or tells of new
 * settings; another response is handed on. V is what the connection is worth now.
 */
void calls_receive(struct calls *c, const struct sip_message *m, struct slice raw,
                   const struct verdict *v);

/* The connection's peer has taken what waited for it. */
void calls_drained(struct calls *c);

/* Whether a call hangs on the connection. */
bool calls_busy(const struct calls *c);

/* Says when no call hangs on the connection any more, or LIMIT_DRAIN_S are over. */
void calls_retire(struct calls *c);

#endif
