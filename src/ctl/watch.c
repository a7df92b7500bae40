/* watch: the accounts and their locks, live. On a terminal a picture; elsewhere a line an event. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/ctl.h"
#include "ctl/picture.h"

#define RECENT       64  /* events that are kept to be shown below the picture */
#define RECONNECT_MS 500 /* sipsd is gone: how often to look for it */
#define COUNTDOWN_MS 1000
#define LINE_SIZE    640 /* the longest sentence, and what stands before it */

struct watch {
    struct term term;
    struct picture picture;
    struct sipsd_client *client; /* NULL while sipsd is gone */
    char gone[SIPSD_ERROR_SIZE]; /* why */
    bool in_snapshot;            /* its accounts are no events */
    char recent[RECENT][LINE_SIZE];
    size_t recent_count; /* ever */
};

static volatile sig_atomic_t stop, resized;

static void on_signal(int signum)
{
    if (signum == SIGWINCH)
        resized = 1;
    else
        stop = 1;
}

static int64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- what happened, as lines --- */

/* A connection to the phone: who, and what its lock says; or how many were too many to tell. */
static bool describe_inbound(const struct sipsd_event *ev, const char *at, char *out, size_t size)
{
    const bool untold = strcmp(ev->method, "inbound_untold") == 0;
    const bool inbound = strcmp(ev->method, "inbound") == 0;
    cJSON *json = inbound || untold ? cJSON_Parse(ev->json) : NULL;
    const cJSON *peer = cJSON_GetObjectItemCaseSensitive(json, "peer");
    const char *from = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(peer, "address"));
    const char *state = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "state"));
    const char *sentence = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "sentence"));
    const bool whole = sentence != NULL && (untold || (from != NULL && state != NULL));
    if (whole && untold)
        (void)snprintf(out, size, "%s  %s", at, sentence);
    else if (whole)
        (void)snprintf(out, size, "%s  from %s: %s: %s", at, from, state, sentence);
    cJSON_Delete(json);
    return whole;
}

/* What came of a run of provisioning. */
static bool describe_provision(const struct sipsd_event *ev, const char *at, char *out, size_t size)
{
    cJSON *json = strcmp(ev->method, "provision") == 0 ? cJSON_Parse(ev->json) : NULL;
    const cJSON *outcome = cJSON_GetObjectItemCaseSensitive(json, "outcome");
    const bool whole = cJSON_IsString(outcome);
    if (whole)
        (void)snprintf(out, size, "%s  provisioning: %s: %s", at, outcome->valuestring,
                       ctl_text(json, "sentence"));
    cJSON_Delete(json);
    return whole;
}

static void describe(const struct sipsd_event *ev, char *out, size_t size)
{
    const struct sipsd_account *a = &ev->account;
    char at[16];
    const time_t now = time(NULL);
    struct tm local;
    (void)strftime(at, sizeof at, "%H:%M:%S", localtime_r(&now, &local));
    if (ev->type == SIPSD_EVENT_LOCK)
        (void)snprintf(out, size, "%s  account %d: %s: %s", at, a->number, picture_word(a),
                       a->sentence);
    else if (ev->type == SIPSD_EVENT_REGISTRATION)
        (void)snprintf(out, size, "%s  account %d: %s%s%s", at, a->number, a->registration,
                       a->registration_error[0] != '\0' ? ": " : "", a->registration_error);
    else if (ev->type == SIPSD_EVENT_CERTIFICATE)
        (void)snprintf(out, size, "%s  certificate: %.560s", at, ev->certificate.sentence);
    else if (!describe_inbound(ev, at, out, size) && !describe_provision(ev, at, out, size))
        (void)snprintf(out, size, "%s  %s %.560s", at, ev->method, ev->json);
}

static void note(struct watch *w, const struct sipsd_event *ev)
{
    char *line = w->recent[w->recent_count % RECENT];
    describe(ev, line, sizeof w->recent[0]);
    w->recent_count++;
    if (!w->term.live)
        (void)puts(line);
}

static void take(struct watch *w, const struct sipsd_event *ev)
{
    if (ctl_options.json) {
        const bool part = w->in_snapshot || ev->type == SIPSD_EVENT_SNAPSHOT_END;
        if (!part) /* the snapshot's own line has its accounts */
            (void)printf("{\"method\":\"%s\",\"params\":%s}\n", ev->method, ev->json);
    } else if (w->in_snapshot && ev->type != SIPSD_EVENT_SNAPSHOT_END) {
        if (!w->term.live) /* where there is a picture, it shows them */
            note(w, ev);
    } else if (ev->type != SIPSD_EVENT_SNAPSHOT_BEGIN && ev->type != SIPSD_EVENT_SNAPSHOT_END) {
        note(w, ev);
    }
    if (ev->type == SIPSD_EVENT_SNAPSHOT_BEGIN)
        w->gone[0] = '\0'; /* it is here, and talks to us */
    (void)picture_apply(&w->picture, ev, now_ms());
    w->in_snapshot = ev->type == SIPSD_EVENT_SNAPSHOT_BEGIN ||
                     (w->in_snapshot && ev->type != SIPSD_EVENT_SNAPSHOT_END);
}

/* --- the picture --- */

