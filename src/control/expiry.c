#include "control/expiry.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S INT64_C(86400)

struct watched {
    struct expiry_item item;
    bool present;
    bool to_tell;            /* within expiry_update() */
    enum expiry_stage stage; /* as it was told; FINE: nothing, or that all is well again */
};

struct expiry {
    struct watched list[LIMIT_EXPIRY];
    size_t count;
    bool judged; /* the clock was not unset, at the last update */
};

RESULT expiry_new(struct expiry **out)
{
    *out = calloc(1, sizeof **out);
    return *out != NULL ? OK : err(ERR_NOMEM);
}

void expiry_free(struct expiry *x)
{
    free(x);
}

/* --- stages --- */

static const int64_t thresholds[] = {
    [EXPIRY_MONTH] = 30 * DAY_S,
    [EXPIRY_WEEK] = 7 * DAY_S,
    [EXPIRY_DAY] = DAY_S,
    [EXPIRY_ENDED] = -1, /* the last second is still within */
};

static enum expiry_stage stage_at(const struct expiry_item *it, int64_t now_s)
{
    enum expiry_stage s = EXPIRY_ENDED;
    while (s > EXPIRY_FINE && it->not_after_s - now_s > thresholds[s])
        s--;
    return s;
}

/* When the stage after S begins; INT64_MAX after the last. */
static int64_t next_after(const struct expiry_item *it, enum expiry_stage s)
{
    return s == EXPIRY_ENDED ? INT64_MAX : it->not_after_s - thresholds[s + 1];
}

/* --- the list --- */

static bool same(const struct expiry_item *a, const struct expiry_item *b)
{
    return a->role == b->role && memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0;
}

static struct watched *find(struct expiry *x, const struct expiry_item *it)
{
    for (size_t i = 0; i < x->count; i++)
        if (same(&x->list[i].item, it))
            return &x->list[i];
    return NULL;
}

static void enter(struct expiry *x, const struct expiry_item *it)
{
    struct watched *w = find(x, it);
    if (w == NULL) {
        if (x->count == LIMIT_EXPIRY)
            return;
        w = &x->list[x->count++];
        *w = (struct watched){.item = *it};
        w->item.accounts = 0;
    }
    w->item.accounts |= it->accounts;
    w->present = true;
}

/* A peer's certificates stay while it is not known whether they are gone. */
static void keep_pending(struct watched *w, uint32_t pending)
{
    const bool of_peer = w->item.role == EXPIRY_PEER || w->item.role == EXPIRY_BUILTIN;
    w->item.accounts &= of_peer ? pending : 0;
    w->present = w->item.accounts != 0;
}

static void judge(struct watched *w, struct wallclock now)
{
    enum expiry_stage s = EXPIRY_FINE;
    if (w->present)
        s = now.state == CLOCK_UNSET ? w->stage : stage_at(&w->item, now.epoch_s);
    w->to_tell = s != w->stage;
    w->stage = s;
}

static struct expiry_notice notice(const struct watched *w, struct wallclock now)
{
    return (struct expiry_notice){
        .item = &w->item,
        .stage = w->stage,
        .gone = !w->present,
        .left_s = w->item.not_after_s - now.epoch_s,
    };
}

static void drop_gone(struct expiry *x)
{
    size_t kept = 0;
    for (size_t i = 0; i < x->count; i++)
        if (x->list[i].present)
            x->list[kept++] = x->list[i];
    x->count = kept;
}

void expiry_update(struct expiry *x, const struct expiry_item *items, size_t n, uint32_t pending,
                   struct wallclock now, expiry_tell_fn *tell, void *arg)
{
    for (size_t i = 0; i < x->count; i++)
        keep_pending(&x->list[i], pending);
    for (size_t i = 0; i < n; i++)
        enter(x, &items[i]);
    for (size_t i = 0; i < x->count; i++)
        judge(&x->list[i], now);
    for (size_t i = 0; i < x->count; i++) {
        const struct expiry_notice told = notice(&x->list[i], now);
        if (x->list[i].to_tell)
            tell(arg, &told);
    }
    drop_gone(x);
    x->judged = now.state != CLOCK_UNSET;
}

int64_t expiry_next_s(const struct expiry *x)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; x->judged && i < x->count; i++) {
        const int64_t at = next_after(&x->list[i].item, x->list[i].stage);
        if (at < next)
            next = at;
    }
    return next;
}

