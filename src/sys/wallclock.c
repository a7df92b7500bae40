#include "sys/wallclock.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "sys/store.h"

#define FILE_NAME     "clock"
#define FILE_SIZE_MAX 64
#define FAR_FUTURE_S  ((time_t)1 << 33) /* the year 2242: the timer is there to be cancelled */

struct wallclock_source {
    struct loop *loop;
    int timerfd;
    struct loop_poll *poll;
    struct loop_timer *timer; /* looks at the state, and saves */
    loop_fn *changed;
    void *arg;
    int64_t last_good_s;
    uint64_t saved_ms; /* when, by the loop; 0: not yet */
    bool was_set;
    char path[PATH_MAX]; /* empty for nowhere */
};

int64_t wallclock_build_time(void)
{
    int64_t epoch_s = 0;
    (void)clock_from_iso(SIPSD_BUILD_DATE, &epoch_s); /* src/CMakeLists.txt makes it */
    return epoch_s;
}

static bool kernel_says_synchronised(void)
{
    struct timex query = {.modes = 0};
    return adjtimex(&query) >= 0 && (query.status & STA_UNSYNC) == 0;
}

struct wallclock wallclock_now(const struct wallclock_source *w)
{
    const struct clock_reading reading = {
        .system_s = time(NULL),
        .build_s = wallclock_build_time(),
        .last_good_s = w->last_good_s,
        .synchronised = kernel_says_synchronised(),
    };
    return clock_judge(&reading);
}

/* --- the last known good time --- */

static void load(struct wallclock_source *w)
{
    struct buf content;
    struct errinfo e = ERRINFO_INIT;
    buf_init(&content, FILE_SIZE_MAX);
    const struct result r = store_read(w->path, &content, &e);
    char text[FILE_SIZE_MAX + 1] = "";
    if (is_ok(r))
        (void)slice_to_str(slice_trim(buf_slice(&content)), text, sizeof text);
    buf_free(&content);
    if (r.code == ERR_NOT_FOUND)
        return;
    if (is_err(r))
        log_warning("clock", "the last known good time is lost: %s", e.text);
    else if (!clock_from_iso(text, &w->last_good_s))
        log_warning("clock", "the last known good time is lost: %s holds no time", w->path);
}

static void save(struct wallclock_source *w, int64_t now_s)
{
    char iso[CLOCK_ISO_SIZE];
    char line[CLOCK_ISO_SIZE + 1];
    struct errinfo e = ERRINFO_INIT;
    w->last_good_s = now_s;
    w->saved_ms = loop_now_ms(w->loop);
    if (w->path[0] == '\0')
        return;
    clock_to_iso(now_s, iso);
    (void)snprintf(line, sizeof line, "%s\n", iso);
    if (is_err(store_write(w->path, 0644, slice_of_str(line), &e)))
        log_warning("clock", "the last known good time is not kept: %s", e.text);
}

static bool save_is_due(const struct wallclock_source *w)
{
    return w->saved_ms == 0 ||
           loop_now_ms(w->loop) - w->saved_ms >= (uint64_t)LIMIT_CLOCK_SAVE_S * 1000;
}

/* --- noticing changes --- */

/* True if the clock has become synchronised since the last look. */
static bool look(struct wallclock_source *w)
{
    const struct wallclock now = wallclock_now(w);
    const bool is_set = now.state == CLOCK_SET;
    const bool became_set = is_set && !w->was_set;
    w->was_set = is_set;
    if (is_set && save_is_due(w))
        save(w, now.epoch_s);
    loop_timer_start(w->timer,
                     1000 * (uint64_t)(is_set ? LIMIT_CLOCK_SAVE_S : LIMIT_CLOCK_CHECK_S));
    return became_set;
}

static void look_again(void *arg)
{
    struct wallclock_source *w = arg;
    if (look(w) && w->changed != NULL)
        w->changed(w->arg);
}

/* timerfd_create(2): a timer of this kind fails to be read with ECANCELED when the clock is set. */
static int arm(const struct wallclock_source *w)
{
    const struct itimerspec far = {.it_value.tv_sec = FAR_FUTURE_S};
    return timerfd_settime(w->timerfd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL);
}

static void clock_was_set(void *arg)
{
    struct wallclock_source *w = arg;
    uint64_t expirations;
    if (read(w->timerfd, &expirations, sizeof expirations) < 0 && errno != ECANCELED)
        return;
    if (arm(w) != 0) {
        log_warning("clock", "steps of the clock are not noticed any more: %s", strerror(errno));
        loop_poll_free(w->poll);
        w->poll = NULL;
    }
    (void)look(w);
    if (w->changed != NULL)
        w->changed(w->arg);
}

/* --- opening and closing --- */

static struct result watch(struct wallclock_source *w, struct errinfo *e)
{
    w->timer = loop_timer_new(w->loop, look_again, w);
    if (w->timer == NULL)
        return fail(e, ERR_NOMEM, "out of memory for the clock");
    w->timerfd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (w->timerfd < 0 || arm(w) != 0)
        return fail_errno(e, errno, "cannot watch the clock");
    return loop_poll_new(w->loop, w->timerfd, clock_was_set, w, &w->poll, e);
}

static void release(struct wallclock_source *w)
{
    loop_poll_free(w->poll);
    loop_timer_free(w->timer);
    if (w->timerfd >= 0)
        (void)close(w->timerfd);
    free(w);
}

struct result wallclock_open(struct loop *l, const char *state_dir, loop_fn *changed, void *arg,
                             struct wallclock_source **out, struct errinfo *e)
{
    struct wallclock_source *w = calloc(1, sizeof *w);
    if (w == NULL)
        return fail(e, ERR_NOMEM, "out of memory for the clock");
    w->loop = l;
    w->timerfd = -1;
    w->changed = changed;
    w->arg = arg;
    if (state_dir != NULL &&
        (size_t)snprintf(w->path, sizeof w->path, "%s/" FILE_NAME, state_dir) >= sizeof w->path) {
        release(w);
        return fail(e, ERR_INVALID, "the path of the state directory is too long");
    }
    const struct result r = watch(w, e);
    if (is_err(r)) {
        release(w);
        return r;
    }
    if (state_dir != NULL)
        load(w);
    (void)look(w);
    *out = w;
    return OK;
}

void wallclock_close(struct wallclock_source *w)
{
    if (w == NULL)
        return;
    const struct wallclock now = wallclock_now(w);
    if (now.state == CLOCK_SET)
        save(w, now.epoch_s);
    release(w);
}
