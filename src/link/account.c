#include "link/account.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "link/account_parts.h"

/* --- states --- */

static void set_state(struct account *a, enum account_state to)
{
    assert(account_state_may_follow(a->state, to));
    log_debug(a->area, "%s -> %s", account_state_name(a->state), account_state_name(to));
    a->state = to;
    a->dirty = true;
}

/* The last act of whatever came in: tells what changed, once. */
static void settle(struct account *a)
{
    if (!a->dirty)
        return;
    a->dirty = false;
    if (account_is_up(a))
        calls_update(&a->calls, &a->verdict);
    a->changed(a->arg, a);
}

static uint64_t now_ms(const struct account *a)
{
    return loop_now_ms(a->shared->loop);
}

static void timer_until(struct account *a, uint64_t deadline)
{
    const uint64_t now = now_ms(a);
    loop_timer_start(a->timer, deadline > now ? deadline - now : 0);
}

/* --- down --- */

static void drop_connection(struct account *a)
{
    recheck_stop(&a->recheck);
    calls_close(&a->calls);
    flow_close(&a->flow);
    registration_disconnected(a->registration);
    errinfo_clear(&a->given_up);
}

/* Leaves whatever is under way; the state is the caller's to set. */
static void tear_down(struct account *a)
{
    route_cancel(&a->route);
    drop_connection(a);
    loop_timer_stop(a->timer);
}

static void become_idle(struct account *a)
{
    tear_down(a);
    errinfo_clear(&a->error);
    a->verdict = (struct verdict){.class = VERDICT_NONE};
    backoff_reset(&a->backoff);
    set_state(a, ACCOUNT_IDLE);
}

/* A whole try failed, or a connection that was up is lost. */
static void wait_for_retry(struct account *a, const struct errinfo *why)
{
    const uint64_t now = now_ms(a);
    /* A server that accepts us and fails at once must not reset the back-off each time. */
    if (a->state == ACCOUNT_OPEN && now - a->opened_ms >= LIMIT_STABLE_MS)
        backoff_reset(&a->backoff);
    uint32_t wait = backoff_next(&a->backoff, &a->shared->rng);
    if (why->code == ERR_IDENTITY && a->identity_replaced)
        wait = 0; /* the one that was refused is history, or may be */
    a->error = *why;
    a->deadline_ms = now + wait;
    timer_until(a, a->deadline_ms);
    set_state(a, ACCOUNT_WAITING);
    log_warning(a->area, "%s (next try in %.1f s)", why->text, wait / 1000.0);
}

static void lose_connection(struct account *a, const struct errinfo *why)
{
    const struct errinfo kept = *why; /* it may be what is torn down */
    const bool last = a->state == ACCOUNT_STOPPING || a->calls.retiring;
    drop_connection(a);
    if (last)
        become_idle(a);
    else
        wait_for_retry(a, &kept);
}

/* --- up: resolve, connect, shake hands --- */

/* The handshake's verdict is what people will ask for, whether the connection lives or not. */
static void keep_verdict(struct account *a, const struct verdict *v)
{
    if (v->class == VERDICT_NONE)
        return;
    if (!judge_same(&a->verdict, v))
        a->dirty = true;
    a->verdict = *v;
}

static void begin(struct account *a)
{
    struct errinfo e = ERRINFO_INIT;
    a->flow.outdated = false;
    set_state(a, ACCOUNT_RESOLVING);
    a->identity_replaced = false;
    if (is_err(route_find(&a->route, &e)))
        wait_for_retry(a, &e);
}

static const struct connection_handlers handlers;

static bool was_refused(const struct account *a)
{
    return a->verdict.class == VERDICT_REJECTED;
}

/* The next address; when all were tried, the whole try has failed, unless one was refused by a
 * trust store or a clock that is another one by now. */
