#include "link/connection.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "link/caption.h"
#include "sip/frame.h"
#include "sys/loop.h"

#define READ_SIZE 4096

/* What waits in the stream is checked before it is encrypted; records, alerts and answers to the
 * peer's own doing come on top. */
#define QUEUE_CAP (2 * LIMIT_CONNECTION_OUT)

struct connection {
    enum connection_state state;
    uint64_t id;
    const struct connection_handlers *h;
    void *arg;
    struct stream *stream; /* NULL once it is gone */
    struct tls_session *session;
    struct sip_frame *frame;
    struct loop *loop;
    struct loop_timer *deadline; /* of connecting, of the handshake, of a message that has begun */
    bool partial;                /* ... the last of these */
    uint64_t heard_ms;
    struct loop_timer *turn; /* goes on with what one turn of the loop had no room for */
    bool more;               /* ... and there is something */
    bool paused;
    bool confirmed;
    struct addr local;
    struct addr remote;
    struct caption peer; /* for sentences */
    unsigned busy;       /* our frames on the stack: a free() waits for them */
    bool freed;
};

#define BIT(s) (1u << (s))

static const unsigned legal[] = {
    [CONNECTION_CONNECTING] = BIT(CONNECTION_HANDSHAKE) | BIT(CONNECTION_CLOSED),
    [CONNECTION_HANDSHAKE] = BIT(CONNECTION_OPEN) | BIT(CONNECTION_CLOSED),
    [CONNECTION_OPEN] = BIT(CONNECTION_CLOSED),
    [CONNECTION_CLOSED] = 0,
};

static void set_state(struct connection *c, enum connection_state to)
{
    assert((legal[c->state] & BIT(to)) != 0);
    c->state = to;
}

/* --- the end --- */

static void release(struct connection *c)
{
    loop_timer_free(c->deadline);
    loop_timer_free(c->turn);
    stream_close(c->stream);
    c->deadline = NULL;
    c->turn = NULL;
    c->stream = NULL;
}

static void destroy(struct connection *c)
{
    release(c);
    tls_session_free(c->session);
    sip_frame_free(c->frame);
    free(c);
}

static void enter(struct connection *c)
{
    c->busy++;
}

static void leave(struct connection *c)
{
    if (--c->busy == 0 && c->freed)
        destroy(c);
}

/* What the session has to say goes to the stream, which takes it all or fails. */
static struct result flush(struct connection *c)
{
    const struct slice out = tls_session_output(c->session);
    if (out.n == 0 || c->stream == NULL)
        return OK;
    TRY(stream_write(c->stream, out));
    tls_session_sent(c->session, out.n);
    return OK;
}

/* Lets the last words (an alert, close_notify) reach the peer while we are gone already. */
static void finish_stream(struct connection *c)
{
    if (c->stream == NULL)
        return;
    IGNORE(flush(c)); /* it is the end anyway */
    stream_finish(c->stream);
    c->stream = NULL;
}

static void end(struct connection *c, struct result why, const struct errinfo *e)
{
    const bool connected = c->state != CONNECTION_CONNECTING;
    set_state(c, CONNECTION_CLOSED);
    if (connected)
        finish_stream(c);
    release(c);
    c->h->on_closed(c->arg, why, e);
}

static void end_by_session(struct connection *c)
{
    struct errinfo e = ERRINFO_INIT;
    const struct verdict *v = tls_session_verdict(c->session);
    if (v->class == VERDICT_REJECTED) {
        end(c, fail(&e, ERR_CERT, "%s", verdict_sentence(v)), &e);
        return;
    }
    const struct errinfo *why = tls_session_error(c->session);
    if (why != NULL)
        e = *why;
    const struct result r = fail(&e, ERR_TLS, "the TLS protocol failed");
    errinfo_context(&e, "%s", c->peer.text);
    end(c, r, &e);
}

/* --- what arrives --- */

/* The peer does not read what it asked for: then it is not asked for more, until it has. */
static bool is_congested(const struct connection *c)
{
    return c->stream != NULL && stream_queued(c->stream) > LIMIT_CONNECTION_OUT / 2;
}

static void read_or_not(struct connection *c)
{
    if (c->stream == NULL)
        return;
    const bool pause = c->more || is_congested(c);
    if (pause == c->paused)
        return;
    c->paused = pause;
    if (pause)
        stream_pause(c->stream);
    else
        stream_resume(c->stream);
}

