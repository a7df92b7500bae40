#include "sys/stream.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/wipe.h"
#include "sys/neterr.h"
#include "sys/unixpeer.h"
#include "sys/uvloop.h"

/* After a failed write: for the peer's last bytes, which tell why it closed, to be read. */
#define LAST_BYTES_MS 250

enum stream_state {
    STREAM_ACCEPTED, /* waits for stream_start() */
    STREAM_CONNECTING,
    STREAM_OPEN,
    STREAM_ENDED,     /* on_closed was called: waits for stream_close() */
    STREAM_FINISHING, /* the owner has left; the queue empties */
    STREAM_CLOSING,   /* libuv lets go of it */
};

static const bool may_follow[][STREAM_CLOSING + 1] = {
    [STREAM_ACCEPTED] = {[STREAM_OPEN] = true, [STREAM_CLOSING] = true},
    [STREAM_CONNECTING] = {[STREAM_OPEN] = true, [STREAM_ENDED] = true, [STREAM_CLOSING] = true},
    [STREAM_OPEN] = {[STREAM_ENDED] = true, [STREAM_FINISHING] = true, [STREAM_CLOSING] = true},
    [STREAM_ENDED] = {[STREAM_CLOSING] = true},
    [STREAM_FINISHING] = {[STREAM_CLOSING] = true},
    [STREAM_CLOSING] = {0},
};

struct stream {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    uv_timer_t timer; /* tells a failure that may not be told at once; FINISHING: the deadline */
    unsigned handles; /* of these two, that libuv still holds */
    uv_connect_t connect;
    uv_shutdown_t shutdown;
    struct loop *loop;
    struct stream_handlers h;
    void *arg;
    size_t queue_cap;
    unsigned writes; /* that wait in libuv's queue */
    int failed_with; /* libuv's code of a failure that is still to be told, or 0 */
    enum stream_state state;
    bool is_tcp;
    bool accepted; /* over TCP: by strangers, who shall not make us keep many that are over */
    bool paused;
    struct addr remote;
};

/* A write that the kernel did not take at once, with its own copy of the bytes. */
struct pending_write {
    uv_write_t uv;
    char data[];
};

static void set_state(struct stream *s, enum stream_state next)
{
    assert(may_follow[s->state][next]);
    s->state = next;
}

/* --- making and unmaking --- */

static int init_socket(struct stream *s, int family)
{
    uv_loop_t *uv = uvloop_of(s->loop);
    return s->is_tcp ? uv_tcp_init_ex(uv, &s->uv.tcp, (unsigned)family)
                     : uv_pipe_init(uv, &s->uv.pipe, 0);
}

static struct result stream_new(struct loop *l, bool is_tcp, int family, enum stream_state state,
                                struct stream **out, struct errinfo *e)
{
    struct stream *s = calloc(1, sizeof *s);
    if (s == NULL)
        return fail(e, ERR_NOMEM, "out of memory for a connection");
    s->loop = l;
    s->is_tcp = is_tcp;
    s->state = state;
    const int rc = init_socket(s, family);
    if (rc != 0) {
        free(s);
        return neterr_system(e, -rc, "cannot make a socket");
    }
    (void)uv_timer_init(uvloop_of(l), &s->timer); /* cannot fail */
    s->uv.handle.data = s;
    s->timer.data = s;
    s->handles = 2;
    uvloop_hold(l);
    *out = s;
    return OK;
}

static void handle_let_go(uv_handle_t *handle)
{
    struct stream *s = handle->data;
    if (--s->handles == 0)
        free(s);
}

/* Its owner, if it still has one, must have been told or have asked for it. */
static void let_go(struct stream *s)
{
    if (s->state == STREAM_FINISHING && s->accepted)
        uvloop_end_finishing(s->loop);
    set_state(s, STREAM_CLOSING);
    uv_close(&s->uv.handle, handle_let_go);
    uv_close((uv_handle_t *)&s->timer, handle_let_go);
}

void stream_close(struct stream *s)
{
    if (s == NULL)
        return;
    uvloop_release(s->loop);
    let_go(s);
}

static int descriptor(const struct stream *s)
{
    uv_os_fd_t fd;
    return uv_fileno(&s->uv.handle, &fd) == 0 ? fd : -1;
}

/*
 * A dead peer must be noticed, and small SIP messages must not wait for each other. None of it is
 * worth refusing a connection for.
 */
static void set_tcp_options(const struct stream *s)
{
    static const struct {
        int level;
        int name;
        int value;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, LIMIT_TCP_IDLE_S},
        {IPPROTO_TCP, TCP_KEEPINTVL, LIMIT_TCP_PROBE_S},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, LIMIT_TCP_UNANSWERED_MS},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        (void)setsockopt(descriptor(s), options[i].level, options[i].name, &options[i].value,
                         sizeof options[i].value);
}

