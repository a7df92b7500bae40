#include "link/doorway.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"
#include "sip/frame.h"
#include "sys/loop.h"

enum doorway_state { DOORWAY_CONNECTING, DOORWAY_OPEN, DOORWAY_CLOSED };

/* What waits for a connection that is being made. */
struct unsent {
    struct unsent *next;
    size_t n;
    uint8_t bytes[];
};

struct doorway {
    enum doorway_state state;
    uint64_t id;
    struct loop *loop;
    const struct doorway_handlers *h;
    void *arg;
    struct stream *stream; /* NULL once it is gone */
    struct sip_frame *frame;
    struct buf held; /* the message that could not be taken */
    struct unsent *unsent;
    size_t unsent_bytes;
    struct loop_timer *deadline; /* of what is waited for */
    struct loop_timer *turn;     /* goes on with what one turn of the loop had no room for */
    struct addr peer;
    bool was_open;
    bool has_spoken;
    bool more;     /* the frame has messages that wait for their turn */
    bool overflow; /* a response found no room */
    bool paused;
    bool partial;  /* a message has begun; ... */
    bool stuck;    /* the stack does not read; these two are what the deadline is about */
    bool progress; /* something whole has passed since it was set */
};

static bool may_follow(enum doorway_state from, enum doorway_state to)
{
    return to == DOORWAY_CLOSED ? from != DOORWAY_CLOSED
                                : from == DOORWAY_CONNECTING && to == DOORWAY_OPEN;
}

static void set_state(struct doorway *w, enum doorway_state to)
{
    assert(may_follow(w->state, to));
    w->state = to;
    w->was_open |= to == DOORWAY_OPEN;
}

/* --- the end --- */

static void drop_unsent(struct doorway *w)
{
    while (w->unsent != NULL) {
        struct unsent *first = w->unsent;
        w->unsent = first->next;
        free(first);
    }
    w->unsent_bytes = 0;
}

static void give_back_unsent(struct doorway *w)
{
    for (const struct unsent *u = w->unsent; u != NULL; u = u->next) {
        struct sip_message *m;
        if (is_err(sip_message_parse(slice_of(u->bytes, u->n), &m, NULL)))
            continue;
        w->h->on_unsent(w->arg, m);
        sip_message_free(m);
    }
    drop_unsent(w);
}

static void end(struct doorway *w, const struct errinfo *e)
{
    set_state(w, DOORWAY_CLOSED);
    loop_timer_stop(w->deadline);
    loop_timer_stop(w->turn);
    give_back_unsent(w);
    w->h->on_closed(w->arg, e);
}

static void end_for(struct doorway *w, const char *sentence)
{
    struct errinfo e = ERRINFO_INIT;
    IGNORE(fail(&e, ERR_TIMEOUT, "%s", sentence)); /* only its text is wanted */
    end(w, &e);
}

/* --- patience --- */

static bool is_stuck(const struct doorway *w)
{
    return w->stream != NULL && stream_queued(w->stream) > 0;
}

/* It does not read what it asked for: then it is not asked for more, until it has. */
static bool is_congested(const struct doorway *w)
{
    return w->stream != NULL && stream_queued(w->stream) > LIMIT_DOOR_BACKLOG / 4;
}

/* What is waited for now, and how long. */
static void wait_on(struct doorway *w)
{
    uint64_t ms = LIMIT_DOOR_IDLE_MS;
    if (w->stuck)
        ms = LIMIT_DOOR_STUCK_MS;
    else if (w->partial)
        ms = LIMIT_SIP_ARRIVAL_MS;
    else if (!w->has_spoken)
        ms = LIMIT_DOOR_FIRST_MS;
    loop_timer_start(w->deadline, ms);
}

/* A wait that goes on keeps its beginning: what comes of a message byte by byte is no progress. */
static void look_at_patience(struct doorway *w)
{
    const bool partial = sip_frame_is_partial(w->frame), stuck = is_stuck(w);
    const bool other = partial != w->partial || stuck != w->stuck || (w->progress && !stuck);
    w->partial = partial;
    w->stuck = stuck;
    w->progress = false;
    if (other)
        wait_on(w);
}

static void on_deadline(void *arg)
{
    struct doorway *w = arg;
    if (w->state == DOORWAY_CONNECTING)
        end_for(w, "it does not answer");
    else if (w->stuck)
        end_for(w, "it does not read what it is sent");
    else if (w->partial)
        end_for(w, "a message of it does not end");
    else if (!w->has_spoken)
        end_for(w, "it says nothing");
    else if (w->h->may_be_idle(w->arg))
        wait_on(w);
    else
        end_for(w, "it has said nothing for a long time");
}

