#include "sip/message.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h> /* osip's headers need it */

#include <osipparser2/osip_message.h>
#include <osipparser2/osip_parser.h>

#include "base/limits.h"
#include "base/wipe.h"
#include "sip/field.h"
#include "sip/header.h"
#include "sip/uri.h"

/* One header field, or one element of one that is a list. */
struct entry {
    const struct sip_header *known; /* NULL: not one of ours */
    const char *name;
    const char *value;
};

struct sip_message {
    osip_message_t *osip; /* Via, From, To, Contact, Route, Call-ID, CSeq, Content-Type */
    char *text;           /* start line and header, unfolded and cut up by NULs */
    size_t text_size;
    struct entry *entries;
    size_t n_entries;
    size_t parts; /* see LIMIT_SIP_PARTS */
    const char *method;
    const char *uri;
    const char *reason;
    int status;
    uint32_t cseq;
    uint8_t *body;
    size_t body_size;
};

/* --- text: the header without folds, tabs and control characters --- */

static size_t skip_blanks(struct slice s, size_t at)
{
    while (at < s.n && (s.p[at] == ' ' || s.p[at] == '\t'))
        at++;
    return at;
}

/*
 * Copies the header at the front of BYTES to m->text, line by line: a fold with its blanks becomes
 * one space (RFC 3261 section 7.3.1), a tab too, a quoted control character becomes '?', and each
 * line ends in LF. Stops behind the empty line, whose place goes to *END.
 */
static struct result unfold(struct sip_message *m, struct slice bytes, size_t *end,
                            struct errinfo *e)
{
    size_t n = 0;
    bool quoted = false; /* by a backslash */
    for (size_t i = 0; i < bytes.n; i++) {
        uint8_t c = bytes.p[i];
        if (c == '\r' && i + 1 < bytes.n && bytes.p[i + 1] == '\n') {
            if (n == 0 || m->text[n - 1] == '\n') {
                *end = i + 2;
                m->text[n] = '\0';
                return OK;
            }
            const size_t next = skip_blanks(bytes, i + 2);
            c = next > i + 2 ? ' ' : '\n';
            i = next - 1;
        } else if (c == '\t') {
            c = ' ';
        } else if (c < 0x20 || c == 0x7f) {
            if (!quoted)
                return fail(e, ERR_PARSE, "its header has a control character (0x%02x)", c);
            c = '?';
        }
        quoted = c == '\\' && !quoted;
        m->text[n++] = (char)c;
    }
    return fail(e, ERR_TRUNCATED, "its header does not end");
}

/* The next line of m->text at *AT, terminated in place; NULL at the end. */
static char *next_line(struct sip_message *m, size_t *at)
{
    char *line = m->text + *at;
    char *end = strchr(line, '\n');
    if (end == NULL)
        return NULL;
    *end = '\0';
    *at += (size_t)(end - line) + 1;
    return line;
}

/* --- the start line (section 7.1 and 7.2) --- */

static struct result check_version(struct slice version, struct errinfo *e)
{
    if (slice_eq_nocase_str(version, "SIP/2.0"))
        return OK;
    if (slice_starts_nocase(version, SLICE_LIT("SIP/")) && slice_find(version, ' ') == version.n)
        return fail(e, ERR_UNSUPPORTED, "its version is not SIP/2.0 but %.*s",
                    SLICE_FMT(slice_first(version, 20)));
    return fail(e, ERR_PARSE, "its first line is not one of SIP");
}

static struct result parse_status_line(struct sip_message *m, char *line, struct errinfo *e)
{
    struct slice rest = slice_of_str(line);
    TRY(check_version(slice_cut(&rest, ' '), e));
    const struct slice code = slice_cut(&rest, ' ');
    uint64_t status;
    if (code.n != 3 || !slice_to_u64(code, 699, &status) || status < 100)
        return fail(e, ERR_PARSE, "its status is not one from 100 to 699");
    m->status = (int)status;
    m->method = m->uri = "";
    m->reason = rest.p == NULL ? "" : (const char *)rest.p;
    return OK;
}

