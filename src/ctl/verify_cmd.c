/* verify: judges a chain from files, exactly as the handshake judges it, without the daemon. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/ctl.h"
#include "ctl/judgement.h"
#include "ctl/material.h"
#include "pki/der_value.h"
#include "pki/verify.h"

#define POLICIES_MAX 16

struct job {
    struct material chain, trusted, crls;
    struct peername name;
    bool has_name, with_builtin;
    int64_t now_s;
    enum verify_purpose purpose;
    struct verify_policy policy;
    uint8_t oids[POLICIES_MAX][DER_OID_MAX];
    struct slice policies[POLICIES_MAX]; /* into OIDS */
};

static const char usage[] =
    "usage: sipsctl verify [OPTION]... CHAIN.pem\n\n"
    "Judges a certificate chain as sipsd would in a handshake: the peer's own certificate first,\n"
    "the others in any order.\n\n"
    "  --name NAME            the host name or address that it must be for; else any\n"
    "  --time T               the time to judge at: epoch seconds or ISO 8601, UTC; else now\n"
    "  --purpose P            server (as it is without the option), client, or any\n"
    "  --trusted FILE         trust what is in FILE, and no built-in certificate; may repeat\n"
    "  --builtin              trust the built-in certificates beside those\n"
    "  --crl FILE             revocation lists; may repeat\n"
    "  --rules R              how names match: rfc2818 (as without it), rfc9525, rfc5922\n"
    "  --profile P            how strict about form: public (as without it), or compatible\n"
    "  --policy OID           a certificate policy that is acceptable; may repeat\n"
    "  --require-policy, --inhibit-mapping, --inhibit-any\n"
    "                         the other inputs of RFC 5280 section 6.1.1\n"
    "  --json                 for scripts\n\n"
    "Exit status: 0 accepted, 1 refused, 2 could not run.\n";

/* --- options --- */

static RESULT set_purpose(struct job *j, const char *text, struct errinfo *e)
{
    static const char *const names[] = {
        [VERIFY_SERVER] = "server", [VERIFY_CLIENT] = "client", [VERIFY_ANY] = "any"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(text, names[i]) == 0) {
            j->purpose = (enum verify_purpose)i;
            return OK;
        }
    return fail(e, ERR_INVALID, "--purpose is server, client or any, not '%s'", text);
}

static RESULT set_profile(struct job *j, const char *text, struct errinfo *e)
{
    if (strcmp(text, "public") == 0)
        j->policy.profile = VERIFY_PROFILE_PUBLIC;
    else if (strcmp(text, "compatible") == 0)
        j->policy.profile = VERIFY_PROFILE_COMPATIBLE;
    else
        return fail(e, ERR_INVALID, "--profile is public or compatible, not '%s'", text);
    return OK;
}

static RESULT add_policy(struct job *j, const char *text, struct errinfo *e)
{
    struct policy_inputs *p = &j->policy.policies;
    size_t n;

    if (p->acceptable_count == POLICIES_MAX)
        return fail(e, ERR_LIMIT, "at most %d policies can be named", POLICIES_MAX);
    uint8_t *oid = j->oids[p->acceptable_count];
    if (!der_oid_from_text(text, oid, &n))
        return fail(e, ERR_INVALID, "--policy is an object identifier like 2.5.29.32.0, not '%s'",
                    text);
    j->policies[p->acceptable_count++] = slice_of(oid, n);
    p->acceptable = j->policies;
    return OK;
}

static RESULT set_option(struct job *j, int option, const char *value, struct errinfo *e)
{
    switch (option) {
    case 'n':
        j->has_name = true;
        return peername_parse(slice_of_str(value), &j->name, e);
    case 't':
        return clock_from_iso(value, &j->now_s)
                   ? OK
                   : fail(e, ERR_INVALID,
                          "--time is seconds since 1970 or like 2026-11-23T15:00:00Z, not '%s'",
                          value);
    case 'p':
        return set_purpose(j, value, e);
    case 'T':
        return material_read_trusted(value, &j->trusted, e);
    case 'b':
        j->with_builtin = true;
        return OK;
    case 'c':
        return material_read_crls(value, &j->crls, e);
    case 'r':
        return peername_rules_from_name(value, &j->policy.rules)
                   ? OK
                   : fail(e, ERR_INVALID, "--rules is rfc2818, rfc9525 or rfc5922, not '%s'",
                          value);
    case 'f':
        return set_profile(j, value, e);
    case 'P':
        return add_policy(j, value, e);
    case 'R':
        j->policy.policies.require_explicit = true;
        return OK;
    case 'M':
        j->policy.policies.inhibit_mapping = true;
        return OK;
    case 'A':
        j->policy.policies.inhibit_any = true;
        return OK;
    case 'j':
        ctl_options.json = true;
        return OK;
    default:
        return fail(e, ERR_INVALID, "see sipsctl verify --help");
    }
}

