#include "control/report_post.h"

#include <stdlib.h>

#include "base/backoff.h"
#include "base/limits.h"
#include "base/log.h"

struct report_post {
    struct rng rng;
    struct report_post_ops ops;
    struct loop_timer *timer;
    struct backoff backoff;
    struct buf next;     /* what is to be sent, or is tried again; empty: nothing */
    struct fetch *fetch; /* what is being sent; NEXT may be a newer one already */
    bool newer;          /* it is */
};

static void forget(struct report_post *p)
{
    buf_clear(&p->next);
    p->newer = false;
    backoff_reset(&p->backoff);
}

/* What was sent did not arrive, and there is no newer one. */
static void failed(struct report_post *p, const struct errinfo *why, uint32_t retry_after_s)
{
    if (p->backoff.failures + 1 >= LIMIT_REPORT_TRIES) {
        log_warning("provision", "the report could not be sent, and is not tried again: %s",
                    why->text);
        forget(p);
        return;
    }
    uint64_t wait = backoff_next(&p->backoff, &p->rng);
    const uint64_t asked = retry_after_s * UINT64_C(1000);
    if (wait < asked)
        wait = asked < LIMIT_REPORT_RETRY_MAX_MS ? asked : LIMIT_REPORT_RETRY_MAX_MS;
    log_notice("provision", "the report could not be sent: %s (next try in %.0f s)", why->text,
               (double)wait / 1000);
    loop_timer_start(p->timer, wait);
}

static void on_sent(void *arg, const struct fetch_result *r)
{
    struct report_post *p = arg;

    p->fetch = NULL;
    if (p->newer) {
        p->newer = false;
        loop_timer_start(p->timer, 0);
    } else if (r->outcome == FETCH_DONE) {
        log_debug("provision", "the report was sent to %s", r->host);
        forget(p);
    } else {
        failed(p, &r->error, r->retry_after_s);
    }
}

static void on_timer(void *arg)
{
    struct report_post *p = arg;
    struct errinfo e = ERRINFO_INIT;

    if (p->fetch != NULL || buf_len(&p->next) == 0)
        return;
    const struct result r = p->ops.post(p->ops.arg, buf_slice(&p->next), on_sent, p, &p->fetch, &e);
    if (is_err(r))
        failed(p, &e, 0);
    else if (p->fetch == NULL)
        forget(p);
}

void report_post_send(struct report_post *p, struct slice json)
{
    buf_clear(&p->next);
    const struct result r = buf_append(&p->next, json);
    if (is_err(r)) {
        log_warning("provision", "the report is not sent: %s", err_text(r.code));
        buf_clear(&p->next);
    }
    backoff_reset(&p->backoff);
    p->newer = p->fetch != NULL;
    if (!p->newer)
        loop_timer_start(p->timer, 0);
}

RESULT report_post_new(struct loop *l, const struct rng *rng, const struct report_post_ops *ops,
                       struct report_post **out)
{
    struct report_post *p = calloc(1, sizeof *p);

    if (p == NULL)
        return err(ERR_NOMEM);
    p->rng = *rng;
    p->ops = *ops;
    p->timer = loop_timer_new(l, on_timer, p);
    backoff_init(&p->backoff, LIMIT_REPORT_RETRY_BASE_MS, LIMIT_REPORT_RETRY_MAX_MS);
    buf_init(&p->next, LIMIT_RPC_BACKLOG);
    if (p->timer == NULL) {
        report_post_free(p);
        return err(ERR_NOMEM);
    }
    *out = p;
    return OK;
}

void report_post_free(struct report_post *p)
{
    if (p == NULL)
        return;
    if (p->fetch != NULL)
        p->ops.cancel(p->ops.arg, p->fetch);
    loop_timer_free(p->timer);
    buf_free(&p->next);
    free(p);
}
