/* The sockets that accept streams: the second half of sys/stream.h. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "sys/stream.h"
#include "sys/uvloop.h"

struct stream_listener {
    struct loop *loop;
    int fd;
    bool is_tcp;
    struct loop_poll *poll;   /* NULL while accepting pauses */
    struct loop_timer *retry; /* the end of the pause */
    bool accepting;           /* accept_ready() runs: the memory is its to free, */
    bool freed;               /* once that is wanted */
    stream_accept_fn *fn;
    accepted_fd_fn *take_fd; /* instead of it */
    void *arg;
    int type;              /* SOCK_STREAM or SOCK_SEQPACKET */
    struct sockaddr_un at; /* Unix only, and which socket there is ours */
    dev_t device;
    ino_t inode;
};

/* --- accepting --- */

static void accept_ready(void *arg);

static void pause_accepting(struct stream_listener *sl, const char *why)
{
    log_warning("listener", "accepting pauses for %d ms: %s", LIMIT_ACCEPT_RETRY_MS, why);
    loop_poll_free(sl->poll);
    sl->poll = NULL;
    loop_timer_start(sl->retry, LIMIT_ACCEPT_RETRY_MS);
}

static void resume_accepting(void *arg)
{
    struct stream_listener *sl = arg;
    struct errinfo e = ERRINFO_INIT;
    if (is_err(loop_poll_new(sl->loop, sl->fd, accept_ready, sl, &sl->poll, &e)))
        pause_accepting(sl, e.text);
}

/*
 * accept(2) hands on what happened to a connection while it waited in the backlog: that is no fault
 * of the listener's.
 */
static bool is_the_connections_fault(int error)
{
    switch (error) {
    case ECONNABORTED:
    case EINTR:
    case EPERM: /* a firewall's rule */
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case EOPNOTSUPP:
    case ETIMEDOUT:
        return true;
    default:
        return false;
    }
}

static struct result hand_on(struct stream_listener *sl, int fd, struct errinfo *e)
{
    struct stream *accepted;
    if (sl->take_fd != NULL)
        return sl->take_fd(sl->arg, fd, e);
    TRY(stream_adopt(sl->loop, fd, sl->is_tcp, &accepted, e));
    sl->fn(sl->arg, accepted);
    return OK;
}

/* False when there is nothing more to accept in this turn. */
static bool accept_one(struct stream_listener *sl)
{
    const int fd = accept4(sl->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        if (is_the_connections_fault(errno))
            return true;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            pause_accepting(sl, strerror(errno));
        return false;
    }
    struct errinfo e = ERRINFO_INIT;
    if (is_ok(hand_on(sl, fd, &e)))
        return true;
    pause_accepting(sl, e.text);
    return false;
}

static void accept_ready(void *arg)
{
    struct stream_listener *sl = arg;
    sl->accepting = true;
    for (int i = 0; i < LIMIT_ACCEPT_TURN && !sl->freed; i++)
        if (!accept_one(sl))
            break;
    sl->accepting = false;
    if (sl->freed)
        free(sl);
}

static struct result listener_new(struct loop *l, int family, int type, void *arg,
                                  struct stream_listener **out, struct errinfo *e)
{
    struct stream_listener *sl = calloc(1, sizeof *sl);
    if (sl == NULL)
        return fail(e, ERR_NOMEM, "out of memory for a listening socket");
    sl->loop = l;
    sl->is_tcp = family != AF_UNIX;
    sl->arg = arg;
    sl->type = type;
    sl->fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int error = errno;
    sl->retry = loop_timer_new(l, resume_accepting, sl);
    *out = sl;
    if (sl->fd >= 0 && sl->retry != NULL)
        return OK;
    const struct result r = sl->fd < 0 ? fail_errno(e, error, "cannot make a listening socket")
                                       : fail(e, ERR_NOMEM, "out of memory for a listening socket");
    stream_listener_free(sl);
    return r;
}

static struct result start_listening(struct stream_listener *sl, struct errinfo *e)
{
    return loop_poll_new(sl->loop, sl->fd, accept_ready, sl, &sl->poll, e);
}

static bool path_is_ours(const struct stream_listener *sl)
{
    struct stat st;
    return lstat(sl->at.sun_path, &st) == 0 && st.st_ino == sl->inode && st.st_dev == sl->device;
}

void stream_listener_free(struct stream_listener *sl)
{
    if (sl == NULL)
        return;
    if (sl->inode != 0 && path_is_ours(sl))
        (void)unlink(sl->at.sun_path);
    loop_timer_free(sl->retry);
    loop_poll_free(sl->poll);
    if (sl->fd >= 0)
        (void)close(sl->fd);
    sl->freed = true;
    if (!sl->accepting)
        free(sl);
}

/* --- TCP --- */

