#include "pki/constraints.h"

#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "pki/der_value.h"
#include "pki/dn.h"
#include "pki/ip.h"
#include "pki/peername.h"

/* --- host names --- */

/* NAME is BASE, or has labels to the left of it. The empty base is above all. */
static bool host_within(struct slice name, struct slice base)
{
    if (base.n == 0 || slice_eq_nocase(name, base))
        return true;
    return name.n > base.n && name.p[name.n - base.n - 1] == '.' &&
           slice_eq_nocase(slice_from(name, name.n - base.n), base);
}

/* ".example.com": at least one label to the left. */
static bool host_below(struct slice name, struct slice dot_base)
{
    return name.n > dot_base.n && slice_eq_nocase(slice_from(name, name.n - dot_base.n), dot_base);
}

/*
 * A wildcard stands for many hosts. It is within permitted names if all of them are, for which its
 * text is compared like a name; and touches excluded ones if any of them is, so also if the
 * excluded name is one label longer than what follows the wildcard.
 */
static bool wildcard_touches(struct slice name, struct slice base)
{
    if (slice_find(name, '*') == name.n)
        return false;
    (void)slice_cut(&name, '.');
    (void)slice_cut(&base, '.');
    return base.n > 0 && slice_eq_nocase(name, base);
}

static bool match_dns(struct slice name, struct slice base, bool excluded)
{
    if (base.n > 0 && base.p[0] == '.')
        return host_below(name, base) ||
               (excluded && (host_within(name, slice_from(base, 1)) ||
                             wildcard_touches(name, slice_from(base, 1))));
    return host_within(name, base) || (excluded && wildcard_touches(name, base));
}

/* A presented name: a host name, or one with a wildcard in its first label. */
static bool is_presented_host(struct slice name)
{
    struct slice rest = name;

    if (slice_find(name, '*') == name.n)
        return peername_is_host(name, true);
    const struct slice first = slice_cut(&rest, '.');
    return slice_find(first, '*') < first.n && peername_is_host(rest, true);
}

/* --- e-mail addresses --- */

/* "local@host", cut at the last '@': the local part may be quoted. */
static bool split_mailbox(struct slice text, struct slice *local, struct slice *host)
{
    size_t at = text.n;

    while (at > 0 && text.p[at - 1] != '@')
        at--;
    if (at <= 1)
        return false;
    *local = slice_first(text, at - 1);
    *host = slice_from(text, at);
    return peername_is_host(*host, true);
}

/* BASE is a mailbox, a host, or with a leading dot everything below one. */
static bool match_email(struct slice name, struct slice base)
{
    struct slice local, host, base_local, base_host;

    if (!split_mailbox(name, &local, &host))
        return false;
    if (split_mailbox(base, &base_local, &base_host))
        return slice_eq(local, base_local) && slice_eq_nocase(host, base_host);
    if (base.n > 0 && base.p[0] == '.')
        return host_below(host, base);
    return base.n == 0 || slice_eq_nocase(host, base);
}

/* --- URIs --- */

/* The host in "scheme://user@host:port/..." and in SIP URIs, which have no "//". */
static bool uri_host(struct slice uri, struct slice *host)
{
    bool secure, has_user;
    struct slice rest = uri;

    if (!peername_sip_host(uri, host, &secure, &has_user)) {
        (void)slice_cut(&rest, ':');
        if (!slice_starts(rest, SLICE_LIT("//")))
            return false;
        rest = slice_from(rest, 2);
        for (size_t i = 0; i < rest.n; i++)
            if (rest.p[i] == '/' || rest.p[i] == '?' || rest.p[i] == '#')
                rest = slice_first(rest, i);
        const size_t at = slice_find(rest, '@');
        if (at < rest.n)
            rest = slice_from(rest, at + 1);
        *host = slice_first(rest, slice_find(rest, ':'));
    }
    uint8_t ip[16];
    return peername_is_host(*host, true) && ip_parse(*host, ip) == 0;
}

static bool match_uri(struct slice uri, struct slice base)
{
    struct slice host;

    if (!uri_host(uri, &host))
        return false;
    if (base.n > 0 && base.p[0] == '.')
        return host_below(host, base);
    return base.n == 0 || slice_eq_nocase(host, base);
}

/* --- IP addresses --- */

/* BASE is an address and a mask behind it. */
static bool match_ip(struct slice name, struct slice base)
{
    if (base.n != 2 * name.n)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (((name.p[i] ^ base.p[i]) & base.p[name.n + i]) != 0)
            return false;
    return true;
}

