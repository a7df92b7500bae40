#include "sip/hop.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "sip/field.h"
#include "sip/hop_mark.h"
#include "sip/line.h"
#include "sip/uri.h"

#define MAX_FORWARDS 70 /* section 16.6, step 3 */

enum { INTERNAL_ERROR = 500, TOO_MANY_HOPS = 483, TOO_LARGE = 513 };

/* One passage of one message. */
struct work {
    const struct hop *h;
    const struct sip_message *m;
    struct buf *out;
    size_t before;     /* what OUT held already */
    bool strict;       /* our Record-Route is in the Request-URI: the last Route goes there */
    size_t last_route; /* its index then */
    size_t vias, routes, record_routes, contacts; /* elements that were passed */
    bool rewritten;                               /* our Record-Route was */
};

/* --- our Record-Route --- */

static bool is_at(const struct sip_uri *u, const char *hostport)
{
    struct slice host = slice_of_str(hostport);
    const size_t name = u->host.n;
    if (!slice_eq_nocase(slice_first(host, name), u->host))
        return false;
    host = slice_from(host, name);
    return host.n == 0 ? u->port.n == 0
                       : host.p[0] == ':' && slice_eq(slice_from(host, 1), u->port);
}

/* Section 16.4: a Route that means us. By its token, for our address may have changed meanwhile; or
 * by its address, for the token may be of a process before this one. */
static bool is_our_route(const struct hop *h, struct slice uri)
{
    struct sip_uri u;
    bool sips;
    return sip_uri_parse(uri, &u) &&
           (hop_mark_is_route(h->key, h->account, u.userinfo, true, &sips) ||
            hop_mark_is_route(h->key, h->account, u.userinfo, false, &sips) ||
            is_at(&u, h->from.hostport));
}

/* What SIDE is to find in Record-Route. */
static struct result write_route_uri(struct buf *out, const struct hop *h,
                                     const struct hop_side *side, bool outward, bool sips)
{
    char token[HOP_TOKEN_SIZE];
    hop_mark_route(h->key, h->account, outward, sips, token);
    if (side->transport == HOP_TCP)
        return buf_printf(out, "sip:%s@%s;transport=tcp;lr", token, side->hostport);
    /* RFC 3261 section 26.2.2: a SIPS URI says it all, transport=tls is for "sip:" alone */
    return buf_printf(out, "%s:%s@%s%s;lr", sips ? "sips" : "sip", token, side->hostport,
                      sips ? "" : ";transport=tls");
}

static bool may_begin_dialog(const struct sip_message *m)
{
    static const char *const methods[] = {"INVITE", "SUBSCRIBE", "REFER", "NOTIFY"};
    if (sip_message_to_tag(m)[0] != '\0')
        return false;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(sip_message_method(m), methods[i]) == 0)
            return true;
    return false;
}

static struct result write_record_route(struct work *w, struct slice request_uri)
{
    const bool sips = slice_starts_nocase(request_uri, SLICE_LIT("sips:"));
    if (!may_begin_dialog(w->m))
        return OK;
    TRY(buf_append_str(w->out, "Record-Route: <"));
    TRY(write_route_uri(w->out, w->h, &w->h->to, w->h->outward, sips));
    return buf_append_str(w->out, ">\r\n");
}

/* The topmost one of ours, of the direction that the request went, which is not in the form of the
 * side that the response goes to yet: a call that passed us twice has two. */
static struct result rewrite_record_route(struct work *w, struct slice element, bool *changed)
{
    const struct hop *h = w->h;
    struct sip_uri u;
    bool sips;
    *changed = false;
    if (w->rewritten || !sip_uri_parse(sip_field_uri(element), &u) ||
        !hop_mark_is_route(h->key, h->account, u.userinfo, !h->outward, &sips) ||
        is_at(&u, h->to.hostport))
        return OK;
    *changed = w->rewritten = true;
    TRY(buf_append_str(w->out, "<"));
    TRY(write_route_uri(w->out, h, &h->to, !h->outward, sips));
    return buf_append_str(w->out, ">");
}

/* --- the lines of the header --- */

/* What becomes of an element of a list: appended to w->out as it is to be; or nothing appended,
 * and *KEEP says whether it stays. */
typedef struct result element_fn(struct work *w, struct slice element, bool *keep);

