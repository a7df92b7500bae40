#include "ctl/run_wait.h"

#include <cjson/cJSON.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/run_view.h"

#define CALL_TIMEOUT_MS 30000

struct waiting {
    struct sipsd_client *client;
    double id;
    bool subscribed; /* its snapshot was read */
    bool on_trial;   /* and that was shown */
    bool over;
    int status;
};

static void finish(struct waiting *w, int status)
{
    w->status = status;
    w->over = true;
}

static void print(const cJSON *report, const char *json)
{
    if (ctl_options.json)
        (void)puts(json);
    else
        run_view_print(report);
    (void)fflush(stdout); /* the end of a trial may be minutes away */
}

static void take_ours(struct waiting *w, const cJSON *report, const char *json)
{
    const bool trial = run_view_is_trial(report);
    if (!trial || !w->on_trial)
        print(report, json);
    w->on_trial = trial;
    if (!trial)
        finish(w, run_view_status(report));
}

/* Runs end in the order in which they were asked for. */
static void take_report(struct waiting *w, const char *json)
{
    cJSON *report = cJSON_Parse(json);
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(report, "id");
    if (cJSON_IsNumber(id) && id->valuedouble == w->id)
        take_ours(w, report, json);
    else if (cJSON_IsNumber(id) && id->valuedouble > w->id)
        finish(w, ctl_fail(CTL_FAILED, "the run has ended, and another one since: its report was "
                                       "missed"));
    cJSON_Delete(report);
}

static void lose(struct waiting *w, const char *why)
{
    finish(w, ctl_fail(CTL_FAILED, "%s; what came of the run is told by sipsctl provision --last",
                       why));
}

static void ask_for_report(struct waiting *w)
{
    char error[SIPSD_ERROR_SIZE];
    const char *json;
    const enum sipsd_status status =
        sipsd_client_call(w->client, "provision.last", NULL, CALL_TIMEOUT_MS, &json, error);
    if (status == SIPSD_OK)
        take_report(w, json);
    else
        lose(w, error);
}

/* Another one than the subscription's own: all that was told was thrown away because we read too
 * slowly, and the report may have been among it. */
static void take_snapshot(struct waiting *w)
{
    if (w->subscribed)
        ask_for_report(w);
    w->subscribed = true;
}

static void read_events(struct waiting *w)
{
    char error[SIPSD_ERROR_SIZE];
    struct sipsd_event ev;
    enum sipsd_status status = SIPSD_OK;
    while (!w->over && (status = sipsd_client_next(w->client, &ev, error)) == SIPSD_OK) {
        if (ev.type == SIPSD_EVENT_SNAPSHOT_END)
            take_snapshot(w);
        else if (ev.method != NULL && strcmp(ev.method, "provision") == 0)
            take_report(w, ev.json);
    }
    if (!w->over && status != SIPSD_AGAIN)
        lose(w, error);
}

/* --- signals: they arrive while we wait and at no other time --- */

static volatile sig_atomic_t stop;

static void on_signal(int signum)
{
    (void)signum;
    stop = 1;
}

static void catch_signals(sigset_t *unblocked)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    const struct sigaction action = {.sa_handler = on_signal};
    sigset_t ours;
    (void)sigemptyset(&ours);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        (void)sigaddset(&ours, signals[i]);
        (void)sigaction(signals[i], &action, NULL);
    }
    (void)sigprocmask(SIG_BLOCK, &ours, unblocked);
}

int run_wait(struct sipsd_client *c, double id)
{
    struct waiting w = {.client = c, .id = id};
    struct pollfd fd = {.fd = sipsd_client_fd(c), .events = POLLIN};
    sigset_t unblocked;
    catch_signals(&unblocked);
    read_events(&w); /* what came together with the answer */
    while (!w.over) {
        if (ppoll(&fd, 1, NULL, &unblocked) > 0)
            read_events(&w);
        if (stop != 0 && !w.over)
            finish(&w, ctl_fail(CTL_FAILED,
                                "the %s goes on; what comes of it is told by sipsctl "
                                "provision --last",
                                w.on_trial ? "trial" : "run"));
    }
    return w.status;
}
