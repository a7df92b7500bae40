/* probe: asks a server for its certificates, and says what an account would make of them. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "ctl/ctl.h"
#include "ctl/judgement.h"
#include "ctl/judgeopts.h"
#include "ctl/probe.h"
#include "sys/entropy.h"
#include "sys/store.h"
#include "tls/alert.h"

#define SIPS_PORT 5061 /* RFC 3261 section 19.1.2 */

struct job {
    struct probe_question question;
    struct judgeopts how;
    struct judgeopts_server server;
    const char *cert, *key;
    int account; /* 0: none was named */
};

static const char usage[] =
    "usage: sipsctl probe [OPTION]... HOST[:PORT]\n"
    "       sipsctl probe [OPTION]... --account N [HOST[:PORT]]\n\n"
    "Makes a real TLS handshake with a SIP server (port 5061) and judges it as sipsd would.\n"
    "Nothing is registered, and sipsd need not run.\n\n"
    "  --account N            judge as sipsd does for its account N, with its trusted "
    "certificates;\n"
    "                         options behind it change that\n"
    "  --name NAME            the name that its certificate must be for; else HOST\n"
    "  --cert FILE            our certificate and chain, for a server that asks for one\n"
    "  --key FILE             its private key, if that is not in the same file\n"
    "  --tls V                1.2 or 1.3 alone\n" JUDGEOPTS_USAGE
    "\nExit status: 0 accepted, 1 refused by either side, 2 could not be asked.\n";

/* --- options --- */

/* "host", "host:5061", "192.0.2.1:5061", "[2001:db8::1]:5061", "2001:db8::1". */
static RESULT read_target(struct job *j, const char *text, struct errinfo *e)
{
    struct slice host = slice_of_str(text);
    uint64_t port = SIPS_PORT;
    const char *colon = strrchr(text, ':');
    const bool bracketed = text[0] == '[';
    const bool has_port =
        colon != NULL && (bracketed ? colon[-1] == ']' : strchr(text, ':') == colon);

    if (has_port) {
        host = slice_first(host, (size_t)(colon - text));
        if (!slice_to_u64(slice_of_str(colon + 1), UINT16_MAX, &port) || port == 0)
            return fail(e, ERR_INVALID, "'%s' is no port", colon + 1);
    }
    if (bracketed && host.n > 2 && host.p[host.n - 1] == ']')
        host = slice_of(host.p + 1, host.n - 2);
    if (host.n == 0 || !slice_to_str(host, j->server.host, sizeof j->server.host))
        return fail(e, ERR_INVALID, "'%s' is no host", text);
    j->server.port = (uint16_t)port;
    if (j->how.has_name || j->account != 0) /* the account's name, or none if it checks none */
        return OK;
    j->how.has_name = true;
    return peername_parse(host, &j->how.name, e);
}

static RESULT set_tls(struct job *j, const char *text, struct errinfo *e)
{
    if (strcmp(text, "1.2") == 0)
        j->question.versions = TLS_1_2_ONLY;
    else if (strcmp(text, "1.3") == 0)
        j->question.versions = TLS_1_3_ONLY;
    else
        return fail(e, ERR_INVALID, "--tls is 1.2 or 1.3, not '%s'", text);
    return OK;
}

static RESULT set_account(struct job *j, const char *text, struct errinfo *e)
{
    uint64_t number;

    if (!slice_to_u64(slice_of_str(text), LIMIT_ACCOUNTS, &number) || number == 0)
        return fail(e, ERR_INVALID, "--account is a number from 1 to %d, not '%s'", LIMIT_ACCOUNTS,
                    text);
    j->account = (int)number;
    TRY(judgeopts_of_account(&j->how, j->account, &j->server, e));
    return strcmp(j->server.tls, "any") == 0 ? OK : set_tls(j, j->server.tls, e);
}

enum { ACCOUNT = JUDGEOPTS_END, CERT, KEY, TLS, HELP };

static RESULT set_option(struct job *j, int option, const char *value, struct errinfo *e)
{
    switch (option) {
    case ACCOUNT:
        return set_account(j, value, e);
    case CERT:
        j->cert = value;
        return OK;
    case KEY:
        j->key = value;
        return OK;
    case TLS:
        return set_tls(j, value, e);
    default:
        if (option >= JUDGEOPTS_END)
            return fail(e, ERR_INVALID, "see sipsctl probe --help");
        return judgeopts_set(&j->how, option, value, e);
    }
}

/* *ASKED: --help was given, and there is nothing else to do. */
static RESULT read_arguments(struct job *j, int argc, char **argv, bool *asked, struct errinfo *e)
{
    static const struct option options[] = {JUDGEOPTS_ROWS,
                                            {"account", required_argument, NULL, ACCOUNT},
                                            {"cert", required_argument, NULL, CERT},
                                            {"key", required_argument, NULL, KEY},
                                            {"tls", required_argument, NULL, TLS},
                                            {"help", no_argument, NULL, HELP},
                                            {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == HELP) {
            *asked = true;
            return OK;
        }
        TRY(set_option(j, c, optarg, e));
    }
    if (j->key != NULL && j->cert == NULL)
        return fail(e, ERR_INVALID, "--key goes with --cert");
    if (argc == optind && j->account != 0)
        return OK;
    if (argc - optind != 1)
        return fail(e, ERR_INVALID, "one server is needed; see sipsctl probe --help");
    return read_target(j, argv[optind], e);
}

