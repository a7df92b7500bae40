#include "sip/frame.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"

/* What is in the buffer from its front on. */
enum state {
    BETWEEN, /* nothing, or line ends before a start line */
    HEADER,  /* a start line and header fields, up to the empty line */
    BODY,    /* a whole header: `need` bytes make the message */
    BROKEN,  /* boundaries are lost */
};

struct sip_frame {
    struct buf in;
    enum state state;
    bool lone_crlf;  /* the last thing was a single CRLF, told as a pong */
    bool has_length; /* Content-Length was there */
    size_t taken;    /* bytes at the front that the last message or CRLF took */
    size_t searched; /* HEADER: bytes without the end of a line, never to be looked at again */
    size_t line;     /* HEADER: where the line begins that is being read */
    size_t field;    /* HEADER: where its field begins, a line or more before it if it is folded */
    size_t body_length; /* HEADER: as Content-Length says */
    size_t need;        /* BODY: bytes of the whole message */
};

struct result sip_frame_new(struct sip_frame **out)
{
    struct sip_frame *f = calloc(1, sizeof *f);
    if (f == NULL)
        return err(ERR_NOMEM);
    buf_init(&f->in, LIMIT_SIP_MESSAGE + LIMIT_TLS_PLAINTEXT);
    *out = f;
    return OK;
}

void sip_frame_free(struct sip_frame *f)
{
    if (f == NULL)
        return;
    buf_wipe(&f->in); /* Authorization lines were in it */
    free(f);
}

/* Lets go of what the last event was about. An idle connection keeps no memory. */
static void release(struct sip_frame *f)
{
    buf_consume(&f->in, f->taken);
    f->taken = 0;
    if (buf_len(&f->in) == 0)
        buf_wipe(&f->in);
}

struct result sip_frame_feed(struct sip_frame *f, struct slice bytes)
{
    if (f->state == BROKEN)
        return err(ERR_STATE);
    release(f);
    return buf_append(&f->in, bytes);
}

/* Between messages: RFC 5626 section 3.5.1, and RFC 3261 section 7.5 (line ends before a start
 * line do no harm). */
static struct result between(struct sip_frame *f, struct slice in, enum sip_frame_event *event,
                             struct errinfo *e)
{
    if (in.n == 0 || (in.n == 1 && in.p[0] == '\r'))
        return OK;
    if (in.p[0] != '\r' && in.p[0] != '\n') {
        f->state = HEADER;
        f->searched = 0;
        f->line = 0;
        f->field = 0;
        f->has_length = false;
        f->body_length = 0;
        f->lone_crlf = false;
        return OK;
    }
    if (!slice_starts(in, SLICE_LIT("\r\n")))
        return fail(e, ERR_PARSE, "a line between SIP messages does not end in CR LF");
    /* Half a ping may come first: it is told as a pong, and the other half makes it a ping. */
    const bool both = slice_starts(in, SLICE_LIT("\r\n\r\n"));
    *event = both || f->lone_crlf ? SIP_FRAME_PING : SIP_FRAME_PONG;
    f->lone_crlf = *event == SIP_FRAME_PONG;
    f->taken = both ? 4 : 2;
    return OK;
}

/* Content-Length decides where the message ends: there must be no two opinions about it. */
static struct result content_length(struct sip_frame *f, struct slice value, struct errinfo *e)
{
    uint64_t v;
    value = slice_trim(value);
    if (!slice_to_u64(value, UINT32_MAX, &v))
        return fail(e, ERR_PARSE, "Content-Length is not a plain number: \"%.*s\"",
                    SLICE_FMT(slice_first(value, 40)));
    if (f->has_length && v != f->body_length)
        return fail(e, ERR_PARSE, "a message says its Content-Length twice, %zu and %llu",
                    f->body_length, (unsigned long long)v);
    f->has_length = true;
    f->body_length = (size_t)v;
    return OK;
}

/* One field with its folded lines; the start line too, which has no such name. */
static struct result end_of_field(struct sip_frame *f, struct slice field, struct errinfo *e)
{
    struct slice value = field;
    const struct slice name = slice_trim(slice_cut(&value, ':'));
    if (!slice_eq_nocase_str(name, "Content-Length") && !slice_eq_nocase_str(name, "l"))
        return OK;
    return content_length(f, value, e);
}

