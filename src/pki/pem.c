#include "pki/pem.h"

#include "base/ascii.h"
#include "base/wipe.h"

static const struct slice begin_mark = {(const uint8_t *)"-----BEGIN ", 11};
static const struct slice end_mark = {(const uint8_t *)"-----END ", 9};
static const struct slice dashes = {(const uint8_t *)"-----", 5};

struct pem_reader pem_begin(struct slice text)
{
    return (struct pem_reader){text, 1};
}

/* How many lines end in S. BEFORE is the byte in front of it: the LF of a CRLF ends none. */
static size_t count_lines(struct slice s, uint8_t before)
{
    size_t lines = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\r' || (s.p[i] == '\n' && before != '\r'))
            lines++;
        before = s.p[i];
    }
    return lines;
}

/* Moves R forward over N bytes. */
static void skip(struct pem_reader *r, size_t n)
{
    /* A place never begins between CR and LF: N ends at a mark or behind a whole line. */
    r->line += count_lines(slice_first(r->rest, n), 0);
    r->rest = slice_from(r->rest, n);
}

/* Takes what stands before MARK, which is taken, too. False if there is no MARK. */
static bool take_until(struct pem_reader *r, struct slice mark, struct slice *before)
{
    size_t at = slice_find_slice(r->rest, mark);

    if (at == r->rest.n)
        return false;
    *before = slice_first(r->rest, at);
    skip(r, at + mark.n);
    return true;
}

/* The length of the first line of S, with its end. */
static size_t line_length(struct slice s)
{
    size_t n = 0;

    while (n < s.n && s.p[n] != '\n' && s.p[n] != '\r')
        n++;
    if (n + 1 < s.n && s.p[n] == '\r' && s.p[n + 1] == '\n')
        n++;
    return n < s.n ? n + 1 : n;
}

/* RFC 1421 headers: lines up to an empty one, if the first of them has a colon. */
static void split_headers(struct pem_block *b)
{
    struct pem_reader r = {b->base64, b->base64_line};
    struct slice line = slice_first(r.rest, line_length(r.rest));

    while (line.n > 0 && slice_trim(line).n == 0) { /* what is left of the BEGIN line */
        skip(&r, line.n);
        line = slice_first(r.rest, line_length(r.rest));
    }
    b->base64 = r.rest;
    b->base64_line = r.line;
    if (slice_find(line, ':') == line.n)
        return;
    while (line.n > 0 && slice_trim(line).n > 0) {
        skip(&r, line.n);
        line = slice_first(r.rest, line_length(r.rest));
    }
    b->headers = slice_first(b->base64, b->base64.n - r.rest.n);
    b->base64 = r.rest;
    b->base64_line = r.line;
}

/* Where in S the next BEGIN or END stands; s.n if nowhere. Not both are looked for to the end of
 * the text, where only one may be: that would take time in the square of their number. */
static size_t find_mark(struct slice s)
{
    size_t at = 0;

    while (at < s.n) {
        at += slice_find_slice(slice_from(s, at), dashes);
        if (at == s.n || slice_starts(slice_from(s, at), begin_mark) ||
            slice_starts(slice_from(s, at), end_mark))
            return at;
        at++;
    }
    return s.n;
}

/* The block whose BEGIN was just taken. */
static struct result read_block(struct pem_reader *r, struct pem_block *out, struct errinfo *e)
{
    out->line = r->line;
    if (!take_until(r, dashes, &out->label) || count_lines(out->label, 0) > 0)
        return fail(e, ERR_PARSE, "line %zu: the BEGIN line does not end with five hyphens",
                    out->line);
    out->base64_line = r->line;
    const size_t end = find_mark(r->rest);
    if (!slice_starts(slice_from(r->rest, end), end_mark))
        return fail(e, ERR_PARSE, "line %zu: the block that begins here has no END line",
                    out->line);
    (void)take_until(r, end_mark, &out->base64);
    if (!slice_starts(r->rest, out->label) ||
        !slice_starts(slice_from(r->rest, out->label.n), dashes))
        return fail(e, ERR_PARSE,
                    "line %zu: this END line does not belong to the BEGIN in line %zu", r->line,
                    out->line);
    skip(r, out->label.n + dashes.n);
    split_headers(out);
    return OK;
}

/* Whether a BEGIN behind TEXT is part of a sentence: words stand before it on its line. */
static bool is_prose(struct slice text)
{
    while (text.n > 0 && text.p[text.n - 1] != '\n' && text.p[text.n - 1] != '\r')
        if (ascii_is_alpha(text.p[--text.n]))
            return true;
    return false;
}