/* Moves plaintext from the session to the frame; false if there is none, or it was the end. */
static bool read_more(struct connection *c)
{
    uint8_t bytes[READ_SIZE];
    size_t n = 0;
    struct errinfo e = ERRINFO_INIT;
    struct result r = tls_session_read(c->session, bytes, sizeof bytes, &n);
    if (is_ok(r)) {
        r = sip_frame_feed(c->frame, slice_of(bytes, n));
        if (is_err(r))
            end(c, fail(&e, r.code, "%s: cannot keep what it sends", c->peer.text), &e);
        return is_ok(r);
    }
    if (r.code == ERR_CLOSED) {
        tls_session_close(c->session); /* answer its close_notify */
        end(c, fail(&e, ERR_CLOSED, "%s closed the connection", c->peer.text), &e);
    } else if (r.code != ERR_AGAIN) {
        end_by_session(c);
    }
    return false;
}

static void refuse_message(struct connection *c, struct result why, struct slice raw)
{
    if (c->h->on_malformed != NULL && why.code != ERR_NOMEM)
        c->h->on_malformed(c->arg, why, raw);
}

static void take_message(struct connection *c, struct slice raw)
{
    struct errinfo e = ERRINFO_INIT;
    struct sip_message *m = NULL;
    const struct result r = sip_message_parse(raw, &m, &e);
    if (is_err(r)) {
        log_write(c->h->on_malformed != NULL ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "connection",
                  "%s: a message was dropped: %s", c->peer.text, errinfo_text(&e, r));
        refuse_message(c, r, raw);
        return;
    }
    c->h->on_message(c->arg, m, raw);
    sip_message_free(m);
}

static void answer_ping(struct connection *c)
{
    struct errinfo e = ERRINFO_INIT;
    if (c->stream == NULL) /* it is gone, and we read what it left behind */
        return;
    const struct result r = connection_send(c, SLICE_LIT("\r\n"));
    if (is_err(r))
        end(c, fail(&e, r.code, "%s does not read what it asks for", c->peer.text), &e);
}

static void take(struct connection *c, enum sip_frame_event event, struct slice raw)
{
    c->heard_ms = loop_now_ms(c->loop);
    if (event == SIP_FRAME_MESSAGE)
        take_message(c, raw);
    else if (event == SIP_FRAME_PING)
        answer_ping(c);
    else if (event == SIP_FRAME_PONG && c->h->on_pong != NULL)
        c->h->on_pong(c->arg);
}

/* Hands on what is there; true if it stopped, still OPEN, because a turn's share was used up or
 * the peer does not read. */
static bool deliver(struct connection *c)
{
    for (int n = 0; n < LIMIT_CONNECTION_TURN && !is_congested(c);) {
        struct errinfo e = ERRINFO_INIT;
        enum sip_frame_event event;
        struct slice raw;
        const struct result r = sip_frame_next(c->frame, &event, &raw, &e);
        if (is_err(r)) {
            errinfo_context(&e, "%s", c->peer.text);
            refuse_message(c, r, raw);
            if (c->state == CONNECTION_OPEN) {
                tls_session_close(c->session); /* what it was told is whole */
                end(c, r, &e);
            }
            return false;
        }
        if (event == SIP_FRAME_MORE) {
            if (!read_more(c))
                return false;
            continue;
        }
        take(c, event, raw);
        if (c->state != CONNECTION_OPEN)
            return false;
        n++;
    }
    return true;
}

/* A message that has begun must come to its end; one that follows has its own time. */
static void watch_arrival(struct connection *c, uint64_t heard_before)
{
    const bool partial = sip_frame_is_partial(c->frame);
    if (partial && (!c->partial || c->heard_ms != heard_before))
        loop_timer_start(c->deadline, LIMIT_SIP_ARRIVAL_MS);
    else if (!partial)
        loop_timer_stop(c->deadline);
    c->partial = partial;
}

static void deliver_turn(struct connection *c)
{
    const uint64_t heard_before = c->heard_ms;
    c->more = deliver(c);
    if (c->state != CONNECTION_OPEN)
        return;
    watch_arrival(c, heard_before);
    if (c->more && !is_congested(c)) /* else on_stream_drained() goes on */
        loop_timer_start(c->turn, 0);
    read_or_not(c);
}

static void on_turn(void *arg)
{
    struct connection *c = arg;
    enter(c);
    deliver_turn(c);
    leave(c);
}

static void open_up(struct connection *c)
{
    set_state(c, CONNECTION_OPEN);
    loop_timer_stop(c->deadline);
    c->heard_ms = loop_now_ms(c->loop);
    c->confirmed = tls_session_facts(c->session).confirmed;
    c->h->on_open(c->arg);
}

