#include "sipsd/client.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/account_json.h"
#include "client/lines.h"

#define SEND_TIMEOUT_MS \
    2000 /* a request is small; a socket that is full so long has nobody behind it */

/* A line that arrived while a call was waiting for its answer. */
struct held {
    struct held *next;
    char text[];
};

struct sipsd_client {
    struct lines lines;
    int next_id;
    int subscribe_id; /* of the request whose answer is a snapshot; 0: none */
    struct held *held, **held_end;
    size_t held_bytes;
    cJSON *message;                     /* that the last event or answer came from */
    bool in_snapshot;                   /* inside it, which is being told, one an event: */
    const cJSON *account, *certificate; /* the next one; NULL: no more */
    char *text;                         /* of the last event, as the caller was given it */
    char *answer;                       /* of the last call */
};

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

enum sipsd_status sipsd_client_connect(const char *path, struct sipsd_client **out, char *error)
{
    *out = NULL;
    struct sipsd_client *c = calloc(1, sizeof *c);
    if (c == NULL)
        return client_fail(error, SIPSD_FAILED, "out of memory");
    c->held_end = &c->held;
    const enum sipsd_status status = lines_open(&c->lines, path, error);
    if (status != SIPSD_OK) {
        free(c);
        return status;
    }
    *out = c;
    return SIPSD_OK;
}

static void drop_held(struct sipsd_client *c)
{
    while (c->held != NULL) {
        struct held *h = c->held;
        c->held = h->next;
        free(h);
    }
    c->held_end = &c->held;
    c->held_bytes = 0;
}

static void forget_message(struct sipsd_client *c)
{
    cJSON_Delete(c->message);
    c->message = NULL;
    c->in_snapshot = false;
}

static void forget_answer(struct sipsd_client *c)
{
    free(c->answer);
    c->answer = NULL;
}

void sipsd_client_free(struct sipsd_client *c)
{
    if (c == NULL)
        return;
    forget_message(c);
    forget_answer(c);
    free(c->text);
    drop_held(c);
    lines_close(&c->lines);
    free(c);
}

int sipsd_client_fd(const struct sipsd_client *c)
{
    return c->lines.fd;
}

/* Without cJSON, which would leave copies of what may be a key or a password. METHOD is a word, so
 * it needs no escapes. */
static char *make_line(int id, const char *method, const char *params)
{
    static const char form[] = "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\"%s%s}\n";
    const char *comma = params != NULL ? ",\"params\":" : "";
    const char *rest = params != NULL ? params : "";
    const int n = snprintf(NULL, 0, form, id, method, comma, rest);
    char *line = n >= 0 ? malloc((size_t)n + 1) : NULL;
    if (line == NULL)
        return NULL;
    (void)snprintf(line, (size_t)n + 1, form, id, method, comma, rest);
    for (char *newline = line; (newline = strchr(newline, '\n')) != line + n - 1;)
        *newline = ' '; /* PARAMS may have them between its tokens; a line has none */
    return line;
}

static enum sipsd_status send_request(struct sipsd_client *c, const char *method,
                                      const char *params, int *id, char *error)
{
    *id = ++c->next_id;
    char *line = make_line(*id, method, params);
    if (line == NULL)
        return client_fail(error, SIPSD_FAILED, "out of memory");
    const enum sipsd_status status = lines_send(&c->lines, line, SEND_TIMEOUT_MS, error);
    explicit_bzero(line, strlen(line));
    free(line);
    return status;
}

enum sipsd_status sipsd_client_subscribe(struct sipsd_client *c, char *error)
{
    return send_request(c, "subscribe", NULL, &c->subscribe_id, error);
}

static bool has_id(const cJSON *message, int id)
{
    const cJSON *v = member(message, "id");
    return id != 0 && cJSON_IsNumber(v) && v->valueint == id;
}

static enum sipsd_status refused(const cJSON *message, char *error)
{
    const char *text = cJSON_GetStringValue(member(member(message, "error"), "message"));
    return client_fail(error, SIPSD_REFUSED, "%s",
                       text != NULL ? text : "sipsd refused without a word");
}

/* What it says unasked, before it ends the connection: too many clients, not allowed. */
static bool is_farewell(const cJSON *message)
{
    return cJSON_IsNull(member(message, "id")) && member(message, "error") != NULL;
}

/* --- events --- */

/* The next line, held or fresh, parsed into c->message. */
static enum sipsd_status next_message(struct sipsd_client *c, char *error)
{
    char *line;
    struct held *h = c->held;
    if (h != NULL) {
        c->held = h->next;
        if (c->held == NULL)
            c->held_end = &c->held;
        c->held_bytes -= strlen(h->text);
        c->message = cJSON_Parse(h->text);
        free(h);
    } else {
        const enum sipsd_status status = lines_next(&c->lines, &line, error);
        if (status != SIPSD_OK)
            return status;
        c->message = cJSON_Parse(line);
    }
    return c->message != NULL ? SIPSD_OK
                              : client_fail(error, SIPSD_FAILED, "what came is not JSON");
}

static void give_text(struct sipsd_client *c, const cJSON *value, struct sipsd_event *out)
{
    free(c->text);
    c->text = value != NULL ? cJSON_PrintUnformatted(value) : NULL;
    out->json = c->text != NULL ? c->text : "null";
}

