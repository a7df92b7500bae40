#include "control/dataurl.h"

#include <string.h>

#include "base/ascii.h"
#include "pki/pem.h"

static const struct slice scheme = {(const uint8_t *)"data:", 5};
static const struct slice base64_mark = {(const uint8_t *)";base64", 7};

bool dataurl_is(struct slice url)
{
    return slice_starts_nocase(url, scheme);
}

/* RFC 3986 section 2.1. A lone % is no escape, and a slip. */
static RESULT unescape(struct slice in, struct buf *out, struct errinfo *e)
{
    while (in.n != 0) {
        const size_t plain = slice_find(in, '%');
        TRY(buf_append(out, slice_first(in, plain)));
        in = slice_from(in, plain);
        if (in.n == 0)
            break;
        if (in.n < 3 || ascii_hex(in.p[1]) < 0 || ascii_hex(in.p[2]) < 0)
            return fail(e, ERR_PARSE, "a %% in a data: URL is followed by two hex digits");
        const uint8_t byte = (uint8_t)(ascii_hex(in.p[1]) * 16 + ascii_hex(in.p[2]));
        TRY(buf_append(out, slice_of(&byte, 1)));
        in = slice_from(in, 3);
    }
    return OK;
}

static RESULT decode_base64(struct slice text, struct buf *out, struct errinfo *e)
{
    const struct pem_block block = {.base64 = text};
    const struct result r = pem_decode(&block, out, NULL);

    if (r.code == ERR_PARSE)
        return fail(e, ERR_PARSE, "what is in the data: URL is not Base64");
    return r;
}

/* Whether DATA, what is behind the comma, is Base64. */
static RESULT split(struct slice url, struct slice *data, bool *base64, struct errinfo *e)
{
    struct slice rest = slice_from(url, scheme.n);
    const struct slice type = slice_cut(&rest, ',');

    if (!dataurl_is(url) || rest.p == NULL)
        return fail(e, ERR_PARSE,
                    "a data: URL has a comma before its data, as in data:;base64,MIIB...");
    *base64 = type.n >= base64_mark.n &&
              slice_eq_nocase(slice_from(type, type.n - base64_mark.n), base64_mark);
    *data = rest;
    return OK;
}

/* OUT may have a part of it on failure. */
static RESULT decode(struct slice url, struct buf *out, struct errinfo *e)
{
    struct buf text;
    struct slice data;
    bool base64;

    TRY(split(url, &data, &base64, e));
    if (!base64)
        return unescape(data, out, e);
    buf_init(&text, data.n);
    struct result r = unescape(data, &text, e);
    if (is_ok(r))
        r = decode_base64(buf_slice(&text), out, e);
    buf_wipe(&text);
    return r;
}

static bool is_name(struct slice name)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] < ' ' || name.p[i] == 0x7f || name.p[i] == '/' || name.p[i] == '\\')
            return false;
    return name.n > 0;
}

bool dataurl_name(struct slice url, char *name, size_t size)
{
    struct slice type = slice_from(slice_first(url, slice_find(url, ',')), scheme.n);
    struct slice found = SLICE_EMPTY;
    struct buf text;

    while (type.n != 0) {
        const struct slice parameter = slice_cut(&type, ';');
        if (slice_starts_nocase(parameter, SLICE_LIT("name=")))
            found = slice_from(parameter, strlen("name="));
    }
    buf_init(&text, size);
    const bool there = is_ok(unescape(found, &text, NULL)) && is_name(buf_slice(&text)) &&
                       slice_to_str(buf_slice(&text), name, size);
    if (!there)
        name[0] = '\0';
    buf_wipe(&text);
    return there;
}

struct result dataurl_decode(struct slice url, struct buf *out, struct errinfo *e)
{
    const size_t before = buf_len(out);
    const struct result r = decode(url, out, e);

    if (is_ok(r) && buf_len(out) == before)
        return fail(e, ERR_PARSE, "there is nothing in the data: URL");
    if (is_ok(r))
        return OK;
    buf_truncate(out, before);
    if (r.code == ERR_LIMIT)
        return fail(e, ERR_LIMIT, "what is in the data: URL is larger than %zu bytes", out->cap);
    return r.code == ERR_NOMEM ? fail(e, ERR_NOMEM, "no memory for a data: URL") : r;
}