/* A line of a list of which some elements are changed; byte for byte if none is. */
static struct result write_list(struct work *w, const struct sip_line *l, element_fn *fn)
{
    const size_t start = buf_len(w->out);
    struct slice rest = l->value, element;
    bool same = true, first = true;
    if (l->value.n == 0) /* an empty list */
        return buf_append(w->out, l->whole);
    TRY(buf_printf(w->out, "%.*s: ", SLICE_FMT(l->name)));
    while (sip_field_next(&rest, &element)) {
        const size_t separator = buf_len(w->out);
        if (!first)
            TRY(buf_append_str(w->out, ", "));
        const size_t at = buf_len(w->out);
        bool keep = true;
        TRY(fn(w, element, &keep));
        const bool changed = buf_len(w->out) > at;
        if (!changed && keep)
            TRY(buf_append(w->out, element));
        if (!changed && !keep)
            buf_truncate(w->out, separator);
        else
            first = false;
        same = same && keep && !changed;
    }
    if (!same && !first)
        return buf_append_str(w->out, "\r\n");
    buf_truncate(w->out, start); /* nothing is left of it, or nothing was changed */
    return same ? buf_append(w->out, l->whole) : OK;
}

/* --- requests --- */

/* RFC 3261 section 18.2.1, RFC 3581 section 4: where it came from, not where it says. */
static struct result mark_via(struct work *w, struct slice element, bool *keep)
{
    const struct hop_side *from = &w->h->from;
    struct sip_via via;
    struct slice ignored, piece;
    if (w->vias++ != 0 || from->peer_host == NULL)
        return OK;
    const struct slice text = slice_of_str(sip_message_header(w->m, "Via", 0));
    const bool rport = sip_field_param(text, "rport", &ignored);
    sip_field_via(text, &via);
    if (!rport && !sip_field_param(text, "received", &ignored) &&
        slice_eq_nocase_str(via.host, from->peer_host))
        return OK;
    *keep = false;
    const char *separator = "";
    while (sip_field_next_piece(&element, &piece)) {
        struct slice value = piece;
        const struct slice name = slice_trim(slice_cut(&value, '='));
        if (slice_eq_nocase_str(name, "received") || slice_eq_nocase_str(name, "rport"))
            continue;
        TRY(buf_printf(w->out, "%s%.*s", separator, SLICE_FMT(piece)));
        separator = ";";
    }
    if (rport)
        TRY(buf_printf(w->out, ";rport=%u", (unsigned)from->peer_port));
    /* RFC 5118 section 4.5: an IPv6 address without brackets, as the grammar has it */
    struct slice host = slice_of_str(from->peer_host);
    if (host.n > 2 && host.p[0] == '[')
        host = slice_of(host.p + 1, host.n - 2);
    return buf_printf(w->out, ";received=%.*s", SLICE_FMT(host));
}

/* The route set without us; where a strict router sent the request to our own URI, without its last
 * one, which is the Request-URI now. */
static struct result pass_route(struct work *w, struct slice element, bool *keep)
{
    const size_t n = w->routes++;
    if (w->strict)
        *keep = n != w->last_route;
    else
        *keep = n != 0 || !is_our_route(w->h, sip_field_uri(element));
    return OK;
}

static struct result exchange_contact(struct work *w, struct slice element, bool *keep)
{
    const struct hop_edit *edit = &w->h->edit;
    const char *text = sip_message_header(w->m, "Contact", w->contacts++);
    if (edit->contact_is == NULL || text == NULL ||
        !sip_uri_equal(sip_field_uri(slice_of_str(text)), edit->contact_was))
        return OK;
    *keep = false;
    /* What is before the URI may stay; and <> are there, whatever the URI has in it. */
    struct slice params = element, piece;
    (void)sip_field_next_piece(&params, &piece);
    const size_t open = slice_find(piece, '<');
    if (open < piece.n && slice_find(piece, '"') == piece.n)
        TRY(buf_append(w->out, slice_first(piece, open)));
    TRY(buf_printf(w->out, "<%s>", edit->contact_is));
    return params.p == NULL ? OK : buf_printf(w->out, ";%.*s", SLICE_FMT(params));
}

static struct result write_our_via(struct work *w)
{
    const struct hop *h = w->h;
    const bool tls = h->to.transport == HOP_TLS;
    char branch[HOP_BRANCH_SIZE];
    hop_mark_branch(h->key, h->account, w->m, 0, h->from.id, h->to.id, branch);
    return buf_printf(w->out, "Via: SIP/2.0/%s %s;branch=%s%s\r\n", tls ? "TLS" : "TCP",
                      h->to.hostport, branch, h->outward && tls ? ";rport;alias" : "");
}

