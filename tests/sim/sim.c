/* The world, its time, and sys/loop.h on it. */
#include "sim/sim.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "sim/world.h"
#include "sys/entropy.h"

#define START_MS   3600000 /* so that code which takes 0 for a time long ago shows */
#define START_SEED 0x5349505320746573U
#define ENDLESS    1000000 /* events in a row: the code under test runs in circles */

struct sim *sim_world;

void sim_abort(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)fprintf(stderr, "sim: ");
    (void)vfprintf(stderr, fmt, ap);
    (void)fprintf(stderr, "\n");
    va_end(ap);
    abort();
}

void *sim_alloc(size_t n)
{
    void *p = calloc(1, n);
    if (p == NULL)
        sim_abort("out of memory");
    return p;
}

char *sim_copy(const char *text)
{
    char *p = sim_alloc(strlen(text) + 1);
    memcpy(p, text, strlen(text));
    return p;
}

struct sim *sim_new(void)
{
    if (sim_world != NULL)
        sim_abort("there is a world already");
    sim_world = sim_alloc(sizeof *sim_world);
    sim_world->now_ms = START_MS;
    sim_world->random = START_SEED;
    sim_net_init(sim_world);
    sim_clock_init(sim_world);
    return sim_world;
}

static void check_freed(const struct sim_census *made)
{
    const struct {
        const char *name;
        unsigned left;
    } kinds[] = {
        {"loop", made->loops},
        {"timer", made->timers},
        {"signal handler", made->signals},
        {"poll", made->polls},
        {"stream", made->streams},
        {"listener", made->listeners},
        {"resolver", made->resolvers},
        {"DNS query", made->queries},
        {"wall clock", made->clocks},
    };
    unsigned left = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        left += kinds[i].left;
        if (kinds[i].left > 0)
            (void)fprintf(stderr, "sim: not freed: %u x %s\n", kinds[i].left, kinds[i].name);
    }
    if (left > 0)
        sim_abort("the code under test forgot to free things");
}

/* As loop_free() of src/sys waits for them. */
static void run_finishing_streams(struct sim *w)
{
    while (w->made.finishing > 0 && sim_step(w))
        ;
}

void sim_free(struct sim *w)
{
    run_finishing_streams(w);
    check_freed(&w->made);
    sim_net_free(w);
    sim_hosts_free(w);
    sim_world = NULL;
    free(w);
}

struct loop *sim_loop(struct sim *w)
{
    return &w->loop;
}

void sim_refuse_calls(struct sim *w, unsigned n)
{
    w->refuse_calls = n;
}

bool sim_refuses_call(void)
{
    if (sim_world->refuse_calls == 0)
        return false;
    sim_world->refuse_calls--;
    return true;
}

/* --- random numbers --- */

void sim_seed(struct sim *w, uint64_t seed)
{
    w->random = seed;
}

/* splitmix64 */
static uint64_t next_random(struct sim *w)
{
    w->random += 0x9e3779b97f4a7c15U;
    uint64_t z = w->random;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static int fill(void *ctx, unsigned char *out, size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)(next_random(sim_world) >> 56);
    return 0;
}

const struct rng entropy_system = {.fill = fill};

/* --- events --- */

void sim_event_disarm(struct sim_event *e)
{
    if (!e->armed)
        return;
    struct sim_event **at = &sim_world->events;
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    e->armed = false;
}

void sim_event_arm(struct sim_event *e, uint64_t ms)
{
    struct sim *w = sim_world;
    sim_event_disarm(e);
    e->at_ms = ms > SIM_NEVER - w->now_ms ? SIM_NEVER : w->now_ms + ms;
    e->cause = w->causes++;
    struct sim_event **at = &w->events;
    while (*at != NULL && (*at)->at_ms <= e->at_ms)
        at = &(*at)->next;
    e->next = *at;
    *at = e;
    e->armed = true;
}

static bool run_ready_poll(struct sim *w);

/* The event and what holds it may be gone when its function returns. */
bool sim_step(struct sim *w)
{
    if (run_ready_poll(w))
        return true;
    struct sim_event *e = w->events;
    if (e == NULL || e->at_ms == SIM_NEVER)
        return false;
    sim_event_disarm(e);
    w->now_ms = e->at_ms;
    e->fn(e->arg);
    return true;
}

uint64_t sim_next(const struct sim *w)
{
    return w->events == NULL || w->events->at_ms == SIM_NEVER ? SIM_NEVER
                                                              : w->events->at_ms - w->now_ms;
}

static bool is_quiet(const struct sim *w)
{
    for (const struct sim_event *e = w->events; e != NULL; e = e->next)
        if (e->at_ms == w->now_ms || (!e->is_timer && e->at_ms != SIM_NEVER))
            return false;
    return true;
}

void sim_settle(struct sim *w)
{
    for (unsigned i = 0; i < ENDLESS; i++) {
        if (run_ready_poll(w))
            continue;
        if (is_quiet(w))
            return;
        (void)sim_step(w);
    }
    sim_abort("the network never becomes quiet");
}

