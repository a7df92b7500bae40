#include "link/flow.h"

#include <string.h>

#include "base/limits.h"

RESULT flow_init(struct flow *f, const struct account_shared *shared,
                 const struct account_config *cfg, const char *name, struct trust *trust,
                 struct errinfo *e)
{
    memset(f, 0, sizeof *f);
    f->shared = shared;
    f->account = cfg->number;
    f->versions = cfg->versions;
    TRY(judge_init(&f->judge, trust, name, shared->clock, e));
    f->judge.filter = cfg->filter;
    f->judge.check_name = cfg->check_name;
    f->judge.policy = cfg->policy;
    const struct tls_profile_params p = {
        .role = TLS_CLIENT,
        .versions = cfg->versions,
        .identity = shared->identity,
        .tickets = true,
        .rng = shared->rng,
    };
    return tls_profile_new(&p, &f->profile, e);
}

void flow_clear(struct flow *f)
{
    connection_free(f->connection);
    f->connection = NULL;
    tls_profile_unref(f->profile);
    f->profile = NULL;
    judge_clear(&f->judge);
}

/* KEY is the caller's to free. */
static struct result flow_key(const struct flow *f, struct buf *key)
{
    buf_init(key, LIMIT_SETTINGS_LINE);
    return judge_flow_key(&f->judge, f->account, f->versions, key);
}

RESULT flow_dial(struct flow *f, const struct addr *to, const struct connection_handlers *h,
                 void *arg, struct errinfo *e)
{
    struct buf key;
    struct result r = flow_key(f, &key);
    if (is_err(r))
        return fail(e, r.code, "cannot name the TLS session");
    const struct tls_session_params tls = {
        .server_name = judge_server_name(&f->judge),
        .judge = judge_in_handshake,
        .judge_arg = &f->judge,
        .tickets = f->shared->tickets,
        .flow_key = buf_slice(&key),
        .now_s = wallclock_now(f->shared->clock).epoch_s,
    };
    f->outdated = false;
    r = connection_dial(f->shared->loop, to, f->profile, &tls, h, arg, &f->connection, e);
    buf_free(&key);
    return r;
}

void flow_close(struct flow *f)
{
    connection_close(f->connection);
    f->connection = NULL;
}

void flow_forget(struct flow *f)
{
    struct buf key;
    if (is_ok(flow_key(f, &key)))
        tls_tickets_drop(f->shared->tickets, buf_slice(&key));
    buf_free(&key);
}

void flow_judge(struct flow *f, struct verdict *out)
{
    size_t n;
    const struct slice *chain = connection_chain(f->connection, &n);
    judge_chain(&f->judge, chain, n, out);
    if (!verdict_accepted(out))
        flow_forget(f);
}
