#include "sip/salvage.h"

#include "base/ascii.h"
#include "sip/field.h"
#include "sip/header.h"

/* The next line of REST without its end; false where there is none. */
static bool next_line(struct slice *rest, struct slice *line)
{
    if (rest->n == 0)
        return false;
    *line = slice_cut(rest, '\n');
    if (line->n > 0 && line->p[line->n - 1] == '\r')
        line->n--;
    return true;
}

static bool is_continuation(struct slice rest)
{
    return rest.n > 0 && (rest.p[0] == ' ' || rest.p[0] == '\t');
}

/* A request that can be answered: RFC 3261 section 17, an ACK has no response. */
static bool is_answerable(struct slice start_line)
{
    struct slice rest = start_line;
    const struct slice method = slice_cut(&rest, ' ');
    return sip_token_valid(method) && !slice_eq_str(method, "ACK") &&
           slice_find_slice(rest, SLICE_LIT("SIP/")) < rest.n;
}

static bool has_tag(struct slice value)
{
    static const char name[] = ";tag=";
    for (size_t i = 0; i + sizeof name - 1 <= value.n; i++)
        if (slice_eq_nocase_str(slice_of(value.p + i, sizeof name - 1), name))
            return true;
    return false;
}

static RESULT write_clean(struct buf *out, struct slice text)
{
    while (text.n > 0) {
        size_t good = 0;
        while (good < text.n && text.p[good] >= 0x20 && text.p[good] != 0x7f)
            good++;
        TRY(buf_append(out, slice_first(text, good)));
        if (good < text.n)
            TRY(buf_append_str(out, text.p[good] == '\t' ? " " : "?"));
        text = slice_from(text, good + 1);
    }
    return OK;
}

/* One field, with the lines of REST that go on with it. */
static RESULT write_field(struct buf *out, const struct sip_header *field, struct slice value,
                          struct slice *rest, const char *to_tag)
{
    bool tagged = has_tag(value);
    TRY(buf_printf(out, "%s: ", field->name));
    TRY(write_clean(out, slice_trim(value)));
    for (struct slice line; is_continuation(*rest) && next_line(rest, &line);) {
        tagged |= has_tag(line);
        TRY(buf_append_str(out, " "));
        TRY(write_clean(out, slice_trim(line)));
    }
    if (field->id == SIP_HEADER_TO && !tagged)
        TRY(buf_printf(out, ";tag=%s", to_tag));
    return buf_append_str(out, "\r\n");
}

/* Of all but Via, the first counts. */
static bool is_wanted(const struct sip_header *field, unsigned seen)
{
    if (field == NULL)
        return false;
    switch (field->id) {
    case SIP_HEADER_VIA:
        return true;
    case SIP_HEADER_FROM:
    case SIP_HEADER_TO:
    case SIP_HEADER_CALL_ID:
    case SIP_HEADER_CSEQ:
        return (seen & (1u << field->id)) == 0;
    default:
        return false;
    }
}

static RESULT write_fields(struct buf *out, struct slice rest, const char *to_tag, bool *via)
{
    unsigned seen = 0;
    for (struct slice line; next_line(&rest, &line) && line.n > 0;) {
        struct slice value = line;
        const struct sip_header *field = sip_header_find(slice_trim(slice_cut(&value, ':')));
        if (value.p == NULL || !is_wanted(field, seen))
            continue;
        seen |= 1u << field->id;
        TRY(write_field(out, field, value, &rest, to_tag));
    }
    *via = (seen & (1u << SIP_HEADER_VIA)) != 0;
    return OK;
}

RESULT sip_salvage_response(struct buf *out, struct slice raw, int status, const char *reason,
                            const char *to_tag)
{
    struct slice rest = raw, start_line;
    struct buf fields;
    bool via = false;
    if (!next_line(&rest, &start_line) || !is_answerable(start_line))
        return OK;
    buf_init(&fields, buf_space(out));
    struct result r = write_fields(&fields, rest, to_tag, &via);
    if (is_ok(r) && via) {
        r = buf_printf(out, "SIP/2.0 %d %s\r\n", status, reason);
        if (is_ok(r))
            r = buf_append(out, buf_slice(&fields));
        if (is_ok(r))
            r = buf_append_str(out, "Content-Length: 0\r\n\r\n");
    }
    buf_free(&fields);
    return r;
}
