/*
 * report_post: sends reports of provisioning to where an admin collects them. One at a time; a
 * newer one takes the place of one that waits. One that cannot be sent is tried
 * LIMIT_REPORT_TRIES times, as base/backoff says and not before the server wants it; then it is
 * only in the log. Nothing waits for it.
 */
#ifndef SIPSD_CONTROL_REPORT_POST_H
#define SIPSD_CONTROL_REPORT_POST_H

#include "base/rng.h"
#include "control/fetch.h"

struct report_post;

/* How a report is sent: fetchway_post() with a URL that is known at that time. OK and *OUT NULL if
 * there is nowhere to send it to. As fetch_start() otherwise. */
struct report_post_ops {
    struct result (*post)(void *arg, struct slice json, fetch_fn *fn, void *fn_arg,
                          struct fetch **out, struct errinfo *e);
    void (*cancel)(void *arg, struct fetch *f);
    void *arg;
};

/* OPS and RNG are copied. ERR_NOMEM. */
RESULT report_post_new(struct loop *l, const struct rng *rng, const struct report_post_ops *ops,
                       struct report_post **out);
void report_post_free(struct report_post *p); /* NULL is fine */

/* Sends JSON, which is copied, soon: never from inside. Without memory it is not sent, which is
 * logged. */
void report_post_send(struct report_post *p, struct slice json);

#endif