static void dial_next(struct account *a)
{
    const struct addr *to;
    while ((to = route_next(&a->route)) != NULL) {
        struct errinfo e = ERRINFO_INIT;
        if (is_ok(flow_dial(&a->flow, to, &handlers, a, &e))) {
            set_state(a, ACCOUNT_CONNECTING);
            return;
        }
        route_failed(&a->route, &e);
    }
    if (a->flow.outdated && was_refused(a))
        begin(a);
    else
        wait_for_retry(a, route_error(&a->route));
}

static void on_route(void *arg)
{
    struct account *a = arg;
    dial_next(a);
    settle(a);
}

/* Judges the live chain with today's trust and clock; false if the connection had to go. */
static bool judge_again(struct account *a)
{
    struct verdict v;
    flow_judge(&a->flow, &v);
    keep_verdict(a, &v);
    if (verdict_accepted(&v)) {
        recheck_start(&a->recheck, &v);
        return true;
    }
    struct errinfo e = ERRINFO_INIT;
    IGNORE(fail(&e, ERR_CERT, "%s", verdict_sentence(&v))); /* only its text is wanted */
    lose_connection(a, &e);
    return false;
}

/* --- the registration --- */

static void note_registered(struct account *a)
{
    if (a->registered || !registration_is_up(a->registration))
        return;
    a->registered = true;
    log_notice(a->area, "registered %s for %u s", a->aor,
               (unsigned)registration_granted_s(a->registration));
}

/* After every call on the registration: it never acts on us while it is at work itself. */
static void after_registration(struct account *a)
{
    if (a->given_up.code != ERR_OK) {
        lose_connection(a, &a->given_up);
        return;
    }
    if (a->state == ACCOUNT_STOPPING && registration_state(a->registration) == REGISTRATION_OFF) {
        become_idle(a);
        return;
    }
    note_registered(a);
    uint64_t next = registration_deadline(a->registration);
    if (a->state == ACCOUNT_STOPPING && a->deadline_ms < next)
        next = a->deadline_ms;
    if (next == UINT64_MAX)
        loop_timer_stop(a->timer);
    else
        timer_until(a, next);
}

static struct result send_out(void *arg, struct slice message)
{
    struct account *a = arg;
    const struct result r = calls_send(&a->calls, message);
    if (is_err(r)) /* the first reason stays */
        IGNORE(fail(&a->given_up, r.code, "%s does not take what we send", a->host));
    return r;
}

static void registration_changed(void *arg)
{
    struct account *a = arg;
    a->dirty = true;
    timer_until(a, 0); /* to be told; nobody else does where it was only watched */
}

static void registration_gives_up(void *arg, const struct errinfo *why)
{
    struct account *a = arg;
    if (a->given_up.code == ERR_OK)
        a->given_up = *why;
}

static const struct registration_handlers registration_handlers = {
    .send = send_out,
    .changed = registration_changed,
    .give_up = registration_gives_up,
};

/* --- the connection's callbacks --- */

static void on_connected(void *arg)
{
    struct account *a = arg;
    set_state(a, ACCOUNT_HANDSHAKE);
    settle(a);
}

/* That the server did not accept our certificate is told until it has: with TLS 1.3 the connection
 * is open before. */
static void forget_error(struct account *a)
{
    if (a->error.code != ERR_IDENTITY || connection_facts(a->flow.connection).confirmed)
        errinfo_clear(&a->error);
}

static void on_open(void *arg)
{
    struct account *a = arg;
    const struct verdict *v = connection_verdict(a->flow.connection);
    assert(verdict_accepted(v));
    keep_verdict(a, v);
    recheck_start(&a->recheck, v);
    set_state(a, ACCOUNT_OPEN);
    a->opened_ms = now_ms(a);
    a->registered = false;
    forget_error(a);
    log_notice(a->area, "%s with %s: %s", connection_facts(a->flow.connection).version, a->host,
               verdict_sentence(v));
    if (!a->flow.outdated || judge_again(a)) {
        char local[ADDR_TEXT_SIZE];
        const struct addr from = connection_local(a->flow.connection);
        addr_format(&from, local);
        registration_connected(a->registration, local, now_ms(a));
        calls_open(&a->calls, &a->verdict);
        after_registration(a);
    }
    settle(a);
}