static struct result bind_tcp(struct stream_listener *sl, const struct addr *at, struct errinfo *e)
{
    struct sockaddr_storage sa;
    const socklen_t size = addr_to_sockaddr(at, &sa);
    const int on = 1;
    char text[ADDR_TEXT_SIZE];
    addr_format(at, text);
    (void)setsockopt(sl->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* "::" is IPv6 alone, whatever the system's default: who wants both listens twice. */
    if (at->family == 6)
        (void)setsockopt(sl->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(sl->fd, (const struct sockaddr *)&sa, size) != 0 ||
        listen(sl->fd, LIMIT_ACCEPT_BACKLOG) != 0)
        return fail_errno(e, errno, "cannot listen on %s", text);
    return OK;
}

struct result stream_listen_tcp(struct loop *l, const struct addr *at, stream_accept_fn *fn,
                                void *arg, struct stream_listener **out, struct errinfo *e)
{
    struct stream_listener *sl;
    TRY(listener_new(l, at->family == 4 ? AF_INET : AF_INET6, SOCK_STREAM, arg, &sl, e));
    sl->fn = fn;
    struct result r = bind_tcp(sl, at, e);
    if (is_ok(r))
        r = start_listening(sl, e);
    if (is_err(r))
        stream_listener_free(sl);
    else
        *out = sl;
    return r;
}

struct addr stream_listener_local(const struct stream_listener *sl)
{
    struct sockaddr_storage sa = {0};
    socklen_t size = sizeof sa;
    if (getsockname(sl->fd, (struct sockaddr *)&sa, &size) != 0)
        return (struct addr){0};
    return addr_from_sockaddr((const struct sockaddr *)&sa);
}

/* --- Unix --- */

/* OK if nothing is at the path, or a socket on which nobody listens any more. */
static struct result check_path_is_free(const struct sockaddr_un *at, int type, struct errinfo *e)
{
    struct stat st;
    if (lstat(at->sun_path, &st) != 0)
        return errno == ENOENT ? OK : fail_errno(e, errno, "cannot look at %s", at->sun_path);
    if (!S_ISSOCK(st.st_mode))
        return fail(e, ERR_EXISTS, "%s exists and is not a socket: remove it", at->sun_path);
    const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail_errno(e, errno, "cannot make a socket");
    const int rc = connect(fd, (const struct sockaddr *)at, sizeof *at);
    const int error = errno;
    (void)close(fd);
    if (rc != 0 && (error == ECONNREFUSED || error == ENOENT))
        return OK;
    if (rc != 0 && error != EAGAIN) /* EAGAIN: it listens, and its backlog is full */
        return fail_errno(e, error, "cannot tell whether %s is in use", at->sun_path);
    return fail(e, ERR_EXISTS, "another process answers on %s", at->sun_path);
}

/* Binds under a mask that shuts everybody out. One thread, and no file is made meanwhile. */
static int bind_shut(int fd, const struct sockaddr_un *at)
{
    const mode_t mask = umask(0777);
    const int rc = bind(fd, (const struct sockaddr *)at, sizeof *at);
    (void)umask(mask);
    return rc;
}

/*
 * Under a name of its own until it is ready: whoever sees the real name can connect, and the rename
 * replaces a stale socket without a moment in which there is none.
 */
static struct result bind_unix(struct stream_listener *sl, const char *path, mode_t mode, gid_t gid,
                               struct errinfo *e)
{
    struct sockaddr_un new = {.sun_family = AF_UNIX};
    struct stat st;
    const int n = snprintf(new.sun_path, sizeof new.sun_path, "%s.new", path);
    if (n < 0 || (size_t)n >= sizeof new.sun_path)
        return fail(e, ERR_INVALID, "%s is too long for a socket's path", path);
    sl->at.sun_family = AF_UNIX;
    (void)snprintf(sl->at.sun_path, sizeof sl->at.sun_path, "%s", path);
    TRY(check_path_is_free(&sl->at, sl->type, e));
    TRY(check_path_is_free(&new, sl->type, e));
    (void)unlink(new.sun_path);
    if (bind_shut(sl->fd, &new) != 0)
        return fail_errno(e, errno, "cannot make the socket %s", path);
    if ((gid != (gid_t)-1 && lchown(new.sun_path, (uid_t)-1, gid) != 0) ||
        chmod(new.sun_path, mode) != 0 || lstat(new.sun_path, &st) != 0 ||
        listen(sl->fd, LIMIT_ACCEPT_BACKLOG) != 0 || rename(new.sun_path, path) != 0) {
        const int error = errno;
        (void)unlink(new.sun_path);
        return fail_errno(e, error, "cannot make the socket %s", path);
    }
    sl->inode = st.st_ino;
    sl->device = st.st_dev;
    return OK;
}

static struct result listen_unix(struct stream_listener *sl, const char *path, mode_t mode,
                                 gid_t gid, struct stream_listener **out, struct errinfo *e)
{
    struct result r = bind_unix(sl, path, mode, gid, e);
    if (is_ok(r))
        r = start_listening(sl, e);
    if (is_err(r))
        stream_listener_free(sl);
    else
        *out = sl;
    return r;
}

struct result stream_listen_unix(struct loop *l, const char *path, mode_t mode, gid_t gid,
                                 stream_accept_fn *fn, void *arg, struct stream_listener **out,
                                 struct errinfo *e)
{
    struct stream_listener *sl;
    TRY(listener_new(l, AF_UNIX, SOCK_STREAM, arg, &sl, e));
    sl->fn = fn;
    return listen_unix(sl, path, mode, gid, out, e);
}

struct result listen_unix_packets(struct loop *l, const char *path, mode_t mode, gid_t gid,
                                  accepted_fd_fn *fn, void *arg, struct stream_listener **out,
                                  struct errinfo *e)
{
    struct stream_listener *sl;
    TRY(listener_new(l, AF_UNIX, SOCK_SEQPACKET, arg, &sl, e));
    sl->take_fd = fn;
    return listen_unix(sl, path, mode, gid, out, e);
}
