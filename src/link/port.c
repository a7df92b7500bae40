#include "link/port.h"

#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"

#define AREA "listener"

static const char *const wildcards[] = {"0.0.0.0", "::"};

#define FAMILIES (sizeof wildcards / sizeof wildcards[0])

struct port {
    struct loop *loop;
    stream_accept_fn *fn;
    void *arg;
    uint16_t number;
    struct stream_listener *sockets[FAMILIES]; /* NULL: not open */
    struct loop_timer *retry;
    bool complained; /* of this number */
};

static void close_all(struct port *p)
{
    loop_timer_stop(p->retry);
    for (size_t i = 0; i < FAMILIES; i++) {
        stream_listener_free(p->sockets[i]);
        p->sockets[i] = NULL;
    }
    p->complained = false;
}

/* The kernel has no such family, or it is switched off. */
static bool is_without_family(const struct errinfo *e)
{
    return e->native == EAFNOSUPPORT || e->native == EADDRNOTAVAIL;
}

/* Opens what is not open; the first failure counts. */
static struct result open_missing(struct port *p, struct errinfo *e)
{
    struct result first = OK;
    for (size_t i = 0; i < FAMILIES; i++) {
        struct addr at;
        struct errinfo mine = ERRINFO_INIT;
        if (p->sockets[i] != NULL || !addr_parse(wildcards[i], p->number, &at))
            continue;
        const struct result r =
            stream_listen_tcp(p->loop, &at, p->fn, p->arg, &p->sockets[i], &mine);
        if (is_err(r) && is_ok(first) && !is_without_family(&mine)) {
            first = r;
            *e = mine;
        }
    }
    if (is_ok(first) && p->sockets[0] == NULL && p->sockets[1] == NULL)
        return fail(e, ERR_SYSTEM, "there is neither IPv4 nor IPv6 to listen on");
    return first;
}

static void try_to_open(void *arg)
{
    struct port *p = arg;
    struct errinfo e = ERRINFO_INIT;
    const struct result r = open_missing(p, &e);
    if (is_ok(r)) {
        log_notice(AREA, "port %u is open for TLS", (unsigned)p->number);
        return;
    }
    if (!p->complained)
        log_error(AREA, "%s; it is tried again every %d s", errinfo_text(&e, r),
                  LIMIT_LISTEN_RETRY_MS / 1000);
    p->complained = true;
    loop_timer_start(p->retry, LIMIT_LISTEN_RETRY_MS);
}

RESULT port_new(struct loop *l, stream_accept_fn *fn, void *arg, struct port **out,
                struct errinfo *e)
{
    struct port *p = calloc(1, sizeof *p);
    if (p == NULL)
        return fail(e, ERR_NOMEM, "out of memory for a port");
    p->loop = l;
    p->fn = fn;
    p->arg = arg;
    p->retry = loop_timer_new(l, try_to_open, p);
    if (p->retry == NULL) {
        port_free(p);
        return fail(e, ERR_NOMEM, "out of memory for a port");
    }
    *out = p;
    return OK;
}

void port_free(struct port *p)
{
    if (p == NULL)
        return;
    close_all(p);
    loop_timer_free(p->retry);
    free(p);
}

void port_set(struct port *p, uint16_t number)
{
    if (number == p->number)
        return;
    close_all(p);
    p->number = number;
    if (number != 0)
        try_to_open(p);
    else
        log_notice(AREA, "the port is closed");
}

RESULT port_open(struct port *p, uint16_t number, struct errinfo *e)
{
    close_all(p);
    p->number = number;
    const struct result r = open_missing(p, e);
    if (is_err(r)) {
        close_all(p);
        p->number = 0;
    }
    return r;
}

uint16_t port_number(const struct port *p)
{
    return p->number;
}
