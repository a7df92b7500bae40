/*
 * dns: names to addresses, through c-ares on the loop: nothing blocks.
 *
 * /etc/hosts goes before the servers of /etc/resolv.conf, and both are read again when they change.
 * IP literals and localhost (RFC 6761) are answered without a query. Both families are asked for;
 * the order of the answer is the order to try (RFC 6724), at most LIMIT_DNS_ADDRESSES long. A
 * look-up takes LIMIT_DNS_MS at most; within it, servers are asked again, and in turn.
 */
#ifndef SIPSD_SYS_DNS_H
#define SIPSD_SYS_DNS_H

#include <stddef.h>

#include "base/errinfo.h"
#include "sys/addr.h"
#include "sys/loop.h"

struct dns;
struct dns_query;

RESULT dns_new(struct loop *l, struct dns **out, struct errinfo *e);
void dns_free(struct dns *d); /* cancels what is under way; NULL is fine */

/* Asks SERVERS from now on, instead of those of /etc/resolv.conf: "192.0.2.53,[2001:db8::53]:5353".
 * ERR_INVALID, and nothing changed, if it is no such list. */
RESULT dns_set_servers(struct dns *d, const char *servers, struct errinfo *e);

/*
 * R is OK with N >= 1 addresses (the port that was asked for is in each; valid during the call), or
 * ERR_DNS, ERR_TIMEOUT with a sentence in E ("sip.example.com has no address", "no DNS server
 * answered").
 */
typedef void dns_fn(void *arg, struct result r, const struct addr *addrs, size_t n,
                    const struct errinfo *e);

/* FN is called once, from the loop, never from inside; not after dns_cancel(), which frees the
 * query. Inside FN everything is allowed, dns_free() too. */
RESULT dns_resolve(struct dns *d, const char *host, uint16_t port, dns_fn *fn, void *arg,
                   struct dns_query **out, struct errinfo *e);
void dns_cancel(struct dns_query *q); /* NULL is fine; not after FN was called */

#endif
