#include "link/port.h"

#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"

#define FAMILIES 2

static const char *const everywhere[FAMILIES] = {"0.0.0.0", "::"};
static const char *const local[FAMILIES] = {"127.0.0.1", NULL};

struct port {
    struct loop *loop;
    const char *area; /* for the log */
    const char *const *at;
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
        if (p->sockets[i] != NULL || p->at[i] == NULL || !addr_parse(p->at[i], p->number, &at))
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
        log_notice(p->area, "port %u is open for %s", (unsigned)p->number,
                   p->at == local ? "SIP stacks on the phone" : "TLS");
        return;
    }
    if (!p->complained)
        log_error(p->area, "%s; it is tried again every %d s", errinfo_text(&e, r),
                  LIMIT_LISTEN_RETRY_MS / 1000);
    p->complained = true;
    loop_timer_start(p->retry, LIMIT_LISTEN_RETRY_MS);
}

static struct result make(const struct port *like, struct port **out, struct errinfo *e)
{
    struct port *p = calloc(1, sizeof *p);
    if (p == NULL)
        return fail(e, ERR_NOMEM, "out of memory for a port");
    *p = *like;
    p->retry = loop_timer_new(p->loop, try_to_open, p);
    if (p->retry == NULL) {
        port_free(p);
        return fail(e, ERR_NOMEM, "out of memory for a port");
    }
    *out = p;
    return OK;
}

RESULT port_new(struct loop *l, stream_accept_fn *fn, void *arg, struct port **out,
                struct errinfo *e)
{
    const struct port like = {
        .loop = l, .area = "listener", .at = everywhere, .fn = fn, .arg = arg};
    return make(&like, out, e);
}

RESULT port_new_local(struct loop *l, const char *area, stream_accept_fn *fn, void *arg,
                      struct port **out, struct errinfo *e)
{
    const struct port like = {.loop = l, .area = area, .at = local, .fn = fn, .arg = arg};
    return make(&like, out, e);
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
        log_notice(p->area, "the port is closed");
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

bool port_is_open(const struct port *p)
{
    return p->sockets[0] != NULL || p->sockets[1] != NULL;
}

uint16_t port_number(const struct port *p)
{
    return p->number;
}
