/* sys/wallclock.h: the wall clock goes with the simulated time, from where the test set it. */
#include <stdlib.h>

#include "sim/world.h"
#include "sys/wallclock.h"

struct wallclock_source {
    struct sim_event told;
    bool wants_changes;
    struct wallclock_source *next;
};

void sim_clock_init(struct sim *w)
{
    w->clock =
        (struct sim_clock){.epoch_s = SIM_EPOCH_S, .since_ms = w->now_ms, .state = CLOCK_SET};
}

void sim_clock_drift(struct sim *w, int64_t epoch_s)
{
    w->clock.epoch_s = epoch_s;
    w->clock.since_ms = w->now_ms;
}

void sim_clock_set(struct sim *w, int64_t epoch_s, enum clock_state state)
{
    sim_clock_drift(w, epoch_s);
    w->clock.state = state;
    for (struct wallclock_source *s = w->clock.sources; s != NULL; s = s->next)
        if (s->wants_changes)
            sim_event_arm(&s->told, 0);
}

struct result wallclock_open(struct loop *l, const char *state_dir, loop_fn *changed, void *arg,
                             struct wallclock_source **out, struct errinfo *e)
{
    (void)l;
    (void)state_dir;
    (void)e;
    struct wallclock_source *s = sim_alloc(sizeof *s);
    s->told = SIM_EVENT(changed, arg);
    s->wants_changes = changed != NULL;
    s->next = sim_world->clock.sources;
    sim_world->clock.sources = s;
    sim_world->made.clocks++;
    *out = s;
    return OK;
}

void wallclock_close(struct wallclock_source *w)
{
    if (w == NULL)
        return;
    struct wallclock_source **at = &sim_world->clock.sources;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    sim_event_disarm(&w->told);
    sim_world->made.clocks--;
    free(w);
}

struct wallclock wallclock_now(const struct wallclock_source *w)
{
    (void)w;
    const struct sim_clock *c = &sim_world->clock;
    const int64_t passed_s = (int64_t)((sim_world->now_ms - c->since_ms) / 1000);
    return (struct wallclock){.epoch_s = c->epoch_s + passed_s, .state = c->state};
}

int64_t wallclock_build_time(void)
{
    return SIM_BUILD_S;
}
