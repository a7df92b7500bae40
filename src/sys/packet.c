#include "sys/packet.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/wipe.h"
#include "sys/neterr.h"
#include "sys/unixpeer.h"
#include "sys/uvloop.h"

#define PARTS_MAX 4
#define TURN      32 /* packets read before others have their turn */

enum packet_state {
    PACKET_ACCEPTED, /* waits for packet_start() */
    PACKET_OPEN,
    PACKET_ENDED,     /* on_closed was called: waits for packet_close() */
    PACKET_FINISHING, /* the owner has left; the peer reads */
    PACKET_CLOSING,   /* libuv lets go of it */
};

static const bool may_follow[][PACKET_CLOSING + 1] = {
    [PACKET_ACCEPTED] = {[PACKET_OPEN] = true, [PACKET_FINISHING] = true, [PACKET_CLOSING] = true},
    [PACKET_OPEN] = {[PACKET_ENDED] = true, [PACKET_FINISHING] = true, [PACKET_CLOSING] = true},
    [PACKET_ENDED] = {[PACKET_CLOSING] = true},
    [PACKET_FINISHING] = {[PACKET_CLOSING] = true},
    [PACKET_CLOSING] = {0},
};

/* A packet that waits for the peer to read. */
struct waiting {
    struct waiting *next;
    size_t n;
    uint8_t bytes[];
};

struct packet {
    uv_poll_t poll;
    uv_timer_t deadline; /* FINISHING */
    unsigned handles;    /* of these two, that libuv still holds */
    struct loop *loop;
    int fd;
    enum packet_state state;
    struct packet_handlers h;
    void *arg;
    uint8_t *in; /* SIZE bytes */
    size_t size;
    struct waiting *first, **last;
    size_t queued, queue_cap;
};

static void set_state(struct packet *p, enum packet_state next)
{
    assert(may_follow[p->state][next]);
    p->state = next;
}

/* --- making and unmaking --- */

static void drop_first(struct packet *p)
{
    struct waiting *w = p->first;
    p->first = w->next;
    if (p->first == NULL)
        p->last = &p->first;
    p->queued -= w->n;
    wipe(w->bytes, w->n); /* messages have credentials in them */
    free(w);
}

static void handle_let_go(uv_handle_t *handle)
{
    struct packet *p = handle->data;
    if (--p->handles == 0)
        free(p);
}

static void let_go(struct packet *p)
{
    set_state(p, PACKET_CLOSING);
    while (p->first != NULL)
        drop_first(p);
    if (p->in != NULL)
        wipe(p->in, p->size);
    free(p->in);
    p->in = NULL;
    uv_close((uv_handle_t *)&p->poll, handle_let_go);
    uv_close((uv_handle_t *)&p->deadline, handle_let_go);
    (void)close(p->fd);
}

void packet_close(struct packet *p)
{
    if (p == NULL)
        return;
    uvloop_release(p->loop);
    let_go(p);
}

static struct result packet_adopt(struct loop *l, int fd, struct packet **out, struct errinfo *e)
{
    struct packet *p = calloc(1, sizeof *p);
    if (p == NULL) {
        (void)close(fd);
        return fail(e, ERR_NOMEM, "out of memory for a connection");
    }
    const int rc = uv_poll_init(uvloop_of(l), &p->poll, fd);
    if (rc != 0) {
        (void)close(fd);
        free(p);
        return neterr_system(e, -rc, "cannot take over a connection");
    }
    (void)uv_timer_init(uvloop_of(l), &p->deadline); /* cannot fail */
    p->poll.data = p->deadline.data = p;
    p->handles = 2;
    p->loop = l;
    p->fd = fd;
    p->last = &p->first;
    uvloop_hold(l);
    *out = p;
    return OK;
}

/* --- sending --- */

static void on_ready(uv_poll_t *poll, int status, int events);

static void watch(struct packet *p)
{
    const int events = UV_READABLE | UV_DISCONNECT | (p->first != NULL ? UV_WRITABLE : 0);
    (void)uv_poll_start(&p->poll, events, on_ready); /* fails only while closing */
}

