#include "control/transfer.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/wipe.h"

/* curl is told to connect here, and is then given one end of a socket pair instead. */
#define NOWHERE "::127.0.0.1:9"

#define HEADER_SIZE 320 /* of a field that is sent: a host name, or a validator, with its name */

/* One descriptor of curl's that is watched. */
struct watch {
    struct transfer *transfer;
    curl_socket_t fd;
    struct loop_poll *poll;
    struct watch *next;
};

struct transfer {
    struct transfer_params p;
    transfer_fn *fn;
    void *arg;
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    struct curl_slist *connect_to;
    struct watch *watches;
    struct loop_timer *timer; /* curl's */
    struct loop_timer *rate;
    struct channel *channel; /* the last one that curl asked for */
    unsigned channels;
    size_t received;              /* of all kinds */
    size_t rate_before;           /* what it was when the rate was looked at last */
    struct errinfo channel_error; /* why the channel ended, if not in order */
    struct errinfo error;         /* why we ended the transfer */
    struct verdict verdict;
    struct peerchain chain;
    struct tls_session_facts facts;
    char said[CURL_ERROR_SIZE];
};

static void act(struct transfer *t, curl_socket_t fd);

/* --- curl's use of the loop --- */

static void on_ready(void *arg)
{
    const struct watch *w = arg;

    act(w->transfer, w->fd);
}

static void on_curl_timer(void *arg)
{
    act(arg, CURL_SOCKET_TIMEOUT);
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
    struct transfer *t = arg;

    (void)multi;
    if (ms < 0)
        loop_timer_stop(t->timer);
    else
        loop_timer_start(t->timer, (uint64_t)ms);
    return 0;
}

static struct watch *add_watch(struct transfer *t, curl_socket_t fd)
{
    struct watch *w = calloc(1, sizeof *w);

    if (w == NULL || is_err(loop_poll_new(t->p.loop, fd, on_ready, w, &w->poll, NULL))) {
        free(w);
        return NULL;
    }
    w->transfer = t;
    w->fd = fd;
    w->next = t->watches;
    t->watches = w;
    (void)curl_multi_assign(t->multi, fd, w);
    return w;
}

static void remove_watch(struct transfer *t, struct watch *w)
{
    struct watch **at = &t->watches;

    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    loop_poll_free(w->poll);
    free(w);
}

static int set_watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *watch)
{
    struct transfer *t = arg;
    struct watch *w = watch;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w != NULL)
            remove_watch(t, w);
        return 0;
    }
    if (w == NULL)
        w = add_watch(t, fd);
    if (w == NULL)
        return -1;
    loop_poll_watch(w->poll, ((what & CURL_POLL_IN) != 0 ? LOOP_POLL_READABLE : 0U) |
                                 ((what & CURL_POLL_OUT) != 0 ? LOOP_POLL_WRITABLE : 0U));
    return 0;
}

/* --- curl's use of the network --- */

static void on_channel_open(void *arg)
{
    struct transfer *t = arg;

    t->rate_before = t->received;
    loop_timer_start(t->rate, t->p.slow_ms);
}

/* Whatever it was, curl sees an end of file and comes to an end itself. */
static void on_channel_closed(void *arg, struct result why, const struct errinfo *e)
{
    struct transfer *t = arg;

    if (is_err(why))
        t->channel_error = *e;
}

static const struct channel_handlers channel_handlers = {
    .on_open = on_channel_open,
    .on_closed = on_channel_closed,
};

/* What the last channel knew, before it goes. */
static void drop_channel(struct transfer *t)
{
    if (t->channel == NULL)
        return;
    t->verdict = *channel_verdict(t->channel);
    peerchain_set(&t->chain, channel_chain(t->channel)->certs, channel_chain(t->channel)->count);
    t->facts = channel_facts(t->channel);
    channel_free(t->channel);
    t->channel = NULL;
}

