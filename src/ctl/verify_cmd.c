/* verify: judges a chain from files, exactly as the handshake judges it, without the daemon. */
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/judgement.h"
#include "ctl/judgeopts.h"

struct job {
    struct judgeopts how;
    struct material chain;
    enum verify_purpose purpose;
};

static const char usage[] =
    "usage: sipsctl verify [OPTION]... CHAIN.pem\n\n"
    "Judges a certificate chain as sipsd would in a handshake: the peer's own certificate first,\n"
    "the others in any order.\n\n"
    "  --name NAME            the host name or address that it must be for; else any\n"
    "  --purpose P            server (as it is without the option), client, or "
    "any\n" JUDGEOPTS_USAGE "\nExit status: 0 accepted, 1 refused, 2 could not run.\n";

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

/* *ASKED: --help was given, and there is nothing else to do. */
static RESULT read_arguments(struct job *j, int argc, char **argv, bool *asked, struct errinfo *e)
{
    enum { PURPOSE = JUDGEOPTS_END, HELP };
    static const struct option options[] = {JUDGEOPTS_ROWS,
                                            {"purpose", required_argument, NULL, PURPOSE},
                                            {"help", no_argument, NULL, HELP},
                                            {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == HELP) {
            *asked = true;
            return OK;
        }
        if (c == PURPOSE)
            TRY(set_purpose(j, optarg, e));
        else if (c < JUDGEOPTS_END)
            TRY(judgeopts_set(&j->how, c, optarg, e));
        else
            return fail(e, ERR_INVALID, "see sipsctl verify --help");
    }
    if (argc - optind != 1)
        return fail(e, ERR_INVALID, "one file with the chain is needed; see sipsctl verify --help");
    return material_read_chain(argv[optind], &j->chain, e);
}

/* --- the judgement --- */

static RESULT judge(const struct job *j, struct verdict *out, struct errinfo *e)
{
    struct verify_input in;

    TRY(judgeopts_input(&j->how, &in, e));
    in.chain = j->chain.list;
    in.chain_len = j->chain.count;
    in.purpose = j->purpose;
    verify_chain(&in, out);
    judgeopts_drop(&in);
    return OK;
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
    struct job j = {.purpose = VERIFY_SERVER};
    struct errinfo e = ERRINFO_INIT;
    struct verdict v;
    bool help = false;

    judgeopts_init(&j.how);
    j.how.policy.client_eku_required = true;
    struct result r = read_arguments(&j, argc, argv, &help, &e);
    if (is_ok(r) && !help)
        r = judge(&j, &v, &e);
    material_free(&j.chain);
    judgeopts_free(&j.how);
    if (is_err(r))
        return ctl_fail(CTL_FAILED, "%s", errinfo_text(&e, r));
    if (help)
        return fputs(usage, stdout) >= 0 ? CTL_OK : CTL_FAILED;
    return show(&v);
}