static struct result parse_request_line(struct sip_message *m, char *line, struct errinfo *e)
{
    struct slice rest = slice_of_str(line);
    const struct slice method = slice_cut(&rest, ' ');
    const struct slice uri = slice_cut(&rest, ' ');
    struct sip_uri parsed;
    if (!sip_token_valid(method))
        return fail(e, ERR_PARSE, "its first line is not one of SIP");
    TRY(check_version(rest, e));
    if (!sip_uri_valid(uri))
        return fail(e, ERR_PARSE, "its Request-URI is not valid");
    /* RFC 3261 section 19.1.1, table 1: no headers in a Request-URI */
    if (sip_uri_parse(uri, &parsed) && parsed.headers.p != NULL)
        return fail(e, ERR_PARSE, "its Request-URI has headers");
    line[method.n] = '\0';
    line[method.n + 1 + uri.n] = '\0';
    m->method = line;
    m->uri = line + method.n + 1;
    m->reason = "";
    return OK;
}

static struct result parse_start_line(struct sip_message *m, char *line, struct errinfo *e)
{
    if (slice_starts_nocase(slice_of_str(line), SLICE_LIT("SIP/")))
        return parse_status_line(m, line, e);
    return parse_request_line(m, line, e);
}

/* --- header fields --- */

/* The value of the parameter called NAME; NULL if there is none, "" if it has no value. */
static const char *param(osip_list_t *params, const char *name)
{
    char key[16]; /* osip takes no const */
    osip_generic_param_t *p = NULL;
    const bool fits = slice_to_str(slice_of_str(name), key, sizeof key);
    assert(fits);
    if (!fits || osip_generic_param_get_byname(params, key, &p) != 0 || p == NULL)
        return NULL;
    return p->gvalue != NULL ? p->gvalue : "";
}

static const char *check_call_id(struct slice value)
{
    return value.n == 0 || slice_find(value, ' ') < value.n ? "it is no word" : NULL;
}

/* Section 8.1.1.5: a number below 2^31, and the method, which is the request's. */
static const char *check_cseq(struct sip_message *m, struct slice value)
{
    uint64_t number;
    const struct slice digits = slice_cut(&value, ' ');
    const struct slice method = slice_trim(value);
    if (!slice_to_u64(digits, INT32_MAX, &number))
        return "its number is none below 2147483648";
    if (!sip_token_valid(method))
        return "its method is no token";
    if (m->status == 0 && !slice_eq_str(method, m->method))
        return "its method is not the request's";
    m->cseq = (uint32_t)number;
    return NULL;
}

static const char *check_content_length(struct sip_message *m, struct slice value)
{
    uint64_t n;
    if (!slice_to_u64(value, UINT32_MAX, &n))
        return "it is not a plain number";
    return n == m->body_size ? NULL : "it is not the body's length";
}

static const char *check_max_forwards(struct slice value)
{
    uint64_t n;
    return slice_to_u64(value, 255, &n) ? NULL : "it is no number up to 255";
}

/* A response is not thrown away for the sake of a field that nobody needs. */
static const char *check_date(struct sip_message *m, struct slice value)
{
    return m->status != 0 || slice_ends(value, SLICE_LIT(" GMT")) ? NULL : "its zone is not GMT";
}

/* What osip is not to be trusted with, by field; NULL if it is fine. */
static const char *check_field(struct sip_message *m, enum sip_header_id id, struct slice value)
{
    switch (id) {
    case SIP_HEADER_VIA:
        return sip_field_check_via(value);
    case SIP_HEADER_CONTACT:
        return slice_eq_str(value, "*") ? NULL : sip_field_check_address(value);
    case SIP_HEADER_FROM:
    case SIP_HEADER_TO:
    case SIP_HEADER_ROUTE:
    case SIP_HEADER_RECORD_ROUTE:
        return sip_field_check_address(value);
    case SIP_HEADER_CALL_ID:
        return check_call_id(value);
    case SIP_HEADER_CSEQ:
        return check_cseq(m, value);
    case SIP_HEADER_CONTENT_LENGTH:
        return check_content_length(m, value);
    case SIP_HEADER_MAX_FORWARDS:
        return check_max_forwards(value);
    case SIP_HEADER_DATE:
        return check_date(m, value);
    case SIP_HEADER_CONTENT_TYPE:
    case SIP_HEADER_OTHER:
        break;
    }
    return NULL;
}