/* --- what arrives --- */

static void read_or_not(struct doorway *w)
{
    const bool pause = w->more || buf_len(&w->held) != 0 || is_congested(w);
    if (w->stream == NULL || pause == w->paused)
        return;
    w->paused = pause;
    if (pause)
        stream_pause(w->stream);
    else
        stream_resume(w->stream);
}

/* False if nobody has room for it now. */
static bool offer(struct doorway *w, struct slice raw)
{
    struct errinfo e = ERRINFO_INIT;
    struct sip_message *m = NULL;
    const struct result r = sip_message_parse(raw, &m, &e);
    if (is_err(r)) {
        log_warning("door", "a message of a SIP stack was dropped: %s", errinfo_text(&e, r));
        return true;
    }
    w->has_spoken = true;
    const bool taken = w->h->on_message(w->arg, m, raw);
    sip_message_free(m);
    return taken;
}

static void take_message(struct doorway *w, struct slice raw)
{
    if (!offer(w, raw) && is_err(buf_append(&w->held, raw)))
        log_error("door", "a message of a SIP stack was lost: out of memory");
}

/* Hands on what is there; true if it stopped because a turn's share was used up. */
static bool deliver(struct doorway *w)
{
    for (int n = 0; n < LIMIT_CONNECTION_TURN; n++) {
        struct errinfo e = ERRINFO_INIT;
        enum sip_frame_event event;
        struct slice raw;
        if (buf_len(&w->held) != 0 || is_congested(w))
            return false;
        if (is_err(sip_frame_next(w->frame, &event, &raw, &e))) {
            end(w, &e);
            return false;
        }
        if (event == SIP_FRAME_MORE)
            return false;
        w->progress = true;
        if (event == SIP_FRAME_MESSAGE)
            take_message(w, raw);
        else if (event == SIP_FRAME_PING && w->stream != NULL)
            IGNORE(stream_write(w->stream, SLICE_LIT("\r\n"))); /* it will ask again */
    }
    return true;
}

static void deliver_turn(struct doorway *w)
{
    w->more = deliver(w);
    if (w->state != DOORWAY_OPEN)
        return;
    if (w->more || w->overflow)
        loop_timer_start(w->turn, 0);
    look_at_patience(w);
    read_or_not(w);
}

static void on_turn(void *arg)
{
    struct doorway *w = arg;
    if (w->overflow)
        end_for(w, "it does not read what it is sent");
    else
        deliver_turn(w);
}

void doorway_retry(struct doorway *w)
{
    struct buf held = w->held;
    if (w->state != DOORWAY_OPEN || buf_len(&held) == 0)
        return;
    buf_init(&w->held, LIMIT_SIP_MESSAGE);
    take_message(w, buf_slice(&held));
    buf_wipe(&held);
    if (buf_len(&w->held) == 0) /* and the rest, from the loop */
        loop_timer_start(w->turn, 0);
}

/* --- the stream's callbacks --- */

static void on_stream_open(void *arg)
{
    struct doorway *w = arg;
    set_state(w, DOORWAY_OPEN);
    w->has_spoken = true; /* it is ours to begin */
    for (const struct unsent *u = w->unsent; u != NULL; u = u->next)
        IGNORE(stream_write(w->stream, slice_of(u->bytes, u->n))); /* it has room for them */
    drop_unsent(w);
    wait_on(w);
}

static void on_stream_data(void *arg, struct slice data)
{
    struct doorway *w = arg;
    struct errinfo e = ERRINFO_INIT;
    if (w->state != DOORWAY_OPEN)
        return;
    const struct result r = sip_frame_feed(w->frame, data);
    if (is_err(r)) {
        IGNORE(fail(&e, r.code, "cannot keep what it sends"));
        end(w, &e);
        return;
    }
    if (!w->more)
        deliver_turn(w);
}

static void on_stream_drained(void *arg)
{
    struct doorway *w = arg;
    if (w->state == DOORWAY_OPEN)
        deliver_turn(w);
}

static void on_stream_closed(void *arg, struct result why, const struct errinfo *e)
{
    struct doorway *w = arg;
    (void)why; /* E has it */
    stream_close(w->stream);
    w->stream = NULL;
    while (w->state == DOORWAY_OPEN && deliver(w)) /* what came before the end still counts */
        ;
    if (w->state != DOORWAY_CLOSED)
        end(w, e);
}