/* In the style of RFC 4632: ones, then zeros. */
static bool is_ip_base(struct slice base)
{
    bool zeros = false;

    if (base.n != 8 && base.n != 32)
        return false;
    for (size_t i = base.n / 2; i < base.n; i++)
        for (unsigned bit = 0x80; bit != 0; bit >>= 1) {
            if ((base.p[i] & bit) == 0)
                zeros = true;
            else if (zeros)
                return false;
        }
    return true;
}

/* --- subtrees --- */

struct subtree {
    struct general_name base;
    bool excluded;
};

/* Over all subtrees of a CA, the permitted ones first. */
struct subtrees {
    struct slice permitted, excluded;
};

/* NameConstraints ::= SEQUENCE { permittedSubtrees [0] OPTIONAL, excludedSubtrees [1] OPTIONAL },
 * not empty, nor either of them. */
static bool subtrees_of(const struct certfields *ca, struct subtrees *out)
{
    struct slice v = ca->ext[CERT_EXT_NAME_CONSTRAINTS].value, seq;

    if (!der_take(&v, DER_SEQUENCE, &seq) || v.n != 0)
        return false;
    *out = (struct subtrees){SLICE_EMPTY, SLICE_EMPTY};
    const bool permitted = der_take(&seq, DER_CONTEXT_CONSTRUCTED(0), &out->permitted);
    const bool excluded = der_take(&seq, DER_CONTEXT_CONSTRUCTED(1), &out->excluded);
    return seq.n == 0 && (permitted || excluded) && permitted == (out->permitted.n > 0) &&
           excluded == (out->excluded.n > 0);
}

/* GeneralSubtree ::= SEQUENCE { base, minimum [0] DEFAULT 0, maximum [1] OPTIONAL }; the profile
 * fixes the minimum to 0 and forbids the maximum. */
static bool next_subtree(struct subtrees *all, struct subtree *out)
{
    struct slice *list = all->permitted.n > 0 ? &all->permitted : &all->excluded;
    struct slice seq, minimum;

    out->excluded = list == &all->excluded;
    if (!der_take(list, DER_SEQUENCE, &seq) || !general_name_next(&seq, &out->base))
        return false;
    if (der_take(&seq, DER_CONTEXT(0), &minimum) && (minimum.n != 1 || minimum.p[0] != 0))
        return false;
    return seq.n == 0;
}

static bool is_ascii(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_print(s.p[i]))
            return false;
    return true;
}

static bool is_host_base(struct slice base, bool leading_dot)
{
    if (leading_dot && base.n > 1 && base.p[0] == '.')
        base = slice_from(base, 1);
    return base.n == 0 || peername_is_host(base, true);
}

static bool is_base(const struct general_name *g, bool leading_dots)
{
    struct slice local, host;

    switch (g->type) {
    case GENERAL_NAME_DNS:
        return is_host_base(g->value, leading_dots);
    case GENERAL_NAME_EMAIL:
        return is_ascii(g->value) &&
               (split_mailbox(g->value, &local, &host) || is_host_base(g->value, true));
    case GENERAL_NAME_URI:
        return is_host_base(g->value, true);
    case GENERAL_NAME_IP:
        return is_ip_base(g->value);
    default:
        return true;
    }
}

static enum constraints_result check_form(struct subtrees all, bool leading_dots, unsigned *budget)
{
    struct subtree t;

    while (all.permitted.n + all.excluded.n > 0) {
        if (*budget == 0)
            return CONSTRAINTS_TOO_MANY;
        --*budget;
        if (!next_subtree(&all, &t) || !is_base(&t.base, true))
            return CONSTRAINTS_MALFORMED;
        if (!leading_dots && !is_base(&t.base, false))
            return CONSTRAINTS_DOTTED;
    }
    return CONSTRAINTS_KEPT;
}

/* --- names against subtrees --- */

static bool match(const struct general_name *name, const struct subtree *t)
{
    const struct slice base = t->base.value;

    switch (name->type) {
    case GENERAL_NAME_DNS:
        return match_dns(name->value, base, t->excluded);
    case GENERAL_NAME_EMAIL:
        return match_email(name->value, base);
    case GENERAL_NAME_URI:
        return match_uri(name->value, base);
    case GENERAL_NAME_IP:
        return match_ip(name->value, base);
    case GENERAL_NAME_DIRECTORY:
        return dn_within(name->value, base);
    default:
        return t->excluded; /* not understood: never permitted, always excluded */
    }
}