/* --- the end --- */

/* The owner may close, and so free, inside on_closed: nothing may follow a call of this. */
static void end(struct stream *s, int code)
{
    struct errinfo e = ERRINFO_INIT;
    const int errnum = code == UV_EOF ? 0 : -code;
    const struct result why = s->state == STREAM_CONNECTING ? neterr_connect(&e, &s->remote, errnum)
                                                            : neterr_stream(&e, errnum);
    (void)uv_read_stop(&s->uv.stream);
    (void)uv_timer_stop(&s->timer);
    set_state(s, STREAM_ENDED);
    s->h.on_closed(s->arg, why, &e);
}

static void end_by_timer(uv_timer_t *timer)
{
    struct stream *s = timer->data;
    end(s, s->failed_with);
}

/* From inside a call of the owner's, who must not be called back from it. */
static void end_later(struct stream *s, int code, uint64_t ms)
{
    s->failed_with = code;
    (void)uv_timer_start(&s->timer, end_by_timer, ms, 0);
}

/* --- reading --- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    const struct stream *s = handle->data;
    *buf = uvloop_read_buffer(s->loop);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct stream *s = stream->data;
    if (n > 0) {
        const bool local = !s->is_tcp; /* the stream may be gone afterwards */
        s->h.on_data(s->arg, slice_of(buf->base, (size_t)n));
        if (local) /* what the phone's own processes say may be a key or a password */
            wipe(buf->base, (size_t)n);
    } else if (n < 0)
        end(s, s->failed_with != 0 ? s->failed_with : (int)n);
}

static void start_reading(struct stream *s)
{
    const int rc = uv_read_start(&s->uv.stream, on_alloc, on_read);
    if (rc != 0)
        end_later(s, rc, 0);
}

void stream_pause(struct stream *s)
{
    s->paused = true;
    (void)uv_read_stop(&s->uv.stream);
}

void stream_resume(struct stream *s)
{
    if (s->paused && s->state == STREAM_OPEN)
        start_reading(s);
    s->paused = false;
}

/* --- connecting --- */

static void on_connect(uv_connect_t *connect, int status)
{
    struct stream *s = connect->data;
    if (s->state != STREAM_CONNECTING)
        return; /* its owner closed it meanwhile */
    if (status != 0) {
        end(s, status);
        return;
    }
    set_state(s, STREAM_OPEN);
    if (!s->paused)
        start_reading(s);
    s->h.on_open(s->arg);
}

struct result stream_connect(struct loop *l, const struct addr *to, size_t queue_cap,
                             const struct stream_handlers *h, void *arg, struct stream **out,
                             struct errinfo *e)
{
    struct stream *s;
    struct sockaddr_storage sa;
    (void)addr_to_sockaddr(to, &sa);
    TRY(stream_new(l, true, sa.ss_family, STREAM_CONNECTING, &s, e));
    s->h = *h;
    s->arg = arg;
    s->queue_cap = queue_cap;
    s->remote = *to;
    s->connect.data = s;
    set_tcp_options(s);
    const int rc =
        uv_tcp_connect(&s->connect, &s->uv.tcp, (const struct sockaddr *)&sa, on_connect);
    if (rc != 0)
        end_later(s, rc, 0);
    *out = s;
    return OK;
}

struct result stream_adopt(struct loop *l, int fd, bool is_tcp, struct stream **out,
                           struct errinfo *e)
{
    struct stream *s;
    const struct result r = stream_new(l, is_tcp, AF_UNSPEC, STREAM_ACCEPTED, &s, e);
    if (is_err(r)) {
        (void)close(fd);
        return r;
    }
    const int rc = is_tcp ? uv_tcp_open(&s->uv.tcp, fd) : uv_pipe_open(&s->uv.pipe, fd);
    if (rc != 0) {
        (void)close(fd);
        stream_close(s);
        return neterr_system(e, -rc, "cannot take over a connection");
    }
    if (is_tcp) {
        s->accepted = true;
        struct sockaddr_storage sa;
        socklen_t size = sizeof sa;
        set_tcp_options(s);
        if (getpeername(fd, (struct sockaddr *)&sa, &size) == 0)
            s->remote = addr_from_sockaddr((const struct sockaddr *)&sa);
    }
    *out = s;
    return OK;
}

struct result stream_pair(struct loop *l, struct stream **out, int *peer_fd, struct errinfo *e)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        return fail_errno(e, errno, "cannot make a socket pair");
    const struct result r = stream_adopt(l, fds[0], false, out, e);
    if (is_err(r))
        (void)close(fds[1]);
    else
        *peer_fd = fds[1];
    return r;
}

