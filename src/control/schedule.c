#include "control/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/wipe.h"

#define NEVER UINT64_MAX

/* The occasions to fetch, the one that is named first counts where several are due. */
enum occasion { AT_START, TOLD_TO, AFTER_FAILURE, EACH_PERIOD, OCCASIONS };

struct schedule {
    struct loop *loop;
    struct rng rng;
    schedule_fetch_fn *fetch;
    void *arg;
    struct loop_timer *timer;
    struct backoff backoff;
    char *server; /* "" or NULL: there is none. It may have a password in it */
    bool power_on;
    bool check_sync;
    uint32_t spread_ms;
    uint64_t period_ms;      /* 0: none */
    uint64_t due[OCCASIONS]; /* by loop_now_ms(); NEVER: not at all */
    uint64_t not_before;     /* the server has asked for it */
    uint64_t last_ms;        /* when the last fetch ended, or when there could have been one */
    uint64_t told_ms;        /* when the last one that it was told to do began; NEVER: none did */
    enum provision_cause cause; /* of what failed */
};

static uint64_t now_ms(const struct schedule *s)
{
    return loop_now_ms(s->loop);
}

static bool has_server(const struct schedule *s)
{
    return s->server != NULL && s->server[0] != '\0';
}

static uint64_t earliest(const struct schedule *s)
{
    uint64_t first = NEVER;

    for (int i = 0; i < OCCASIONS; i++)
        if (s->due[i] < first)
            first = s->due[i];
    return first == NEVER || first > s->not_before ? first : s->not_before;
}

uint64_t schedule_next_ms(const struct schedule *s)
{
    const uint64_t at = has_server(s) ? earliest(s) : NEVER;

    if (at == NEVER)
        return NEVER;
    return at > now_ms(s) ? at - now_ms(s) : 0;
}

/* The last act of whatever came in. */
static void settle(struct schedule *s)
{
    const uint64_t wait = schedule_next_ms(s);

    if (wait == NEVER)
        loop_timer_stop(s->timer);
    else
        loop_timer_start(s->timer, wait);
}

static uint64_t spread(const struct schedule *s)
{
    return rng_below(&s->rng, s->spread_ms + 1);
}

/* --- periods --- */

static void plan_period(struct schedule *s)
{
    const uint64_t tenth = s->period_ms / 10;

    s->due[EACH_PERIOD] = NEVER;
    if (s->period_ms == 0)
        return;
    const uint64_t at =
        s->last_ms + s->period_ms - tenth + rng_below(&s->rng, (uint32_t)(2 * tenth + 1));
    s->due[EACH_PERIOD] = at > now_ms(s) ? at : now_ms(s) + spread(s); /* it was a longer one */
}

/* --- failures --- */

static void plan_retry(struct schedule *s, enum provision_cause cause, uint32_t retry_after_s)
{
    uint64_t at = now_ms(s) + backoff_next(&s->backoff, &s->rng);

    if (retry_after_s != 0) {
        s->not_before = now_ms(s) + retry_after_s * UINT64_C(1000);
        if (at < s->not_before)
            at = s->not_before + spread(s);
    }
    s->cause = cause;
    s->due[AFTER_FAILURE] = at;
    log_notice("provision", "the next try to fetch the settings is in %.0f s",
               (double)(at - now_ms(s)) / 1000);
}

static void forget_failure(struct schedule *s)
{
    backoff_reset(&s->backoff);
    s->due[AFTER_FAILURE] = NEVER;
    s->not_before = 0;
}

/* --- time --- */

static enum provision_cause cause_of(const struct schedule *s, enum occasion occasion)
{
    switch (occasion) {
    case AT_START:
        return PROVISION_POWER_ON;
    case TOLD_TO:
        return PROVISION_CHECK_SYNC;
    case AFTER_FAILURE:
        return s->cause;
    default:
        return PROVISION_PERIOD;
    }
}

/* The first occasion that is due; the fetch is for all of those. OCCASIONS if none is. */
static enum occasion take_due(struct schedule *s)
{
    enum occasion first = OCCASIONS;

    for (int i = OCCASIONS - 1; i >= 0; i--)
        if (s->due[i] <= now_ms(s)) {
            s->due[i] = NEVER;
            first = (enum occasion)i;
        }
    return first;
}

