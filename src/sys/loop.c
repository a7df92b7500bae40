#include "sys/loop.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/wipe.h"
#include "sys/entropy.h"
#include "sys/neterr.h"
#include "sys/uvloop.h"

/* One TLS record with its overhead and then some. */
#define READ_BUFFER_SIZE 32768

struct loop {
    uv_loop_t uv;
    uv_async_t stays; /* never fires: keeps uv_run() from returning when there is nothing to do */
    unsigned held;
    unsigned finishing;
    uint64_t last_id; /* 0: none was given yet */
    char read_buffer[READ_BUFFER_SIZE];
};

struct loop_timer {
    uv_timer_t uv;
    struct loop *loop;
    loop_fn *fn;
    void *arg;
};

struct loop_signal {
    uv_signal_t uv;
    struct loop *loop;
    loop_fn *fn;
    void *arg;
};

struct loop_poll {
    uv_poll_t uv;
    struct loop *loop;
    loop_fn *fn;
    void *arg;
};

uv_loop_t *uvloop_of(struct loop *l)
{
    return &l->uv;
}

void uvloop_hold(struct loop *l)
{
    l->held++;
}

void uvloop_release(struct loop *l)
{
    assert(l->held > 0);
    l->held--;
}

bool uvloop_begin_finishing(struct loop *l)
{
    if (l->finishing == LIMIT_FINISHING)
        return false;
    l->finishing++;
    return true;
}

void uvloop_end_finishing(struct loop *l)
{
    assert(l->finishing > 0);
    l->finishing--;
}

uv_buf_t uvloop_read_buffer(struct loop *l)
{
    return uv_buf_init(l->read_buffer, sizeof l->read_buffer);
}

struct result loop_new(struct loop **out, struct errinfo *e)
{
    struct loop *l = calloc(1, sizeof *l);
    if (l == NULL)
        return fail(e, ERR_NOMEM, "out of memory for the event loop");
    int rc = uv_loop_init(&l->uv);
    if (rc != 0) {
        free(l);
        return neterr_system(e, -rc, "cannot make the event loop");
    }
    rc = uv_async_init(&l->uv, &l->stays, NULL);
    if (rc != 0) {
        (void)uv_loop_close(&l->uv);
        free(l);
        return neterr_system(e, -rc, "cannot make the event loop");
    }
    /* Writing to a connection that its peer has closed is an error like any other. */
    (void)signal(SIGPIPE, SIG_IGN);
    *out = l;
    return OK;
}

void loop_free(struct loop *l)
{
    if (l == NULL)
        return;
    assert(l->held == 0);
    uv_close((uv_handle_t *)&l->stays, NULL);
    (void)uv_run(&l->uv, UV_RUN_DEFAULT);
    const int rc = uv_loop_close(&l->uv);
    assert(rc == 0);
    (void)rc;
    wipe(l->read_buffer, sizeof l->read_buffer);
    free(l);
}

void loop_run(struct loop *l)
{
    (void)uv_run(&l->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *l)
{
    uv_stop(&l->uv);
}

uint64_t loop_now_ms(const struct loop *l)
{
    return uv_now(&l->uv);
}

uint64_t loop_unique_id(struct loop *l)
{
    uint64_t start = 0;
    /* Half of the numbers are left to count through; without randomness the first is 1. */
    if (l->last_id == 0 &&
        entropy_system.fill(entropy_system.ctx, (unsigned char *)&start, sizeof start) == 0)
        l->last_id = start >> 1;
    return ++l->last_id;
}

/* --- timers --- */

static void timer_due(uv_timer_t *uv)
{
    const struct loop_timer *t = uv->data;
    t->fn(t->arg);
}

/* Each of these structs begins with its handle, whose data is the struct. */
static void free_struct(uv_handle_t *uv)
{
    free(uv->data);
}

struct loop_timer *loop_timer_new(struct loop *l, loop_fn *fn, void *arg)
{
    struct loop_timer *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->loop = l;
    t->fn = fn;
    t->arg = arg;
    (void)uv_timer_init(&l->uv, &t->uv); /* cannot fail */
    t->uv.data = t;
    uvloop_hold(l);
    return t;
}

void loop_timer_start(struct loop_timer *t, uint64_t ms)
{
    (void)uv_timer_start(&t->uv, timer_due, ms, 0); /* fails only while closing */
}

void loop_timer_stop(struct loop_timer *t)
{
    (void)uv_timer_stop(&t->uv);
}

void loop_timer_free(struct loop_timer *t)
{
    if (t == NULL)
        return;
    uvloop_release(t->loop);
    uv_close((uv_handle_t *)&t->uv, free_struct);
}

/* --- signals --- */

static void signal_came(uv_signal_t *uv, int signum)
{
    (void)signum;
    const struct loop_signal *s = uv->data;
    s->fn(s->arg);
}

struct result loop_signal_new(struct loop *l, int signum, loop_fn *fn, void *arg,
                              struct loop_signal **out, struct errinfo *e)
{
    struct loop_signal *s = calloc(1, sizeof *s);
    if (s == NULL)
        return fail(e, ERR_NOMEM, "out of memory for a signal's handler");
    s->loop = l;
    s->fn = fn;
    s->arg = arg;
    int rc = uv_signal_init(&l->uv, &s->uv);
    if (rc != 0) {
        free(s);
        return neterr_system(e, -rc, "cannot watch signals");
    }
    s->uv.data = s;
    uvloop_hold(l);
    rc = uv_signal_start(&s->uv, signal_came, signum);
    if (rc != 0) {
        loop_signal_free(s);
        return neterr_system(e, -rc, "cannot watch a signal");
    }
    *out = s;
    return OK;
}

void loop_signal_free(struct loop_signal *s)
{
    if (s == NULL)
        return;
    uvloop_release(s->loop);
    uv_close((uv_handle_t *)&s->uv, free_struct);
}

/* --- descriptors --- */

static void poll_ready(uv_poll_t *uv, int status, int events)
{
    (void)status; /* an error of the descriptor shows when its owner reads */
    (void)events;
    const struct loop_poll *p = uv->data;
    p->fn(p->arg);
}

struct result loop_poll_new(struct loop *l, int fd, loop_fn *fn, void *arg, struct loop_poll **out,
                            struct errinfo *e)
{
    struct loop_poll *p = calloc(1, sizeof *p);
    if (p == NULL)
        return fail(e, ERR_NOMEM, "out of memory for watching a file");
    p->loop = l;
    p->fn = fn;
    p->arg = arg;
    int rc = uv_poll_init(&l->uv, &p->uv, fd);
    if (rc != 0) {
        free(p);
        return neterr_system(e, -rc, "cannot watch a file");
    }
    p->uv.data = p;
    uvloop_hold(l);
    rc = uv_poll_start(&p->uv, UV_READABLE | UV_DISCONNECT, poll_ready);
    if (rc != 0) {
        loop_poll_free(p);
        return neterr_system(e, -rc, "cannot watch a file");
    }
    *out = p;
    return OK;
}

void loop_poll_watch(struct loop_poll *p, unsigned what)
{
    const int readable = (what & LOOP_POLL_READABLE) != 0 ? UV_READABLE | UV_DISCONNECT : 0;
    const int writable = (what & LOOP_POLL_WRITABLE) != 0 ? UV_WRITABLE : 0;
    (void)uv_poll_start(&p->uv, readable | writable, poll_ready); /* fails only while closing */
}

void loop_poll_free(struct loop_poll *p)
{
    if (p == NULL)
        return;
    uvloop_release(p->loop);
    uv_close((uv_handle_t *)&p->uv, free_struct);
}