static void draw_recent(const struct watch *w, int rows, const char *end)
{
    const size_t kept = w->recent_count < RECENT ? w->recent_count : RECENT;
    const size_t show = kept < (size_t)rows ? kept : (size_t)rows;
    (void)fputs(term_colour(&w->term, TERM_DIM), stdout);
    for (size_t i = w->recent_count - show; i < w->recent_count; i++) {
        term_put(stdout, w->recent[i % RECENT], (size_t)w->term.columns - 1);
        (void)fputs(end, stdout);
    }
    (void)fputs(term_colour(&w->term, TERM_PLAIN), stdout);
}

/* Drawn over the last one, line by line, so that nothing flickers. */
static void draw(const struct watch *w)
{
    static const char end[] = "\033[K\r\n"; /* clears what was longer before */
    const int rows = w->term.rows - 1;
    int lines = 0;
    if (!w->term.live || ctl_options.json)
        return;
    (void)fputs("\033[H", stdout);
    if (w->client == NULL) {
        (void)fputs(term_colour(&w->term, TERM_RED), stdout);
        lines += term_wrap(stdout, w->gone, 0, (size_t)w->term.columns - 1, 3, end);
        (void)fputs(term_colour(&w->term, TERM_PLAIN), stdout);
    } else {
        lines += picture_draw(stdout, &w->term, &w->picture, now_ms(), rows, end);
    }
    if (rows - lines > 1) {
        (void)fputs(end, stdout);
        draw_recent(w, rows - lines - 1, end);
    }
    (void)fputs("\033[J", stdout);
}

/* --- sipsd comes and goes --- */

static void lose(struct watch *w, const char *why)
{
    if (!w->term.live && strcmp(w->gone, why) != 0)
        (void)ctl_fail(0, "%s", why);
    (void)snprintf(w->gone, sizeof w->gone, "%s", why);
    sipsd_client_free(w->client);
    w->client = NULL;
    w->picture.count = w->picture.certificates_count = 0; /* every lock is unknown now */
    w->in_snapshot = false;
}

static enum sipsd_status connect_again(struct watch *w)
{
    char error[SIPSD_ERROR_SIZE];
    enum sipsd_status status = ctl_connect_events(&w->client, error);
    if (status == SIPSD_OK)
        status = sipsd_client_subscribe(w->client, error);
    if (status != SIPSD_OK)
        lose(w, error);
    return status;
}

static void read_events(struct watch *w)
{
    char error[SIPSD_ERROR_SIZE];
    struct sipsd_event ev;
    enum sipsd_status status;
    while ((status = sipsd_client_next(w->client, &ev, error)) == SIPSD_OK)
        take(w, &ev);
    if (status != SIPSD_AGAIN)
        lose(w, error);
}

static bool counts_down(const struct picture *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->accounts[i].retry_in_ms >= 0)
            return true;
    return false;
}

/* Waits for events, a signal, or the next second of a countdown. */
static void wait_for_news(struct watch *w, const sigset_t *unblocked)
{
    struct pollfd fd = {.fd = w->client != NULL ? sipsd_client_fd(w->client) : -1,
                        .events = POLLIN};
    const int ms = w->client == NULL                          ? RECONNECT_MS
                   : w->term.live && counts_down(&w->picture) ? COUNTDOWN_MS
                                                              : -1;
    const struct timespec time_out = {ms / 1000, (long)(ms % 1000) * 1000000};
    const int n = ppoll(&fd, 1, ms >= 0 ? &time_out : NULL, unblocked);
    if (n > 0)
        read_events(w);
    else if (n == 0 && w->client == NULL)
        (void)connect_again(w);
    if (resized) {
        resized = 0;
        term_look(&w->term);
    }
}

/* The signals arrive while we wait and at no other time. */
static void catch_signals(sigset_t *unblocked)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH};
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t ours;
    (void)sigemptyset(&ours);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        (void)sigaddset(&ours, signals[i]);
        (void)sigaction(signals[i], &action, NULL);
    }
    (void)sigprocmask(SIG_BLOCK, &ours, unblocked);
    (void)signal(SIGPIPE, SIG_DFL);
}

static void run(struct watch *w)
{
    sigset_t unblocked;
    catch_signals(&unblocked);
    if (w->term.live && !ctl_options.json)
        (void)fputs("\033[?1049h\033[?25l", stdout); /* a screen of our own, no cursor */
    while (!stop && !ferror(stdout)) {
        draw(w);
        (void)fflush(stdout);
        wait_for_news(w, &unblocked);
    }
    if (w->term.live && !ctl_options.json)
        (void)fputs("\033[?25h\033[?1049l", stdout);
    (void)fflush(stdout);
}

int ctl_watch(int argc, char **argv)
{
    char error[SIPSD_ERROR_SIZE];
    if (ctl_no_arguments(argc, argv) != CTL_OK)
        return CTL_FAILED;
    struct watch *w = calloc(1, sizeof *w);
    if (w == NULL)
        return ctl_fail(CTL_FAILED, "out of memory");
    term_look(&w->term);
    /* Not there at the start is an error; gone later is a thing to wait out. */
    int status = CTL_OK;
    if (ctl_connect_events(&w->client, error) != SIPSD_OK ||
        sipsd_client_subscribe(w->client, error) != SIPSD_OK)
        status = ctl_fail(CTL_FAILED, "%s", error);
    else
        run(w);
    sipsd_client_free(w->client);
    free(w);
    return status;
}
