#include "link/channel.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/wipe.h"
#include "link/route.h"
#include "sys/stream.h"

#define READ_SIZE 4096

/* One side is not read while more than this waits for the other to take it. */
#define HIGH_WATER (LIMIT_CONNECTION_OUT / 2)

/* What comes on top of it at once: a read, or all that the session had kept at the end. */
#define QUEUE_CAP (HIGH_WATER + LIMIT_CONNECTION_OUT + LIMIT_TLS_UNREAD)

#define PEER_TEXT_SIZE (PEERNAME_TEXT_SIZE + ADDR_TEXT_SIZE + 4)

enum channel_state {
    CHANNEL_RESOLVING,
    CHANNEL_CONNECTING,
    CHANNEL_HANDSHAKE,
    CHANNEL_OPEN,
    CHANNEL_CLOSED
};

#define BIT(s) (1u << (s))

static const unsigned legal[] = {
    [CHANNEL_RESOLVING] = BIT(CHANNEL_CONNECTING) | BIT(CHANNEL_CLOSED),
    [CHANNEL_CONNECTING] =
        BIT(CHANNEL_CONNECTING) | BIT(CHANNEL_HANDSHAKE) | BIT(CHANNEL_OPEN) | BIT(CHANNEL_CLOSED),
    [CHANNEL_HANDSHAKE] = BIT(CHANNEL_CONNECTING) | BIT(CHANNEL_OPEN) | BIT(CHANNEL_CLOSED),
    [CHANNEL_OPEN] = BIT(CHANNEL_CLOSED),
    [CHANNEL_CLOSED] = 0,
};

struct channel {
    enum channel_state state;
    struct channel_params params;
    const struct channel_handlers *h;
    void *arg;
    struct route route;
    struct stream *local; /* our end of the pair; NULL once it is gone */
    struct stream *net;   /* likewise */
    struct tls_session *session;
    struct loop_timer *deadline; /* of connecting, then of the handshake */
    struct verdict verdict;
    struct peerchain chain;
    struct tls_session_facts facts;
    char peer[PEER_TEXT_SIZE]; /* for sentences: "host (address)" */
};

static void set_state(struct channel *c, enum channel_state to)
{
    assert((legal[c->state] & BIT(to)) != 0);
    c->state = to;
}

/* --- the end --- */

static void flush(struct channel *c)
{
    const struct slice out = tls_session_output(c->session);

    if (out.n > 0 && c->net != NULL && is_ok(stream_write(c->net, out)))
        tls_session_sent(c->session, out.n);
}

/* Lets the last words (an alert, close_notify) reach the server while we are gone already. */
static void leave_net(struct channel *c)
{
    if (c->session != NULL) {
        tls_session_close(c->session);
        flush(c);
        c->verdict = *tls_session_verdict(c->session);
        c->facts = tls_session_facts(c->session);
        tls_session_free(c->session);
        c->session = NULL;
    }
    if (c->state == CHANNEL_CONNECTING)
        stream_close(c->net);
    else
        stream_finish(c->net);
    c->net = NULL;
}

static void end(struct channel *c, struct result why, const struct errinfo *e)
{
    leave_net(c);
    loop_timer_stop(c->deadline);
    set_state(c, CHANNEL_CLOSED);
    stream_finish(c->local); /* what the server sent is still delivered */
    c->local = NULL;
    c->h->on_closed(c->arg, why, e);
}

/* --- both directions --- */

/* Hands plaintext on until there is none, or enough waits. */
static void hand_over(struct channel *c)
{
    uint8_t bytes[READ_SIZE];
    size_t n = 0;

    while (c->local != NULL && stream_queued(c->local) <= HIGH_WATER &&
           is_ok(tls_session_read(c->session, bytes, sizeof bytes, &n)))
        IGNORE(stream_write(c->local, slice_of(bytes, n))); /* it has the room */
    wipe(bytes, sizeof bytes);
}

static void read_or_not(struct channel *c)
{
    if (c->net == NULL || c->local == NULL || c->state != CHANNEL_OPEN)
        return;
    if (stream_queued(c->local) > HIGH_WATER)
        stream_pause(c->net);
    else
        stream_resume(c->net);
    if (stream_queued(c->net) > HIGH_WATER)
        stream_pause(c->local);
    else
        stream_resume(c->local);
}

/* All that is left, however much waits already: the queue has room for it. */
static void hand_over_rest(struct channel *c)
{
    uint8_t bytes[READ_SIZE];
    size_t n = 0;

    while (c->local != NULL && is_ok(tls_session_read(c->session, bytes, sizeof bytes, &n)))
        IGNORE(stream_write(c->local, slice_of(bytes, n)));
    wipe(bytes, sizeof bytes);
}

static struct result session_failed(const struct channel *c, struct errinfo *e)
{
    const struct verdict *v = tls_session_verdict(c->session);
    const struct errinfo *why = tls_session_error(c->session);

