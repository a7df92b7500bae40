#include "sip/message_write.h"

#include <sys/time.h> /* osip's headers need it */

#include <osipparser2/osip_parser.h>

#include "sip/field.h"
#include "sip/uri.h"

static struct result bad(struct errinfo *e, const char *what)
{
    return fail(e, ERR_INVALID, "the %s has a character that cannot stand in a SIP message", what);
}

/* No line end or other control character. */
static bool one_line(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return s.n > 0;
}

/* Whole lines, each with its CR LF, none of them empty. */
static bool whole_lines(const char *lines)
{
    struct slice rest = slice_of_str(lines);
    while (rest.n > 0) {
        const size_t end = slice_find_slice(rest, SLICE_LIT("\r\n"));
        if (end == rest.n || !one_line(slice_first(rest, end)))
            return false;
        rest = slice_from(rest, end + 2);
    }
    return true;
}

static bool is_sip_uri(const char *uri)
{
    struct sip_uri parsed;
    return sip_uri_parse(slice_of_str(uri), &parsed);
}

/* Nothing, or each parameter with its semicolon. */
static bool are_params(struct slice s)
{
    return s.n == 0 || (one_line(s) && s.p[0] == ';' &&
                        sip_field_check_params(slice_of(s.p + 1, s.n - 1)) == NULL);
}

/* A word of section 25.1 is narrower; ours are made by us. */
static bool is_call_id(struct slice s)
{
    return one_line(s) && slice_find(s, ' ') == s.n;
}

static struct result check_register(const struct sip_register *r, struct errinfo *e)
{
    if (!is_sip_uri(r->registrar_uri))
        return bad(e, "registrar's address");
    if (!is_sip_uri(r->aor))
        return bad(e, "account's address");
    if (!is_sip_uri(r->contact_uri))
        return bad(e, "contact's address");
    if (!are_params(slice_of_str(r->contact_params)))
        return bad(e, "contact's parameters");
    if (!sip_hostport_valid(slice_of_str(r->via_host)))
        return bad(e, "local address");
    if (!sip_token_valid(slice_of_str(r->branch)) || !sip_token_valid(slice_of_str(r->from_tag)) ||
        !is_call_id(slice_of_str(r->call_id)))
        return bad(e, "branch, tag or Call-ID");
    if (!one_line(slice_of_str(r->user_agent)))
        return bad(e, "User-Agent");
    if (r->supported != NULL && !one_line(slice_of_str(r->supported)))
        return bad(e, "list of option tags");
    if (r->authorization != NULL && !whole_lines(r->authorization))
        return bad(e, "Authorization");
    return OK;
}

/* name-addr with the display name as a quoted string. */
static struct result write_address(struct buf *out, const char *display_name, const char *uri,
                                   struct errinfo *e)
{
    const struct slice name = slice_of_str(display_name);
    if (name.n > 0) {
        if (!one_line(name))
            return bad(e, "display name");
        TRY(buf_append_str(out, "\""));
        for (size_t i = 0; i < name.n; i++) {
            if (name.p[i] == '"' || name.p[i] == '\\')
                TRY(buf_append_str(out, "\\"));
            TRY(buf_append(out, slice_of(name.p + i, 1)));
        }
        TRY(buf_append_str(out, "\" "));
    }
    return buf_printf(out, "<%s>", uri);
}

struct result sip_message_write_register(struct buf *out, const struct sip_register *r,
                                         struct errinfo *e)
{
    TRY(check_register(r, e));
    TRY(buf_printf(out,
                   "REGISTER %s SIP/2.0\r\n"
                   "Via: SIP/2.0/TLS %s;branch=%s;rport\r\n"
                   "Max-Forwards: 70\r\n"
                   "From: ",
                   r->registrar_uri, r->via_host, r->branch));
    TRY(write_address(out, r->display_name, r->aor, e));
    TRY(buf_printf(out,
                   ";tag=%s\r\n"
                   "To: <%s>\r\n"
                   "Call-ID: %s\r\n"
                   "CSeq: %u REGISTER\r\n"
                   "Contact: <%s>%s\r\n"
                   "Expires: %u\r\n",
                   r->from_tag, r->aor, r->call_id, (unsigned)r->cseq, r->contact_uri,
                   r->contact_params, (unsigned)r->expires));
    if (r->supported != NULL)
        TRY(buf_printf(out, "Supported: %s\r\n", r->supported));
    TRY(buf_printf(out, "User-Agent: %s\r\n", r->user_agent));
    TRY(buf_append_str(out, r->authorization));
    return buf_append_str(out, "Content-Length: 0\r\n\r\n");
}

static struct result copy_fields(struct buf *out, const struct sip_message *m, const char *name)
{
    const char *value;
    for (size_t n = 0; (value = sip_message_header(m, name, n)) != NULL; n++)
        TRY(buf_printf(out, "%s: %s\r\n", name, value));
    return OK;
}

struct result sip_message_write_response(struct buf *out, const struct sip_message *m, int status,
                                         const char *reason, const char *to_tag, const char *extra)
{
    if (reason == NULL)
        reason = osip_message_get_reason(status);
    const struct slice words = slice_of_str(reason);
    if (status < 100 || status > 699 || (words.n > 0 && !one_line(words)) ||
        !sip_token_valid(slice_of_str(to_tag)) || (extra != NULL && !whole_lines(extra)))
        return err(ERR_INVALID);
    TRY(buf_printf(out, "SIP/2.0 %d %.*s\r\n", status, SLICE_FMT(words)));
    TRY(copy_fields(out, m, "Via"));
    TRY(copy_fields(out, m, "From"));
    TRY(buf_printf(out, "To: %s", sip_message_header(m, "To", 0)));
    if (sip_message_to_tag(m)[0] == '\0')
        TRY(buf_printf(out, ";tag=%s", to_tag));
    TRY(buf_append_str(out, "\r\n"));
    TRY(copy_fields(out, m, "Call-ID"));
    TRY(copy_fields(out, m, "CSeq"));
    TRY(buf_append_str(out, extra));
    return buf_append_str(out, "Content-Length: 0\r\n\r\n");
}
