/*
 * buf: a growing byte buffer with a cap. What goes in at the end comes out at the front.
 *
 * A value type: embed it, buf_init() it with the most bytes that it may ever hold, buf_free() it. A
 * write that would go over the cap, or for which there is no memory, fails and changes nothing.
 */
#ifndef SIPSD_BASE_BUF_H
#define SIPSD_BASE_BUF_H

#include <stdarg.h>

#include "base/result.h"
#include "base/slice.h"

struct buf {
    uint8_t *mem; /* malloc'ed, NULL while nothing was ever written */
    size_t start; /* the first byte that was not consumed */
    size_t end;   /* behind the last byte */
    size_t size;  /* of mem */
    size_t cap;   /* end - start never exceeds it */
};

void buf_init(struct buf *b, size_t cap);

/* Gives the memory back; the buffer is empty and may be used again with the same cap. */
void buf_free(struct buf *b);

/* The same, after overwriting all that was ever in it: for secrets. */
void buf_wipe(struct buf *b);

/* What it holds; valid until the next call that changes it. */
struct slice buf_slice(const struct buf *b);
size_t buf_len(const struct buf *b);
size_t buf_space(const struct buf *b); /* how much more the cap allows */

/* ERR_LIMIT over the cap, ERR_NOMEM. The slice must not point into B itself. */
RESULT buf_append(struct buf *b, struct slice s);
RESULT buf_append_str(struct buf *b, const char *s);
RESULT buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
RESULT buf_vprintf(struct buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* Room for at least N more bytes at *P, to be written there and then counted with buf_commit(). */
RESULT buf_reserve(struct buf *b, size_t n, uint8_t **p);
void buf_commit(struct buf *b, size_t n);

/* Takes N bytes (at most what is there) off the front; the second overwrites them: for secrets.
 * Where nothing is left then, it gives the memory back, wiped as by buf_wipe(). */
void buf_consume(struct buf *b, size_t n);
void buf_consume_wiped(struct buf *b, size_t n);
void buf_clear(struct buf *b);

/* Keeps the first N bytes (all, if there are fewer). */
void buf_truncate(struct buf *b, size_t n);

/* The content as a C string, terminated behind the end (the NUL is not counted); NULL without
 * memory. */
const char *buf_str(struct buf *b);

#endif
