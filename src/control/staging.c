#include "control/staging.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "pki/pem.h"

struct staging {
    struct loop_timer *idle;
    uint64_t number; /* of the file that is there, or was the last */
    bool there;
    size_t size;
    struct buf content;
};

static void clear(struct staging *s)
{
    loop_timer_stop(s->idle);
    buf_wipe(&s->content);
    s->there = false;
}

static void on_idle(void *arg)
{
    clear(arg);
}

struct result staging_new(struct loop *l, struct staging **out)
{
    struct staging *s = calloc(1, sizeof *s);

    if (s == NULL)
        return err(ERR_NOMEM);
    s->idle = loop_timer_new(l, on_idle, s);
    if (s->idle == NULL) {
        free(s);
        return err(ERR_NOMEM);
    }
    *out = s;
    return OK;
}

void staging_free(struct staging *s)
{
    if (s == NULL)
        return;
    buf_wipe(&s->content);
    loop_timer_free(s->idle);
    free(s);
}

static RESULT begin(struct staging *s, size_t size, struct errinfo *e)
{
    uint8_t *room;

    clear(s);
    if (size > LIMIT_CERT_FILE_BYTES)
        return fail(e, ERR_LIMIT, "the file is larger than %d MB", LIMIT_CERT_FILE_BYTES >> 20);
    if (size == 0)
        return fail(e, ERR_INVALID, "the file is empty");
    buf_init(&s->content, size);
    if (is_err(buf_reserve(&s->content, size, &room)))
        return fail(e, ERR_NOMEM, "no memory for a file of %zu bytes", size);
    s->size = size;
    s->there = true;
    s->number++;
    return OK;
}

static RESULT find(const struct staging *s, uint64_t number, struct errinfo *e)
{
    if (s->there && number == s->number)
        return OK;
    return fail(e, ERR_NOT_FOUND,
                "there is no uploaded file %" PRIu64 " any more: it was used, took too long, or "
                "another upload took its place",
                number);
}

static RESULT append(struct staging *s, const struct staging_piece *p, struct errinfo *e)
{
    const struct pem_block block = {.base64 = p->base64};
    const size_t before = buf_len(&s->content);

    if (p->offset != before)
        return fail(e, ERR_INVALID, "the next piece begins at byte %zu, not %zu", before,
                    p->offset);
    const struct result r = pem_decode(&block, &s->content, NULL);
    if (r.code == ERR_LIMIT)
        return fail(e, ERR_INVALID, "the pieces are more than the %zu bytes of the file", s->size);
    if (is_err(r) || buf_len(&s->content) == before)
        return fail(e, ERR_INVALID, "\"base64\" is not Base64");
    return OK;
}

struct result staging_put(struct staging *s, const struct staging_piece *p, uint64_t *number,
                          size_t *received, struct errinfo *e)
{
    TRY(p->number == 0 ? begin(s, p->size, e) : find(s, p->number, e));
    const struct result r = append(s, p, e);
    if (is_err(r)) {
        clear(s);
        return r;
    }
    loop_timer_start(s->idle, LIMIT_STAGING_MS);
    *number = s->number;
    *received = buf_len(&s->content);
    return OK;
}

struct result staging_get(const struct staging *s, uint64_t number, struct slice *out,
                          struct errinfo *e)
{
    TRY(find(s, number, e));
    if (buf_len(&s->content) != s->size)
        return fail(e, ERR_STATE, "only %zu of the %zu bytes of the file have arrived",
                    buf_len(&s->content), s->size);
    *out = buf_slice(&s->content);
    return OK;
}

void staging_drop(struct staging *s, uint64_t number)
{
    if (s->there && number == s->number)
        clear(s);
}
