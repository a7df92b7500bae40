#include "ctl/ctl.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/wipe.h"

/* An identity is tried with real handshakes before it is taken, which a slow phone needs time for.
 */
#define CALL_TIMEOUT_MS 30000

struct ctl_options ctl_options = {.run_dir = "/run/sipsd"};

int ctl_fail(int status, const char *fmt, ...)
{
    va_list ap;
    (void)fflush(stdout); /* the complaint comes after what was shown */
    (void)fputs("sipsctl: ", stderr);
    va_start(ap, fmt);
    (void)vfprintf(stderr, fmt, ap);
    va_end(ap);
    (void)fputc('\n', stderr);
    return status;
}

int ctl_no_arguments(int argc, char **argv)
{
    return argc == 1 ? CTL_OK
                     : ctl_fail(CTL_FAILED, "'%s' takes no argument '%s'", argv[0], argv[1]);
}

static enum sipsd_status connect_to(const char *name, struct sipsd_client **out, char *error)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", ctl_options.run_dir, name);
    return sipsd_client_connect(path, out, error);
}

enum sipsd_status ctl_connect_control(struct sipsd_client **out, char *error)
{
    return connect_to("control.sock", out, error);
}

enum sipsd_status ctl_connect_events(struct sipsd_client **out, char *error)
{
    char second[SIPSD_ERROR_SIZE]; /* the first socket's complaint is the one to show */
    const enum sipsd_status status = connect_to("events.sock", out, error);
    if (status == SIPSD_OK || connect_to("control.sock", out, second) != SIPSD_OK)
        return status;
    return SIPSD_OK;
}

int ctl_call_failed(enum sipsd_status status, const char *error)
{
    return ctl_fail(status == SIPSD_REFUSED ? CTL_REFUSED : CTL_FAILED, "%s", error);
}

int ctl_call_on(struct sipsd_client *c, const char *method, const char *params, ctl_show *show)
{
    char error[SIPSD_ERROR_SIZE];
    const char *json;
    const enum sipsd_status status =
        sipsd_client_call(c, method, params, CALL_TIMEOUT_MS, &json, error);
    if (status != SIPSD_OK)
        return ctl_call_failed(status, error);
    if (ctl_options.json)
        (void)puts(json);
    else
        show(json);
    return CTL_OK;
}

int ctl_call_and_show(const char *method, const char *params, ctl_show *show)
{
    char error[SIPSD_ERROR_SIZE];
    struct sipsd_client *c;
    const enum sipsd_status status = ctl_connect_control(&c, error);
    if (status != SIPSD_OK)
        return ctl_call_failed(status, error);
    const int exit_status = ctl_call_on(c, method, params, show);
    sipsd_client_free(c);
    return exit_status;
}

int ctl_confirm(const char *question)
{
    char answer[16];
    if (isatty(STDIN_FILENO) != 1)
        return ctl_fail(CTL_FAILED,
                        "there is nobody to ask: say --yes to do it without a question");
    (void)fflush(stdout);
    (void)fprintf(stderr, "%s [y/N] ", question);
    if (fgets(answer, sizeof answer, stdin) == NULL)
        answer[0] = '\0';
    if (answer[0] == 'y' || answer[0] == 'Y')
        return CTL_OK;
    return ctl_fail(CTL_REFUSED, "nothing was done");
}

const char *ctl_text(const struct cJSON *object, const char *name)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return s != NULL ? s : "";
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than this program made it */
static void wipe_texts(struct cJSON *json)
{
    for (; json != NULL; json = json->next) {
        if (json->valuestring != NULL)
            wipe(json->valuestring, strlen(json->valuestring));
        wipe_texts(json->child);
    }
}

char *ctl_take_params(struct cJSON *params)
{
    char *text = params != NULL ? cJSON_PrintUnformatted(params) : NULL;
    wipe_texts(params);
    cJSON_Delete(params);
    return text;
}

void ctl_free_params(char *text)
{
    wipe_free_str(text);
}
