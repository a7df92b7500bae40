/*
 * relay: relay.sock, over which the phone's call-control sends and receives its SIP messages.
 * include/sipsd/relay.h is its manual.
 *
 * Root, the daemon's own user and the members of one group may connect, one at a time. Bounded:
 * LIMIT_RELAY_BACKLOG bytes wait for a call-control that does not read; while more than half of
 * that does, requests get 503, so that there is room for responses. One that lets it fill up is
 * sent away: what it does not know of the connections it cannot act upon.
 */
#ifndef SIPSD_LINK_RELAY_H
#define SIPSD_LINK_RELAY_H

#include <sys/types.h>

#include "base/errinfo.h"
#include "link/carrier.h"
#include "sys/loop.h"

struct relay;

struct relay_params {
    const char *path;
    gid_t gid; /* the group that may connect besides the owner; (gid_t)-1: none */
};

/* K must outlive it. */
RESULT relay_new(struct loop *l, struct carrier *k, const struct relay_params *p,
                 struct relay **out, struct errinfo *e);

/* Ends the client and removes the socket. NULL is fine. */
void relay_free(struct relay *r);

#endif
