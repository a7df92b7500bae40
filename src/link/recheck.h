/*
 * recheck: when a verdict that was accepted has to be made anew without anybody having changed
 * anything: as soon as a certificate of its path has ended.
 *
 * Timers count by a clock that never jumps, certificates by one that does: the sleep is never
 * longer than LIMIT_RECHECK_S, and then it is looked at again. A clock that is set is the owner's
 * to notice.
 */
#ifndef SIPSD_LINK_RECHECK_H
#define SIPSD_LINK_RECHECK_H

#include "base/errinfo.h"
#include "pki/verdict.h"
#include "sys/loop.h"
#include "sys/wallclock.h"

/* To be embedded; zeroed, then filled by recheck_init(). */
struct recheck {
    struct loop_timer *timer;
    const struct wallclock_source *clock; /* borrowed */
    loop_fn *due;
    void *arg;
    int64_t until_s; /* the last second in which the verdict stands */
};

/* DUE(ARG): judge again; from the loop. ERR_NOMEM. */
RESULT recheck_init(struct recheck *r, struct loop *l, const struct wallclock_source *clock,
                    loop_fn *due, void *arg, struct errinfo *e);
void recheck_clear(struct recheck *r); /* a zeroed one is fine */

/* V was accepted, just now. One whose path has ended already (trust checking is off) is left at
 * that. */
void recheck_start(struct recheck *r, const struct verdict *v);
void recheck_stop(struct recheck *r);

#endif