/* --- our certificate --- */

static RESULT load_identity(struct job *j, struct errinfo *e)
{
    struct buf cert, key;

    if (j->cert == NULL)
        return OK;
    buf_init(&cert, LIMIT_CERT_FILE_BYTES);
    buf_init(&key, LIMIT_CERT_FILE_BYTES);
    struct result r = store_read(j->cert, &cert, e);
    if (is_ok(r) && j->key != NULL)
        r = store_read(j->key, &key, e);
    if (is_ok(r)) {
        r = identity_load(buf_slice(&cert), buf_slice(&key), SLICE_EMPTY, &entropy_system,
                          &j->question.identity, e);
        errinfo_context(e, "%s", j->cert);
    }
    buf_wipe(&cert);
    buf_wipe(&key);
    return r;
}

/* --- asking --- */

static RESULT ask(struct job *j, struct probe_answer *out, struct errinfo *e)
{
    struct probe_question *q = &j->question;

    TRY(load_identity(j, e));
    TRY(judgeopts_input(&j->how, &q->judgement, e));
    q->judgement.purpose = VERIFY_SERVER;
    q->host = j->server.host;
    q->port = j->server.port != 0 ? j->server.port : SIPS_PORT;
    q->server_name = j->how.has_name ? j->how.name.text : j->server.host;
    const struct result r = probe_run(q, out, e);
    judgeopts_drop(&q->judgement);
    return r;
}

/* --- the answer --- */

static int status_of(const struct probe_answer *a)
{
    if (a->verdict.class == VERDICT_NONE)
        return CTL_FAILED;
    return a->open && verdict_accepted(&a->verdict) ? CTL_OK : CTL_REFUSED;
}

static void print_answer(const struct job *j, const struct probe_answer *a)
{
    char address[ADDR_TEXT_SIZE];

    if (a->verdict.class != VERDICT_NONE)
        judgement_print(&a->verdict);
    if (!a->open && a->verdict.class == VERDICT_NONE)
        (void)printf("%s\n", a->error.text);
    else if (!a->open && verdict_accepted(&a->verdict))
        (void)printf("Yet there is no connection: %s\n", a->error.text);
    if (!a->connected)
        return;
    addr_format(&a->remote, address);
    (void)printf("%s at %s", j->server.host, address);
    if (a->facts.version != NULL)
        (void)printf(": %s", a->facts.version);
    if (a->facts.cipher != NULL)
        (void)printf(", %s", a->facts.cipher);
    (void)puts(a->facts.sent_certificate ? "; it asked for our certificate" : "");
}

static void add_text(cJSON *to, const char *name, const char *text)
{
    if (text != NULL)
        (void)cJSON_AddStringToObject(to, name, text);
    else
        (void)cJSON_AddNullToObject(to, name);
}

static int print_json(const struct probe_answer *a)
{
    char address[ADDR_TEXT_SIZE] = "";
    cJSON *o = judgement_json(&a->verdict);

    if (a->connected)
        addr_format(&a->remote, address);
    (void)cJSON_AddBoolToObject(o, "open", a->open);
    add_text(o, "address", a->connected ? address : NULL);
    add_text(o, "protocol", a->facts.version);
    add_text(o, "cipher", a->facts.cipher);
    (void)cJSON_AddBoolToObject(o, "sent_certificate", a->facts.sent_certificate);
    add_text(o, "alert_received",
             a->facts.alert_received >= 0 ? tls_alert_name(a->facts.alert_received) : NULL);
    add_text(o, "error", a->open ? NULL : a->error.text);
    char *text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    if (text == NULL)
        return ctl_fail(CTL_FAILED, "out of memory");
    (void)puts(text);
    cJSON_free(text);
    return status_of(a);
}

static int64_t epoch_s(void)
{
    return (int64_t)time(NULL);
}

int ctl_probe(int argc, char **argv)
{
    struct job j = {.account = 0};
    struct probe_answer answer;
    struct errinfo e = ERRINFO_INIT;
    bool help = false;

    judgeopts_init(&j.how);
    struct result r = read_arguments(&j, argc, argv, &help, &e);
    if (is_ok(r) && !help)
        r = tls_global_init(&entropy_system, epoch_s, &e);
    if (is_ok(r) && !help)
        r = ask(&j, &answer, &e);
    identity_unref(j.question.identity);
    judgeopts_free(&j.how);
    if (!help)
        tls_global_free();
    if (is_err(r))
        return ctl_fail(CTL_FAILED, "%s", errinfo_text(&e, r));
    if (help)
        return fputs(usage, stdout) >= 0 ? CTL_OK : CTL_FAILED;
    if (ctl_options.json)
        return print_json(&answer);
    print_answer(&j, &answer);
    return status_of(&answer);
}