/* Section 25.1, tag-param: a tag without a value would read as none at all. */
static const char *check_tag(const osip_message_t *osip, enum sip_header_id id)
{
    if (id != SIP_HEADER_FROM && id != SIP_HEADER_TO)
        return NULL;
    const char *tag =
        param(id == SIP_HEADER_FROM ? &osip->from->gen_params : &osip->to->gen_params, "tag");
    return tag != NULL && tag[0] == '\0' ? "its tag has no value" : NULL;
}

/*
 * Hands VALUE to osip's parser of the field; 0 also for fields that stay text. Field by field, not
 * osip_message_parse(): so it is known which one is wrong, and its tables (parser_init()) are not
 * needed.
 */
static int set_in_osip(osip_message_t *osip, enum sip_header_id id, const char *value)
{
    switch (id) {
    case SIP_HEADER_VIA:
        return osip_message_set_via(osip, value);
    case SIP_HEADER_FROM:
        return osip_message_set_from(osip, value);
    case SIP_HEADER_TO:
        return osip_message_set_to(osip, value);
    case SIP_HEADER_CONTACT:
        return osip_message_set_contact(osip, value);
    case SIP_HEADER_ROUTE:
        return osip_message_set_route(osip, value);
    case SIP_HEADER_RECORD_ROUTE:
        return osip_message_set_record_route(osip, value);
    case SIP_HEADER_CALL_ID:
        return osip_message_set_call_id(osip, value);
    case SIP_HEADER_CSEQ:
        return osip_message_set_cseq(osip, value);
    case SIP_HEADER_CONTENT_TYPE:
        return osip_message_set_content_type(osip, value);
    case SIP_HEADER_CONTENT_LENGTH:
    case SIP_HEADER_MAX_FORWARDS:
    case SIP_HEADER_DATE:
    case SIP_HEADER_OTHER:
        break;
    }
    return 0;
}

static size_t count_parts(struct slice value)
{
    size_t n = 1;
    for (size_t i = 0; i < value.n; i++)
        n += value.p[i] == ';' || value.p[i] == '&';
    return n;
}

static struct result add_entry(struct sip_message *m, struct entry entry, struct errinfo *e)
{
    m->parts += count_parts(slice_of_str(entry.value));
    if (m->parts > LIMIT_SIP_PARTS)
        return fail(e, ERR_LIMIT, "its header has more than %d parts", LIMIT_SIP_PARTS);
    if ((m->n_entries & (m->n_entries - 1)) == 0) { /* full: at 0, 1, 2, 4 ... */
        const size_t size = m->n_entries == 0 ? 1 : m->n_entries * 2;
        struct entry *grown = realloc(m->entries, size * sizeof *grown);
        if (grown == NULL)
            return err(ERR_NOMEM);
        m->entries = grown;
    }
    m->entries[m->n_entries++] = entry;
    return OK;
}

/* Takes one header field, or one element of a list. */
static struct result take_value(struct sip_message *m, const struct sip_header *known,
                                const char *name, struct slice value, struct errinfo *e)
{
    const char *text = "";
    if (value.n > 0) {
        text = (const char *)value.p;
        m->text[text - m->text + (ptrdiff_t)value.n] = '\0'; /* a blank, a comma, or the end */
    }
    TRY(add_entry(m, (struct entry){known, name, text}, e));
    if (known == NULL)
        return OK;
    const char *wrong = check_field(m, known->id, value);
    if (wrong == NULL && set_in_osip(m->osip, known->id, text) != 0)
        wrong = "it cannot be read";
    if (wrong == NULL)
        wrong = check_tag(m->osip, known->id);
    if (wrong != NULL)
        return fail(e, ERR_PARSE, "its %s header field is malformed: %s", name, wrong);
    return OK;
}

