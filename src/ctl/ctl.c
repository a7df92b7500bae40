#include "ctl/ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CALL_TIMEOUT_MS 5000

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

int ctl_call_and_show(const char *method, const char *params, ctl_show *show)
{
    char error[SIPSD_ERROR_SIZE];
    struct sipsd_client *c;
    const char *json;
    enum sipsd_status status = ctl_connect_control(&c, error);
    if (status != SIPSD_OK)
        return ctl_call_failed(status, error);
    status = sipsd_client_call(c, method, params, CALL_TIMEOUT_MS, &json, error);
    if (status == SIPSD_OK && ctl_options.json)
        (void)puts(json);
    else if (status == SIPSD_OK)
        show(json);
    sipsd_client_free(c);
    return status == SIPSD_OK ? CTL_OK : ctl_call_failed(status, error);
}