/* *ASKED: --help was given, and there is nothing else to do. */
static RESULT read_arguments(struct job *j, int argc, char **argv, bool *asked, struct errinfo *e)
{
    static const struct option options[] = {{"name", required_argument, NULL, 'n'},
                                            {"time", required_argument, NULL, 't'},
                                            {"purpose", required_argument, NULL, 'p'},
                                            {"trusted", required_argument, NULL, 'T'},
                                            {"builtin", no_argument, NULL, 'b'},
                                            {"crl", required_argument, NULL, 'c'},
                                            {"rules", required_argument, NULL, 'r'},
                                            {"profile", required_argument, NULL, 'f'},
                                            {"policy", required_argument, NULL, 'P'},
                                            {"require-policy", no_argument, NULL, 'R'},
                                            {"inhibit-mapping", no_argument, NULL, 'M'},
                                            {"inhibit-any", no_argument, NULL, 'A'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'h') {
            *asked = true;
            return OK;
        }
        TRY(set_option(j, c, optarg, e));
    }
    if (argc - optind != 1)
        return fail(e, ERR_INVALID, "one file with the chain is needed; see sipsctl verify --help");
    return material_read_chain(argv[optind], &j->chain, e);
}

/* --- the judgement --- */

static enum trust_filter filter_of(const struct job *j)
{
    if (j->trusted.count == 0)
        return TRUST_DEFAULT;
    return j->with_builtin ? TRUST_ALL : TRUST_CUSTOM;
}

static void refused(void *arg, const char *name, const struct errinfo *why)
{
    (void)arg;
    (void)ctl_fail(CTL_OK, "a %s cannot be used: %s", name, why->text);
}

static RESULT judge(const struct job *j, struct verdict *out, struct errinfo *e)
{
    struct trust *trust;
    struct crl *crls;

    TRY(material_trust(&j->trusted, refused, &trust, e));
    const struct result r = material_crls(&j->crls, &crls, e);
    if (is_ok(r)) {
        const struct verify_input in = {
            .chain = j->chain.list,
            .chain_len = j->chain.count,
            .trust = trust,
            .filter = filter_of(j),
            .crls = crls,
            .crls_count = j->crls.count,
            .name = j->has_name ? &j->name : NULL,
            .now = {j->now_s, CLOCK_SET},
            .purpose = j->purpose,
            .policy = &j->policy,
        };
        verify_chain(&in, out);
        free(crls);
    }
    trust_unref(trust);
    return r;
}

static int show(const struct verdict *v)
{
    if (ctl_options.json) {
        cJSON *o = judgement_json(v);
        char *text = o != NULL ? cJSON_PrintUnformatted(o) : NULL;
        cJSON_Delete(o);
        if (text == NULL)
            return ctl_fail(CTL_FAILED, "out of memory");
        (void)puts(text);
        cJSON_free(text);
    } else {
        judgement_print(v);
    }
    return verdict_accepted(v) ? CTL_OK : CTL_REFUSED;
}

int ctl_verify(int argc, char **argv)
{
    struct job j = {.now_s = (int64_t)time(NULL),
                    .policy = {.check_trust = true, .client_eku_required = true}};
    struct errinfo e = ERRINFO_INIT;
    struct verdict v;
    bool help = false;

    struct result r = read_arguments(&j, argc, argv, &help, &e);
    if (is_ok(r) && !help)
        r = judge(&j, &v, &e);
    material_free(&j.chain);
    material_free(&j.trusted);
    material_free(&j.crls);
    if (is_err(r))
        return ctl_fail(CTL_FAILED, "%s", errinfo_text(&e, r));
    if (help)
        return fputs(usage, stdout) >= 0 ? CTL_OK : CTL_FAILED;
    return show(&v);
}
