#include "app/fleet.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "control/phone.h"
#include "sys/loop.h"

/* What account number i + 1 is and was. */
struct slot {
    struct account *account;
    bool started;
    struct account *leaving; /* still taking its registration back ... */
    bool in_call;            /* ... or kept by a call: until then it is what people see */
};

struct fleet {
    const struct account_shared *shared;
    const struct fleet_handlers *h;
    void *arg;
    struct slot slots[LIMIT_ACCOUNTS];
    struct loop_timer *tidy; /* frees and starts: never inside an account's own callback */
    bool stopping;
};

static bool is_down(const struct account *a)
{
    return a == NULL || account_status(a).state == ACCOUNT_IDLE;
}

static bool all_down(const struct fleet *f)
{
    for (size_t i = 0; i < LIMIT_ACCOUNTS; i++)
        if (!is_down(f->slots[i].account) || !is_down(f->slots[i].leaving))
            return false;
    return true;
}

/* What fleet_at() gives; NULL if there is none. */
static struct account *seen(const struct slot *s)
{
    return s->in_call ? s->leaving : s->account;
}

static void tidy_slot(struct fleet *f, struct slot *s)
{
    if (s->leaving != NULL && is_down(s->leaving)) {
        account_free(s->leaving);
        s->leaving = NULL;
    }
    if (s->account != NULL && s->leaving == NULL && !s->started && !f->stopping) {
        s->started = true;
        account_start(s->account);
    }
}

static void on_tidy(void *arg)
{
    struct fleet *f = arg;
    for (size_t i = 0; i < LIMIT_ACCOUNTS; i++)
        tidy_slot(f, &f->slots[i]);
    if (f->stopping && all_down(f))
        f->h->stopped(f->arg);
}

static void on_changed(void *arg, struct account *a)
{
    struct fleet *f = arg;
    struct slot *s = &f->slots[account_number(a) - 1];
    if (is_down(a))
        loop_timer_start(f->tidy, 0);
    if (s->in_call && s->leaving == a && !account_status(a).retiring) {
        s->in_call = false;
        f->h->replaced(f->arg);
    }
    if (seen(s) == a)
        f->h->changed(f->arg, a);
}

RESULT fleet_new(const struct account_shared *shared, const struct fleet_handlers *h, void *arg,
                 struct fleet **out)
{
    struct fleet *f = calloc(1, sizeof *f);
    if (f == NULL)
        return err(ERR_NOMEM);
    f->shared = shared;
    f->h = h;
    f->arg = arg;
    f->tidy = loop_timer_new(shared->loop, on_tidy, f);
    if (f->tidy == NULL) {
        fleet_free(f);
        return err(ERR_NOMEM);
    }
    *out = f;
    return OK;
}

void fleet_free(struct fleet *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < LIMIT_ACCOUNTS; i++) {
        account_free(f->slots[i].account);
        account_free(f->slots[i].leaving);
    }
    loop_timer_free(f->tidy);
    free(f);
}

/* The account that S has now goes its way, and makes room. */
static void retire(struct slot *s)
{
    struct account *a = s->account;
    s->account = NULL;
    if (a == NULL)
        return;
    if (!s->started) { /* its predecessor is still leaving */
        account_free(a);
        return;
    }
    s->leaving = a;
    account_retire(a);
    s->in_call = account_status(a).retiring;
}

static void enlist(struct fleet *f, struct slot *s, const struct account_config *cfg,
                   struct trust *trust)
{
    struct errinfo e = ERRINFO_INIT;
    const struct result r = account_new(f->shared, cfg, trust, on_changed, f, &s->account, &e);
    s->started = false;
    if (is_err(r))
        log_error("settings", "account %d cannot be used: %s", cfg->number, errinfo_text(&e, r));
}

/* The configuration of an account that is to run; false if there is none. */
static bool configuration(const struct settings *s, int number, struct account_config *out)
{
    return s != NULL && is_ok(phone_account(s, number, out, NULL)) && out->enabled;
}

/* True if the account was replaced, came or went. */
static bool apply_slot(struct fleet *f, struct slot *s, int number, const struct settings *old,
                       const struct settings *now, struct trust *trust)
{
    struct account_config was, is;
    const bool had = configuration(old, number, &was);
    const bool has = configuration(now, number, &is);
    if (!has && s->account == NULL)
        return false;
    if (had && has && s->account != NULL && !phone_account_differs(&was, &is))
        return false;
    retire(s);
    if (has)
        enlist(f, s, &is, trust);
    return true;
}

void fleet_apply(struct fleet *f, const struct settings *old, const struct settings *now,
                 struct trust *trust)
{
    bool replaced = false;
    for (int number = 1; number <= LIMIT_ACCOUNTS; number++)
        replaced |= apply_slot(f, &f->slots[number - 1], number, old, now, trust);
    if (!replaced)
        return;
    f->h->replaced(f->arg);
    loop_timer_start(f->tidy, 0);
}

void fleet_set_trust(struct fleet *f, struct trust *trust)
{
    for (size_t i = 0; i < LIMIT_ACCOUNTS; i++) {
        const struct slot *s = &f->slots[i];
        if (s->account != NULL)
            account_set_trust(s->account, trust);
        if (s->in_call)
            account_set_trust(s->leaving, trust);
    }
}

void fleet_set_identity(struct fleet *f, struct identity *id, enum identity_source source)
{
    for (size_t i = 0; i < LIMIT_ACCOUNTS; i++) {
        struct errinfo e = ERRINFO_INIT;
        struct account *a = f->slots[i].account;
        if (a == NULL)
            continue;
        const struct result r = account_set_identity(a, id, source, &e);
        if (is_err(r))
            log_error("identity", "account %zu keeps the old certificate: %s", i + 1,
                      errinfo_text(&e, r));
    }
}

void fleet_clock_changed(struct fleet *f)
{
    for (size_t i = 0; i < LIMIT_ACCOUNTS; i++) {
        const struct slot *s = &f->slots[i];
        if (s->account != NULL)
            account_clock_changed(s->account);
        if (s->in_call)
            account_clock_changed(s->leaving);
    }
}

void fleet_stop(struct fleet *f)
{
    f->stopping = true;
    for (size_t i = 0; i < LIMIT_ACCOUNTS; i++) {
        const struct slot *s = &f->slots[i];
        if (s->account != NULL)
            account_stop(s->account);
        if (s->leaving != NULL)
            account_stop(s->leaving);
    }
    loop_timer_start(f->tidy, 0);
}

size_t fleet_count(const struct fleet *f)
{
    size_t n = 0;
    for (size_t i = 0; i < LIMIT_ACCOUNTS; i++)
        n += seen(&f->slots[i]) != NULL;
    return n;
}

struct account *fleet_at(const struct fleet *f, size_t i)
{
    for (size_t slot = 0; slot < LIMIT_ACCOUNTS; slot++)
        if (seen(&f->slots[slot]) != NULL && i-- == 0)
            return seen(&f->slots[slot]);
    return NULL;
}