/* For every connection that curl wants, whatever address it thinks that it connects to. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *t = arg;
    int fd;

    (void)purpose;
    (void)address;
    drop_channel(t); /* its server has closed it, or curl would not want another */
    if (t->channels++ == LIMIT_FETCH_CHANNELS)
        return CURL_SOCKET_BAD;
    errinfo_clear(&t->channel_error);
    const struct channel_params params = {
        .loop = t->p.loop,
        .dns = t->p.dns,
        .host = t->p.url->host.text,
        .port = t->p.url->port,
        .profile = t->p.url->secure ? t->p.profile : NULL,
        .judge = t->p.judge,
        .on_refused = t->p.on_refused,
        .on_refused_arg = t->p.on_refused_arg,
    };
    const struct result r =
        channel_open(&params, &channel_handlers, t, &t->channel, &fd, &t->channel_error);
    return is_ok(r) ? fd : CURL_SOCKET_BAD;
}

static int is_connected(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    (void)arg;
    (void)fd;
    (void)purpose;
    return CURL_SOCKOPT_ALREADY_CONNECTED;
}

/* --- what arrives --- */

int transfer_status(const struct transfer *t)
{
    long status = 0;

    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

static bool is_success(const struct transfer *t)
{
    const int status = transfer_status(t);

    return status >= 200 && status <= 299;
}

const char *transfer_field(const struct transfer *t, const char *name)
{
    struct curl_header *found;

    if (curl_easy_header(t->easy, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
        return "";
    return found->value;
}

static size_t on_header(char *data, size_t one, size_t n, void *arg)
{
    struct transfer *t = arg;

    (void)data;
    (void)one;
    t->received += n;
    return n;
}

static size_t on_body(char *data, size_t one, size_t n, void *arg)
{
    struct transfer *t = arg;

    (void)one;
    t->received += n;
    struct result r = OK;
    if (is_success(t))
        r = buf_append(t->p.body, slice_of(data, n));
    else if (t->received > LIMIT_FETCH_BYTES) /* a page about an error: for people with browsers */
        r = err(ERR_LIMIT);
    if (is_ok(r))
        return n;
    if (r.code == ERR_LIMIT)
        IGNORE(fail(&t->error, ERR_LIMIT, "%s sends more than %zu bytes", t->p.url->authority,
                    t->p.body->cap));
    else
        IGNORE(fail(&t->error, r.code, "out of memory for what %s sends", t->p.url->authority));
    return CURL_WRITEFUNC_ERROR;
}

/* --- what is asked --- */

static bool add_header(struct transfer *t, const char *name, const char *value)
{
    char text[HEADER_SIZE];
    const int n = snprintf(text, sizeof text, "%s%s", name, value);

    if (n < 0 || (size_t)n >= sizeof text || strpbrk(value, "\r\n") != NULL)
        return true; /* no validator that any server gave: the file is asked for without */
    struct curl_slist *more = curl_slist_append(t->headers, text);
    if (more != NULL)
        t->headers = more;
    return more != NULL;
}

static bool add_headers(struct transfer *t)
{
    return add_header(t, "Host: ", t->p.url->authority) && add_header(t, "Expect:", "") &&
           (t->p.etag == NULL || add_header(t, "If-None-Match: ", t->p.etag)) &&
           (t->p.last_modified == NULL ||
            add_header(t, "If-Modified-Since: ", t->p.last_modified)) &&
           (!t->p.post || add_header(t, "Content-Type: ", "application/json"));
}

/* curl's URL is one of HTTP whatever ours is: TLS is not its business. */
static CURLcode set_url(struct transfer *t)
{
    const bool v6 = t->p.url->host.kind == PEERNAME_IP && t->p.url->host.ip_len == 16;
    const size_t size = sizeof t->p.url->authority + strlen(t->p.url->target) + 32;
    char *text = malloc(size);

    if (text == NULL)
        return CURLE_OUT_OF_MEMORY;
    (void)snprintf(text, size, v6 ? "http://[%s]:%u%s" : "http://%s:%u%s", t->p.url->host.text,
                   (unsigned)t->p.url->port, t->p.url->target);
    const CURLcode rc = curl_easy_setopt(t->easy, CURLOPT_URL, text);
    wipe_free_str(text);
    return rc;
}

static CURLcode set_credentials(const struct transfer *t)
{
    if (t->p.url->user == NULL)
        return CURLE_OK;
    CURLcode rc = curl_easy_setopt(t->easy, CURLOPT_USERNAME, t->p.url->user);
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(t->easy, CURLOPT_PASSWORD, t->p.url->password);
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(t->easy, CURLOPT_HTTPAUTH, (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST));
    return rc;
}

static CURLcode set_post(const struct transfer *t)
{
    CURL *easy = t->easy;

    if (!t->p.post)
        return CURLE_OK;
    CURLcode rc = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->p.post_body.n);
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, t->p.post_body.p);
    return rc;
}

#define SET(option, value)                                     \
    do {                                                       \
        if (rc == CURLE_OK)                                    \
            rc = curl_easy_setopt(t->easy, (option), (value)); \
    } while (0)

static CURLcode set_options(struct transfer *t)
{
    CURLcode rc = set_url(t);

    SET(CURLOPT_PROTOCOLS_STR, "http");
    SET(CURLOPT_FOLLOWLOCATION, 0L); /* control/fetch does */
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_CONNECT_TO, t->connect_to);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, t);
    SET(CURLOPT_SOCKOPTFUNCTION, is_connected);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, t);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_ERRORBUFFER, t->said);
    SET(CURLOPT_HTTPHEADER, t->headers);
    SET(CURLOPT_USERAGENT, t->p.user_agent);
    if (rc == CURLE_OK)
        rc = set_credentials(t);
    return rc == CURLE_OK ? set_post(t) : rc;
}