void sim_advance(struct sim *w, uint64_t ms)
{
    const uint64_t end = w->now_ms + ms;
    for (unsigned in_place = 0; in_place < ENDLESS;) {
        if (run_ready_poll(w)) {
            in_place++;
            continue;
        }
        in_place = sim_next(w) == 0 ? in_place + 1 : 0;
        if (w->events == NULL || w->events->at_ms > end) {
            w->now_ms = end;
            return;
        }
        (void)sim_step(w);
    }
    sim_abort("time stands still: something happens again and again at once");
}

bool sim_run_until(struct sim *w, bool (*done)(void *arg), void *arg, uint64_t max_ms)
{
    const uint64_t end = w->now_ms + max_ms;
    for (unsigned i = 0; !done(arg); i++) {
        if (i == ENDLESS)
            sim_abort("a million events, and what the test waits for has not happened");
        if (run_ready_poll(w))
            continue;
        if (w->events == NULL || w->events->at_ms > end) {
            w->now_ms = end;
            return done(arg);
        }
        (void)sim_step(w);
    }
    return true;
}

/* --- sys/loop.h --- */

struct result loop_new(struct loop **out, struct errinfo *e)
{
    if (sim_world->made.loops > 0)
        return fail(e, ERR_EXISTS, "the simulated world has one loop");
    sim_world->made.loops++;
    *out = &sim_world->loop;
    return OK;
}

void loop_free(struct loop *l)
{
    if (l == NULL)
        return;
    run_finishing_streams(sim_world);
    sim_world->made.loops--;
    check_freed(&sim_world->made);
}

void loop_run(struct loop *l)
{
    while (!l->stopping && sim_step(sim_world))
        ;
    l->stopping = false;
}

void loop_stop(struct loop *l)
{
    l->stopping = true;
}

uint64_t loop_now_ms(const struct loop *l)
{
    (void)l;
    return sim_world->now_ms;
}

uint64_t loop_unique_id(struct loop *l)
{
    return ++l->ids;
}

struct loop_timer {
    struct sim_event event;
};

struct loop_timer *loop_timer_new(struct loop *l, loop_fn *fn, void *arg)
{
    (void)l;
    struct loop_timer *t = sim_alloc(sizeof *t);
    t->event = SIM_EVENT(fn, arg);
    t->event.is_timer = true;
    sim_world->made.timers++;
    return t;
}

void loop_timer_start(struct loop_timer *t, uint64_t ms)
{
    sim_event_arm(&t->event, ms);
}

void loop_timer_stop(struct loop_timer *t)
{
    sim_event_disarm(&t->event);
}

void loop_timer_free(struct loop_timer *t)
{
    if (t == NULL)
        return;
    sim_event_disarm(&t->event);
    sim_world->made.timers--;
    free(t);
}

struct loop_signal {
    struct sim_event event;
    int signum;
    struct loop_signal *next;
};

struct result loop_signal_new(struct loop *l, int signum, loop_fn *fn, void *arg,
                              struct loop_signal **out, struct errinfo *e)
{
    (void)e;
    struct loop_signal *s = sim_alloc(sizeof *s);
    s->event = SIM_EVENT(fn, arg);
    s->signum = signum;
    s->next = l->signals;
    l->signals = s;
    sim_world->made.signals++;
    *out = s;
    return OK;
}

void loop_signal_free(struct loop_signal *s)
{
    if (s == NULL)
        return;
    struct loop_signal **at = &sim_world->loop.signals;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    sim_event_disarm(&s->event);
    sim_world->made.signals--;
    free(s);
}

void sim_raise(struct sim *w, int signum)
{
    for (struct loop_signal *s = w->loop.signals; s != NULL; s = s->next)
        if (s->signum == signum)
            sim_event_arm(&s->event, 0);
}

/* Descriptors are real: the only door through which something outside of the world comes in. */
struct loop_poll {
    int fd;
    short events;
    loop_fn *fn;
    void *arg;
    struct loop_poll *next;
};

struct result loop_poll_new(struct loop *l, int fd, loop_fn *fn, void *arg, struct loop_poll **out,
                            struct errinfo *e)
{
    (void)e;
    struct loop_poll *p = sim_alloc(sizeof *p);
    *p = (struct loop_poll){
        .fd = fd, .events = POLLIN | POLLRDHUP, .fn = fn, .arg = arg, .next = l->polls};
    l->polls = p;
    sim_world->made.polls++;
    *out = p;
    return OK;
}

void loop_poll_watch(struct loop_poll *p, unsigned what)
{
    const int readable = (what & LOOP_POLL_READABLE) != 0 ? POLLIN | POLLRDHUP : 0;
    const int writable = (what & LOOP_POLL_WRITABLE) != 0 ? POLLOUT : 0;
    p->events = (short)(readable | writable);
}

void loop_poll_free(struct loop_poll *p)
{
    if (p == NULL)
        return;
    struct loop_poll **at = &sim_world->loop.polls;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    sim_world->made.polls--;
    free(p);
}

static bool run_ready_poll(struct sim *w)
{
    for (const struct loop_poll *p = w->loop.polls; p != NULL; p = p->next) {
        struct pollfd fd = {.fd = p->fd, .events = p->events};
        if (poll(&fd, 1, 0) > 0) {
            p->fn(p->arg);
            return true;
        }
    }
    return false;
}
