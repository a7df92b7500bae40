/* rejected: servers whose certificates were refused, and the way to trust one. */
#include <cjson/cJSON.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/term.h"

#define CALL_TIMEOUT_MS 5000

static int usage(void)
{
    return ctl_fail(CTL_FAILED, "usage: sipsctl rejected list [--account N] | show ID | "
                                "trust ID [--yes]");
}

static void put_line(const char *before, const char *text)
{
    (void)fputs(before, stdout);
    term_put(stdout, text, term_width(text));
    (void)fputc('\n', stdout);
}

static double number(const cJSON *object, const char *name)
{
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(n) ? n->valuedouble : 0;
}

static bool read_number(const char *text, unsigned long *out)
{
    char *end;
    *out = strtoul(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && *out < 1000000000;
}

/* True if TEXT is a number from 1 up. */
static bool read_id(const char *text, unsigned long *out)
{
    return read_number(text, out) && *out >= 1;
}

/* --- list --- */

static void show_list(const char *json)
{
    cJSON *answer = cJSON_Parse(json);
    const cJSON *r;
    (void)printf("%4s %2s %-24s %5s %-20s %s\n", "ID", "NO", "SERVER", "TIMES", "LAST", "WHY");
    cJSON_ArrayForEach(r, cJSON_GetObjectItemCaseSensitive(answer, "rejected"))
    {
        (void)printf("%4.0f %2.0f ", number(r, "id"), number(r, "account"));
        term_put(stdout, ctl_text(r, "host"), 24);
        (void)printf(" %5.0f %-20.20s ", number(r, "count"), ctl_text(r, "last"));
        put_line("", ctl_text(r, "sentence"));
    }
    cJSON_Delete(answer);
}

static int list(int argc, char **argv)
{
    static const struct option options[] = {{"account", required_argument, NULL, 'a'},
                                            {NULL, 0, NULL, 0}};
    char params[64] = "{}";
    unsigned long account;
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c != 'a')
            return CTL_FAILED;
        if (!read_number(optarg, &account)) /* 0: servers that files were to be fetched from */
            return ctl_fail(CTL_FAILED, "'%s' is no account number", optarg);
        (void)snprintf(params, sizeof params, "{\"account\":%lu}", account);
    }
    if (optind != argc)
        return usage();
    return ctl_call_and_show("rejected.list", params, show_list);
}

/* --- show --- */

static void show_certificate(const cJSON *c)
{
    put_line("  Certificate: ", ctl_text(c, "name"));
    put_line("  Subject:     ", ctl_text(c, "subject"));
    (void)printf("  Valid:       %.10s to %.10s\n", ctl_text(c, "not_before"),
                 ctl_text(c, "not_after"));
    put_line("  Key:         ", ctl_text(c, "key"));
    put_line("  SHA-256:     ", ctl_text(c, "sha256"));
}

static void show_parsed(const cJSON *answer)
{
    const cJSON *c;
    const cJSON *candidate = cJSON_GetObjectItemCaseSensitive(answer, "candidate");
    if (number(answer, "account") == 0)
        (void)fputs("Provisioning, ", stdout);
    else
        (void)printf("Account %.0f, ", number(answer, "account"));
    put_line("server ", ctl_text(answer, "host"));
    put_line("Refused: ", ctl_text(answer, "sentence"));
    (void)puts("It sent:");
    cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(answer, "chain"))
    {
        (void)fputs("  ", stdout);
        term_put(stdout, cJSON_IsNull(c) ? "(not readable)" : ctl_text(c, "name"), 36);
        (void)printf(" %.10s %.16s\n", ctl_text(c, "not_after"), ctl_text(c, "sha256"));
    }
    put_line("", ctl_text(answer, "advice"));
    if (cJSON_IsObject(candidate))
        show_certificate(candidate);
}

static void show_one(const char *json)
{
    cJSON *answer = cJSON_Parse(json);
    show_parsed(answer);
    cJSON_Delete(answer);
}

static int show(const char *text)
{
    char params[64];
    unsigned long id;
    if (!read_id(text, &id))
        return usage();
    (void)snprintf(params, sizeof params, "{\"id\":%lu}", id);
    return ctl_call_and_show("rejected.show", params, show_one);
}

/* --- trust --- */

static void show_trusted(const char *json)
{
    cJSON *answer = cJSON_Parse(json);
    const cJSON *file = cJSON_GetObjectItemCaseSensitive(answer, "file");
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(file, "certificates"))
    {
        put_line("", ctl_text(item, "sentence"));
    }
    if (ctl_text(file, "upload")[0] != '\0')
        put_line("It is kept as ", ctl_text(file, "upload"));
    cJSON_Delete(answer);
}

/* The person has seen what ANSWER has; what is trusted is that, or nothing. */
static int trust_shown(struct sipsd_client *c, const cJSON *answer, unsigned long id)
{
    char params[160];
    const cJSON *candidate = cJSON_GetObjectItemCaseSensitive(answer, "candidate");
    if (!cJSON_IsObject(candidate))
        return ctl_fail(CTL_REFUSED, "%s", ctl_text(answer, "advice"));
    (void)snprintf(params, sizeof params, "{\"id\":%lu,\"sha256\":\"%.64s\"}", id,
                   ctl_text(candidate, "sha256"));
    return ctl_call_on(c, "rejected.trust", params, show_trusted);
}

static int ask_and_trust(struct sipsd_client *c, unsigned long id, bool yes)
{
    char error[SIPSD_ERROR_SIZE], params[64];
    const char *json;
    (void)snprintf(params, sizeof params, "{\"id\":%lu}", id);
    const enum sipsd_status asked =
        sipsd_client_call(c, "rejected.show", params, CALL_TIMEOUT_MS, &json, error);
    if (asked != SIPSD_OK)
        return ctl_call_failed(asked, error);
    cJSON *answer = cJSON_Parse(json);
    int status = CTL_OK;
    if (!ctl_options.json)
        show_parsed(answer);
    if (!yes && cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(answer, "candidate")))
        status = ctl_confirm("Trust this certificate from now on?");
    if (status == CTL_OK)
        status = trust_shown(c, answer, id);
    cJSON_Delete(answer);
    return status;
}

static int trust(int argc, char **argv)
{
    static const struct option options[] = {{"yes", no_argument, NULL, 'y'}, {NULL, 0, NULL, 0}};
    char error[SIPSD_ERROR_SIZE];
    struct sipsd_client *client;
    unsigned long id;
    bool yes = false;
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c != 'y')
            return CTL_FAILED;
        yes = true;
    }
    if (optind + 1 != argc || !read_id(argv[optind], &id))
        return usage();
    const enum sipsd_status connected = ctl_connect_control(&client, error);
    if (connected != SIPSD_OK)
        return ctl_call_failed(connected, error);
    const int status = ask_and_trust(client, id, yes);
    sipsd_client_free(client);
    return status;
}

int ctl_rejected(int argc, char **argv)
{
    const char *what = argc >= 2 ? argv[1] : "";
    if (strcmp(what, "list") == 0)
        return list(argc - 1, argv + 1);
    if (strcmp(what, "show") == 0 && argc == 3)
        return show(argv[2]);
    if (strcmp(what, "trust") == 0)
        return trust(argc - 1, argv + 1);
    return usage();
}
