#include "control/rpc_client.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"

/* The stream holds at most one line that it is sending, and a last error. */
#define STREAM_CAP (LIMIT_RPC_REPLY + 4096)

/* A line, and behind it what was read with its end: reading stops when a line is whole. */
#define IN_CAP (2 * LIMIT_RPC_REQUEST)

/* A line that waits for the ones before it. */
struct line {
    struct line *next;
    bool is_notification; /* may be thrown away in favour of a snapshot */
    size_t n;
    uint8_t bytes[];
};

struct rpc_client {
    struct stream *stream;
    const struct jsonrpc_service *service;
    rpc_client_gone_fn *gone;
    void *arg;

    struct buf in;  /* not answered yet: never more than one line and what was read with it */
    size_t scanned; /* bytes of IN that have no newline */
    struct loop_timer *turn; /* goes on: answers the next line */

    struct line *first, **last;
    size_t replies; /* in the list */
    size_t backlog; /* bytes of notifications in the list */
    unsigned subscribed;
    bool stale; /* notifications were thrown away: a snapshot has to follow */
};

/* --- what waits to be sent --- */

/* Takes out and frees the line that *AT points to; *AT is the next one then. */
static void drop_line(struct rpc_client *c, struct line **at)
{
    struct line *gone = *at;

    *at = gone->next;
    if (c->last == &gone->next)
        c->last = at;
    if (gone->is_notification)
        c->backlog -= gone->n;
    else
        c->replies--;
    free(gone);
}

/* The whole state will be sent instead, as it is then. */
static void drop_notifications(struct rpc_client *c)
{
    struct line **at = &c->first;

    while (*at != NULL) {
        if ((*at)->is_notification)
            drop_line(c, at);
        else
            at = &(*at)->next;
    }
    c->stale = true;
}

static RESULT add_line(struct rpc_client *c, struct slice bytes, bool is_notification)
{
    struct line *l = malloc(sizeof *l + bytes.n);

    if (l == NULL)
        return err(ERR_NOMEM);
    *l = (struct line){.is_notification = is_notification, .n = bytes.n};
    memcpy(l->bytes, bytes.p, bytes.n);
    *c->last = l;
    c->last = &l->next;
    if (is_notification)
        c->backlog += l->n;
    else
        c->replies++;
    return OK;
}

static RESULT add_snapshot(struct rpc_client *c)
{
    struct cJSON *state = NULL;
    struct buf line;

    TRY(c->service->snapshot(c->service->arg, NULL, &state, NULL));
    buf_init(&line, LIMIT_RPC_REPLY);
    struct result r = jsonrpc_notification("snapshot", state, &line);
    if (is_ok(r))
        r = add_line(c, buf_slice(&line), true);
    if (is_ok(r))
        c->stale = false;
    buf_free(&line);
    cJSON_Delete(state);
    return r;
}

/* Hands lines to the stream, one at a time: what the stream has can not be taken back. */
static void pump(struct rpc_client *c)
{
    while (stream_queued(c->stream) == 0) {
        if (c->first == NULL && c->stale && is_err(add_snapshot(c))) {
            loop_timer_start(c->turn, LIMIT_RPC_RETRY_MS); /* no memory now */
            return;
        }
        if (c->first == NULL)
            return;
        /* Cannot fail: the stream is open and its queue empty. How writing ends, it tells later. */
        IGNORE(stream_write(c->stream, slice_of(c->first->bytes, c->first->n)));
        drop_line(c, &c->first);
    }
}

void rpc_client_notify(struct rpc_client *c, struct slice line)
{
    if (c->subscribed == 0)
        return;
    if (!c->stale && (c->backlog + line.n > LIMIT_RPC_BACKLOG || is_err(add_line(c, line, true))))
        drop_notifications(c);
    pump(c);
}

void rpc_client_miss(struct rpc_client *c)
{
    if (c->subscribed == 0)
        return;
    drop_notifications(c);
    pump(c);
}

unsigned rpc_client_subscriptions(const struct rpc_client *c)
{
    return c->subscribed;
}

/* --- the end --- */

void rpc_client_free(struct rpc_client *c)
{
    if (c == NULL)
        return;
    stream_finish(c->stream);
    loop_timer_free(c->turn);
    while (c->first != NULL)
        drop_line(c, &c->first);
    buf_wipe(&c->in);
    free(c);
}

/* By itself: nothing may touch C afterwards. */
static void end(struct rpc_client *c)
{
    c->gone(c->arg, c);
    rpc_client_free(c);
}