struct result pem_next(struct pem_reader *r, struct pem_block *out, struct errinfo *e)
{
    struct slice text;

    for (;;) {
        *out = (struct pem_block){0};
        if (!take_until(r, begin_mark, &text))
            return err(ERR_NOT_FOUND);
        const bool prose = is_prose(text);
        const struct pem_reader behind = *r;
        const struct result res = read_block(r, out, prose ? NULL : e);
        if (is_ok(res) || !prose)
            return res;
        *r = behind;
    }
}

bool pem_label_is(const struct pem_block *b, const char *label)
{
    return slice_eq_str(b->label, label);
}

/* --- Base64 --- */

/* The value of a character of the alphabet, or -1. */
static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (ascii_is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* How much of S, at its start, is white space: a blank, a line end, or one written as \n. */
static size_t blank_length(struct slice s)
{
    switch (s.p[0]) {
    case ' ':
    case '\t':
    case '\r':
    case '\n':
    case '\f':
    case '\v':
        return 1;
    case '\\':
        return s.n > 1 && (s.p[1] == 'n' || s.p[1] == 'r') ? 2 : 0;
    default:
        return 0;
    }
}

/* Takes up to four characters, without white space; how many there were. False at a character that
 * is neither. Padding counts as the end. */
static bool take_group(struct slice *in, uint32_t *bits, size_t *n)
{
    *bits = 0;
    for (*n = 0; *n < 4 && in->n > 0;) {
        size_t blank = blank_length(*in);
        int value = base64_value(in->p[0]);

        if (blank > 0) {
            *in = slice_from(*in, blank);
            continue;
        }
        if (value < 0)
            return in->p[0] == '=';
        *bits = *bits << 6 | (uint32_t)value;
        *in = slice_from(*in, 1);
        (*n)++;
    }
    return true;
}

static bool only_padding(struct slice s)
{
    while (s.n > 0) {
        size_t n = s.p[0] == '=' ? 1 : blank_length(s);

        if (n == 0)
            return false;
        s = slice_from(s, n);
    }
    return true;
}

struct result pem_decode(const struct pem_block *b, struct buf *out, struct errinfo *e)
{
    struct slice in = b->base64;
    uint32_t bits;
    size_t n;

    do {
        uint8_t bytes[3];
        size_t full; /* bytes that N characters make */

        if (!take_group(&in, &bits, &n) || n == 1 || (n < 4 && !only_padding(in)))
            return fail(e, ERR_PARSE, "line %zu: this is not Base64",
                        b->base64_line +
                            count_lines(slice_first(b->base64, b->base64.n - in.n), 0));
        full = n * 6 / 8;
        bits <<= 6 * (4 - n);
        for (size_t i = 0; i < full; i++)
            bytes[i] = (uint8_t)(bits >> (16 - 8 * i));
        if (is_err(buf_append(out, slice_of(bytes, full))))
            return buf_space(out) < full
                       ? fail(e, ERR_LIMIT, "line %zu: the block is larger than %zu KB", b->line,
                              out->cap / 1024)
                       : fail(e, ERR_NOMEM, "out of memory");
    } while (n == 4);
    return OK;
}

#define LINE_BYTES 48 /* that make 64 characters */

/* RFC 4648 section 4: the four characters of the first one to three bytes of S. */
static void encode_group(struct slice s, char out[4])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint32_t bits =
        (uint32_t)s.p[0] << 16 | (s.n > 1 ? (uint32_t)s.p[1] << 8 : 0) | (s.n > 2 ? s.p[2] : 0);

    out[0] = digits[bits >> 18];
    out[1] = digits[bits >> 12 & 63];
    out[2] = s.n > 1 ? digits[bits >> 6 & 63] : '=';
    out[3] = s.n > 2 ? digits[bits & 63] : '=';
}

RESULT pem_encode(struct slice data, struct buf *out)
{
    char group[4];
    struct result r = OK;

    for (; data.n > 0 && is_ok(r); data = slice_from(data, 3)) {
        encode_group(data, group);
        r = buf_append(out, slice_of(group, sizeof group));
    }
    wipe(group, sizeof group); /* it may be of a private key */
    return r;
}

RESULT pem_write(const char *label, struct slice data, struct buf *out)
{
    TRY(buf_printf(out, "-----BEGIN %s-----\n", label));
    for (; data.n > 0; data = slice_from(data, LINE_BYTES)) {
        TRY(pem_encode(slice_first(data, LINE_BYTES), out));
        TRY(buf_append_str(out, "\n"));
    }
    return buf_printf(out, "-----END %s-----\n", label);
}