static struct result parse_field(struct sip_message *m, char *line, struct errinfo *e)
{
    struct slice value = slice_of_str(line);
    const struct slice name = slice_trim(slice_cut(&value, ':'));
    if (value.p == NULL || name.p != (uint8_t *)line || !sip_token_valid(name))
        return fail(e, ERR_PARSE, "a line of its header is no header field");
    line[name.n] = '\0';
    const struct sip_header *known = sip_header_find(name);
    const char *shown = known != NULL ? known->name : line;
    if (known != NULL && known->once && sip_message_header(m, shown, 0) != NULL)
        return fail(e, ERR_PARSE, "it has more than one %s header field", shown);
    value = slice_trim(value);
    if (known == NULL || !known->list)
        return take_value(m, known, shown, value, e);
    if (value.n == 0) /* an empty list */
        return OK;
    for (struct slice element; sip_field_next(&value, &element);)
        TRY(take_value(m, known, shown, element, e));
    return OK;
}

/* Section 8.1.1: without these a message means nothing. (Max-Forwards is demanded too, but RFC 2543
 * did not have it.) */
static struct result check_mandatory(const struct sip_message *m, struct errinfo *e)
{
    static const char *const names[] = {"Via", "From", "To", "Call-ID", "CSeq"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (sip_message_header(m, names[i], 0) == NULL)
            return fail(e, ERR_PARSE, "it has no %s header field", names[i]);
    return OK;
}

static struct result parse_text(struct sip_message *m, struct errinfo *e)
{
    size_t at = 0;
    char *line = next_line(m, &at);
    if (line == NULL)
        return fail(e, ERR_PARSE, "it is empty");
    TRY(parse_start_line(m, line, e));
    for (int n = 0; (line = next_line(m, &at)) != NULL; n++) {
        if (n == LIMIT_SIP_HEADERS)
            return fail(e, ERR_LIMIT, "it has more than %d header fields", LIMIT_SIP_HEADERS);
        TRY(parse_field(m, line, e));
    }
    return check_mandatory(m, e);
}

static struct result parse(struct sip_message *m, struct slice bytes, struct errinfo *e)
{
    if (bytes.n > LIMIT_SIP_MESSAGE)
        return fail(e, ERR_LIMIT, "it is longer than %d bytes", LIMIT_SIP_MESSAGE);
    m->text_size = bytes.n + 1;
    m->text = malloc(m->text_size);
    if (m->text == NULL || osip_message_init(&m->osip) != 0)
        return err(ERR_NOMEM);
    size_t end = 0;
    TRY(unfold(m, bytes, &end, e));
    const struct slice body = slice_from(bytes, end);
    m->body_size = body.n;
    m->body = slice_dup(body);
    if (m->body == NULL)
        return err(ERR_NOMEM);
    return parse_text(m, e);
}

struct result sip_message_parse(struct slice bytes, struct sip_message **out, struct errinfo *e)
{
    struct sip_message *m = calloc(1, sizeof *m);
    if (m == NULL)
        return err(ERR_NOMEM);
    const struct result r = parse(m, bytes, e);
    if (is_err(r)) {
        sip_message_free(m);
        return r;
    }
    *out = m;
    return OK;
}

void sip_message_free(struct sip_message *m)
{
    if (m == NULL)
        return;
    osip_message_free(m->osip);
    if (m->text != NULL)
        wipe(m->text, m->text_size); /* it may have been somebody's credentials */
    free(m->text);
    free(m->entries);
    free(m->body);
    free(m);
}

/* --- what it says --- */

bool sip_message_is_request(const struct sip_message *m)
{
    return m->status == 0;
}

const char *sip_message_method(const struct sip_message *m)
{
    return m->status == 0 ? m->method : m->osip->cseq->method;
}

const char *sip_message_uri(const struct sip_message *m)
{
    return m->uri;
}

int sip_message_status(const struct sip_message *m)
{
    return m->status;
}

const char *sip_message_reason(const struct sip_message *m)
{
    return m->reason;
}

const char *sip_message_call_id(const struct sip_message *m)
{
    return sip_message_header(m, "Call-ID", 0);
}

uint32_t sip_message_cseq(const struct sip_message *m)
{
    return m->cseq;
}

static const char *or_empty(const char *s)
{
    return s != NULL ? s : "";
}

const char *sip_message_branch(const struct sip_message *m)
{
    osip_via_t *via = osip_list_get(&m->osip->vias, 0);
    return or_empty(param(&via->via_params, "branch"));
}

const char *sip_message_from_tag(const struct sip_message *m)
{
    return or_empty(param(&m->osip->from->gen_params, "tag"));
}

const char *sip_message_to_tag(const struct sip_message *m)
{
    return or_empty(param(&m->osip->to->gen_params, "tag"));
}

struct slice sip_message_body(const struct sip_message *m)
{
    return slice_of(m->body, m->body_size);
}

const char *sip_message_header(const struct sip_message *m, const char *name, size_t n)
{
    const struct slice wanted = slice_of_str(name);
    const struct sip_header *known = sip_header_find(wanted);
    for (size_t i = 0; i < m->n_entries; i++) {
        const struct entry *entry = &m->entries[i];
        if (known != NULL ? entry->known != known
                          : entry->known != NULL || !slice_eq_nocase_str(wanted, entry->name))
            continue;
        if (n-- == 0)
            return entry->value;
    }
    return NULL;
}

bool sip_message_number(const struct sip_message *m, const char *name, uint64_t max, uint64_t *out)
{
    const char *value = sip_message_header(m, name, 0);
    if (value == NULL)
        return false;
    const size_t digits = strspn(value, "0123456789");
    return (value[digits] == '\0' || strchr(" ;(", value[digits]) != NULL) &&
           slice_to_u64(slice_of(value, digits), max, out);
}

/* --- contacts --- */

bool sip_message_contact(const struct sip_message *m, size_t n, struct sip_contact *out)
{
    const char *text = sip_message_header(m, "Contact", n);
    if (text == NULL)
        return false;
    osip_contact_t *contact = osip_list_get(&m->osip->contacts, (int)n);
    out->uri = sip_field_uri(slice_of_str(text));
    out->expires = param(&contact->gen_params, "expires");
    out->instance = param(&contact->gen_params, "+sip.instance");
    return true;
}

/* RFC 5626 section 4.1: +sip.instance="<urn:uuid:...>" */
static bool has_instance(const struct sip_contact *c, const char *instance_id)
{
    struct slice s = slice_of_str(c->instance);
    if (instance_id == NULL || !slice_starts(s, SLICE_LIT("\"<")) ||
        !slice_ends(s, SLICE_LIT(">\"")))
        return false;
    return slice_eq_nocase_str(slice_of(s.p + 2, s.n - 4), instance_id);
}

uint32_t sip_message_granted_expires(const struct sip_message *m, const char *contact_uri,
                                     const char *instance_id, uint32_t fallback)
{
    struct sip_contact c;
    uint64_t s;
    for (size_t n = 0; sip_message_contact(m, n, &c); n++) {
        if (!sip_uri_equal(c.uri, slice_of_str(contact_uri)) && !has_instance(&c, instance_id))
            continue;
        if (c.expires != NULL && slice_to_u64(slice_of_str(c.expires), UINT32_MAX, &s))
            return (uint32_t)s;
        return sip_message_number(m, "Expires", UINT32_MAX, &s) ? (uint32_t)s : fallback;
    }
    return 0;
}
