#include "sip/field.h"

#include <string.h>

#include "base/ascii.h"
#include "sip/uri.h"

bool sip_token_valid(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_alnum(s.p[i]) && (s.p[i] == 0 || strchr("-.!%*_+`'~", s.p[i]) == NULL))
            return false;
    return s.n > 0;
}

/* Behind the quoted string that begins at AT; 0 if it does not end. */
static size_t quoted_end(struct slice s, size_t at)
{
    for (at++; at < s.n; at++) {
        if (s.p[at] == '"')
            return at + 1;
        if (s.p[at] == '\\')
            at++;
    }
    return 0;
}

/* Where C first stands outside quoted strings and <>; s.n if nowhere. */
static size_t find_outside(struct slice s, uint8_t c)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == c)
            return i;
        if (s.p[i] == '<')
            i += slice_find(slice_from(s, i), '>');
        if (i < s.n && s.p[i] == '"') {
            const size_t end = quoted_end(s, i);
            if (end == 0)
                return s.n;
            i = end - 1;
        }
    }
    return s.n;
}

/* Like slice_cut(), outside quoted strings and <>. */
static struct slice cut_outside(struct slice *rest, uint8_t c)
{
    const size_t at = find_outside(*rest, c);
    const struct slice head = slice_first(*rest, at);
    *rest = at < rest->n ? slice_of(rest->p + at + 1, rest->n - at - 1) : SLICE_EMPTY;
    return slice_trim(head);
}

bool sip_field_next(struct slice *rest, struct slice *element)
{
    if (rest->p == NULL)
        return false;
    *element = cut_outside(rest, ',');
    return true;
}

bool sip_field_next_piece(struct slice *rest, struct slice *piece)
{
    if (rest->p == NULL)
        return false;
    *piece = cut_outside(rest, ';');
    return true;
}

bool sip_field_param(struct slice element, const char *name, struct slice *value)
{
    (void)cut_outside(&element, ';');
    while (sip_field_next_piece(&element, value)) {
        const struct slice found = slice_trim(slice_cut(value, '='));
        *value = slice_trim(*value);
        if (slice_eq_nocase_str(found, name))
            return true;
    }
    *value = SLICE_EMPTY;
    return false;
}

/* A quoted string and nothing else. */
static bool quoted_valid(struct slice s)
{
    return s.n > 0 && s.p[0] == '"' && quoted_end(s, 0) == s.n;
}

/* A value without quotes: more than the grammar's token and host, for what is in use ("tag=a@b").
 */
static bool bare_value_valid(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == ' ' || strchr("\"<>\\", s.p[i]) != NULL)
            return false;
    return s.n > 0;
}

/* generic-param *(SEMI generic-param) */
const char *sip_field_check_params(struct slice params)
{
    struct slice rest = params;
    do {
        struct slice value = cut_outside(&rest, ';');
        const bool has_value = slice_find(value, '=') < value.n;
        const struct slice name = slice_trim(slice_cut(&value, '='));
        value = slice_trim(value);
        if (name.n == 0)
            return "a parameter is empty";
        if (!sip_token_valid(name))
            return "a parameter's name is no token";
        if (has_value && !quoted_valid(value) && !bare_value_valid(value))
            return "a parameter's value is broken";
    } while (rest.p != NULL);
    return NULL;
}

/* display-name: a quoted string, or tokens with blanks between. */
static const char *check_display_name(struct slice s)
{
    if (s.n == 0 || quoted_valid(s))
        return NULL;
    if (s.p[0] == '"')
        return "a quoted string does not end";
    for (struct slice rest = s; rest.p != NULL;) {
        const struct slice word = slice_cut(&rest, ' ');
        if (word.n > 0 && !sip_token_valid(word))
            return "the display name needs quotes";
    }
    return NULL;
}

const char *sip_field_check_address(struct slice element)
{
    struct slice params = element;
    const struct slice head = cut_outside(&params, ';');
    const size_t open = find_outside(head, '<');
    struct slice uri = head;
    if (open < head.n) {
        const char *wrong = check_display_name(slice_trim(slice_first(head, open)));
        if (wrong != NULL)
            return wrong;
        if (head.p[head.n - 1] != '>')
            return "the '<' has no '>' at the end of the address";
        uri = slice_of(head.p + open + 1, head.n - open - 2);
    } else if (slice_find(head, '"') < head.n) {
        return "a quoted string does not end, or no address follows it";
    } else if (slice_find(head, '?') < head.n) { /* section 20: else whose headers are they? */
        return "a URI with '?' needs <> around it";
    }
    if (!sip_uri_valid(uri))
        return uri.n == 0 ? "the URI is missing" : "the URI is not valid";
    return params.p == NULL ? NULL : sip_field_check_params(params);
}

struct slice sip_field_uri(struct slice address)
{
    const struct slice head = cut_outside(&address, ';');
    const size_t open = find_outside(head, '<');
    return open < head.n ? slice_of(head.p + open + 1, head.n - open - 2) : head;
}

/* sent-protocol: "SIP" / "2.0" / transport, with blanks around the slashes if need be. Leaves what
 * is behind it in REST. */
static bool cut_sent_protocol(struct slice *rest, struct slice *transport)
{
    const struct slice name = slice_trim(slice_cut(rest, '/'));
    const struct slice version = slice_trim(slice_cut(rest, '/'));
    *rest = slice_trim(*rest);
    *transport = slice_cut(rest, ' ');
    return slice_eq_nocase_str(name, "SIP") && slice_eq_str(version, "2.0") &&
           sip_token_valid(*transport);
}

const char *sip_field_check_via(struct slice element)
{
    struct slice params = element, transport;
    struct slice head = cut_outside(&params, ';');
    if (!cut_sent_protocol(&head, &transport))
        return "it does not begin with SIP/2.0 and a transport";
    if (!sip_hostport_valid(slice_trim(head)))
        return "the host or port is not valid";
    return params.p == NULL ? NULL : sip_field_check_params(params);
}

void sip_field_via(struct slice element, struct sip_via *out)
{
    struct slice sent_by = cut_outside(&element, ';');
    (void)cut_sent_protocol(&sent_by, &out->transport);
    sent_by = slice_trim(sent_by);
    size_t at = sent_by.n > 0 && sent_by.p[0] == '[' ? slice_find(sent_by, ']') : 0;
    at += slice_find(slice_from(sent_by, at), ':');
    out->host = slice_first(sent_by, at);
    out->port = slice_from(sent_by, at + 1);
}