static struct result write_max_forwards(struct work *w, const struct sip_line *l)
{
    uint64_t n = MAX_FORWARDS;
    (void)sip_message_number(w->m, "Max-Forwards", 255, &n);
    return buf_printf(w->out, "%.*s: %u\r\n", SLICE_FMT(l->name), (unsigned)n - 1);
}

static struct result write_request_field(struct work *w, const struct sip_line *l)
{
    switch (l->known == NULL ? SIP_HEADER_OTHER : l->known->id) {
    case SIP_HEADER_VIA:
        return write_list(w, l, mark_via);
    case SIP_HEADER_ROUTE:
        return write_list(w, l, pass_route);
    case SIP_HEADER_CONTACT:
        return write_list(w, l, exchange_contact);
    case SIP_HEADER_MAX_FORWARDS:
        return write_max_forwards(w, l);
    default:
        return buf_append(w->out, l->whole);
    }
}

/* Section 16.4: the Request-URI is a Record-Route of ours. */
static void look_for_strict_router(struct work *w)
{
    struct sip_uri u;
    bool sips;
    size_t n = 0;
    if (!sip_uri_parse(slice_of_str(sip_message_uri(w->m)), &u) ||
        (!hop_mark_is_route(w->h->key, w->h->account, u.userinfo, true, &sips) &&
         !hop_mark_is_route(w->h->key, w->h->account, u.userinfo, false, &sips)))
        return;
    while (sip_message_header(w->m, "Route", n) != NULL)
        n++;
    if (n == 0)
        return;
    const struct slice last = sip_field_uri(slice_of_str(sip_message_header(w->m, "Route", n - 1)));
    w->strict = sip_uri_parse(last, &u) && u.headers.p == NULL;
    w->last_route = n - 1;
}

static struct slice new_request_uri(const struct work *w)
{
    if (w->h->edit.request_uri != NULL)
        return slice_of_str(w->h->edit.request_uri);
    if (w->strict)
        return sip_field_uri(slice_of_str(sip_message_header(w->m, "Route", w->last_route)));
    return slice_of_str(sip_message_uri(w->m));
}

static struct result write_request(struct work *w, struct slice raw)
{
    struct sip_line l;
    look_for_strict_router(w);
    const struct slice uri = new_request_uri(w);
    (void)sip_line_cut(&raw); /* of single blanks, as it was parsed */
    TRY(buf_printf(w->out, "%s %.*s SIP/2.0\r\n", sip_message_method(w->m), SLICE_FMT(uri)));
    TRY(write_our_via(w));
    TRY(write_record_route(w, w->h->edit.request_uri != NULL ? slice_of_str(sip_message_uri(w->m))
                                                             : uri));
    if (sip_message_header(w->m, "Max-Forwards", 0) == NULL)
        TRY(buf_printf(w->out, "Max-Forwards: %d\r\n", MAX_FORWARDS));
    while (sip_line_next(&raw, &l))
        TRY(write_request_field(w, &l));
    const size_t header = buf_len(w->out) - w->before + 2;
    return header > LIMIT_SIP_HEADER_BYTES ? err(ERR_LIMIT) : buf_append(w->out, raw);
}

/* --- responses --- */

static struct result pop_via(struct work *w, struct slice element, bool *keep)
{
    (void)element;
    *keep = w->vias++ != 0;
    return OK;
}

static struct result pass_record_route(struct work *w, struct slice element, bool *keep)
{
    bool changed;
    TRY(rewrite_record_route(w, element, &changed));
    *keep = !changed;
    return OK;
}

static struct result write_response_field(struct work *w, const struct sip_line *l)
{
    switch (l->known == NULL ? SIP_HEADER_OTHER : l->known->id) {
    case SIP_HEADER_VIA:
        return write_list(w, l, pop_via);
    case SIP_HEADER_RECORD_ROUTE:
        return write_list(w, l, pass_record_route);
    case SIP_HEADER_CONTACT:
        return write_list(w, l, exchange_contact);
    default:
        return buf_append(w->out, l->whole);
    }
}

static struct result write_response(struct work *w, struct slice raw)
{
    struct sip_line l;
    TRY(buf_append(w->out, sip_line_cut(&raw)));
    while (sip_line_next(&raw, &l))
        TRY(write_response_field(w, &l));
    return buf_append(w->out, raw);
}

