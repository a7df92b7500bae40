/* lines: a non-blocking Unix socket that speaks in lines, bounded by SIPSD_LINE_MAX. */
#ifndef SIPSD_CLIENT_LINES_H
#define SIPSD_CLIENT_LINES_H

#include <stddef.h>

#include "sipsd/client.h"

/* A value type: lines_open() or all zero with fd -1. */
struct lines {
    int fd;
    char *mem;
    size_t start, end, size; /* mem[start..end) was received and not taken */
    size_t searched;         /* of it, this much holds no newline */
};

enum sipsd_status lines_open(struct lines *l, const char *path, char *error);
void lines_close(struct lines *l);

/* Sends TEXT, waiting for a full socket at most TIMEOUT_MS. That sipsd has closed it is told by
 * reading, which has its last words, too. */
enum sipsd_status lines_send(struct lines *l, const char *text, int timeout_ms, char *error);

/* The next line, terminated, without its newline; valid until the next call. SIPSD_AGAIN if none is
 * whole. */
enum sipsd_status lines_next(struct lines *l, char **line, char *error);

/* Waits until there is something to read. */
enum sipsd_status lines_wait(const struct lines *l, int timeout_ms, char *error);

/* Connects a non-blocking Unix socket of TYPE (SOCK_STREAM, SOCK_SEQPACKET) to PATH. *FD is -1 if
 * that fails. */
enum sipsd_status client_open(const char *path, int type, int *fd, char *error);

/* Puts the sentence into ERROR (may be NULL) and returns STATUS. */
enum sipsd_status client_fail(char *error, enum sipsd_status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