/* False if it has to wait, with errno. */
static bool send_now(struct packet *p, const struct slice *parts, size_t n)
{
    struct iovec iov[PARTS_MAX];
    const struct msghdr message = {.msg_iov = iov, .msg_iovlen = n};
    for (size_t i = 0; i < n; i++)
        iov[i] = (struct iovec){(void *)(uintptr_t)parts[i].p, parts[i].n};
    return sendmsg(p->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

static struct result queue(struct packet *p, const struct slice *parts, size_t n, size_t size)
{
    if (size > p->queue_cap - p->queued)
        return err(ERR_LIMIT);
    struct waiting *w = malloc(sizeof *w + size);
    if (w == NULL)
        return err(ERR_NOMEM);
    *w = (struct waiting){0};
    for (size_t i = 0; i < n; i++) {
        if (parts[i].n > 0)
            memcpy(w->bytes + w->n, parts[i].p, parts[i].n);
        w->n += parts[i].n;
    }
    *p->last = w;
    p->last = &w->next;
    p->queued += w->n;
    watch(p);
    return OK;
}

struct result packet_send(struct packet *p, const struct slice *parts, size_t n)
{
    size_t size = 0;
    assert(n <= PARTS_MAX);
    if (p->state != PACKET_OPEN && p->state != PACKET_ACCEPTED)
        return err(ERR_STATE);
    for (size_t i = 0; i < n; i++)
        size += parts[i].n;
    if (p->first == NULL && send_now(p, parts, n))
        return OK;
    if (p->first != NULL || errno == EAGAIN || errno == ENOBUFS)
        return queue(p, parts, n, size);
    /* That the peer has gone is told by reading, behind its last words. */
    return errno == EMSGSIZE ? err(ERR_LIMIT) : OK;
}

size_t packet_queued(const struct packet *p)
{
    return p->queued;
}

static void send_waiting(struct packet *p)
{
    if (p->first == NULL)
        return;
    while (p->first != NULL) {
        const struct slice bytes = slice_of(p->first->bytes, p->first->n);
        if (!send_now(p, &bytes, 1) && (errno == EAGAIN || errno == ENOBUFS))
            return;
        drop_first(p);
    }
    watch(p);
    if (p->state == PACKET_OPEN && p->h.on_drained != NULL)
        p->h.on_drained(p->arg);
}

/* --- reading --- */

static void end(struct packet *p, struct result why, const struct errinfo *e)
{
    (void)uv_poll_stop(&p->poll);
    set_state(p, PACKET_ENDED);
    p->h.on_closed(p->arg, why, e);
}

/* One packet, or the end; false if there is none now, or it was the end. */
static bool read_one(struct packet *p)
{
    struct errinfo e = ERRINFO_INIT;
    struct iovec iov = {p->in, p->size};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    const ssize_t n = recvmsg(p->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0)
        end(p, neterr_stream(&e, n < 0 ? errno : 0), &e);
    else if ((message.msg_flags & MSG_TRUNC) != 0)
        end(p, fail(&e, ERR_LIMIT, "a packet is longer than %zu bytes", p->size), &e);
    else
        p->h.on_packet(p->arg, slice_of(p->in, (size_t)n));
    return p->state == PACKET_OPEN;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct packet *p = poll->data;
    (void)status; /* reading tells */
    if ((events & UV_WRITABLE) != 0)
        send_waiting(p);
    for (int i = 0; i < TURN && p->state == PACKET_OPEN; i++)
        if (!read_one(p))
            return;
}

struct result packet_start(struct packet *p, size_t size, size_t queue_cap,
                           const struct packet_handlers *h, void *arg)
{
    const int room =
        (int)(2 * size); /* for one packet of that size, whatever the system's default */
    p->in = malloc(size);
    if (p->in == NULL)
        return err(ERR_NOMEM);
    (void)setsockopt(p->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    p->size = size;
    p->queue_cap = queue_cap;
    p->h = *h;
    p->arg = arg;
    set_state(p, PACKET_OPEN);
    watch(p);
    return OK;
}

/* --- finishing --- */

static void deadline_passed(uv_timer_t *timer)
{
    let_go(timer->data);
}

static void discard(uv_poll_t *poll, int status, int events)
{
    struct packet *p = poll->data;
    uint8_t ignored[64];
    (void)status;
    if ((events & UV_WRITABLE) != 0)
        send_waiting(p);
    const ssize_t n = recv(p->fd, ignored, sizeof ignored, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        let_go(p);
}

void packet_finish(struct packet *p)
{
    if (p == NULL)
        return;
    if (p->state == PACKET_ENDED) {
        packet_close(p);
        return;
    }
    uvloop_release(p->loop);
    set_state(p, PACKET_FINISHING);
    (void)uv_timer_start(&p->deadline, deadline_passed, LIMIT_CLOSE_MS, 0);
    (void)uv_poll_start(
        &p->poll, UV_READABLE | UV_DISCONNECT | (p->first != NULL ? UV_WRITABLE : 0), discard);
}

/* --- who is there --- */

struct result packet_peer_cred(const struct packet *p, struct stream_cred *out)
{
    return unixpeer_cred(p->fd, out);
}

bool packet_peer_in_group(const struct packet *p, gid_t gid)
{
    return unixpeer_in_group(p->fd, gid);
}

/* --- listening --- */

struct packet_listener {
    struct loop *loop;
    struct stream_listener *listener;
    packet_accept_fn *fn;
    void *arg;
};

static struct result take_fd(void *arg, int fd, struct errinfo *e)
{
    const struct packet_listener *pl = arg;
    struct packet *accepted = NULL;
    TRY(packet_adopt(pl->loop, fd, &accepted, e));
    pl->fn(pl->arg, accepted);
    return OK;
}

RESULT packet_listen(struct loop *l, const char *path, mode_t mode, gid_t gid, packet_accept_fn *fn,
                     void *arg, struct packet_listener **out, struct errinfo *e)
{
    struct packet_listener *pl = calloc(1, sizeof *pl);
    if (pl == NULL)
        return fail(e, ERR_NOMEM, "out of memory for a listening socket");
    *pl = (struct packet_listener){.loop = l, .fn = fn, .arg = arg};
    const struct result r = listen_unix_packets(l, path, mode, gid, take_fd, pl, &pl->listener, e);
    if (is_err(r)) {
        free(pl);
        return r;
    }
    *out = pl;
    return OK;
}

void packet_listener_free(struct packet_listener *pl)
{
    if (pl == NULL)
        return;
    stream_listener_free(pl->listener);
    free(pl);
}