static void begin_snapshot(struct sipsd_client *c, const cJSON *snapshot, struct sipsd_event *out)
{
    out->type = SIPSD_EVENT_SNAPSHOT_BEGIN;
    out->method = "snapshot";
    const cJSON *accounts = member(snapshot, "accounts");
    const cJSON *certificates = member(snapshot, "expiring");
    c->in_snapshot = true;
    c->account = accounts != NULL ? accounts->child : NULL;
    c->certificate = certificates != NULL ? certificates->child : NULL;
    give_text(c, snapshot, out);
}

static void continue_snapshot(struct sipsd_client *c, struct sipsd_event *out)
{
    const cJSON *account = c->account, *certificate = c->certificate;
    out->method = "snapshot";
    out->type = SIPSD_EVENT_OTHER;
    if (account != NULL) {
        c->account = account->next;
        if (account_from_json(account, &out->account))
            out->type = SIPSD_EVENT_LOCK;
        give_text(c, account, out);
    } else if (certificate != NULL) {
        c->certificate = certificate->next;
        if (certificate_from_json(certificate, &out->certificate))
            out->type = SIPSD_EVENT_CERTIFICATE;
        give_text(c, certificate, out);
    } else {
        c->in_snapshot = false;
        out->type = SIPSD_EVENT_SNAPSHOT_END;
        give_text(c, NULL, out);
    }
}

static void read_notification(struct sipsd_client *c, const char *method, struct sipsd_event *out)
{
    const cJSON *params = member(c->message, "params");
    if (strcmp(method, "snapshot") == 0) {
        begin_snapshot(c, params, out);
        return;
    }
    out->type = SIPSD_EVENT_OTHER;
    out->method = method;
    if (strcmp(method, "lock") == 0 && account_from_json(params, &out->account))
        out->type = SIPSD_EVENT_LOCK;
    if (strcmp(method, "registration") == 0 && registration_from_json(params, &out->account)) {
        const cJSON *number = member(params, "account");
        out->account.number = cJSON_IsNumber(number) ? number->valueint : 0;
        out->type = SIPSD_EVENT_REGISTRATION;
    }
    if (strcmp(method, "certificate") == 0 && certificate_from_json(params, &out->certificate))
        out->type = SIPSD_EVENT_CERTIFICATE;
    give_text(c, params, out);
}

enum sipsd_status sipsd_client_next(struct sipsd_client *c, struct sipsd_event *out, char *error)
{
    *out = (struct sipsd_event){.account = {.retry_in_ms = -1}};
    forget_answer(c);
    if (c->in_snapshot) {
        continue_snapshot(c, out);
        return SIPSD_OK;
    }
    for (;;) {
        forget_message(c);
        const enum sipsd_status status = next_message(c, error);
        if (status != SIPSD_OK)
            return status;
        const char *method = cJSON_GetStringValue(member(c->message, "method"));
        if (method != NULL) {
            read_notification(c, method, out);
            return SIPSD_OK;
        }
        if (has_id(c->message, c->subscribe_id)) {
            c->subscribe_id = 0;
            if (member(c->message, "result") == NULL)
                return refused(c->message, error);
            begin_snapshot(c, member(c->message, "result"), out);
            return SIPSD_OK;
        }
        if (is_farewell(c->message))
            return refused(c->message, error);
        /* else the answer to a call that was given up: nobody waits for it */
    }
}

/* --- calls --- */

static enum sipsd_status hold(struct sipsd_client *c, const char *line, char *error)
{
    const size_t n = strlen(line);
    if (c->held_bytes + n > SIPSD_LINE_MAX) {
        drop_held(c);
        return sipsd_client_subscribe(c, error);
    }
    struct held *h = malloc(sizeof *h + n + 1);
    if (h == NULL)
        return client_fail(error, SIPSD_FAILED, "out of memory");
    h->next = NULL;
    memcpy(h->text, line, n + 1);
    *c->held_end = h;
    c->held_end = &h->next;
    c->held_bytes += n;
    return SIPSD_OK;
}

static enum sipsd_status read_answer(struct sipsd_client *c, const cJSON *message,
                                     const char **result, char *error)
{
    const cJSON *value = member(message, "result");
    if (value == NULL)
        return refused(message, error);
    c->answer = cJSON_PrintUnformatted(value);
    *result = c->answer;
    return c->answer != NULL ? SIPSD_OK : client_fail(error, SIPSD_FAILED, "out of memory");
}

/* Whether LINE answers the call ID; *STATUS is then its outcome. Else the line is kept for later.
 */
static bool is_answer(struct sipsd_client *c, int id, const char *line, const char **result,
                      enum sipsd_status *status, char *error)
{
    cJSON *message = cJSON_Parse(line);
    const bool ours =
        (has_id(message, id) && member(message, "method") == NULL) || is_farewell(message);
    *status = ours ? read_answer(c, message, result, error) : hold(c, line, error);
    cJSON_Delete(message);
    return ours;
}

static int64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

enum sipsd_status sipsd_client_call(struct sipsd_client *c, const char *method, const char *params,
                                    int timeout_ms, const char **result, char *error)
{
    int id;
    *result = NULL;
    forget_answer(c);
    enum sipsd_status status = send_request(c, method, params, &id, error);
    const int64_t end = now_ms() + timeout_ms;
    while (status == SIPSD_OK) {
        char *line;
        status = lines_next(&c->lines, &line, error);
        if (status == SIPSD_AGAIN) {
            const int64_t left = end - now_ms();
            status = lines_wait(&c->lines, left > 0 ? (int)left : 0, error);
        } else if (status == SIPSD_OK && is_answer(c, id, line, result, &status, error)) {
            return status;
        }
    }
    return status;
}