static void on_confirmed(void *arg)
{
    struct account *a = arg;
    forget_error(a);
    a->dirty = true;
    settle(a);
}

static void on_message(void *arg, const struct sip_message *m, struct slice raw)
{
    struct account *a = arg;
    calls_receive(&a->calls, m, raw, &a->verdict);
    after_registration(a);
    settle(a);
}

static void on_drained(void *arg)
{
    struct account *a = arg;
    calls_drained(&a->calls);
}

static void on_closed(void *arg, struct result why, const struct errinfo *e)
{
    struct account *a = arg;
    struct errinfo told;
    (void)why; /* E has it */
    keep_verdict(a, connection_verdict(a->flow.connection));
    flow_explain(&a->flow, e, &told);
    if (a->state == ACCOUNT_OPEN || a->state == ACCOUNT_STOPPING) {
        lose_connection(a, &told);
    } else {
        drop_connection(a);
        route_failed(&a->route, &told);
        dial_next(a);
    }
    settle(a);
}

static const struct connection_handlers handlers = {
    .on_connected = on_connected,
    .on_open = on_open,
    .on_confirmed = on_confirmed,
    .on_message = on_message,
    .on_drained = on_drained,
    .on_closed = on_closed,
};

static void on_calls_ended(void *arg)
{
    account_stop(arg);
}

static void on_timer(void *arg)
{
    struct account *a = arg;
    if (a->state == ACCOUNT_WAITING) {
        begin(a);
    } else if (a->state == ACCOUNT_STOPPING && now_ms(a) >= a->deadline_ms) {
        become_idle(a);
    } else {
        registration_tick(a->registration, now_ms(a));
        after_registration(a);
    }
    settle(a);
}

/* A certificate of the live path has ended: another path may stand, else the lock goes. */
static void on_recheck(void *arg)
{
    struct account *a = arg;
    (void)judge_again(a);
    settle(a);
}

/* --- the calls --- */

static struct result make_registration(struct account *a, const struct account_config *cfg,
                                       struct errinfo *e)
{
    const struct registration_params p = {
        .user = cfg->user,
        .domain = cfg->domain,
        .display_name = cfg->display_name,
        .auth_user = cfg->auth_user,
        .password = cfg->password,
        .instance_id = a->shared->instance_id,
        .user_agent = a->shared->user_agent,
        .expires_s = cfg->expires_s,
        .passive = cfg->registered_by_stack,
    };
    return registration_new(&p, &registration_handlers, a, &a->shared->rng, &a->registration, e);
}

static struct result configure(struct account *a, const struct account_config *cfg,
                               struct trust *trust, struct errinfo *e)
{
    a->host = strdup(account_config_host(cfg));
    a->label = strdup(cfg->label != NULL ? cfg->label : "");
    if (asprintf(&a->aor, "sips:%s@%s", cfg->user, cfg->domain) < 0)
        a->aor = NULL; /* it is undefined then */
    a->timer = loop_timer_new(a->shared->loop, on_timer, a);
    if (a->host == NULL || a->label == NULL || a->aor == NULL || a->timer == NULL)
        return fail(e, ERR_NOMEM, "out of memory for an account");
    route_init(&a->route, a->shared->dns, a->host, cfg->port, on_route, a);
    TRY(flow_init(&a->flow, a->shared, cfg, a->host, trust, e));
    TRY(recheck_init(&a->recheck, a->shared->loop, a->shared->clock, on_recheck, a, e));
    TRY(make_registration(a, cfg, e));
    return calls_init(&a->calls, &a->flow, a->registration, on_calls_ended, a);
}

