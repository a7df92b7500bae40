/*
 * wallclock: takes the readings that base/clock.h judges, keeps the last known good time on flash,
 * and tells when somebody set the clock.
 */
#ifndef SIPSD_SYS_WALLCLOCK_H
#define SIPSD_SYS_WALLCLOCK_H

#include "base/clock.h"
#include "base/errinfo.h"
#include "sys/loop.h"

struct wallclock_source;

/*
 * STATE_DIR (copied) is where the last known good time lives; NULL for nowhere. CHANGED(ARG) is
 * called from the loop when the clock was set (TFD_TIMER_CANCEL_ON_SET) or became synchronised; may
 * be NULL.
 */
RESULT wallclock_open(struct loop *l, const char *state_dir, loop_fn *changed, void *arg,
                      struct wallclock_source **out, struct errinfo *e);
void wallclock_close(struct wallclock_source *w);

/* The time now, judged. */
struct wallclock wallclock_now(const struct wallclock_source *w);

/* Seconds since 1970 at which this program was built (SOURCE_DATE_EPOCH where it was given). */
int64_t wallclock_build_time(void);

#endif
