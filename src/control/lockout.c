#include "control/lockout.h"

#include <stdio.h>
#include <string.h>

#include "control/phone.h"

struct looking {
    const struct lockout_input *in;
    bool forced;
    struct provision_report *report;
    size_t found;
};

static void would_be_refused(struct looking *l, enum provision_what what, const char *subject,
                             const char *why)
{
    struct provision_item item = {.what = what, .ok = l->forced};

    (void)snprintf(item.subject, sizeof item.subject, "%s", subject);
    (void)snprintf(item.sentence, sizeof item.sentence, "%s", why);
    provision_report_item(l->report, &item);
    l->found++;
}

/* --- the SIP servers --- */

static void look_at_account(struct looking *l, const struct account *a)
{
    const struct account_status s = account_status(a);
    struct account_config cfg;
    struct verdict v;
    char subject[16], why[LIMIT_TEXT];

    if (is_err(phone_account(l->in->next, s.number, &cfg, NULL)) ||
        account_would_accept(a, &cfg, l->in->trust, &v))
        return;
    (void)snprintf(subject, sizeof subject, "%d", s.number);
    (void)snprintf(why, sizeof why, "account %d would lose its server, %.60s: %s", s.number, s.host,
                   verdict_sentence(&v));
    would_be_refused(l, PROVISION_ACCOUNT, subject, why);
}

/* --- the provisioning server --- */

/* Whether CHAIN is what the server at URL showed; NAME is what is to be matched then. */
static bool is_its_chain(const struct gather_chain *chain, const char *url, struct weburl *server)
{
    if (chain == NULL || chain->chain.count == 0 || url[0] == '\0' ||
        is_err(weburl_parse(url, server, NULL)))
        return false;
    if (server->secure && strcmp(server->authority, chain->authority) == 0)
        return true;
    weburl_clear(server);
    return false;
}

static void judge_server(const struct lockout_input *in, const struct peername *name,
                         struct verdict *out)
{
    struct phone_fetch rules;

    phone_fetch(in->next, &rules);
    const struct verify_input input = {
        .chain = in->server->chain.certs,
        .chain_len = in->server->chain.count,
        .trust = in->trust,
        .filter = rules.filter,
        .name = rules.check_name ? name : NULL,
        .now = in->now,
        .purpose = VERIFY_SERVER,
        .policy = &rules.policy,
    };
    verify_chain(&input, out);
}

static void look_at_server(struct looking *l)
{
    const char *url = settings_text(l->in->next, "static.auto_provision.server.url", 0, 0);
    struct weburl server;
    struct verdict v;
    char why[LIMIT_TEXT];

    if (!is_its_chain(l->in->server, url, &server))
        return;
    judge_server(l->in, &server.host, &v);
    if (!verdict_accepted(&v)) {
        (void)snprintf(why, sizeof why, "the provisioning server, %.60s, would be refused: %s",
                       server.authority, verdict_sentence(&v));
        would_be_refused(l, PROVISION_SERVER, server.authority, why);
    }
    weburl_clear(&server);
}

size_t lockout_look(const struct lockout_input *in, bool forced, struct provision_report *r)
{
    struct looking l = {in, forced, r, 0};

    for (size_t i = 0; i < in->account_count(in->arg); i++)
        look_at_account(&l, in->account_at(in->arg, i));
    look_at_server(&l);
    return l.found;
}