static void confirm(struct connection *c)
{
    if (c->confirmed || !tls_session_facts(c->session).confirmed)
        return;
    c->confirmed = true;
    if (c->h->on_confirmed != NULL)
        c->h->on_confirmed(c->arg);
}

/* After every call on the session: send what there is, then look at its state. */
static void progress(struct connection *c)
{
    struct errinfo e = ERRINFO_INIT;
    const struct result r = flush(c);
    if (is_err(r)) {
        end(c, fail(&e, r.code, "%s does not read what it asks for", c->peer.text), &e);
        return;
    }
    const enum tls_state tls = tls_session_state(c->session);
    if (c->state == CONNECTION_HANDSHAKE && tls == TLS_HANDSHAKE)
        return;
    if (c->state == CONNECTION_HANDSHAKE && tls == TLS_FAILED) {
        end_by_session(c);
        return;
    }
    if (c->state == CONNECTION_HANDSHAKE)
        open_up(c);
    if (c->state == CONNECTION_OPEN)
        confirm(c);
    if (c->state == CONNECTION_OPEN && !c->more)
        deliver_turn(c);
}

/* --- the stream's callbacks --- */

static void begin_handshake(struct connection *c)
{
    c->local = stream_local(c->stream);
    loop_timer_start(c->deadline, LIMIT_HANDSHAKE_MS);
    tls_session_start(c->session);
}

static void on_stream_open(void *arg)
{
    struct connection *c = arg;
    enter(c);
    set_state(c, CONNECTION_HANDSHAKE);
    if (c->h->on_connected != NULL)
        c->h->on_connected(c->arg);
    if (c->state == CONNECTION_HANDSHAKE) {
        begin_handshake(c);
        progress(c);
    }
    leave(c);
}

static void on_stream_data(void *arg, struct slice data)
{
    struct connection *c = arg;
    enter(c);
    tls_session_feed(c->session, data);
    progress(c);
    leave(c);
}

static void on_stream_drained(void *arg)
{
    struct connection *c = arg;
    enter(c);
    if (c->state == CONNECTION_OPEN && c->more)
        loop_timer_start(c->turn, 0);
    read_or_not(c);
    if (c->state == CONNECTION_OPEN && c->h->on_drained != NULL)
        c->h->on_drained(c->arg);
    leave(c);
}

/*
 * The end of the stream, as a sentence. A plain end of file is the session's to explain: it knows
 * whether there was a close_notify, and whether the peer spoke TLS at all.
 */
static struct result stream_ended(struct connection *c, struct result why,
                                  const struct errinfo *said, struct errinfo *e)
{
    const bool connecting = c->state == CONNECTION_CONNECTING;
    *e = *said;
    if (why.code == ERR_CLOSED && said->native == 0 && !connecting) {
        tls_session_feed_eof(c->session);
        const struct errinfo *explained = tls_session_error(c->session);
        if (explained != NULL)
            (void)snprintf(e->text, sizeof e->text, "%s", explained->text);
    }
    /* While connecting, the stream itself names the address. */
    if (connecting)
        errinfo_context(e, "%.*s", (int)c->peer.host_len, c->peer.text);
    else
        errinfo_context(e, "%s", c->peer.text);
    return why;
}

static void on_stream_closed(void *arg, struct result why, const struct errinfo *said)
{
    struct connection *c = arg;
    struct errinfo e = ERRINFO_INIT;
    enter(c);
    stream_close(c->stream);
    c->stream = NULL;
    /* What came before the end still counts; it is at most what one read brought. */
    while (c->state == CONNECTION_OPEN && deliver(c))
        ;
    if (c->state != CONNECTION_CLOSED) {
        const struct result r = stream_ended(c, why, said, &e);
        end(c, r, &e);
    }
    leave(c);
}

static void on_deadline(void *arg)
{
    struct connection *c = arg;
    struct errinfo e = ERRINFO_INIT;
    if (c->paused) { /* it is we who do not read */
        loop_timer_start(c->deadline, LIMIT_SIP_ARRIVAL_MS);
        return;
    }
    enter(c);
    const struct result r =
        c->state == CONNECTION_CONNECTING
            ? caption_too_late(&c->peer, "answer", LIMIT_CONNECT_MS, &e)
        : c->state == CONNECTION_HANDSHAKE
            ? caption_too_late(&c->peer, "finish the TLS handshake", LIMIT_HANDSHAKE_MS, &e)
            : caption_too_late(&c->peer, "finish a message", LIMIT_SIP_ARRIVAL_MS, &e);
    tls_session_close(c->session); /* tells a peer that was only slow */
    end(c, r, &e);
    leave(c);
}