    if (v->class == VERDICT_REJECTED)
        return fail(e, ERR_CERT, "%s", verdict_sentence(v));
    if (why != NULL)
        *e = *why;
    const struct result r = fail(e, ERR_TLS, "the TLS protocol failed");
    errinfo_context(e, "%s", c->peer);
    return why != NULL ? err(why->code) : r;
}

/* --- one address after the other --- */

static void dial_next(struct channel *c);

static void try_failed(struct channel *c, const struct errinfo *e)
{
    route_failed(&c->route, e);
    leave_net(c);
    dial_next(c);
}

static void keep_chain(struct channel *c)
{
    size_t n;
    const struct slice *chain = tls_session_chain(c->session, &n);

    peerchain_set(&c->chain, chain, n);
}

static void opened(struct channel *c)
{
    loop_timer_stop(c->deadline);
    set_state(c, CHANNEL_OPEN);
    if (c->session != NULL) {
        c->verdict = *tls_session_verdict(c->session);
        c->facts = tls_session_facts(c->session);
        keep_chain(c);
    }
    stream_resume(c->local);
    c->h->on_open(c->arg);
}

/* After everything that may have moved the session on. */
static void advance(struct channel *c)
{
    struct errinfo e = ERRINFO_INIT;

    flush(c);
    if (c->state == CHANNEL_HANDSHAKE && tls_session_state(c->session) == TLS_ESTABLISHED)
        opened(c);
    if (c->state == CHANNEL_OPEN)
        hand_over(c);
    switch (tls_session_state(c->session)) {
    case TLS_HANDSHAKE:
    case TLS_ESTABLISHED:
        read_or_not(c);
        break;
    case TLS_CLOSED:
        hand_over_rest(c);
        end(c, OK, &e);
        break;
    case TLS_FAILED:
        IGNORE(session_failed(c, &e));
        if (c->state == CHANNEL_HANDSHAKE) {
            try_failed(c, &e);
        } else {
            hand_over_rest(c);
            end(c, err(e.code), &e);
        }
        break;
    }
}

static void judge_peer(void *arg, const struct slice *chain, size_t n, struct verdict *out)
{
    const struct channel *c = arg;
    const struct channel_params *p = &c->params;
    const struct verify_input in = judge_input(p->judge, chain, n);

    verify_chain(&in, out);
    if (verdict_accepted(out) || p->on_refused == NULL)
        return;
    const struct refused_chain refused = {.host = p->host, .input = &in, .verdict = out};
    p->on_refused(p->on_refused_arg, &refused);
}

static struct result begin_handshake(struct channel *c, struct errinfo *e)
{
    const struct tls_session_params tls = {
        .server_name = judge_server_name(c->params.judge),
        .judge = judge_peer,
        .judge_arg = c,
        .now_s = wallclock_now(c->params.judge->clock).epoch_s,
    };

    set_state(c, CHANNEL_HANDSHAKE);
    TRY(tls_session_new(c->params.profile, &tls, &c->session, e));
    loop_timer_start(c->deadline, LIMIT_HANDSHAKE_MS);
    tls_session_start(c->session);
    advance(c);
    return OK;
}

static void net_opened(void *arg)
{
    struct channel *c = arg;
    struct errinfo e = ERRINFO_INIT;

    if (c->params.profile == NULL)
        opened(c);
    else if (is_err(begin_handshake(c, &e)))
        try_failed(c, &e);
}

static void net_data(void *arg, struct slice data)
{
    struct channel *c = arg;

    if (c->session != NULL) {
        tls_session_feed(c->session, data);
        advance(c);
    } else if (c->local != NULL) {
        IGNORE(stream_write(c->local, data)); /* it has the room */
        read_or_not(c);
    }
}

static void net_drained(void *arg)
{
    read_or_not(arg);
}

/* The end of the network's stream, as a sentence; OK if it was meant. */
static struct result net_end(struct channel *c, struct result why, struct errinfo *e)
{
    const bool plain_end = why.code == ERR_CLOSED && e->native == 0;

    if (c->session == NULL && c->state == CHANNEL_OPEN && plain_end)
        return OK;
    if (c->session != NULL && plain_end) {
        errinfo_clear(e);
        tls_session_feed_eof(c->session);
        if (tls_session_state(c->session) == TLS_CLOSED)
            return OK;
        return session_failed(c, e);
    }
    /* While connecting, the stream itself names the address. */
    errinfo_context(e, "%s", c->state == CHANNEL_CONNECTING ? c->params.host : c->peer);
    return why;
}

static void net_closed(void *arg, struct result why, const struct errinfo *said)
{
    struct channel *c = arg;
    struct errinfo e = *said;

    stream_close(c->net);
    c->net = NULL;
    const struct result r = net_end(c, why, &e);
    if (c->state != CHANNEL_OPEN) {
        try_failed(c, &e);
        return;
    }
    if (c->session != NULL)
        hand_over_rest(c);
    end(c, r, &e);
}

