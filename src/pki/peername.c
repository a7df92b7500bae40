#include "pki/peername.h"

#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "base/limits.h"
#include "pki/der.h"
#include "pki/dn.h"
#include "pki/ip.h"

static const char *const rules_names[] = {
    [PEERNAME_RFC2818] = "rfc2818", [PEERNAME_RFC9525] = "rfc9525", [PEERNAME_RFC5922] = "rfc5922"};

bool peername_rules_from_name(const char *text, enum peername_rules *out)
{
    for (size_t i = 0; i < sizeof rules_names / sizeof rules_names[0]; i++)
        if (strcmp(text, rules_names[i]) == 0) {
            *out = (enum peername_rules)i;
            return true;
        }
    return false;
}

const char *peername_rules_name(enum peername_rules r)
{
    return r <= PEERNAME_RFC5922 ? rules_names[r] : "unknown";
}

/* --- host names --- */

static bool is_label(struct slice label, bool allow_underscore)
{
    if (label.n == 0 || label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-')
        return false;
    for (size_t i = 0; i < label.n; i++) {
        const uint8_t c = label.p[i];
        if (!ascii_is_alnum(c) && c != '-' && !(allow_underscore && c == '_'))
            return false;
    }
    return true;
}

bool peername_is_host(struct slice name, bool allow_underscore)
{
    struct slice rest = name;

    if (name.n == 0 || name.n >= PEERNAME_TEXT_SIZE || name.p[name.n - 1] == '.')
        return false;
    while (rest.n > 0)
        if (!is_label(slice_cut(&rest, '.'), allow_underscore))
            return false;
    return true;
}

/* The last label is no number: or it is a mistyped address (RFC 1123 section 2.1). */
static bool ends_in_number(struct slice name)
{
    size_t at = name.n;

    while (at > 0 && ascii_is_digit(name.p[at - 1]))
        at--;
    return at < name.n && (at == 0 || name.p[at - 1] == '.');
}

static RESULT parse_host(struct slice text, struct peername *out, struct errinfo *e)
{
    if (text.n > 0 && text.p[text.n - 1] == '.')
        text = slice_first(text, text.n - 1);
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] >= 0x80)
            return fail(e, ERR_INVALID,
                        "the host name '%.*s' has letters that DNS does not know; write it in its "
                        "ASCII form (xn--...)",
                        SLICE_FMT(text));
    if (!peername_is_host(text, true) || ends_in_number(text))
        return fail(e, ERR_INVALID, "'%.*s' is neither a host name nor an IP address",
                    SLICE_FMT(slice_first(text, 200)));
    out->kind = PEERNAME_DNS;
    for (size_t i = 0; i < text.n; i++)
        out->text[i] = (char)ascii_lower(text.p[i]);
    out->text[text.n] = '\0';
    return OK;
}

RESULT peername_parse(struct slice text, struct peername *out, struct errinfo *e)
{
    memset(out, 0, sizeof *out);
    text = slice_trim(text);
    const size_t n = ip_parse(text, out->ip);
    if (n == 0)
        return parse_host(text, out, e);
    out->kind = PEERNAME_IP;
    out->ip_len = (uint8_t)n;
    ip_text(slice_of(out->ip, n), out->text, sizeof out->text);
    return OK;
}

/* --- one presented name --- */

static bool is_a_label(struct slice label)
{
    return slice_starts_nocase(label, SLICE_LIT("xn--"));
}

/* PATTERN is a label with one '*' somewhere in it. */
static bool match_wildcard_label(struct slice pattern, struct slice label,
                                 enum peername_rules rules)
{
    const size_t star = slice_find(pattern, '*');
    const struct slice before = slice_first(pattern, star);
    const struct slice after = slice_from(pattern, star + 1);

    if (slice_find(after, '*') < after.n)
        return false;
    if (pattern.n == 1)
        return true;
    /* A fragment of an A-label says nothing about the name that it encodes (RFC 6125 6.4.3). */
    if (rules != PEERNAME_RFC2818 || is_a_label(pattern) || is_a_label(label))
        return false;
    return label.n >= before.n + after.n && slice_eq_nocase(slice_first(label, before.n), before) &&
           slice_eq_nocase(slice_from(label, label.n - after.n), after);
}

/* "co.uk": whatever is directly below belongs to somebody else. Only what can be told without the
 * list of all such domains. */
static bool is_second_level(struct slice name)
{
    static const char *const usual[] = {"ac", "co", "com", "edu", "gov", "net", "org"};
    struct slice country = name;
    const struct slice second = slice_cut(&country, '.');

    if (country.n != 2 || !ascii_is_alpha(country.p[0]) || !ascii_is_alpha(country.p[1]))
        return false;
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (slice_eq_nocase_str(second, usual[i]))
            return true;
    return false;
}

