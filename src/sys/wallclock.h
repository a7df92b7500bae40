/*
 * wallclock: takes the readings that base/clock.h judges, keeps the last known good time on flash,
 * and tells when somebody set the clock.
 *
 * "Synchronised" is the kernel's word (adjtimex(2) without STA_UNSYNC). A step of the clock is told
 * by the kernel at once; a clock that becomes synchronised without a step is noticed within
 * LIMIT_CLOCK_CHECK_S. Only a synchronised time is kept as the last known good one, in the file
 * "clock" of the state directory: a clock that was once set far into the future by mistake must not
 * stay there.
 */
#ifndef SIPSD_SYS_WALLCLOCK_H
#define SIPSD_SYS_WALLCLOCK_H

#include "base/clock.h"
#include "base/errinfo.h"
#include "sys/loop.h"

struct wallclock_source;

/*
 * STATE_DIR (copied) is where the last known good time lives; NULL for nowhere. It is written when
 * the clock becomes synchronised, each LIMIT_CLOCK_SAVE_S, and at the close. CHANGED(ARG) is called
 * from the loop when the clock was set or became synchronised; may be NULL.
 */
RESULT wallclock_open(struct loop *l, const char *state_dir, loop_fn *changed, void *arg,
                      struct wallclock_source **out, struct errinfo *e);
void wallclock_close(struct wallclock_source *w); /* NULL is fine */

/* The time now, judged. */
struct wallclock wallclock_now(const struct wallclock_source *w);

/* Seconds since 1970 at the start (UTC) of the day on which this program was configured to be
 * built, or of SOURCE_DATE_EPOCH where that was given. */
int64_t wallclock_build_time(void);

#endif
