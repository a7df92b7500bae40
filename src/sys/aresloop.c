#include "sys/aresloop.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "sys/uvloop.h"

/* One server, asked three times with doubling patience, is given up after 1 + 2 + 4 seconds: within
 * LIMIT_DNS_MS. */
#define TRY_MS 1000
#define TRIES  3

struct aresloop {
    struct loop *loop;
    ares_channel channel;
    struct loop_timer *timer; /* c-ares's own retries */
    struct ares_socket *sockets;
    loop_fn *after;
    void *arg;
};

struct ares_socket {
    uv_poll_t uv;
    struct aresloop *owner;
    ares_socket_t fd;
    int events;
    struct ares_socket *next;
};

static void schedule(struct aresloop *a)
{
    struct timeval tv;
    if (ares_timeout(a->channel, NULL, &tv) == NULL)
        loop_timer_stop(a->timer);
    else /* rounded up: a timer that is early would find nothing to do */
        loop_timer_start(a->timer, (uint64_t)tv.tv_sec * 1000 + (uint64_t)tv.tv_usec / 1000 + 1);
}

static void socket_ready(uv_poll_t *uv, int status, int events);

/* After an error libuv watches a descriptor no more. c-ares has read the error then, and closed the
 * socket, or goes on with it. */
static void watch_again(struct aresloop *a)
{
    for (struct ares_socket *s = a->sockets; s != NULL; s = s->next)
        if (!uv_is_active((const uv_handle_t *)&s->uv))
            (void)uv_poll_start(&s->uv, s->events, socket_ready);
}

static void process(struct aresloop *a, ares_socket_t readable, ares_socket_t writable)
{
    ares_process_fd(a->channel, readable, writable);
    watch_again(a);
    schedule(a);
    a->after(a->arg);
}

static void retry(void *arg)
{
    process(arg, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static void socket_ready(uv_poll_t *uv, int status, int events)
{
    const struct ares_socket *s = uv->data;
    struct aresloop *a = s->owner;
    if (status != 0)
        events = UV_READABLE | UV_WRITABLE;
    process(a, (events & UV_READABLE) != 0 ? s->fd : ARES_SOCKET_BAD,
            (events & UV_WRITABLE) != 0 ? s->fd : ARES_SOCKET_BAD);
}

static void free_socket(uv_handle_t *uv)
{
    free(uv->data);
}

static struct ares_socket *socket_watch(struct aresloop *a, ares_socket_t fd)
{
    struct ares_socket *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    if (uv_poll_init(uvloop_of(a->loop), &s->uv, fd) != 0) {
        free(s);
        return NULL;
    }
    s->uv.data = s;
    s->owner = a;
    s->fd = fd;
    s->next = a->sockets;
    a->sockets = s;
    return s;
}

/* c-ares wants to know when FD can be read or written; neither before it closes it. Without memory
 * to watch it, c-ares finds the look-up timed out. */
static void on_socket_state(void *data, ares_socket_t fd, int readable, int writable)
{
    struct aresloop *a = data;
    struct ares_socket **at = &a->sockets;
    while (*at != NULL && (*at)->fd != fd)
        at = &(*at)->next;
    struct ares_socket *s = *at;
    if (readable || writable) {
        if (s == NULL)
            s = socket_watch(a, fd);
        if (s == NULL)
            return;
        s->events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
        (void)uv_poll_start(&s->uv, s->events, socket_ready);
    } else if (s != NULL) {
        *at = s->next;
        uv_close((uv_handle_t *)&s->uv, free_socket);
    }
}

static struct result fail_ares(struct errinfo *e, int status, const char *what)
{
    return fail_native(e, status == ARES_ENOMEM ? ERR_NOMEM : ERR_DNS, status, "%s: %s", what,
                       ares_strerror(status));
}

static int init_channel(struct aresloop *a, const char *servers)
{
    char files_then_dns[] = "fb";
    struct ares_options options = {
        .timeout = TRY_MS,
        .tries = TRIES,
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = a,
        .lookups = files_then_dns,
    };
    int status = ares_init_options(&a->channel, &options,
                                   ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB |
                                       ARES_OPT_LOOKUPS);
    if (status != ARES_SUCCESS || servers == NULL)
        return status;
    status = ares_set_servers_ports_csv(a->channel, servers);
    if (status != ARES_SUCCESS)
        ares_destroy(a->channel);
    return status;
}

struct result aresloop_new(struct loop *l, const char *servers, loop_fn *after, void *arg,
                           struct aresloop **out, struct errinfo *e)
{
    struct aresloop *a = calloc(1, sizeof *a);
    if (a == NULL)
        return fail(e, ERR_NOMEM, "out of memory for the resolver");
    a->loop = l;
    a->after = after;
    a->arg = arg;
    a->timer = loop_timer_new(l, retry, a);
    const int status = a->timer == NULL ? ARES_ENOMEM : init_channel(a, servers);
    if (status != ARES_SUCCESS) {
        loop_timer_free(a->timer);
        free(a);
        return fail_ares(e, status, "cannot start the resolver");
    }
    *out = a;
    return OK;
}

void aresloop_free(struct aresloop *a)
{
    ares_destroy(a->channel); /* closes its sockets, too */
    assert(a->sockets == NULL);
    loop_timer_free(a->timer);
    free(a);
}

void aresloop_look_up(struct aresloop *a, const char *host, ares_addrinfo_callback fn, void *arg)
{
    const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    ares_getaddrinfo(a->channel, host, NULL, &hints, fn, arg);
    schedule(a);
}
