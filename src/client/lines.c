#include "client/lines.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define READ_SIZE 4096

enum sipsd_status client_fail(char *error, enum sipsd_status status, const char *fmt, ...)
{
    if (error != NULL) {
        va_list ap;
        va_start(ap, fmt);
        (void)vsnprintf(error, SIPSD_ERROR_SIZE, fmt, ap);
        va_end(ap);
    }
    return status;
}

static const char *why_not_connected(int errnum)
{
    switch (errnum) {
    case ENOENT:
    case ECONNREFUSED:
        return "sipsd is not running there";
    case EACCES:
    case EPERM:
        return "this user may not open it";
    default:
        return strerror(errnum);
    }
}

enum sipsd_status client_open(const char *path, int type, int *fd, char *error)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    *fd = -1;
    if (strlen(path) >= sizeof at.sun_path)
        return client_fail(error, SIPSD_FAILED, "%s: the path is too long for a socket", path);
    memcpy(at.sun_path, path, strlen(path) + 1);
    const int s = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0)
        return client_fail(error, SIPSD_FAILED, "no socket: %s", strerror(errno));
    if (connect(s, (const struct sockaddr *)&at, sizeof at) != 0) {
        const int errnum = errno;
        (void)close(s);
        return client_fail(error, SIPSD_FAILED, "%s: %s", path, why_not_connected(errnum));
    }
    *fd = s;
    return SIPSD_OK;
}

enum sipsd_status lines_open(struct lines *l, const char *path, char *error)
{
    *l = (struct lines){.fd = -1};
    return client_open(path, SOCK_STREAM, &l->fd, error);
}

void lines_close(struct lines *l)
{
    if (l->fd >= 0)
        (void)close(l->fd);
    free(l->mem);
    *l = (struct lines){.fd = -1};
}

static int64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum sipsd_status wait_for(int fd, short what, int timeout_ms, char *error)
{
    const int64_t end = now_ms() + timeout_ms;
    for (;;) {
        struct pollfd p = {.fd = fd, .events = what};
        const int64_t left = end - now_ms();
        const int n = poll(&p, 1, left > 0 ? (int)left : 0);
        if (n > 0)
            return SIPSD_OK;
        if (n == 0)
            return client_fail(error, SIPSD_TIMEOUT, "sipsd did not answer within %d ms",
                               timeout_ms);
        if (errno != EINTR)
            return client_fail(error, SIPSD_FAILED, "poll: %s", strerror(errno));
    }
}

enum sipsd_status lines_wait(const struct lines *l, int timeout_ms, char *error)
{
    return wait_for(l->fd, POLLIN, timeout_ms, error);
}

enum sipsd_status lines_send(struct lines *l, const char *text, int timeout_ms, char *error)
{
    size_t left = strlen(text);
    while (left > 0) {
        const ssize_t n = send(l->fd, text, left, MSG_NOSIGNAL);
        if (n >= 0) {
            text += n;
            left -= (size_t)n;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno == EPIPE || errno == ECONNRESET)
            return SIPSD_OK; /* why is still to be read, and then that it closed */
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return client_fail(error, SIPSD_FAILED, "the socket failed: %s", strerror(errno));
        const enum sipsd_status status = wait_for(l->fd, POLLOUT, timeout_ms, error);
        if (status != SIPSD_OK)
            return status;
    }
    return SIPSD_OK;
}

/* The line at the front, if it is whole. */
static char *take_line(struct lines *l)
{
    if (l->searched == l->end - l->start)
        return NULL;
    char *from = l->mem + l->start;
    char *newline = memchr(from + l->searched, '\n', l->end - l->start - l->searched);
    if (newline == NULL) {
        l->searched = l->end - l->start;
        return NULL;
    }
    *newline = '\0';
    l->start = (size_t)(newline + 1 - l->mem);
    l->searched = 0;
    return from;
}

static enum sipsd_status make_room(struct lines *l, char *error)
{
    if (l->start > 0) {
        memmove(l->mem, l->mem + l->start, l->end - l->start);
        l->end -= l->start;
        l->start = 0;
    }
    if (l->size - l->end >= READ_SIZE)
        return SIPSD_OK;
    if (l->end > SIPSD_LINE_MAX)
        return client_fail(error, SIPSD_FAILED, "a line of more than %d bytes is not sipsd's",
                           SIPSD_LINE_MAX);
    const size_t size = l->size == 0 ? (size_t)2 * READ_SIZE : l->size * 2;
    char *mem = realloc(l->mem, size);
    if (mem == NULL)
        return client_fail(error, SIPSD_FAILED, "out of memory");
    l->mem = mem;
    l->size = size;
    return SIPSD_OK;
}

enum sipsd_status lines_next(struct lines *l, char **line, char *error)
{
    for (;;) {
        *line = take_line(l);
        if (*line != NULL)
            return SIPSD_OK;
        const enum sipsd_status status = make_room(l, error);
        if (status != SIPSD_OK)
            return status;
        const ssize_t n = recv(l->fd, l->mem + l->end, l->size - l->end, 0);
        if (n > 0)
            l->end += (size_t)n;
        else if (n == 0 || errno == ECONNRESET)
            return client_fail(error, SIPSD_CLOSED, "sipsd closed the connection");
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            return SIPSD_AGAIN;
        else if (errno != EINTR)
            return client_fail(error, SIPSD_FAILED, "the socket failed: %s", strerror(errno));
    }
}
