#include "control/expirywatch.h"

#include <stdlib.h>
#include <string.h>

struct expirywatch {
    struct expirywatch_source source;
    struct expiry *expiry;
    struct loop_timer *timer;
};

/* What is in use; certificates may be in it several times. */
#define ITEMS_MAX \
    (LIMIT_ACCOUNTS * LIMIT_PATH_DEPTH + LIMIT_CUSTOM_CAS + LIMIT_EXPIRY_OWN * LIMIT_OWN_CERTS)

struct gathering {
    struct expiry_item items[ITEMS_MAX];
    size_t count;
    uint32_t pending;
};

static struct expiry_item *next_item(struct gathering *g, enum expiry_role role)
{
    if (g->count == ITEMS_MAX)
        return NULL;
    struct expiry_item *it = &g->items[g->count++];
    memset(it, 0, sizeof *it);
    it->role = role;
    return it;
}

static void add_cert(struct gathering *g, enum expiry_role role, const struct cert *c)
{
    struct expiry_item *it = next_item(g, role);
    if (it == NULL)
        return;
    cert_label(c, it->name, sizeof it->name);
    cert_sha256(c, it->sha256);
    it->not_after_s = cert_not_after(c);
}

static bool add_anchor(void *arg, const struct trust_anchor *a)
{
    struct gathering *g = arg;
    add_cert(g, EXPIRY_CUSTOM, a->cert);
    return true;
}

/* A pinned leaf is both: the server's to renew, and the list's. */
static enum expiry_role role_in_path(const struct verdict *v, size_t i)
{
    if (i == 0 || i + 1 < v->path_len || !v->anchored)
        return EXPIRY_PEER;
    return v->anchor_source == TRUST_SOURCE_BUILTIN ? EXPIRY_BUILTIN : EXPIRY_CUSTOM;
}

static void add_path(struct gathering *g, const struct verdict *v, uint32_t account)
{
    for (size_t i = 0; i < v->path_len; i++) {
        const struct verdict_cert *c = &v->path[i];
        struct expiry_item *it = next_item(g, role_in_path(v, i));
        if (it == NULL)
            return;
        it->accounts = account;
        memcpy(it->name, c->label, sizeof it->name);
        memcpy(it->sha256, c->sha256, sizeof it->sha256);
        it->not_after_s = c->not_after_s;
    }
}

static void add_accounts(struct gathering *g, const struct expirywatch_source *s)
{
    for (size_t i = 0; i < s->account_count(s->arg); i++) {
        const struct account_status status = account_status(s->account_at(s->arg, i));
        const uint32_t bit = UINT32_C(1) << (status.number - 1);
        if (status.state == ACCOUNT_OPEN && verdict_accepted(status.verdict))
            add_path(g, status.verdict, bit);
        else
            g->pending |= bit;
    }
}

static void add_identities(struct gathering *g, const struct expirywatch_source *s)
{
    struct identity *id;
    for (size_t i = 0; i < LIMIT_EXPIRY_OWN && (id = s->identity_at(s->arg, i)) != NULL; i++)
        for (size_t c = 0; c < identity_chain_len(id); c++)
            add_cert(g, EXPIRY_OWN, identity_cert(id, c));
}

/* The time of day may go another way than the timer's clock: it is looked at again and again. */
static void sleep_on(struct expirywatch *w, struct wallclock now)
{
    const int64_t next = expiry_next_s(w->expiry);
    if (next == INT64_MAX)
        return; /* a clock that is set, or another certificate, wakes it */
    int64_t s = next - now.epoch_s;
    if (s > LIMIT_RECHECK_S)
        s = LIMIT_RECHECK_S;
    loop_timer_start(w->timer, s > 0 ? (uint64_t)s * 1000 : 0);
}

static void on_timer(void *arg)
{
    struct expirywatch *w = arg;
    const struct expirywatch_source *s = &w->source;
    const struct wallclock now = s->now(s->arg);
    struct gathering g;
    g.count = 0;
    g.pending = 0;
    trust_each(s->trust(s->arg), TRUST_CUSTOM, add_anchor, &g);
    add_accounts(&g, s);
    add_identities(&g, s);
    expiry_update(w->expiry, g.items, g.count, g.pending, now, s->tell, s->arg);
    sleep_on(w, now);
}

RESULT expirywatch_new(struct loop *l, const struct expirywatch_source *s, struct expirywatch **out,
                       struct errinfo *e)
{
    struct expirywatch *w = calloc(1, sizeof *w);
    if (w == NULL)
        return fail(e, ERR_NOMEM, "out of memory for the watch over certificates");
    w->source = *s;
    w->timer = loop_timer_new(l, on_timer, w);
    if (w->timer == NULL || is_err(expiry_new(&w->expiry))) {
        expirywatch_free(w);
        return fail(e, ERR_NOMEM, "out of memory for the watch over certificates");
    }
    expirywatch_look(w);
    *out = w;
    return OK;
}

void expirywatch_free(struct expirywatch *w)
{
    if (w == NULL)
        return;
    loop_timer_free(w->timer);
    expiry_free(w->expiry);
    free(w);
}

void expirywatch_look(struct expirywatch *w)
{
    if (w != NULL)
        loop_timer_start(w->timer, 0);
}

void expirywatch_each(const struct expirywatch *w, expiry_tell_fn *visit, void *arg)
{
    if (w != NULL)
        expiry_each(w->expiry, w->source.now(w->source.arg), visit, arg);
}