static const struct stream_handlers net_handlers = {
    .on_open = net_opened,
    .on_data = net_data,
    .on_drained = net_drained,
    .on_closed = net_closed,
};

static void on_deadline(void *arg)
{
    struct channel *c = arg;
    struct errinfo e = ERRINFO_INIT;

    if (c->state == CHANNEL_CONNECTING)
        IGNORE(fail(&e, ERR_TIMEOUT, "%s did not answer within %d s", c->peer,
                    LIMIT_CONNECT_MS / 1000));
    else
        IGNORE(fail(&e, ERR_TIMEOUT, "%s did not finish the TLS handshake within %d s", c->peer,
                    LIMIT_HANDSHAKE_MS / 1000));
    try_failed(c, &e);
}

static void dial_next(struct channel *c)
{
    const struct addr *to;

    while ((to = route_next(&c->route)) != NULL) {
        struct errinfo e = ERRINFO_INIT;
        char address[ADDR_TEXT_SIZE];
        set_state(c, CHANNEL_CONNECTING);
        addr_format(to, address);
        (void)snprintf(c->peer, sizeof c->peer, "%s (%s)", c->params.host, address);
        loop_timer_start(c->deadline, LIMIT_CONNECT_MS);
        if (is_ok(stream_connect(c->params.loop, to, QUEUE_CAP, &net_handlers, c, &c->net, &e)))
            return;
        errinfo_context(&e, "cannot connect to %s", c->peer);
        route_failed(&c->route, &e);
    }
    const struct errinfo e = *route_error(&c->route);
    end(c, err(e.code != ERR_OK ? e.code : ERR_DNS), &e);
}

static void on_route(void *arg)
{
    dial_next(arg);
}

/* --- our end of the pair --- */

static void local_data(void *arg, struct slice data)
{
    struct channel *c = arg;

    if (c->state != CHANNEL_OPEN || c->net == NULL)
        return; /* it is over, and the other end is told so */
    if (c->session == NULL) {
        IGNORE(stream_write(c->net, data)); /* it has the room */
        read_or_not(c);
        return;
    }
    IGNORE(tls_session_write(c->session, data)); /* likewise; a failure is the session's state */
    advance(c);
}

static void local_drained(void *arg)
{
    struct channel *c = arg;

    if (c->state == CHANNEL_OPEN && c->session != NULL)
        advance(c);
    else
        read_or_not(c);
}

static void local_closed(void *arg, struct result why, const struct errinfo *e)
{
    struct channel *c = arg;

    (void)why;
    (void)e;
    stream_close(c->local);
    c->local = NULL;
    route_cancel(&c->route);
    leave_net(c);
    loop_timer_stop(c->deadline);
    set_state(c, CHANNEL_CLOSED);
}

static const struct stream_handlers local_handlers = {
    .on_data = local_data,
    .on_drained = local_drained,
    .on_closed = local_closed,
};

/* --- life --- */

static struct result set_up(struct channel *c, int *fd, struct errinfo *e)
{
    const struct channel_params *p = &c->params;

    c->deadline = loop_timer_new(p->loop, on_deadline, c);
    if (c->deadline == NULL)
        return fail(e, ERR_NOMEM, "out of memory for a connection");
    route_init(&c->route, p->dns, p->host, p->port, on_route, c);
    TRY(route_find(&c->route, e));
    TRY(stream_pair(p->loop, &c->local, fd, e));
    stream_pause(c->local); /* what comes before OPEN waits */
    stream_start(c->local, QUEUE_CAP, &local_handlers, c);
    return OK;
}

RESULT channel_open(const struct channel_params *p, const struct channel_handlers *h, void *arg,
                    struct channel **out, int *fd, struct errinfo *e)
{
    assert(p->profile == NULL || p->judge != NULL);
    struct channel *c = calloc(1, sizeof *c);
    if (c == NULL)
        return fail(e, ERR_NOMEM, "out of memory for a connection");
    c->params = *p;
    c->h = h;
    c->arg = arg;
    if (c->params.profile != NULL)
        (void)tls_profile_ref(c->params.profile);
    const struct result r = set_up(c, fd, e);
    if (is_err(r))
        channel_free(c);
    else
        *out = c;
    return r;
}

void channel_free(struct channel *c)
{
    if (c == NULL)
        return;
    route_cancel(&c->route);
    leave_net(c);
    stream_close(c->local);
    loop_timer_free(c->deadline);
    tls_profile_unref(c->params.profile);
    peerchain_clear(&c->chain);
    free(c);
}

const struct verdict *channel_verdict(const struct channel *c)
{
    return &c->verdict;
}

const struct peerchain *channel_chain(const struct channel *c)
{
    return &c->chain;
}

struct tls_session_facts channel_facts(const struct channel *c)
{
    return c->facts;
}