/* --- the whole --- */

bool hop_response_id(const struct sip_message *m, uint64_t *id)
{
    return hop_mark_branch_id(slice_of_str(sip_message_branch(m)), id);
}

static bool edit_is_usable(const struct hop_edit *edit)
{
    struct sip_uri u;
    return (edit->request_uri == NULL ||
            (sip_uri_parse(slice_of_str(edit->request_uri), &u) && u.headers.p == NULL)) &&
           (edit->contact_is == NULL || sip_uri_parse(slice_of_str(edit->contact_is), &u));
}

static struct result check(const struct hop *h, struct errinfo *e)
{
    const struct hop_side *from = &h->from;
    if (!sip_hostport_valid(slice_of_str(from->hostport)) ||
        !sip_hostport_valid(slice_of_str(h->to.hostport)) ||
        (from->peer_host != NULL && !sip_host_valid(slice_of_str(from->peer_host))))
        return fail_native(e, ERR_INVALID, INTERNAL_ERROR, "an address is none for SIP");
    if (!edit_is_usable(&h->edit))
        return fail_native(e, ERR_INVALID, INTERNAL_ERROR, "a URI to be put in is not valid");
    return OK;
}

/* What can go wrong while it is written. */
static struct result finish(const struct work *w, struct result r, struct errinfo *e)
{
    if (is_ok(r) && buf_len(w->out) - w->before > LIMIT_SIP_MESSAGE)
        r = err(ERR_LIMIT);
    if (r.code == ERR_LIMIT)
        return fail_native(e, ERR_LIMIT, TOO_LARGE, "with our Via it is too long");
    return is_ok(r) ? r : fail_native(e, r.code, INTERNAL_ERROR, "out of memory for a message");
}

struct result hop_request(const struct hop *h, const struct sip_message *m, struct slice raw,
                          struct buf *out, struct errinfo *e)
{
    struct work w = {.h = h, .m = m, .out = out, .before = buf_len(out)};
    uint64_t n = MAX_FORWARDS;
    TRY(check(h, e));
    if (sip_message_number(m, "Max-Forwards", 255, &n) && n == 0)
        return fail_native(e, ERR_LIMIT, TOO_MANY_HOPS, "its Max-Forwards is 0");
    return finish(&w, write_request(&w, raw), e);
}

struct result hop_response(const struct hop *h, const struct sip_message *m, struct slice raw,
                           struct buf *out, struct errinfo *e)
{
    struct work w = {.h = h, .m = m, .out = out, .before = buf_len(out)};
    char branch[HOP_BRANCH_SIZE];
    TRY(check(h, e));
    if (sip_message_header(m, "Via", 1) == NULL)
        return fail(e, ERR_PARSE, "it has no Via below ours");
    hop_mark_branch(h->key, h->account, m, 1, h->to.id, h->from.id, branch);
    const struct slice theirs = slice_of_str(sip_message_branch(m));
    if (theirs.n != HOP_BRANCH_SIZE - 1 || !hash_equal(theirs.p, branch, HOP_BRANCH_SIZE - 1))
        return fail(e, ERR_DENIED, "it answers nothing that was sent over this connection");
    return finish(&w, write_response(&w, raw), e);
}

/* --- behind a NAT --- */

bool hop_seen_at(const struct sip_message *m, char out[HOP_HOSTPORT_SIZE])
{
    const struct slice via = slice_of_str(sip_message_header(m, "Via", 0));
    struct slice received, rport;
    char host[INET6_ADDRSTRLEN + 2];
    uint8_t binary[16];
    uint64_t port;
    if (!sip_field_param(via, "received", &received) || !sip_field_param(via, "rport", &rport) ||
        !slice_to_u64(rport, 65535, &port) || port == 0)
        return false;
    if (received.n > 2 && received.p[0] == '[' && received.p[received.n - 1] == ']')
        received = slice_of(received.p + 1, received.n - 2);
    if (!slice_to_str(received, host, sizeof host))
        return false;
    const bool ipv6 = inet_pton(AF_INET6, host, binary) == 1;
    if (!ipv6 && inet_pton(AF_INET, host, binary) != 1)
        return false;
    const int n =
        snprintf(out, HOP_HOSTPORT_SIZE, ipv6 ? "[%s]:%u" : "%s:%u", host, (unsigned)port);
    return n > 0 && n < HOP_HOSTPORT_SIZE;
}
