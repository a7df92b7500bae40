/* relay: the messages of the phone's calls and registrations as they pass, until it is interrupted.
 */
#include <cjson/cJSON.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/ctl.h"
#include "ctl/term.h"

#define CALL_TIMEOUT_MS 5000

static const char usage[] =
    "usage: sipsctl relay [--account NUMBER] [--bodies]\n\n"
    "Shows the SIP messages of calls and registrations as they pass, until it is interrupted: "
    "their\n"
    "header fields, never credentials; and with --bodies their bodies, without keys.\n";

struct wish {
    int account; /* 0: all */
    bool bodies;
};

static const char *text_of(const cJSON *o, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, name));
    return text != NULL ? text : "";
}

/* Not wrapped, not cut: it is for reading closely. */
static void show_line(const char *text)
{
    term_put(stdout, text, term_width(text));
    (void)fputc('\n', stdout);
}

static void show_lines(const cJSON *lines)
{
    const cJSON *line;
    cJSON_ArrayForEach(line, lines)
    {
        (void)fputs("    ", stdout);
        show_line(cJSON_IsString(line) ? line->valuestring : "");
    }
}

static void show_message(const cJSON *m, int account)
{
    char at[16];
    struct tm local;
    const time_t now = time(NULL);
    const cJSON *body = cJSON_GetObjectItemCaseSensitive(m, "body");
    (void)strftime(at, sizeof at, "%H:%M:%S", localtime_r(&now, &local));
    (void)printf("%s  account %d  %s  ", at, account,
                 strcmp(text_of(m, "direction"), "out") == 0 ? "->" : "<-");
    show_line(text_of(m, "first"));
    show_lines(cJSON_GetObjectItemCaseSensitive(m, "headers"));
    if (cJSON_GetArraySize(body) > 0) {
        (void)fputc('\n', stdout);
        show_lines(body);
    }
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(m, "cut")))
        (void)puts("    (the rest is not shown)");
    (void)fputc('\n', stdout);
}

static void take(const struct sipsd_event *ev, const struct wish *w)
{
    if (ev->type == SIPSD_EVENT_SNAPSHOT_BEGIN)
        (void)ctl_fail(0, "some messages may be missing: there were too many at once");
    if (ev->type != SIPSD_EVENT_OTHER || strcmp(ev->method, "message") != 0)
        return;
    cJSON *m = cJSON_Parse(ev->json);
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(m, "account");
    const int account = cJSON_IsNumber(number) ? number->valueint : 0;
    if (w->account != 0 && w->account != account)
        ; /* not asked for */
    else if (ctl_options.json)
        (void)puts(ev->json);
    else
        show_message(m, account);
    (void)fflush(stdout);
    cJSON_Delete(m);
}

static int watch(struct sipsd_client *c, const struct wish *w)
{
    char error[SIPSD_ERROR_SIZE];
    struct sipsd_event ev;
    for (;;) {
        enum sipsd_status status;
        while ((status = sipsd_client_next(c, &ev, error)) == SIPSD_OK)
            take(&ev, w);
        if (status != SIPSD_AGAIN)
            return ctl_fail(CTL_FAILED, "%s", error);
        if (ferror(stdout))
            return CTL_OK; /* whoever read it has left */
        struct pollfd fd = {.fd = sipsd_client_fd(c), .events = POLLIN};
        (void)poll(&fd, 1, -1);
    }
}

/* CTL_OK, or the exit status. */
static int read_options(int argc, char **argv, struct wish *w, bool *done)
{
    static const struct option options[] = {
        {"account", required_argument, NULL, 'a'},
        {"bodies", no_argument, NULL, 'b'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        char *end = NULL;
        switch (c) {
        case 'a':
            w->account = (int)strtol(optarg, &end, 10);
            if (*optarg == '\0' || *end != '\0' || w->account < 1)
                return ctl_fail(CTL_FAILED, "'%s' is not the number of an account", optarg);
            break;
        case 'b':
            w->bodies = true;
            break;
        case 'h':
            (void)fputs(usage, stdout);
            *done = true;
            return CTL_OK;
        default:
            return CTL_FAILED; /* getopt said why */
        }
    }
    return optind == argc ? CTL_OK
                          : ctl_fail(CTL_FAILED, "relay takes no argument '%s'", argv[optind]);
}

int ctl_relay(int argc, char **argv)
{
    char error[SIPSD_ERROR_SIZE];
    struct sipsd_client *c;
    const char *json;
    struct wish w = {0};
    bool done = false;
    int exit_status = read_options(argc, argv, &w, &done);
    if (done || exit_status != CTL_OK)
        return exit_status;
    enum sipsd_status status = ctl_connect_control(&c, error);
    if (status != SIPSD_OK)
        return ctl_call_failed(status, error);
    status = sipsd_client_call(c, "subscribe",
                               w.bodies ? "{\"topics\":[\"messages\",\"bodies\"]}"
                                        : "{\"topics\":[\"messages\"]}",
                               CALL_TIMEOUT_MS, &json, error);
    if (status == SIPSD_OK) {
        (void)ctl_fail(0, "listening; Ctrl-C ends it");
        exit_status = watch(c, &w);
    } else {
        exit_status = ctl_call_failed(status, error);
    }
    sipsd_client_free(c);
    return exit_status;
}