void stream_start(struct stream *s, size_t queue_cap, const struct stream_handlers *h, void *arg)
{
    set_state(s, STREAM_OPEN);
    s->h = *h;
    s->arg = arg;
    s->queue_cap = queue_cap;
    if (!s->paused)
        start_reading(s);
}

/* --- writing --- */

/*
 * A reset by the peer is noticed by reading as well, after what the peer sent before (its alert,
 * for one): reading goes first. The timer is for a stream that is paused.
 */
static void write_failed(struct stream *s, int code)
{
    if (s->failed_with == 0)
        end_later(s, code, code == UV_EPIPE || code == UV_ECONNRESET ? LAST_BYTES_MS : 0);
}

static void on_written(uv_write_t *uv, int status)
{
    struct stream *s = uv->data;
    free((char *)uv - offsetof(struct pending_write, uv));
    s->writes--;
    if (s->state != STREAM_OPEN)
        return;
    if (status != 0)
        write_failed(s, status);
    else if (s->writes == 0 && s->h.on_drained != NULL)
        s->h.on_drained(s->arg);
}

static int queue_write(struct stream *s, struct slice data)
{
    struct pending_write *w = malloc(sizeof *w + data.n);
    if (w == NULL)
        return UV_ENOMEM;
    memcpy(w->data, data.p, data.n);
    w->uv.data = s;
    const uv_buf_t buf = uv_buf_init(w->data, (unsigned)data.n);
    const int rc = uv_write(&w->uv, &s->uv.stream, &buf, 1, on_written);
    if (rc != 0)
        free(w);
    else
        s->writes++;
    return rc;
}

struct result stream_write(struct stream *s, struct slice data)
{
    if (s->state != STREAM_OPEN)
        return err(ERR_STATE);
    if (data.n > s->queue_cap - stream_queued(s))
        return err(ERR_LIMIT);
    if (data.n == 0 || s->failed_with != 0)
        return OK;
    const uv_buf_t buf = uv_buf_init((char *)(uintptr_t)data.p, (unsigned)data.n);
    int rc = uv_try_write(&s->uv.stream, &buf, 1);
    const size_t taken = rc > 0 ? (size_t)rc : 0;
    if (rc >= 0 || rc == UV_EAGAIN)
        rc = taken < data.n ? queue_write(s, slice_from(data, taken)) : 0;
    if (rc < 0)
        write_failed(s, rc);
    return OK;
}

size_t stream_queued(const struct stream *s)
{
    return uv_stream_get_write_queue_size(&s->uv.stream);
}

/* --- finishing --- */

static void deadline_passed(uv_timer_t *timer)
{
    let_go(timer->data);
}

static void discard(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    (void)buf;
    if (n < 0)
        let_go(stream->data);
}

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
    struct stream *s = shutdown->data;
    if (s->state == STREAM_FINISHING && (status != 0 || !s->is_tcp))
        let_go(s);
}

void stream_finish(struct stream *s)
{
    if (s == NULL)
        return;
    if (s->state != STREAM_OPEN || s->failed_with != 0 ||
        (s->accepted && !uvloop_begin_finishing(s->loop))) {
        stream_close(s);
        return;
    }
    uvloop_release(s->loop);
    set_state(s, STREAM_FINISHING);
    s->shutdown.data = s;
    (void)uv_read_stop(&s->uv.stream);
    (void)uv_timer_start(&s->timer, deadline_passed, LIMIT_CLOSE_MS, 0);
    /* Over TCP, closing with bytes unread resets the connection, and the peer may lose the last
     * that it was sent (RFC 1122 section 4.2.2.13): read on until it closes too. */
    if (uv_shutdown(&s->shutdown, &s->uv.stream, on_shutdown) != 0 ||
        (s->is_tcp && uv_read_start(&s->uv.stream, on_alloc, discard) != 0))
        let_go(s);
}

/* --- who is there --- */

struct addr stream_local(const struct stream *s)
{
    struct sockaddr_storage sa = {0};
    socklen_t size = sizeof sa;
    if (getsockname(descriptor(s), (struct sockaddr *)&sa, &size) != 0)
        return (struct addr){0};
    return addr_from_sockaddr((const struct sockaddr *)&sa);
}

struct addr stream_remote(const struct stream *s)
{
    return s->remote;
}

struct result stream_peer_cred(const struct stream *s, struct stream_cred *out)
{
    return s->is_tcp ? err(ERR_UNSUPPORTED) : unixpeer_cred(descriptor(s), out);
}

bool stream_peer_in_group(const struct stream *s, gid_t gid)
{
    return !s->is_tcp && unixpeer_in_group(descriptor(s), gid);
}
