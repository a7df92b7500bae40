#include "ctl/judgeopts.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/ctl.h"
#include "pki/certprofile.h"

#define CALL_TIMEOUT_MS 5000

void judgeopts_init(struct judgeopts *o)
{
    *o = (struct judgeopts){.now_s = (int64_t)time(NULL), .policy = {.check_trust = true}};
}

void judgeopts_free(struct judgeopts *o)
{
    material_free(&o->trusted);
    material_free(&o->crls);
}

/* --- options --- */

static RESULT add_policy(struct judgeopts *o, const char *text, struct errinfo *e)
{
    struct policy_inputs *p = &o->policy.policies;
    size_t n;

    if (p->acceptable_count == JUDGEOPTS_POLICIES_MAX)
        return fail(e, ERR_LIMIT, "at most %d policies can be named", JUDGEOPTS_POLICIES_MAX);
    uint8_t *oid = o->oids[p->acceptable_count];
    if (!der_oid_from_text(text, oid, &n))
        return fail(e, ERR_INVALID, "--policy is an object identifier like 2.5.29.32.0, not '%s'",
                    text);
    o->policies[p->acceptable_count++] = slice_of(oid, n);
    p->acceptable = o->policies;
    return OK;
}

static RESULT set_words(struct judgeopts *o, int option, const char *value, struct errinfo *e)
{
    if (option == JUDGEOPTS_TIME)
        return clock_from_iso(value, &o->now_s)
                   ? OK
                   : fail(e, ERR_INVALID,
                          "--time is seconds since 1970 or like 2026-11-23T15:00:00Z, not '%s'",
                          value);
    if (option == JUDGEOPTS_RULES)
        return peername_rules_from_name(value, &o->policy.rules)
                   ? OK
                   : fail(e, ERR_INVALID, "--rules is rfc2818, rfc9525 or rfc5922, not '%s'",
                          value);
    return certprofile_from_name(value, &o->policy.profile)
               ? OK
               : fail(e, ERR_INVALID, "--profile is public or compatible, not '%s'", value);
}

RESULT judgeopts_set(struct judgeopts *o, int option, const char *value, struct errinfo *e)
{
    switch (option) {
    case JUDGEOPTS_NAME:
        o->has_name = true;
        return peername_parse(slice_of_str(value), &o->name, e);
    case JUDGEOPTS_TRUSTED:
        if (o->filter == TRUST_DEFAULT)
            o->filter = TRUST_CUSTOM;
        return material_read_trusted(value, &o->trusted, e);
    case JUDGEOPTS_BUILTIN:
        o->filter = TRUST_ALL;
        return OK;
    case JUDGEOPTS_CRL:
        return material_read_crls(value, &o->crls, e);
    case JUDGEOPTS_POLICY:
        return add_policy(o, value, e);
    case JUDGEOPTS_REQUIRE_POLICY:
        o->policy.policies.require_explicit = true;
        return OK;
    case JUDGEOPTS_INHIBIT_MAPPING:
        o->policy.policies.inhibit_mapping = true;
        return OK;
    case JUDGEOPTS_INHIBIT_ANY:
        o->policy.policies.inhibit_any = true;
        return OK;
    case JUDGEOPTS_JSON:
        ctl_options.json = true;
        return OK;
    default:
        return set_words(o, option, value, e);
    }
}

/* --- an account's --- */

/* One call of the daemon; *ANSWER is to be cJSON_Delete()d. */
static RESULT call(struct sipsd_client *c, const char *method, const char *params, cJSON **answer,
                   struct errinfo *e)
{
    char error[SIPSD_ERROR_SIZE];
    const char *json;

    if (sipsd_client_call(c, method, params, CALL_TIMEOUT_MS, &json, error) != SIPSD_OK)
        return fail(e, ERR_NOT_FOUND, "%s", error);
    *answer = cJSON_Parse(json);
    return *answer != NULL ? OK : fail(e, ERR_PARSE, "sipsd's answer cannot be read");
}

