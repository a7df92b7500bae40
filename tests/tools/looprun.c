#include "tools/looprun.h"

#include <assert.h>
#include <stddef.h>

#define TURNS_MIN 5 /* what becomes ready because of what was is seen to in the turn after it */

struct run {
    struct loop *loop;
    struct loop_timer *end;
    unsigned turns;
};

static void on_end(void *arg)
{
    struct run *r = arg;

    if (++r->turns < TURNS_MIN)
        loop_timer_start(r->end, 1);
    else
        loop_stop(r->loop);
}

void looprun_for(struct loop *loop, uint64_t ms)
{
    struct run r = {.loop = loop};

    r.end = loop_timer_new(loop, on_end, &r);
    assert(r.end != NULL);
    loop_timer_start(r.end, ms);
    loop_run(loop);
    loop_timer_free(r.end);
}
