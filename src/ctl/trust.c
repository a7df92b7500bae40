/* trust: the certificates that the phone trusts. */
#include <cjson/cJSON.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/files.h"
#include "ctl/term.h"

static const char usage_text[] =
    "usage: sipsctl trust list [default|custom|all] [--pem] | add FILE... | "
    "remove NAME|SHA256 | clear";

static int usage(void)
{
    return ctl_fail(CTL_FAILED, "%s", usage_text);
}

/* --- list --- */

static void show_one(const cJSON *c)
{
    const bool custom = strcmp(ctl_text(c, "source"), "custom") == 0;
    term_put(stdout, ctl_text(c, "name"), 36);
    (void)printf(" %.10s %.16s ", ctl_text(c, "not_after"), ctl_text(c, "sha256"));
    (void)fputs(custom ? "custom: " : "built in", stdout);
    if (custom)
        term_put(stdout, ctl_text(c, "file"), term_width(ctl_text(c, "file")));
    (void)puts(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(c, "expired")) ? ", expired" : "");
}

static void show_list(const char *json)
{
    cJSON *answer = cJSON_Parse(json);
    const cJSON *c;
    (void)printf("%-36s %-10s %-16s %s\n", "NAME", "EXPIRES", "SHA-256", "SOURCE");
    cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(answer, "certificates"))
    {
        show_one(c);
    }
    cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(answer, "complaints"))
    {
        (void)fputs("! ", stdout);
        term_put(stdout, ctl_text(c, "file"), term_width(ctl_text(c, "file")));
        (void)fputc(' ', stdout);
        term_put(stdout, ctl_text(c, "sentence"), term_width(ctl_text(c, "sentence")));
        (void)fputc('\n', stdout);
    }
    cJSON_Delete(answer);
}

static void show_pem(const char *json)
{
    cJSON *answer = cJSON_Parse(json);
    const cJSON *c;
    cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(answer, "certificates"))
    {
        (void)printf("# %s, %s\n%s", ctl_text(c, "name"), ctl_text(c, "source"),
                     ctl_text(c, "pem"));
    }
    cJSON_Delete(answer);
}

static int list(int argc, char **argv)
{
    static const struct option options[] = {{"pem", no_argument, NULL, 'p'}, {NULL, 0, NULL, 0}};
    bool pem = false;
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c != 'p')
            return CTL_FAILED;
        pem = true;
    }
    const char *filter = optind < argc ? argv[optind] : "all";
    if (argc - optind > 1 || (strcmp(filter, "all") != 0 && strcmp(filter, "default") != 0 &&
                              strcmp(filter, "custom") != 0))
        return usage();
    char params[64];
    (void)snprintf(params, sizeof params, "{\"filter\":\"%s\",\"pem\":%s}", filter,
                   pem ? "true" : "false");
    return ctl_call_and_show("trust.list", params, pem ? show_pem : show_list);
}

/* --- add --- */

static void show_added(const char *json)
{
    cJSON *answer = cJSON_Parse(json);
    const cJSON *file, *item;
    cJSON_ArrayForEach(file, cJSON_GetObjectItemCaseSensitive(answer, "files"))
    {
        cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(file, "certificates"))
        {
            const char *sentence = ctl_text(item, "sentence");
            term_put(stdout, sentence, term_width(sentence));
            (void)fputc('\n', stdout);
        }
        if (ctl_text(file, "upload")[0] != '\0')
            (void)printf("%s is kept as %s\n", ctl_text(file, "name"), ctl_text(file, "upload"));
    }
    cJSON_Delete(answer);
}

static int add_files(struct sipsd_client *c, const struct files *files)
{
    int status = CTL_FAILED;
    cJSON *list_of_files = files_describe(files, c, &status);
    if (list_of_files == NULL)
        return status;
    cJSON *params = cJSON_CreateObject();
    if (!cJSON_AddItemToObject(params, "files", list_of_files))
        cJSON_Delete(list_of_files);
    char *text = ctl_take_params(params);
    if (text == NULL)
        return ctl_fail(CTL_FAILED, "out of memory");
    status = ctl_call_on(c, "trust.add", text, show_added);
    ctl_free_params(text);
    return status;
}

static int add(int argc, char **argv)
{
    char error[SIPSD_ERROR_SIZE];
    struct sipsd_client *c;
    struct files files = {.count = 0};
    int status = argc > 1 ? CTL_OK : usage();
    for (int i = 1; i < argc && status == CTL_OK; i++)
        status = files_read(&files, argv[i]);
    if (status == CTL_OK) {
        const enum sipsd_status connected = ctl_connect_control(&c, error);
        if (connected != SIPSD_OK) {
            status = ctl_call_failed(connected, error);
        } else {
            status = add_files(c, &files);
            sipsd_client_free(c);
        }
    }
    files_clear(&files);
    return status;
}

/* --- remove, clear --- */

static void show_removed(const char *json)
{
    cJSON *answer = cJSON_Parse(json);
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(answer, "removed");
    if (cJSON_IsNumber(n))
        (void)printf(n->valueint == 1 ? "%d certificate removed\n" : "%d certificates removed\n",
                     n->valueint);
    cJSON_Delete(answer);
}

static int remove_one(const char *which)
{
    cJSON *params = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(params, "certificate", which);
    char *text = ctl_take_params(params);
    if (text == NULL)
        return ctl_fail(CTL_FAILED, "out of memory");
    const int status = ctl_call_and_show("trust.remove", text, show_removed);
    ctl_free_params(text);
    return status;
}

int ctl_trust(int argc, char **argv)
{
    const char *what = argc >= 2 ? argv[1] : "";
    if (strcmp(what, "list") == 0)
        return list(argc - 1, argv + 1);
    if (strcmp(what, "add") == 0)
        return add(argc - 1, argv + 1);
    if (strcmp(what, "remove") == 0 && argc == 3)
        return remove_one(argv[2]);
    if (strcmp(what, "clear") == 0 && argc == 2)
        return ctl_call_and_show("trust.clear", NULL, show_removed);
    return usage();
}