static const char *text_of(const cJSON *o, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, name));

    return text != NULL ? text : "";
}

static bool filter_from_name(const char *name, enum trust_filter *out)
{
    if (strcmp(name, "default") != 0 && strcmp(name, "custom") != 0 && strcmp(name, "all") != 0)
        return false;
    *out = name[0] == 'd' ? TRUST_DEFAULT : name[0] == 'c' ? TRUST_CUSTOM : TRUST_ALL;
    return true;
}

static RESULT read_rules(struct judgeopts *o, const cJSON *rules, struct judgeopts_server *server,
                         struct errinfo *e)
{
    const char *name = text_of(rules, "name");
    const double port = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(rules, "port"));

    if (!(port >= 0 && port <= UINT16_MAX) ||
        !filter_from_name(text_of(rules, "filter"), &o->filter) ||
        !peername_rules_from_name(text_of(rules, "rules"), &o->policy.rules) ||
        !certprofile_from_name(text_of(rules, "profile"), &o->policy.profile))
        return fail(e, ERR_PARSE, "sipsd's answer is not what this sipsctl knows");
    o->policy.check_trust =
        cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(rules, "check_trust")) != 0;
    o->has_name = name[0] != '\0';
    server->port = (uint16_t)port;
    (void)snprintf(server->host, sizeof server->host, "%s", text_of(rules, "host"));
    (void)snprintf(server->tls, sizeof server->tls, "%s", text_of(rules, "tls"));
    return o->has_name ? peername_parse(slice_of_str(name), &o->name, e) : OK;
}

static RESULT take_trusted(struct judgeopts *o, const cJSON *list, struct errinfo *e)
{
    const cJSON *c;

    cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(list, "certificates"))
        TRY(material_add_trusted(slice_of_str(text_of(c, "pem")), &o->trusted, e));
    return OK;
}

static RESULT ask_daemon(struct sipsd_client *c, struct judgeopts *o, int number,
                         struct judgeopts_server *server, struct errinfo *e)
{
    char params[64];
    cJSON *answer;

    (void)snprintf(params, sizeof params, "{\"account\":%d}", number);
    TRY(call(c, "account.rules", params, &answer, e));
    struct result r = read_rules(o, answer, server, e);
    cJSON_Delete(answer);
    TRY(r);
    TRY(call(c, "trust.list", "{\"filter\":\"custom\",\"pem\":true}", &answer, e));
    r = take_trusted(o, answer, e);
    cJSON_Delete(answer);
    return r;
}

RESULT judgeopts_of_account(struct judgeopts *o, int number, struct judgeopts_server *server,
                            struct errinfo *e)
{
    char error[SIPSD_ERROR_SIZE];
    struct sipsd_client *c;

    if (ctl_connect_control(&c, error) != SIPSD_OK)
        return fail(e, ERR_NOT_FOUND, "%s", error);
    const struct result r = ask_daemon(c, o, number, server, e);
    sipsd_client_free(c);
    return r;
}

/* --- what is made of them --- */

static void refused(void *arg, const char *name, const struct errinfo *why)
{
    (void)arg;
    (void)ctl_fail(CTL_OK, "a %s cannot be used: %s", name, why->text);
}

RESULT judgeopts_input(const struct judgeopts *o, struct verify_input *in, struct errinfo *e)
{
    struct trust *trust;
    struct crl *crls;

    TRY(material_trust(&o->trusted, refused, &trust, e));
    const struct result r = material_crls(&o->crls, &crls, e);
    if (is_err(r)) {
        trust_unref(trust);
        return r;
    }
    *in = (struct verify_input){
        .trust = trust,
        .filter = o->filter,
        .crls = crls,
        .crls_count = o->crls.count,
        .name = o->has_name ? &o->name : NULL,
        .now = {o->now_s, CLOCK_SET},
        .policy = &o->policy,
    };
    return OK;
}

void judgeopts_drop(struct verify_input *in)
{
    trust_unref((struct trust *)(uintptr_t)in->trust);
    free((struct crl *)(uintptr_t)in->crls);
}