/* "*.com" and "*.co.uk" would be everybody's. */
static bool is_everybodys(struct slice below_wildcard)
{
    return slice_find(below_wildcard, '.') == below_wildcard.n || is_second_level(below_wildcard);
}

bool peername_is_presented(struct slice name)
{
    struct slice rest = name;

    if (slice_find(name, '*') == name.n)
        return peername_is_host(name, false);
    struct slice after = slice_cut(&rest, '.');
    const bool whole_label = slice_eq(after, SLICE_LIT("*"));
    const bool starred = slice_find(after, '*') < after.n;
    (void)slice_cut(&after, '*');
    return starred && slice_find(after, '*') == after.n && name.n < PEERNAME_TEXT_SIZE &&
           peername_is_host(rest, false) && !(whole_label && is_everybodys(rest));
}

bool peername_match_dns(struct slice presented, const struct peername *want,
                        enum peername_rules rules)
{
    const struct slice name = slice_of_str(want->text);
    struct slice pattern_rest = presented, name_rest = name;

    if (want->kind != PEERNAME_DNS)
        return false;
    const bool underscore = rules == PEERNAME_RFC2818; /* DNS has them, RFC 9525 forbids them */
    if (slice_find(presented, '*') == presented.n)
        return peername_is_host(presented, underscore) && slice_eq_nocase(presented, name);
    if (rules == PEERNAME_RFC5922) /* section 7.2: no wildcards */
        return false;
    const struct slice pattern = slice_cut(&pattern_rest, '.');
    const struct slice label = slice_cut(&name_rest, '.');
    if (slice_find(pattern, '*') == pattern.n || !peername_is_host(pattern_rest, underscore))
        return false;
    if (pattern.n == 1 && is_everybodys(pattern_rest))
        return false;
    return slice_eq_nocase(pattern_rest, name_rest) && match_wildcard_label(pattern, label, rules);
}

bool peername_sip_host(struct slice uri, struct slice *host, bool *secure, bool *has_user)
{
    struct slice rest = uri;

    *secure = slice_starts_nocase(uri, SLICE_LIT("sips:"));
    if (!*secure && !slice_starts_nocase(uri, SLICE_LIT("sip:")))
        return false;
    (void)slice_cut(&rest, ':');
    /* What stands before an '@' is the user part; parameters and headers end the host. */
    const size_t at = slice_find(rest, '@');
    *has_user = at < rest.n;
    if (*has_user)
        rest = slice_from(rest, at + 1);
    rest = slice_cut(&rest, ';');
    rest = slice_cut(&rest, '?');
    if (rest.n > 0 && rest.p[0] == '[') {
        const size_t end = slice_find(rest, ']');
        if (end == rest.n)
            return false;
        *host = slice_first(rest, end + 1);
        rest = slice_from(rest, end + 1);
    } else {
        const size_t end = slice_find(rest, ':');
        *host = slice_first(rest, end);
        rest = slice_from(rest, end);
    }
    uint64_t port;
    return host->n > 0 &&
           (rest.n == 0 || (rest.p[0] == ':' && slice_to_u64(slice_from(rest, 1), 65535, &port)));
}

/* A URI that stands for a SIP domain (RFC 5922 section 7.1): "sip:", and no user. */
static bool sip_domain(const struct general_name *g, struct slice *host)
{
    bool secure, has_user;

    return g->type == GENERAL_NAME_URI && peername_sip_host(g->value, host, &secure, &has_user) &&
           !secure && !has_user;
}

/* --- the names of a certificate --- */

/* What kinds of names there are, for the rules on which of them count. */
struct kinds {
    bool any, dns, sip;
};

static struct kinds kinds_of(const struct certfields *leaf)
{
    struct slice names = certfields_alt_names(leaf), host;
    struct kinds k = {.any = leaf->ext[CERT_EXT_SUBJECT_ALT_NAME].present};
    struct general_name g;

    while (general_name_next(&names, &g)) {
        k.dns = k.dns || g.type == GENERAL_NAME_DNS;
        k.sip = k.sip || sip_domain(&g, &host);
    }
    return k;
}

static bool common_name_counts(struct kinds k, enum peername_rules rules)
{
    switch (rules) {
    case PEERNAME_RFC2818:
        return !k.dns;
    case PEERNAME_RFC5922:
        return !k.any;
    case PEERNAME_RFC9525:
    default:
        return false;
    }
}

bool peername_common_name(const struct certfields *leaf, enum peername_rules rules,
                          struct slice *out)
{
    struct dn_attribute a;