static bool set_loop(struct transfer *t)
{
    CURLM *m = t->multi;

    return curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, set_watch) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_SOCKETDATA, t) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, set_timer) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_TIMERDATA, t) == CURLM_OK;
}

/* --- the end --- */

/* Where nothing but the end of the connection says where the body ends, it must be a good end. */
static bool ends_with_connection(const struct transfer *t)
{
    curl_off_t length = -1;

    (void)curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    return length < 0 && transfer_field(t, "Transfer-Encoding")[0] == '\0';
}

static struct result explain(const struct transfer *t, CURLcode code, struct errinfo *e)
{
    const char *host = t->p.url->authority;

    switch (code) {
    case CURLE_GOT_NOTHING:
        return fail(e, ERR_CLOSED, "%s closed the connection without an answer", host);
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        return fail_native(e, ERR_TRUNCATED, (int)code,
                           "%s closed the connection before all was sent", host);
    case CURLE_OUT_OF_MEMORY:
        return fail(e, ERR_NOMEM, "out of memory for what %s sends", host);
    default:
        return fail_native(e, ERR_PARSE, (int)code, "%s does not answer in good HTTP: %s", host,
                           t->said[0] != '\0' ? t->said : "it is malformed");
    }
}

/* Did the transfer as such go well? */
static struct result check_transfer(const struct transfer *t, CURLcode code, struct errinfo *e)
{
    if (t->error.code != ERR_OK) {
        *e = t->error;
        return err(e->code);
    }
    const bool broken = t->channel_error.code != ERR_OK;
    if (broken && (code != CURLE_OK || (ends_with_connection(t) && is_success(t)))) {
        *e = t->channel_error;
        return err(e->code);
    }
    return code == CURLE_OK ? OK : explain(t, code, e);
}

static void stop(struct transfer *t)
{
    loop_timer_stop(t->timer);
    loop_timer_stop(t->rate);
}

/* curl works; nothing may touch the transfer after a call of this. */
static void act(struct transfer *t, curl_socket_t fd)
{
    struct errinfo e = ERRINFO_INIT;
    int running;
    int left;

    (void)curl_multi_socket_action(t->multi, fd, 0, &running);
    const CURLMsg *m = curl_multi_info_read(t->multi, &left);
    if (m == NULL || m->msg != CURLMSG_DONE)
        return;
    const struct result r = check_transfer(t, m->data.result, &e);
    stop(t);
    t->fn(t->arg, r, &e);
}