static void send_error(struct stream *s, enum err code, const char *sentence)
{
    struct buf line;

    buf_init(&line, LIMIT_RPC_REPLY);
    if (is_ok(jsonrpc_error(code, sentence, &line)))
        IGNORE(stream_write(s, buf_slice(&line))); /* a courtesy */
    buf_free(&line);
}

/* --- lines in --- */

/* False if the client cannot be answered. */
static bool answer(struct rpc_client *c, struct slice line)
{
    struct buf reply;
    unsigned subscribed = 0;

    buf_init(&reply, LIMIT_RPC_REPLY);
    struct result r = jsonrpc_answer(c->service, line, &reply, &subscribed);
    if (is_ok(r) && buf_len(&reply) != 0)
        r = add_line(c, buf_slice(&reply), false);
    buf_free(&reply);
    c->subscribed |= is_ok(r) ? subscribed : 0;
    return is_ok(r);
}

/* Moves *LINE to the next whole line of C->in; false if there is none yet. */
static bool next_line(struct rpc_client *c, struct slice *line)
{
    const struct slice in = buf_slice(&c->in);
    const struct slice fresh = slice_from(in, c->scanned);
    const size_t n = c->scanned + slice_find(fresh, '\n');

    c->scanned = n;
    *line = slice_first(in, n);
    return n < in.n;
}

static void end_for_length(struct rpc_client *c)
{
    char sentence[80];

    (void)snprintf(sentence, sizeof sentence, "a request is longer than %d bytes",
                   LIMIT_RPC_REQUEST);
    send_error(c->stream, ERR_LIMIT, sentence);
    end(c);
}

/*
 * Answers at most one line, and sees to it that the next one has its turn: when the loop comes
 * round, or when the answer was taken. Until then nothing more is read. C may be gone afterwards.
 */
static void work(struct rpc_client *c)
{
    struct slice line;

    if (c->replies != 0)
        return; /* go_on() comes back */
    const bool whole = next_line(c, &line);
    if (line.n > LIMIT_RPC_REQUEST) {
        end_for_length(c);
        return;
    }
    if (!whole) {
        stream_resume(c->stream);
        return;
    }
    stream_pause(c->stream);
    if (slice_trim(line).n != 0 && !answer(c, line)) { /* a line of blanks asks nothing */
        log_warning("rpc", "a client is sent away: no memory to answer it");
        end(c);
        return;
    }
    buf_consume_wiped(&c->in, line.n + 1); /* it may have had a key or a password */
    c->scanned = 0;
    loop_timer_start(c->turn, 0);
    pump(c);
}

static void on_data(void *arg, struct slice data)
{
    struct rpc_client *c = arg;

    if (is_err(buf_append(&c->in, data)))
        end_for_length(c);
    else
        work(c);
}

/* What was sent has been taken; or the turn for the next line, or for a snapshot, has come. */
static void go_on(void *arg)
{
    struct rpc_client *c = arg;

    pump(c);
    work(c);
}

static void on_closed(void *arg, struct result why, const struct errinfo *e)
{
    (void)why;
    (void)e; /* clients come and go */
    end(arg);
}

/* --- the beginning --- */

static const struct stream_handlers handlers = {
    .on_data = on_data, .on_drained = go_on, .on_closed = on_closed};

struct result rpc_client_new(struct loop *l, struct stream *s,
                             const struct jsonrpc_service *service, rpc_client_gone_fn *gone,
                             void *arg, struct rpc_client **out)
{
    struct rpc_client *c = calloc(1, sizeof *c);
    struct loop_timer *turn = c != NULL ? loop_timer_new(l, go_on, c) : NULL;

    if (turn == NULL) {
        free(c);
        stream_close(s);
        return err(ERR_NOMEM);
    }
    *c = (struct rpc_client){
        .stream = s, .service = service, .gone = gone, .arg = arg, .turn = turn};
    c->last = &c->first;
    buf_init(&c->in, IN_CAP);
    stream_start(s, STREAM_CAP, &handlers, c);
    *out = c;
    return OK;
}

static void refused_on_data(void *arg, struct slice data)
{
    (void)arg;
    (void)data;
}

static void refused_on_closed(void *arg, struct result why, const struct errinfo *e)
{
    (void)arg;
    (void)why;
    (void)e;
}

void rpc_client_refuse(struct stream *s, enum err code, const char *sentence)
{
    static const struct stream_handlers nobody = {.on_data = refused_on_data,
                                                  .on_closed = refused_on_closed};

    stream_start(s, STREAM_CAP, &nobody, NULL); /* none is called: it is finished at once */
    send_error(s, code, sentence);
    stream_finish(s);
}