void expiry_each(const struct expiry *x, struct wallclock now, expiry_tell_fn *visit, void *arg)
{
    for (size_t i = 0; i < x->count; i++) {
        const struct expiry_notice n = notice(&x->list[i], now);
        if (n.stage != EXPIRY_FINE && !n.gone)
            visit(arg, &n);
    }
}

/* --- for people and programs --- */

const char *expiry_role_name(enum expiry_role r)
{
    static const char *const names[] = {
        [EXPIRY_CUSTOM] = "trusted",
        [EXPIRY_BUILTIN] = "trusted",
        [EXPIRY_OWN] = "own",
        [EXPIRY_PEER] = "peer",
    };
    return names[r];
}

const char *expiry_state_name(const struct expiry_notice *n)
{
    if (n->gone)
        return "replaced";
    if (n->stage == EXPIRY_FINE)
        return "valid";
    return n->stage == EXPIRY_ENDED ? "expired" : "expiring";
}

int64_t expiry_days_left(const struct expiry_notice *n)
{
    return n->left_s > 0 ? n->left_s / DAY_S : 0;
}

/* A sentence that grows; what does not fit is cut. */
struct text {
    char *at;
    size_t left;
};

static void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void text_add(struct text *t, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    const int n = vsnprintf(t->at, t->left, format, ap);
    va_end(ap);
    const size_t taken = n < 0 ? 0 : (size_t)n < t->left ? (size_t)n : t->left - 1;
    t->at += taken;
    t->left -= taken;
}

/* "account 1", "accounts 1, 2, 5" */
static void text_accounts(struct text *t, uint32_t accounts)
{
    const bool several = (accounts & (accounts - 1)) != 0;
    const char *before = several ? "accounts " : "account ";
    for (int i = 0; i < LIMIT_ACCOUNTS; i++) {
        if ((accounts >> i & 1) == 0)
            continue;
        text_add(t, "%s%d", before, i + 1);
        before = ", ";
    }
}

/* "The built-in CA 'X'" */
static void say_what(const struct expiry_item *it, struct text *t)
{
    switch (it->role) {
    case EXPIRY_CUSTOM:
        text_add(t, "The trusted certificate '%s'", it->name);
        break;
    case EXPIRY_BUILTIN:
        text_add(t, "The built-in CA '%s'", it->name);
        break;
    case EXPIRY_OWN:
        text_add(t, "The phone's own certificate '%s'", it->name);
        break;
    case EXPIRY_PEER:
        text_add(t, "The certificate '%s' of the server of ", it->name);
        text_accounts(t, it->accounts);
        break;
    }
}

/* " expires on 2027-01-20 (in 5 days)" */
static void say_when(const struct expiry_notice *n, struct text *t)
{
    char iso[CLOCK_ISO_SIZE];
    clock_to_iso(n->item->not_after_s, iso);
    text_add(t, " %s on %.10s", n->stage == EXPIRY_ENDED ? "expired" : "expires", iso);
    if (n->stage == EXPIRY_ENDED)
        return;
    const int64_t days = expiry_days_left(n);
    if (days == 0)
        text_add(t, " (in less than a day)");
    else
        text_add(t, " (in %" PRId64 " day%s)", days, days == 1 ? "" : "s");
}

static void say_what_to_do(const struct expiry_item *it, struct text *t)
{
    switch (it->role) {
    case EXPIRY_CUSTOM:
        text_add(t, "; add its successor");
        break;
    case EXPIRY_BUILTIN:
        text_add(t, "; update the phone's firmware, or have the server get a certificate of "
                    "another CA");
        break;
    case EXPIRY_OWN:
        text_add(t, "; servers that ask for it will refuse the phone: install a new one");
        break;
    case EXPIRY_PEER:
        text_add(t, "; the server's admin must renew it");
        break;
    }
    if (it->accounts != 0 && it->role != EXPIRY_PEER) {
        text_add(t, "; it is needed by ");
        text_accounts(t, it->accounts);
    }
}

void expiry_sentence(const struct expiry_notice *n, char *out, size_t size)
{
    struct text t = {out, size};
    say_what(n->item, &t);
    if (n->gone) {
        text_add(&t, " is not in use any more");
        return;
    }
    say_when(n, &t);
    if (n->stage == EXPIRY_FINE)
        text_add(&t, ": the clock was corrected");
    else
        say_what_to_do(n->item, &t);
}
