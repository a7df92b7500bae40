#include "link/recheck.h"

#include <string.h>

#include "base/limits.h"

static void sleep_until(struct recheck *r, int64_t now_s)
{
    int64_t s = LIMIT_RECHECK_S;
    if (r->until_s - now_s < s)
        s = r->until_s - now_s + 1; /* the first second in which it has ended */
    loop_timer_start(r->timer, (uint64_t)s * 1000);
}

static void on_timer(void *arg)
{
    struct recheck *r = arg;
    const int64_t now_s = wallclock_now(r->clock).epoch_s;
    if (now_s > r->until_s)
        r->due(r->arg);
    else
        sleep_until(r, now_s);
}

RESULT recheck_init(struct recheck *r, struct loop *l, const struct wallclock_source *clock,
                    loop_fn *due, void *arg, struct errinfo *e)
{
    memset(r, 0, sizeof *r);
    r->clock = clock;
    r->due = due;
    r->arg = arg;
    r->timer = loop_timer_new(l, on_timer, r);
    return r->timer != NULL ? OK : fail(e, ERR_NOMEM, "out of memory for a timer");
}

void recheck_clear(struct recheck *r)
{
    loop_timer_free(r->timer);
    r->timer = NULL;
}

void recheck_start(struct recheck *r, const struct verdict *v)
{
    const int64_t now_s = wallclock_now(r->clock).epoch_s;
    r->until_s = v->valid_until_s;
    if (v->path_len == 0 || now_s > r->until_s)
        recheck_stop(r);
    else
        sleep_until(r, now_s);
}

void recheck_stop(struct recheck *r)
{
    loop_timer_stop(r->timer);
}
