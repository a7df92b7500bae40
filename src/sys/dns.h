/*
 * dns: names to addresses, through c-ares on the loop: nothing blocks.
 *
 * /etc/hosts and /etc/resolv.conf are honoured and read again when they change. IP literals are
 * answered without a query. Both families are asked for; the order of the answer is the order to
 * try (RFC 6724).
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
void dns_free(struct dns *d); /* cancels what is under way */

/*
 * R is OK with N >= 1 addresses (the port that was asked for is in each; valid during the call), or
 * ERR_DNS, ERR_TIMEOUT with a sentence in E ("sip.example.com has no address", "no DNS server
 * answered").
 */
typedef void dns_fn(void *arg, struct result r, const struct addr *addrs, size_t n,
                    const struct errinfo *e);

/* FN is called once, from the loop, never from inside; not after dns_cancel(), which frees the
 * query. */
RESULT dns_resolve(struct dns *d, const char *host, uint16_t port, dns_fn *fn, void *arg,
                   struct dns_query **out, struct errinfo *e);
void dns_cancel(struct dns_query *q); /* NULL is fine; not after FN was called */

#endif
