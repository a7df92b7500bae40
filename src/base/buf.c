#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"

#define BUF_FIRST_SIZE 256

void buf_init(struct buf *b, size_t cap)
{
    assert(cap < SIZE_MAX);
    *b = (struct buf){.cap = cap};
}

void buf_free(struct buf *b)
{
    free(b->mem);
    buf_init(b, b->cap);
}

void buf_wipe(struct buf *b)
{
    if (b->mem != NULL)
        wipe(b->mem, b->size);
    buf_free(b);
}

struct slice buf_slice(const struct buf *b)
{
    return b->mem == NULL ? SLICE_EMPTY : slice_of(b->mem + b->start, b->end - b->start);
}

size_t buf_len(const struct buf *b)
{
    return b->end - b->start;
}

size_t buf_space(const struct buf *b)
{
    return b->cap - buf_len(b);
}

/*
 * Into fresh memory, and the old is wiped: realloc() would leave a copy of a secret behind.
 * Doubling keeps appending cheap; never more than the cap can use, and one byte, so that buf_str()
 * can always terminate.
 */
static struct result grow(struct buf *b, size_t need)
{
    size_t size = b->size == 0 ? BUF_FIRST_SIZE : b->size;
    while (size < need + 1)
        size = size > b->cap / 2 ? b->cap + 1 : size * 2;
    if (size > b->cap)
        size = b->cap + 1;
    uint8_t *mem = malloc(size);
    if (mem == NULL)
        return err(ERR_NOMEM);
    const size_t len = buf_len(b);
    if (b->mem != NULL) {
        memcpy(mem, b->mem + b->start, len);
        wipe(b->mem, b->size);
        free(b->mem);
    }
    b->mem = mem;
    b->size = size;
    b->start = 0;
    b->end = len;
    return OK;
}

struct result buf_reserve(struct buf *b, size_t n, uint8_t **p)
{
    if (n > buf_space(b))
        return err(ERR_LIMIT);
    const size_t len = buf_len(b);
    if (b->mem == NULL || len + n + 1 > b->size) {
        TRY(grow(b, len + n));
    } else if (b->end + n + 1 > b->size) {
        memmove(b->mem, b->mem + b->start, len);
        b->start = 0;
        b->end = len;
    }
    *p = b->mem + b->end;
    return OK;
}

void buf_commit(struct buf *b, size_t n)
{
    assert(b->end + n <= b->size && buf_len(b) + n <= b->cap);
    b->end += n;
}

struct result buf_append(struct buf *b, struct slice s)
{
    uint8_t *p;
    if (s.n == 0)
        return OK;
    TRY(buf_reserve(b, s.n, &p));
    memcpy(p, s.p, s.n);
    buf_commit(b, s.n);
    return OK;
}

struct result buf_append_str(struct buf *b, const char *s)
{
    return buf_append(b, slice_of_str(s));
}

struct result buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    const int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0)
        return err(ERR_INVALID);
    uint8_t *p;
    TRY(buf_reserve(b, (size_t)n, &p)); /* and one byte for vsnprintf's NUL, see grow() */
    (void)vsnprintf((char *)p, (size_t)n + 1, fmt, ap);
    buf_commit(b, (size_t)n);
    return OK;
}

struct result buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const struct result r = buf_vprintf(b, fmt, ap);
    va_end(ap);
    return r;
}

void buf_consume(struct buf *b, size_t n)
{
    b->start += n < buf_len(b) ? n : buf_len(b);
    if (b->start == b->end)
        buf_clear(b);
}

void buf_consume_wiped(struct buf *b, size_t n)
{
    if (n >= buf_len(b)) {
        buf_wipe(b);
        return;
    }
    wipe(b->mem + b->start, n);
    buf_consume(b, n);
}

void buf_clear(struct buf *b)
{
    b->start = 0;
    b->end = 0;
}

void buf_truncate(struct buf *b, size_t n)
{
    if (n < buf_len(b))
        b->end = b->start + n;
}

const char *buf_str(struct buf *b)
{
    uint8_t *p;
    if (is_err(buf_reserve(b, 0, &p)))
        return NULL;
    *p = '\0';
    return (const char *)b->mem + b->start;
}