/* A name that cannot be compared is never within what is permitted, and nobody can say that it is
 * outside of what is excluded. */
static bool is_comparable(const struct general_name *name)
{
    struct slice a, b;

    switch (name->type) {
    case GENERAL_NAME_DNS:
        return is_presented_host(name->value);
    case GENERAL_NAME_EMAIL:
        return split_mailbox(name->value, &a, &b);
    case GENERAL_NAME_URI: /* "with a host name, or reject" */
        return uri_host(name->value, &a);
    case GENERAL_NAME_IP:
    case GENERAL_NAME_DIRECTORY:
        return true;
    default:
        return false;
    }
}

static enum constraints_result check_name(struct subtrees all, const struct general_name *name,
                                          unsigned *budget)
{
    struct subtree t;
    bool limited = false, permitted = false;

    while (all.permitted.n + all.excluded.n > 0) {
        if (*budget == 0)
            return CONSTRAINTS_TOO_MANY;
        --*budget;
        if (!next_subtree(&all, &t) || t.base.type != name->type)
            continue;
        if (!is_comparable(name) || (t.excluded && match(name, &t)))
            return CONSTRAINTS_VIOLATED;
        if (!t.excluded) {
            limited = true;
            permitted = permitted || match(name, &t);
        }
    }
    return limited && !permitted ? CONSTRAINTS_VIOLATED : CONSTRAINTS_KEPT;
}

/* --- the names of a certificate --- */

static void name_text(const struct general_name *g, char *out, size_t size)
{
    switch (g->type) {
    case GENERAL_NAME_IP:
        ip_text(g->value, out, size);
        break;
    case GENERAL_NAME_DIRECTORY:
        dn_text(g->value, out, size);
        break;
    case GENERAL_NAME_EMAIL:
    case GENERAL_NAME_DNS:
    case GENERAL_NAME_URI:
        (void)snprintf(out, size, "%.*s", SLICE_FMT(g->value));
        break;
    default:
        (void)snprintf(out, size, "a name of a rare kind");
        break;
    }
}

/* Calls check_name() for every name; the first result that is not KEPT is the answer. */
struct walk {
    const struct constraints_question *q;
    struct subtrees all;
    enum constraints_result result;
    char *name;
    size_t name_size;
};

static bool visit(struct walk *w, enum general_name_type type, struct slice value)
{
    const struct general_name g = {type, value};

    w->result = check_name(w->all, &g, w->q->budget);
    if (w->result == CONSTRAINTS_KEPT)
        return true;
    name_text(&g, w->name, w->name_size);
    return false;
}

/* "If the subjectAltName extension is not present": addresses in the subject count instead. */
static bool visit_subject_emails(struct walk *w)
{
    struct dn_cursor at = dn_begin(w->q->cert->subject);
    struct dn_attribute a;

    while (dn_next(&at, &a))
        if (slice_eq(a.oid, DN_OID_EMAIL_ADDRESS) && !visit(w, GENERAL_NAME_EMAIL, a.value))
            return false;
    return true;
}

static bool visit_alt_names(struct walk *w)
{
    struct slice names = certfields_alt_names(w->q->cert);
    struct general_name g;

    while (general_name_next(&names, &g))
        if (!visit(w, g.type, g.value))
            return false;
    return true;
}

enum constraints_result constraints_check(const struct constraints_question *q, char *name,
                                          size_t name_size)
{
    const struct certfields *c = q->cert;
    struct walk w = {.q = q, .result = CONSTRAINTS_KEPT, .name = name, .name_size = name_size};

    if (!subtrees_of(q->ca, &w.all))
        return CONSTRAINTS_MALFORMED;
    w.result = check_form(w.all, q->leading_dots, q->budget);
    if (w.result != CONSTRAINTS_KEPT)
        return w.result;
    if (!dn_is_empty(c->subject) && !visit(&w, GENERAL_NAME_DIRECTORY, c->subject))
        return w.result;
    if (!c->ext[CERT_EXT_SUBJECT_ALT_NAME].present ? !visit_subject_emails(&w)
                                                   : !visit_alt_names(&w))
        return w.result;
    /* A common name that is no host name matches no host, so it needs no permission. */
    if (is_presented_host(q->common_name))
        (void)visit(&w, GENERAL_NAME_DNS, q->common_name);
    return w.result;
}
