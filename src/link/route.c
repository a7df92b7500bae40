#include "link/route.h"

#include <string.h>

void route_init(struct route *r, struct dns *dns, const char *host, uint16_t port, loop_fn *done,
                void *arg)
{
    *r = (struct route){
        .dns = dns,
        .host = host,
        .port = port,
        .done = done,
        .arg = arg,
        .error = ERRINFO_INIT,
    };
}

static void on_resolved(void *arg, struct result res, const struct addr *addrs, size_t n,
                        const struct errinfo *e)
{
    struct route *r = arg;
    r->query = NULL;
    if (is_ok(res)) {
        r->count = n < LIMIT_DNS_ADDRESSES ? n : LIMIT_DNS_ADDRESSES;
        memcpy(r->addrs, addrs, r->count * sizeof addrs[0]);
    } else {
        r->error = *e;
    }
    r->done(r->arg);
}

RESULT route_find(struct route *r, struct errinfo *e)
{
    r->count = 0;
    r->next = 0;
    errinfo_clear(&r->error);
    return dns_resolve(r->dns, r->host, r->port, on_resolved, r, &r->query, e);
}

void route_cancel(struct route *r)
{
    dns_cancel(r->query);
    r->query = NULL;
}

const struct addr *route_next(struct route *r)
{
    return r->next < r->count ? &r->addrs[r->next++] : NULL;
}

static int how_telling(enum err code)
{
    switch (code) {
    case ERR_CERT:
    case ERR_IDENTITY:
        return 2; /* the first of them stays */
    case ERR_TLS:
        return 1;
    default:
        return 0;
    }
}

void route_failed(struct route *r, const struct errinfo *e)
{
    const int had = how_telling(r->error.code);
    if (had < 2 && how_telling(e->code) >= had)
        r->error = *e;
}

bool route_has(const struct route *r, const struct addr *at)
{
    for (size_t i = 0; i < r->count; i++)
        if (addr_same_host(&r->addrs[i], at))
            return true;
    return false;
}

const struct errinfo *route_error(const struct route *r)
{
    return &r->error;
}
