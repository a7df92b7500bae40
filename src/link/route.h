/*
 * route: the way to a server: its name is resolved, and its addresses are handed out in the order
 * to try. A try has failed when all of them have.
 */
#ifndef SIPSD_LINK_ROUTE_H
#define SIPSD_LINK_ROUTE_H

#include "base/errinfo.h"
#include "base/limits.h"
#include "sys/dns.h"

/* A value type, to be embedded; zeroed, then filled by route_init(). */
struct route {
    struct dns *dns;
    const char *host; /* borrowed */
    uint16_t port;
    loop_fn *done;
    void *arg;
    struct dns_query *query;
    struct addr addrs[LIMIT_DNS_ADDRESSES];
    size_t count;
    size_t next;
    struct errinfo error;
};

/* DONE(ARG) is called, from the loop, when a look-up has ended, well or not: see route_next(). */
void route_init(struct route *r, struct dns *dns, const char *host, uint16_t port, loop_fn *done,
                void *arg);

/* Begins anew: looks the name up, forgets earlier failures. */
RESULT route_find(struct route *r, struct errinfo *e);

/* Stops a look-up that is under way; DONE is not called. */
void route_cancel(struct route *r);

/* The next address to try, or NULL: all were tried, or there is none, and route_error() says why.
 */
const struct addr *route_next(struct route *r);

/* The address that was tried last failed with E. */
void route_failed(struct route *r, const struct errinfo *e);

/* Whether AT, its port aside, is an address that the name had when it was looked up last. */
bool route_has(const struct route *r, const struct addr *at);

/* The most telling failure of the try: a refused certificate says more to an admin than TLS that
 * failed, and that more than an address that did not answer; else the last one. */
const struct errinfo *route_error(const struct route *r);

#endif
