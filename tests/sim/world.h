/* world: what the parts of the simulated system share; sim.h is for tests. */
#ifndef SIPSD_TESTS_SIM_WORLD_H
#define SIPSD_TESTS_SIM_WORLD_H

#include "sim/sim.h"

/* --- events --- */

/* Something that will happen; embedded in what it happens to. */
struct sim_event {
    loop_fn *fn;
    void *arg;
    bool is_timer; /* or a time-out: sim_settle() does not wait for it */
    bool armed;
    uint64_t at_ms;
    uint64_t cause; /* order of arming, for events of the same time */
    struct sim_event *next;
};

#define SIM_EVENT(fn_, arg_) ((struct sim_event){.fn = (fn_), .arg = (arg_)})

/* FN(ARG) after MS, in place of an earlier arming. */
void sim_event_arm(struct sim_event *e, uint64_t ms);
void sim_event_disarm(struct sim_event *e);

/* --- the world: one at a time, so the parts reach it here --- */

struct loop {
    struct loop_signal *signals;
    struct loop_poll *polls;
    uint64_t ids;
    bool stopping;
};

/* What the code under test has made and not freed; `streams` without those it has finished. */
struct sim_census {
    unsigned loops, timers, signals, polls, streams, finishing, listeners, resolvers, queries,
        clocks;
};

struct sim_net {
    uint64_t latency_ms;
    size_t chunk;
    size_t window;
    struct stream_cred cred;
    struct reach_rule *rules;
    struct stream_listener *listeners;
    struct sim_link **links;
    size_t link_count;
    uint16_t next_port;
    struct addr from; /* family 0: the usual one */
};

struct sim_clock {
    int64_t epoch_s; /* at SINCE_MS */
    uint64_t since_ms;
    enum clock_state state;
    struct wallclock_source *sources;
};

struct sim {
    struct loop loop;
    uint64_t now_ms;
    uint64_t causes;
    struct sim_event *events; /* in their order */
    struct sim_census made;
    unsigned refuse_calls;
    uint64_t random;
    struct sim_net net;
    struct sim_host *hosts;
    struct sim_clock clock;
};

extern struct sim *sim_world; /* NULL outside of sim_new() ... sim_free() */

/* True, and counted, if sim_refuse_calls() wants this call to fail. */
bool sim_refuses_call(void);

/* Ends the program: the test or the code under test is wrong. */
_Noreturn void sim_abort(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* calloc() and strdup() that do not return without memory. */
void *sim_alloc(size_t n);
char *sim_copy(const char *text);

/* The parts, for sim_new() and sim_free(). */
void sim_net_init(struct sim *w);
void sim_net_free(struct sim *w);
void sim_hosts_free(struct sim *w);
void sim_clock_init(struct sim *w);

#endif