RESULT account_new(const struct account_shared *shared, const struct account_config *cfg,
                   struct trust *trust, account_changed_fn *changed, void *arg,
                   struct account **out, struct errinfo *e)
{
    struct account *a = calloc(1, sizeof *a);
    if (a == NULL)
        return fail(e, ERR_NOMEM, "out of memory for an account");
    a->shared = shared;
    a->changed = changed;
    a->arg = arg;
    a->number = cfg->number;
    a->enabled = cfg->enabled;
    a->error = a->given_up = ERRINFO_INIT;
    (void)snprintf(a->area, sizeof a->area, "account %d", cfg->number);
    backoff_init(&a->backoff, LIMIT_RECONNECT_BASE_MS, LIMIT_RECONNECT_MAX_MS);
    const struct result r = configure(a, cfg, trust, e);
    if (is_err(r)) {
        account_free(a);
        return r;
    }
    *out = a;
    return OK;
}

void account_free(struct account *a)
{
    if (a == NULL)
        return;
    calls_clear(&a->calls);
    flow_clear(&a->flow);
    recheck_clear(&a->recheck);
    route_cancel(&a->route);
    registration_free(a->registration);
    loop_timer_free(a->timer);
    free(a->host);
    free(a->label);
    free(a->aor);
    free(a);
}

void account_start(struct account *a)
{
    if (a->state != ACCOUNT_IDLE || !a->enabled)
        return;
    begin(a);
    settle(a);
}

void account_stop(struct account *a)
{
    if (a->state == ACCOUNT_IDLE || a->state == ACCOUNT_STOPPING)
        return;
    if (a->state == ACCOUNT_OPEN) {
        set_state(a, ACCOUNT_STOPPING);
        a->deadline_ms = now_ms(a) + LIMIT_CLOSE_MS;
        registration_remove(a->registration, now_ms(a));
        after_registration(a);
    } else {
        become_idle(a);
    }
    settle(a);
}

void account_retire(struct account *a)
{
    if (a->state == ACCOUNT_OPEN && calls_busy(&a->calls))
        calls_retire(&a->calls);
    else
        account_stop(a);
}

void account_reconnect(struct account *a)
{
    if (a->calls.retiring)
        account_stop(a);
    if (a->state == ACCOUNT_IDLE || a->state == ACCOUNT_STOPPING)
        return;
    log_notice(a->area, "connecting anew, as asked");
    tear_down(a);
    backoff_reset(&a->backoff);
    registration_forget_refusals(a->registration);
    begin(a);
    settle(a);
}

/* What the verdicts depend on has changed; RETRY: a try that waits may succeed now. */
static void reconsider(struct account *a, bool retry)
{
    switch (a->state) {
    case ACCOUNT_CONNECTING:
    case ACCOUNT_HANDSHAKE:
        a->flow.outdated = true;
        break;
    case ACCOUNT_OPEN:
        (void)judge_again(a);
        break;
    case ACCOUNT_WAITING:
        if (retry) {
            loop_timer_stop(a->timer);
            begin(a);
        }
        break;
    default:
        break;
    }
    settle(a);
}

void account_set_trust(struct account *a, struct trust *trust)
{
    judge_set_trust(&a->flow.judge, trust);
    reconsider(a, was_refused(a));
}

struct result account_set_identity(struct account *a, struct identity *id,
                                   enum identity_source source, struct errinfo *e)
{
    TRY(flow_set_identity(&a->flow, id, source, e));
    a->identity_replaced = true;
    if (a->state == ACCOUNT_WAITING && a->error.code == ERR_IDENTITY) {
        loop_timer_stop(a->timer);
        begin(a);
    }
    settle(a);
    return OK;
}

void account_clock_changed(struct account *a)
{
    flow_forget(&a->flow);
    reconsider(a, was_refused(a) && judge_clock_matters(&a->verdict));
}