static void on_timer(void *arg)
{
    struct schedule *s = arg;
    struct errinfo e = ERRINFO_INIT;
    const enum occasion occasion = take_due(s);

    if (occasion == OCCASIONS) {
        settle(s);
        return;
    }
    const enum provision_cause cause = cause_of(s, occasion);
    s->last_ms = now_ms(s);
    if (occasion == TOLD_TO)
        s->told_ms = s->last_ms;
    if (s->due[EACH_PERIOD] == NEVER)
        plan_period(s);
    const struct result r = s->fetch(s->arg, cause, &e);
    if (is_err(r)) {
        log_warning("provision", "the settings cannot be fetched now: %s", errinfo_text(&e, r));
        plan_retry(s, cause, 0);
    }
    settle(s);
}

/* --- what its owner tells --- */

static void drop_all(struct schedule *s)
{
    forget_failure(s);
    for (int i = 0; i < OCCASIONS; i++)
        s->due[i] = NEVER;
}

/* Another server, or none any more. */
static void change_server(struct schedule *s, const char *server)
{
    char *copy = strdup(server);
    const bool had = has_server(s);

    if (copy == NULL) /* the old one will do for comparing with the next */
        return;
    wipe_free_str(s->server);
    s->server = copy;
    if (!has_server(s)) {
        drop_all(s);
    } else {
        const bool failed = s->due[AFTER_FAILURE] != NEVER;
        forget_failure(s);
        s->due[AFTER_FAILURE] = failed ? now_ms(s) : NEVER;
    }
    if (!had)
        s->last_ms = now_ms(s);
}

void schedule_configure(struct schedule *s, const struct phone_schedule *cfg)
{
    const uint64_t period_ms = cfg->period_min * UINT64_C(60000);

    const bool other = s->server == NULL || strcmp(s->server, cfg->server) != 0;
    if (other)
        change_server(s, cfg->server);
    s->power_on = cfg->power_on;
    s->check_sync = cfg->check_sync;
    s->spread_ms = cfg->spread_s * 1000;
    if (!s->check_sync)
        s->due[TOLD_TO] = NEVER;
    if (other || period_ms != s->period_ms) {
        s->period_ms = has_server(s) ? period_ms : 0;
        plan_period(s);
    }
    settle(s);
}

void schedule_power_on(struct schedule *s, bool with_others)
{
    if (!has_server(s) || !s->power_on)
        return;
    s->due[AT_START] = now_ms(s) + (with_others ? spread(s) : 0);
    settle(s);
}

void schedule_check_sync(struct schedule *s)
{
    if (!has_server(s) || !s->check_sync || s->due[TOLD_TO] != NEVER)
        return;
    uint64_t at = now_ms(s) + spread(s);
    if (s->told_ms != NEVER && at < s->told_ms + LIMIT_CHECK_SYNC_MS)
        at = s->told_ms + LIMIT_CHECK_SYNC_MS;
    s->due[TOLD_TO] = at;
    settle(s);
}

void schedule_try_again(struct schedule *s)
{
    if (s->due[AFTER_FAILURE] == NEVER)
        return;
    backoff_reset(&s->backoff);
    s->due[AFTER_FAILURE] = now_ms(s);
    settle(s);
}

void schedule_ended(struct schedule *s, const struct provision_report *r)
{
    if (!provision_cause_fetches(r->cause) || r->outcome == PROVISION_KEPT ||
        r->outcome == PROVISION_ROLLED_BACK)
        return;
    s->last_ms = now_ms(s);
    plan_period(s);
    if (r->outcome != PROVISION_FAILED)
        forget_failure(s);
    else if (r->cause != PROVISION_ASKED) /* who asked has been told, and can ask again */
        plan_retry(s, r->cause, r->retry_after_s);
    settle(s);
}

/* --- life --- */

RESULT schedule_new(struct loop *l, const struct rng *rng, schedule_fetch_fn *fetch, void *arg,
                    struct schedule **out)
{
    struct schedule *s = calloc(1, sizeof *s);

    if (s == NULL)
        return err(ERR_NOMEM);
    s->loop = l;
    s->rng = *rng;
    s->fetch = fetch;
    s->arg = arg;
    s->last_ms = loop_now_ms(l);
    s->told_ms = NEVER;
    s->timer = loop_timer_new(l, on_timer, s);
    backoff_init(&s->backoff, LIMIT_FETCH_RETRY_BASE_MS, LIMIT_FETCH_RETRY_MAX_MS);
    drop_all(s);
    if (s->timer == NULL) {
        schedule_free(s);
        return err(ERR_NOMEM);
    }
    *out = s;
    return OK;
}

void schedule_free(struct schedule *s)
{
    if (s == NULL)
        return;
    loop_timer_free(s->timer);
    wipe_free_str(s->server);
    free(s);
}