static const struct stream_handlers stream_handlers = {
    .on_open = on_stream_open,
    .on_data = on_stream_data,
    .on_drained = on_stream_drained,
    .on_closed = on_stream_closed,
};

/* --- sending --- */

static struct result keep_unsent(struct doorway *w, struct slice message)
{
    struct unsent **last = &w->unsent;
    struct unsent *u = malloc(sizeof *u + message.n);
    if (u == NULL)
        return err(ERR_NOMEM);
    u->next = NULL;
    u->n = message.n;
    memcpy(u->bytes, message.p, message.n);
    while (*last != NULL)
        last = &(*last)->next;
    *last = u;
    w->unsent_bytes += message.n;
    return OK;
}

struct result doorway_send(struct doorway *w, struct slice message)
{
    const bool request = !slice_starts_nocase(message, SLICE_LIT("SIP/2.0 "));
    const size_t room = request ? LIMIT_DOOR_BACKLOG / 2 : LIMIT_DOOR_BACKLOG;
    if (w->state == DOORWAY_CLOSED || w->stream == NULL || w->overflow)
        return err(ERR_STATE);
    const size_t waits =
        w->state == DOORWAY_CONNECTING ? w->unsent_bytes : stream_queued(w->stream);
    if (waits + message.n > room) {
        w->overflow = !request;
        if (w->overflow)
            loop_timer_start(w->turn, 0);
        return err(ERR_BUSY);
    }
    if (w->state == DOORWAY_CONNECTING)
        return keep_unsent(w, message);
    TRY(stream_write(w->stream, message));
    w->progress = true;
    look_at_patience(w);
    read_or_not(w);
    return OK;
}

/* --- life --- */

static struct result make(struct loop *l, const struct doorway_handlers *h, void *arg,
                          struct doorway **out)
{
    struct doorway *w = calloc(1, sizeof *w);
    if (w == NULL)
        return err(ERR_NOMEM);
    *w = (struct doorway){.id = loop_unique_id(l), .loop = l, .h = h, .arg = arg};
    buf_init(&w->held, LIMIT_SIP_MESSAGE);
    w->deadline = loop_timer_new(l, on_deadline, w);
    w->turn = loop_timer_new(l, on_turn, w);
    struct result r = sip_frame_new(&w->frame);
    if (w->deadline == NULL || w->turn == NULL)
        r = err(ERR_NOMEM);
    if (is_err(r)) {
        doorway_free(w);
        return r;
    }
    *out = w;
    return OK;
}

struct result doorway_accept(struct loop *l, struct stream *s, const struct doorway_handlers *h,
                             void *arg, struct doorway **out)
{
    const struct result r = make(l, h, arg, out);
    if (is_err(r)) {
        stream_close(s);
        return r;
    }
    struct doorway *w = *out;
    w->stream = s;
    w->peer = stream_remote(s);
    set_state(w, DOORWAY_OPEN);
    stream_start(s, LIMIT_DOOR_BACKLOG, &stream_handlers, w);
    wait_on(w);
    return OK;
}

struct result doorway_dial(struct loop *l, const struct addr *to, const struct doorway_handlers *h,
                           void *arg, struct doorway **out, struct errinfo *e)
{
    struct doorway *w;
    if (is_err(make(l, h, arg, &w)))
        return fail(e, ERR_NOMEM, "out of memory for a connection");
    w->peer = *to;
    const struct result r =
        stream_connect(l, to, LIMIT_DOOR_BACKLOG, &stream_handlers, w, &w->stream, e);
    if (is_err(r)) {
        w->stream = NULL;
        doorway_free(w);
        return r;
    }
    loop_timer_start(w->deadline, LIMIT_DOOR_CONNECT_MS);
    *out = w;
    return OK;
}

void doorway_free(struct doorway *w)
{
    if (w == NULL)
        return;
    if (w->state == DOORWAY_CONNECTING)
        stream_close(w->stream);
    else
        stream_finish(w->stream);
    drop_unsent(w);
    loop_timer_free(w->deadline);
    loop_timer_free(w->turn);
    sip_frame_free(w->frame);
    buf_wipe(&w->held);
    free(w);
}

uint64_t doorway_id(const struct doorway *w)
{
    return w->id;
}

struct addr doorway_peer(const struct doorway *w)
{
    return w->peer;
}

bool doorway_was_open(const struct doorway *w)
{
    return w->was_open;
}
