#include "link/flow.h"

#include <string.h>

#include "base/limits.h"

static void describe(struct flow_shown *s, struct identity *id, enum identity_source source)
{
    *s = (struct flow_shown){.source = id != NULL ? source : IDENTITY_NONE};
    if (id != NULL)
        cert_label(identity_leaf(id), s->own, sizeof s->own);
}

RESULT flow_set_identity(struct flow *f, struct identity *id, enum identity_source source,
                         struct errinfo *e)
{
    const struct tls_profile_params p = {
        .role = TLS_CLIENT,
        .versions = f->versions,
        .identity = id,
        .tickets = true,
        .rng = f->shared->rng,
    };
    struct tls_profile *profile;
    TRY(tls_profile_new(&p, &profile, e));
    flow_forget(f);
    tls_profile_unref(f->profile);
    f->profile = profile;
    f->identities++; /* a handshake under way may still bring a ticket for the old one */
    describe(&f->offered, id, source);
    return OK;
}

RESULT flow_init(struct flow *f, const struct account_shared *shared,
                 const struct account_config *cfg, const char *name, struct trust *trust,
                 struct errinfo *e)
{
    memset(f, 0, sizeof *f);
    f->shared = shared;
    f->account = cfg->number;
    f->versions = cfg->versions;
    f->port = cfg->port;
    TRY(judge_init(&f->judge, trust, name, shared->clock, e));
    f->judge.filter = cfg->filter;
    f->judge.check_name = cfg->check_name;
    f->judge.policy = cfg->policy;
    return flow_set_identity(f, shared->identity, shared->identity_source, e);
}

struct account_rules flow_rules(const struct flow *f)
{
    const struct judge *j = &f->judge;

    return (struct account_rules){.port = f->port,
                                  .name = j->check_name ? &j->name : NULL,
                                  .policy = &j->policy,
                                  .filter = j->filter,
                                  .versions = f->versions};
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
    TRY(judge_flow_key(&f->judge, f->account, f->versions, key));
    return buf_printf(key, " %u", f->identities);
}

/* Judges as of now, and has a refusal noted. */
static void judge_peer(struct flow *f, const struct slice *chain, size_t n, struct verdict *out)
{
    const struct account_shared *shared = f->shared;
    const struct verify_input in = judge_input(&f->judge, chain, n);
    verify_chain(&in, out);
    if (verdict_accepted(out) || shared->on_refused == NULL)
        return;
    const struct refused_chain refused = {
        .account = f->account, .host = f->judge.name.text, .input = &in, .verdict = out};
    shared->on_refused(shared->on_refused_arg, &refused);
}

static void judge_in_handshake(void *arg, const struct slice *chain, size_t n, struct verdict *out)
{
    judge_peer(arg, chain, n, out);
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
        .judge_arg = f,
        .tickets = f->shared->tickets,
        .flow_key = buf_slice(&key),
        .now_s = wallclock_now(f->shared->clock).epoch_s,
    };
    f->shown = f->offered;
    r = connection_dial(f->shared->loop, to, f->profile, &tls, h, arg, &f->connection, e);
    buf_free(&key);
    return r;
}

void flow_close(struct flow *f)
{
    connection_close(f->connection);
    f->connection = NULL;
}

/* What servers do that refuse a certificate without a word, or whose word was lost on the way. */
static bool is_silent_refusal(const struct tls_session_facts *facts, const struct errinfo *e)
{
    return facts->in_doubt &&
           (e->code == ERR_CLOSED || e->code == ERR_TRUNCATED || e->code == ERR_SYSTEM);
}

void flow_explain(const struct flow *f, const struct errinfo *e, struct errinfo *out)
{
    const struct tls_session_facts facts = connection_facts(f->connection);
    const bool silent = is_silent_refusal(&facts, e);
    const char *perhaps = silent ? ": perhaps because of the phone's certificate" : "";

    *out = *e;
    if (e->code != ERR_IDENTITY && !silent)
        return;
    errinfo_clear(out);
    if (facts.sent_certificate)
        IGNORE(fail_native(out, ERR_IDENTITY, e->native, "%s%s; it was shown the %s one, '%s'",
                           e->text, perhaps, identity_source_text(f->shown.source), f->shown.own));
    else
        IGNORE(fail_native(out, ERR_IDENTITY, e->native, "%s%s; %s", e->text,
                           silent ? ": perhaps because it wants a certificate of the phone's" : "",
                           f->shown.source == IDENTITY_NONE ? "the phone has none to show"
                                                            : "the phone's does not suit it"));
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
    judge_peer(f, chain, n, out);
    if (!verdict_accepted(out))
        flow_forget(f);
}
