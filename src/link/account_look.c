/* What an account is: the part of link/account that changes nothing. */
#include "link/account_parts.h"

#include <string.h>

struct account_status account_status(const struct account *a)
{
    const struct registration *reg = a->registration;
    const uint64_t now = loop_now_ms(a->shared->loop);
    struct account_status s = {
        .number = a->number,
        .label = a->label,
        .aor = a->aor,
        .state = a->state,
        .registration = registration_state(reg),
        .granted_s = registration_is_up(reg) ? registration_granted_s(reg) : 0,
        .registration_status = registration_last_status(reg),
        .registration_error = registration_error(reg),
        .name_checked = a->verdict.name_checked,
        .verdict = &a->verdict,
        .error = &a->error,
        .host = a->host,
        .route = &a->route,
        .rules = flow_rules(&a->flow),
        .retiring = a->calls.retiring,
        .failures = registration_is_up(reg) ? 0 : a->backoff.failures,
    };
    if (account_is_up(a)) {
        s.tls = connection_facts(a->flow.connection);
        s.encrypted = s.tls.confirmed;
        s.remote = connection_remote(a->flow.connection);
        s.connection = connection_id(a->flow.connection);
    }
    if (a->state == ACCOUNT_WAITING && a->deadline_ms > now)
        s.retry_in_ms = (uint32_t)(a->deadline_ms - now);
    return s;
}

int account_number(const struct account *a)
{
    return a->number;
}

/* --- how its server would be judged --- */

static bool is_proven(const struct verdict *v)
{
    return v->class == VERDICT_VERIFIED || v->class == VERDICT_PROVISIONAL;
}

const char *account_config_host(const struct account_config *cfg)
{
    const bool proxy = cfg->proxy_host != NULL && cfg->proxy_host[0] != '\0';

    return proxy ? cfg->proxy_host : cfg->domain;
}

static bool is_same_server(const struct account *a, const struct account_config *cfg)
{
    return strcmp(a->host, account_config_host(cfg)) == 0 && a->flow.port == cfg->port;
}

bool account_would_accept(const struct account *a, const struct account_config *cfg,
                          struct trust *trust, struct verdict *out)
{
    struct judge j;
    size_t n;

    *out = (struct verdict){.class = VERDICT_NONE};
    if (a->state != ACCOUNT_OPEN || !is_proven(&a->verdict) || !cfg->enabled ||
        !is_same_server(a, cfg))
        return true;
    if (is_err(judge_init(&j, trust, a->host, a->shared->clock, NULL)))
        return true; /* it could not be judged now either */
    j.filter = cfg->filter;
    j.check_name = cfg->check_name;
    j.policy = cfg->policy;
    const struct slice *chain = connection_chain(a->flow.connection, &n);
    const struct verify_input in = judge_input(&j, chain, n);
    verify_chain(&in, out);
    judge_clear(&j);
    return verdict_accepted(out);
}