static struct result end_of_header(struct sip_frame *f, struct errinfo *e)
{
    const size_t header = f->line;
    if (!f->has_length)
        return fail(e, ERR_PARSE, "a message has no Content-Length (RFC 3261 section 18.3)");
    if (f->body_length > LIMIT_SIP_MESSAGE - header)
        return fail(e, ERR_LIMIT,
                    "a message with a body of %zu bytes is too large: %d in all are taken",
                    f->body_length, LIMIT_SIP_MESSAGE);
    f->need = header + f->body_length;
    f->state = BODY;
    return OK;
}

/* A line ends in CR LF; a bare one of the two means different things to different parsers. A NUL
 * may only stand behind a backslash (section 25.1, quoted-pair). */
static struct result check_line(struct slice line, struct errinfo *e)
{
    if (line.n < 2 || line.p[line.n - 2] != '\r')
        return fail(e, ERR_PARSE, "a line of a message's header ends in a bare LF");
    const struct slice text = slice_first(line, line.n - 2);
    if (slice_find(text, '\r') != text.n)
        return fail(e, ERR_PARSE, "a message's header has a bare CR");
    for (size_t at = 0; (at += slice_find(slice_from(text, at), 0)) < text.n; at++)
        if (at == 0 || text.p[at - 1] != '\\')
            return fail(e, ERR_PARSE, "a message's header has a NUL: this is not SIP");
    return OK;
}

/*
 * Takes the line from f->line to END. The field before it is over unless the line begins with a
 * blank (section 7.3.1), so a field is judged when the line after it is there.
 */
static struct result take_line(struct sip_frame *f, struct slice in, size_t end, struct errinfo *e)
{
    const size_t start = f->line;
    const struct slice line = slice_first(slice_from(in, start), end - start);
    TRY(check_line(line, e));
    f->line = end;
    if (start == 0 && slice_starts(line, SLICE_LIT("HTTP/")))
        return fail(e, ERR_UNSUPPORTED, "it speaks HTTP, not SIP: check the port");
    if (start > 0 && (line.p[0] == ' ' || line.p[0] == '\t'))
        return OK;
    TRY(end_of_field(f, slice_of(in.p + f->field, start - f->field), e));
    f->field = start;
    return line.n == 2 && start > 0 ? end_of_header(f, e) : OK;
}

static struct result header(struct sip_frame *f, struct slice in, struct errinfo *e)
{
    while (f->state == HEADER) {
        const struct slice fresh = slice_from(in, f->searched);
        const size_t lf = slice_find(fresh, '\n');
        f->searched += lf;
        if (f->searched >= LIMIT_SIP_HEADER_BYTES)
            return fail(e, ERR_LIMIT, "a message's header is longer than %d bytes",
                        LIMIT_SIP_HEADER_BYTES);
        if (lf == fresh.n)
            return OK;
        f->searched++;
        TRY(take_line(f, in, f->searched, e));
    }
    return OK;
}

static struct result step(struct sip_frame *f, enum sip_frame_event *event, struct slice *out,
                          struct errinfo *e)
{
    const struct slice in = buf_slice(&f->in);
    if (f->state == BETWEEN)
        TRY(between(f, in, event, e));
    if (f->state == HEADER)
        TRY(header(f, in, e));
    if (f->state == BODY && in.n >= f->need) {
        *event = SIP_FRAME_MESSAGE;
        *out = slice_first(in, f->need);
        f->taken = f->need;
        f->state = BETWEEN;
    }
    return OK;
}

struct result sip_frame_next(struct sip_frame *f, enum sip_frame_event *event, struct slice *out,
                             struct errinfo *e)
{
    *event = SIP_FRAME_MORE;
    *out = SLICE_EMPTY;
    if (f->state == BROKEN)
        return fail(e, ERR_STATE,
                    "the boundaries between SIP messages are lost on this connection");
    release(f);
    const struct result r = step(f, event, out, e);
    if (is_err(r)) {
        f->state = BROKEN;
        *out = buf_slice(&f->in);
    }
    return r;
}

bool sip_frame_is_partial(const struct sip_frame *f)
{
    return f->state == HEADER || f->state == BODY;
}
