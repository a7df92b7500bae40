/* trust list: the certificates that the phone trusts. */
#include <cjson/cJSON.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/term.h"

static const char *text_of(const cJSON *object, const char *name)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return s != NULL ? s : "";
}

static void show_list(const char *json)
{
    cJSON *answer = cJSON_Parse(json);
    const cJSON *c;
    (void)printf("%-36s %-10s %-8s %-12s %s\n", "NAME", "EXPIRES", "SOURCE", "KEY", "SHA-256");
    cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(answer, "certificates"))
    {
        term_put(stdout, text_of(c, "name"), 36);
        (void)printf(" %.10s ", text_of(c, "not_after"));
        term_put(stdout, text_of(c, "source"), 8);
        (void)fputc(' ', stdout);
        term_put(stdout, text_of(c, "key"), 12);
        (void)printf(" %.8s%s\n", text_of(c, "sha256"),
                     cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(c, "expired")) ? "  expired"
                                                                                  : "");
    }
    cJSON_Delete(answer);
}

static void show_pem(const char *json)
{
    cJSON *answer = cJSON_Parse(json);
    const cJSON *c;
    cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(answer, "certificates"))(void)
        printf("# %s, %s\n%s", text_of(c, "name"), text_of(c, "source"), text_of(c, "pem"));
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
        return ctl_fail(CTL_FAILED, "usage: sipsctl trust list [default|custom|all] [--pem]");
    char params[64];
    (void)snprintf(params, sizeof params, "{\"filter\":\"%s\",\"pem\":%s}", filter,
                   pem ? "true" : "false");
    return ctl_call_and_show("trust.list", params, pem ? show_pem : show_list);
}

int ctl_trust(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "list") == 0)
        return list(argc - 1, argv + 1);
    return ctl_fail(CTL_FAILED, "usage: sipsctl trust list [default|custom|all] [--pem]");
}