static const struct stream_handlers stream_handlers = {
    .on_open = on_stream_open,
    .on_data = on_stream_data,
    .on_drained = on_stream_drained,
    .on_closed = on_stream_closed,
};

/* --- making one --- */

static struct result make(struct loop *l, struct tls_profile *profile,
                          const struct tls_session_params *tls, const struct connection_handlers *h,
                          void *arg, struct connection **out, struct errinfo *e)
{
    struct connection *c = calloc(1, sizeof *c);
    if (c == NULL)
        return fail(e, ERR_NOMEM, "out of memory for a connection");
    c->id = loop_unique_id(l);
    c->h = h;
    c->arg = arg;
    c->loop = l;
    c->deadline = loop_timer_new(l, on_deadline, c);
    c->turn = loop_timer_new(l, on_turn, c);
    struct result r = sip_frame_new(&c->frame);
    if (is_ok(r))
        r = tls_session_new(profile, tls, &c->session, e);
    if (is_ok(r) && (c->deadline == NULL || c->turn == NULL))
        r = err(ERR_NOMEM);
    if (is_err(r)) {
        destroy(c);
        return fail(e, r.code, "cannot set up a connection");
    }
    *out = c;
    return OK;
}

RESULT connection_dial(struct loop *l, const struct addr *to, struct tls_profile *profile,
                       const struct tls_session_params *tls, const struct connection_handlers *h,
                       void *arg, struct connection **out, struct errinfo *e)
{
    struct connection *c;
    TRY(make(l, profile, tls, h, arg, &c, e));
    c->state = CONNECTION_CONNECTING;
    c->remote = *to;
    caption_set(&c->peer, &c->remote, tls->server_name);
    const struct result r = stream_connect(l, to, QUEUE_CAP, &stream_handlers, c, &c->stream, e);
    if (is_err(r)) {
        errinfo_context(e, "cannot connect to %s", c->peer.text);
        destroy(c);
        return r;
    }
    loop_timer_start(c->deadline, LIMIT_CONNECT_MS);
    *out = c;
    return OK;
}

RESULT connection_accept(struct loop *l, struct stream *s, struct tls_profile *profile,
                         const struct tls_session_params *tls, const struct connection_handlers *h,
                         void *arg, struct connection **out, struct errinfo *e)
{
    struct connection *c;
    const struct result r = make(l, profile, tls, h, arg, &c, e);
    if (is_err(r)) {
        stream_close(s);
        return r;
    }
    c->state = CONNECTION_HANDSHAKE;
    c->stream = s;
    c->remote = stream_remote(s);
    caption_set(&c->peer, &c->remote, NULL);
    stream_start(s, QUEUE_CAP, &stream_handlers, c);
    begin_handshake(c);
    *out = c;
    return OK;
}

RESULT connection_send(struct connection *c, struct slice message)
{
    if (c->state != CONNECTION_OPEN || c->stream == NULL)
        return err(ERR_STATE);
    if (stream_queued(c->stream) + message.n > LIMIT_CONNECTION_OUT)
        return err(ERR_LIMIT);
    TRY(tls_session_write(c->session, message));
    return flush(c);
}

size_t connection_queued(const struct connection *c)
{
    return c->stream == NULL ? 0 : stream_queued(c->stream);
}

void connection_close(struct connection *c)
{
    if (c == NULL)
        return;
    if (c->state == CONNECTION_HANDSHAKE || c->state == CONNECTION_OPEN) {
        tls_session_close(c->session);
        finish_stream(c);
    }
    connection_free(c);
}

void connection_free(struct connection *c)
{
    if (c == NULL)
        return;
    c->state = CONNECTION_CLOSED; /* from any state: no handler is called any more */
    release(c);
    c->freed = true;
    if (c->busy == 0)
        destroy(c);
}

enum connection_state connection_state(const struct connection *c)
{
    return c->state;
}

uint64_t connection_id(const struct connection *c)
{
    return c->id;
}

const struct verdict *connection_verdict(const struct connection *c)
{
    return tls_session_verdict(c->session);
}

const struct slice *connection_chain(const struct connection *c, size_t *n)
{
    return tls_session_chain(c->session, n);
}

struct tls_session_facts connection_facts(const struct connection *c)
{
    return tls_session_facts(c->session);
}

uint64_t connection_heard_ms(const struct connection *c)
{
    return c->heard_ms;
}

struct addr connection_local(const struct connection *c)
{
    return c->local;
}

struct addr connection_remote(const struct connection *c)
{
    return c->remote;
}