static void on_rate(void *arg)
{
    struct transfer *t = arg;
    struct errinfo e = ERRINFO_INIT;

    if (t->received - t->rate_before >= LIMIT_FETCH_SLOW_BYTES) {
        t->rate_before = t->received;
        loop_timer_start(t->rate, t->p.slow_ms);
        return;
    }
    const struct result r =
        fail(&e, ERR_TIMEOUT, "%s is too slow: %zu bytes in %u s", t->p.url->authority,
             t->received - t->rate_before, t->p.slow_ms / 1000);
    stop(t);
    t->fn(t->arg, r, &e);
}

/* --- life --- */

static bool set_up(struct transfer *t)
{
    t->timer = loop_timer_new(t->p.loop, on_curl_timer, t);
    t->rate = loop_timer_new(t->p.loop, on_rate, t);
    t->multi = curl_multi_init();
    t->easy = curl_easy_init();
    t->connect_to = curl_slist_append(NULL, NOWHERE);
    return t->timer != NULL && t->rate != NULL && t->multi != NULL && t->easy != NULL &&
           t->connect_to != NULL && add_headers(t) && set_options(t) == CURLE_OK && set_loop(t) &&
           curl_multi_add_handle(t->multi, t->easy) == CURLM_OK;
}

RESULT transfer_start(const struct transfer_params *p, transfer_fn *fn, void *arg,
                      struct transfer **out, struct errinfo *e)
{
    const bool ready = curl_global_init(CURL_GLOBAL_NOTHING) == CURLE_OK; /* curl counts */
    struct transfer *t = ready ? calloc(1, sizeof *t) : NULL;

    if (t == NULL) {
        if (ready)
            curl_global_cleanup();
        return fail(e, ERR_NOMEM, "out of memory for asking %s", p->url->authority);
    }
    t->p = *p;
    t->fn = fn;
    t->arg = arg;
    t->channel_error = ERRINFO_INIT;
    t->error = ERRINFO_INIT;
    if (!set_up(t)) {
        transfer_free(t);
        return fail(e, ERR_NOMEM, "out of memory for asking %s", p->url->authority);
    }
    *out = t;
    return OK;
}

/* Of the loop curl hears no more before it closes what it still has. */
static void leave_loop(struct transfer *t)
{
    if (t->multi != NULL) {
        (void)curl_multi_setopt(t->multi, CURLMOPT_SOCKETFUNCTION, NULL);
        (void)curl_multi_setopt(t->multi, CURLMOPT_TIMERFUNCTION, NULL);
    }
    while (t->watches != NULL)
        remove_watch(t, t->watches);
    loop_timer_free(t->timer);
    loop_timer_free(t->rate);
}

void transfer_free(struct transfer *t)
{
    if (t == NULL)
        return;
    leave_loop(t);
    if (t->multi != NULL && t->easy != NULL)
        (void)curl_multi_remove_handle(t->multi, t->easy);
    curl_easy_cleanup(t->easy);
    if (t->multi != NULL)
        (void)curl_multi_cleanup(t->multi);
    curl_slist_free_all(t->headers);
    curl_slist_free_all(t->connect_to);
    channel_free(t->channel);
    peerchain_clear(&t->chain);
    free(t);
    curl_global_cleanup();
}

const struct verdict *transfer_verdict(const struct transfer *t)
{
    return t->channel != NULL ? channel_verdict(t->channel) : &t->verdict;
}

const struct peerchain *transfer_chain(const struct transfer *t)
{
    return t->channel != NULL ? channel_chain(t->channel) : &t->chain;
}

struct tls_session_facts transfer_facts(const struct transfer *t)
{
    return t->channel != NULL ? channel_facts(t->channel) : t->facts;
}