    if (!common_name_counts(kinds_of(leaf), rules) ||
        !dn_last(leaf->subject, DN_OID_COMMON_NAME, &a))
        return false;
    switch (a.tag) { /* those whose bytes are ASCII text if the name is a host's */
    case DER_UTF8_STRING:
    case DER_PRINTABLE_STRING:
    case DER_IA5_STRING:
    case DER_T61_STRING:
    case DER_VISIBLE_STRING:
        *out = a.value;
        return true;
    default:
        return false;
    }
}

/* Whether G, one of LEAF's alternative names, is what is wanted; NAME is then its text. */
static bool match_name(const struct peername *want, const struct general_name *g, struct kinds k,
                       enum peername_rules rules, struct slice *name)
{
    *name = g->value;
    if (want->kind == PEERNAME_IP)
        return g->type == GENERAL_NAME_IP && slice_eq(g->value, slice_of(want->ip, want->ip_len));
    if (g->type == GENERAL_NAME_DNS)
        return !(rules == PEERNAME_RFC5922 && k.sip) && peername_match_dns(g->value, want, rules);
    return rules == PEERNAME_RFC5922 && sip_domain(g, name) &&
           peername_match_dns(*name, want, rules);
}

/* --- what the certificate is for, as text --- */

#define LISTED_MAX 3

struct listing {
    char text[200];
    size_t used;
    unsigned count;
};

static void list_text(struct listing *l, const char *text)
{
    l->count++;
    if (l->count > LISTED_MAX || l->used + strlen(text) + 3 > sizeof l->text)
        return;
    const int written = snprintf(l->text + l->used, sizeof l->text - l->used, "%s%s",
                                 l->used > 0 ? ", " : "", text);
    l->used += written > 0 ? (size_t)written : 0;
}

/* IA5 text, in which a NUL must be seen and not end it. */
static void list_bytes(struct listing *l, struct slice s)
{
    char text[PEERNAME_TEXT_SIZE];
    size_t n = 0;

    for (; n < s.n && n < sizeof text - 1; n++)
        text[n] = ascii_is_print(s.p[n]) ? (char)s.p[n] : '?';
    text[n] = '\0';
    list_text(l, text);
}

static void list_names(const struct certfields *leaf, enum peername_rules rules, struct listing *l)
{
    struct slice names = certfields_alt_names(leaf);
    struct dn_attribute cn;
    struct general_name g;
    char text[LIMIT_TEXT];

    while (general_name_next(&names, &g)) {
        if (g.type == GENERAL_NAME_IP) {
            ip_text(g.value, text, sizeof text);
            list_text(l, text);
        } else if (g.type == GENERAL_NAME_DNS || g.type == GENERAL_NAME_URI) {
            list_bytes(l, g.value);
        }
    }
    if (common_name_counts(kinds_of(leaf), rules) &&
        dn_last(leaf->subject, DN_OID_COMMON_NAME, &cn)) {
        dn_value_text(&cn, text, sizeof text);
        list_text(l, text);
    }
}

static RESULT mismatch(const struct peername *want, const struct certfields *leaf,
                       enum peername_rules rules, struct errinfo *e)
{
    struct listing l = {.used = 0};

    list_names(leaf, rules, &l);
    if (l.used == 0)
        return fail(e, ERR_CERT, "the certificate names no host, and %s was expected", want->text);
    if (l.count > LISTED_MAX)
        return fail(e, ERR_CERT, "the certificate is for %s and %u more, not for %s", l.text,
                    l.count - LISTED_MAX, want->text);
    return fail(e, ERR_CERT, "the certificate is for %s, not for %s", l.text, want->text);
}

static bool match_common_name(struct slice name, const struct peername *want,
                              enum peername_rules rules)
{
    const bool fragment = slice_find(name, '*') < name.n && !slice_starts(name, SLICE_LIT("*."));

    return !fragment && peername_match_dns(name, want, rules);
}

RESULT peername_match(const struct peername *want, const struct certfields *leaf,
                      enum peername_rules rules, char *matched, size_t matched_size,
                      struct errinfo *e)
{
    struct slice names = certfields_alt_names(leaf), name;
    const struct kinds k = kinds_of(leaf);
    struct general_name g;
    bool found = false;

    while (!found && general_name_next(&names, &g))
        found = match_name(want, &g, k, rules, &name);
    if (!found && want->kind == PEERNAME_DNS && peername_common_name(leaf, rules, &name))
        found = match_common_name(name, want, rules);
    if (!found)
        return mismatch(want, leaf, rules, e);
    if (matched != NULL && want->kind == PEERNAME_IP)
        (void)snprintf(matched, matched_size, "%s", want->text);
    else if (matched != NULL)
        (void)snprintf(matched, matched_size, "%.*s", SLICE_FMT(name));
    return OK;
}
