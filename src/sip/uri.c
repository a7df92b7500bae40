#include "sip/uri.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/ascii.h"

/* The character sets of RFC 3261 section 25.1, each without alphanumerics and %HH. */
#define MARK         "-_.!~*'()"
#define USER_CHARS   MARK "&=+$,;?/:" /* user-unreserved, and ':' for a password behind it */
#define PARAM_CHARS  MARK "[]/:&+$"
#define HEADER_CHARS MARK "[]/?:+$"
#define RESERVED     ";/?:@&=+$,"

static bool is_in(uint8_t c, const char *set)
{
    return c != 0 && (ascii_is_alnum(c) || strchr(set, c) != NULL);
}

static bool all_in(struct slice s, const char *set)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '%' && i + 2 < s.n && ascii_hex(s.p[i + 1]) >= 0 &&
            ascii_hex(s.p[i + 2]) >= 0)
            i += 2;
        else if (!is_in(s.p[i], set))
            return false;
    }
    return true;
}

/*
 * IPv6reference. Only its characters are judged: the grammar of RFC 3261 allowed forms that are no
 * addresses ("[2001:db8:::192.0.2.1]"), and RFC 5118 section 4.10 asks to bear them.
 */
static bool ipv6_reference_valid(struct slice s)
{
    if (s.n < 4 || s.p[0] != '[' || s.p[s.n - 1] != ']')
        return false;
    for (size_t i = 1; i + 1 < s.n; i++)
        if (ascii_hex(s.p[i]) < 0 && s.p[i] != ':' && s.p[i] != '.')
            return false;
    return slice_find(s, ':') < s.n;
}

bool sip_host_valid(struct slice host)
{
    if (host.n == 0 || host.n > 255)
        return false;
    if (host.p[0] == '[')
        return ipv6_reference_valid(host);
    for (size_t i = 0; i < host.n; i++) /* '_' is in no host name by the book, but in many in use */
        if (!is_in(host.p[i], "-._") || (host.p[i] == '.' && (i == 0 || host.p[i - 1] == '.')))
            return false;
    return true;
}

static bool port_valid(struct slice port)
{
    uint64_t v;
    return slice_to_u64(port, 65535, &v) && v > 0;
}

/* Cuts HOSTPORT at its ':', the brackets of an IPv6 address respected. */
static bool split_hostport(struct slice hostport, struct slice *host, struct slice *port)
{
    size_t at = 0;
    if (hostport.n > 0 && hostport.p[0] == '[')
        at = slice_find(hostport, ']');
    at += slice_find(slice_from(hostport, at), ':');
    *host = slice_first(hostport, at);
    *port = slice_from(hostport, at + 1);
    return sip_host_valid(*host) && (at == hostport.n || port_valid(*port));
}

bool sip_hostport_valid(struct slice hostport)
{
    struct slice host, port;
    return split_hostport(hostport, &host, &port);
}

/* One name[=value] off the front of REST, which SEPARATOR ends; false at the end. */
static bool next_pair(struct slice *rest, uint8_t separator, struct slice *name,
                      struct slice *value)
{
    if (rest->p == NULL)
        return false;
    *value = slice_cut(rest, separator);
    *name = slice_cut(value, '=');
    return true;
}

static bool pairs_valid(struct slice rest, uint8_t separator, const char *set)
{
    struct slice name, value;
    while (next_pair(&rest, separator, &name, &value))
        if (name.n == 0 || !all_in(name, set) || !all_in(value, set) ||
            (value.p != NULL && value.n == 0 && separator == ';'))
            return false;
    return true;
}

bool sip_uri_parse(struct slice text, struct sip_uri *out)
{
    struct slice rest = text;
    *out = (struct sip_uri){.scheme = slice_cut(&rest, ':')};
    if (!slice_eq_nocase_str(out->scheme, "sip") && !slice_eq_nocase_str(out->scheme, "sips"))
        return false;
    const size_t at = slice_find(rest, '@'); /* it may stand nowhere else unescaped */
    if (at < rest.n) {
        out->userinfo = slice_first(rest, at);
        rest = slice_from(rest, at + 1);
        if (out->userinfo.n == 0 || out->userinfo.p[0] == ':' || !all_in(out->userinfo, USER_CHARS))
            return false;
    }
    out->headers = rest;
    rest = slice_cut(&out->headers, '?');
    out->params = rest;
    rest = slice_cut(&out->params, ';');
    return split_hostport(rest, &out->host, &out->port) &&
           pairs_valid(out->params, ';', PARAM_CHARS) &&
           pairs_valid(out->headers, '&', HEADER_CHARS);
}

bool sip_uri_valid(struct slice text)
{
    struct slice rest = text;
    const struct slice scheme = slice_cut(&rest, ':');
    struct sip_uri u;
    if (slice_eq_nocase_str(scheme, "sip") || slice_eq_nocase_str(scheme, "sips"))
        return sip_uri_parse(text, &u);
    if (scheme.n == 0 || !ascii_is_alpha(scheme.p[0]) || rest.n == 0)
        return false;
    for (size_t i = 0; i < scheme.n; i++)
        if (!is_in(scheme.p[i], "+-."))
            return false;
    for (size_t i = 0; i < rest.n; i++)
        if (!ascii_is_print(rest.p[i]) || strchr(" \"<>", rest.p[i]) != NULL)
            return false;
    return true;
}

/*
 * The next character of S, *I moved behind it: %HH is the character that it stands for, unless that
 * is a reserved one, which is another thing when it is escaped (section 19.1.4).
 */
static int next_char(struct slice s, size_t *i)
{
    const uint8_t c = s.p[(*i)++];
    if (c != '%' || *i + 1 >= s.n)
        return c;
    const int v = ascii_hex(s.p[*i]) * 16 + ascii_hex(s.p[*i + 1]);
    *i += 2;
    return v != 0 && strchr(RESERVED, v) != NULL ? 256 + v : v;
}

static bool escaped_equal(struct slice a, struct slice b, bool fold_case)
{
    size_t i = 0, j = 0;
    while (i < a.n && j < b.n) {
        const int x = next_char(a, &i), y = next_char(b, &j);
        if (x == y)
            continue;
        if (!fold_case || x > 255 || y > 255 || ascii_lower((uint8_t)x) != ascii_lower((uint8_t)y))
            return false;
    }
    return i == a.n && j == b.n;
}

bool sip_user_equal(struct slice a, struct slice b)
{
    struct slice x = a, y = b;
    return escaped_equal(slice_cut(&x, ':'), slice_cut(&y, ':'), false);
}

/* The value of the pair called NAME; false if there is none. */
static bool find_pair(struct slice rest, uint8_t separator, struct slice name, struct slice *value)
{
    struct slice n;
    while (next_pair(&rest, separator, &n, value))
        if (escaped_equal(n, name, true))
            return true;
    return false;
}

/* These make a difference even where only one of the two URIs has them. */
static bool param_is_telling(struct slice name)
{
    static const char *const names[] = {"user", "ttl", "method", "maddr", "transport"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (escaped_equal(name, slice_of_str(names[i]), true))
            return true;
    return false;
}

static bool params_agree(struct slice a, struct slice b)
{
    struct slice name, x, y;
    for (struct slice rest = a; next_pair(&rest, ';', &name, &x);) {
        const bool both = find_pair(b, ';', name, &y);
        if (both ? !escaped_equal(x, y, true) : param_is_telling(name))
            return false;
    }
    return true;
}

static bool headers_agree(struct slice a, struct slice b)
{
    struct slice name, x, y;
    for (struct slice rest = a; next_pair(&rest, '&', &name, &x);)
        if (!find_pair(b, '&', name, &y) || !escaped_equal(x, y, false))
            return false;
    return true;
}

/* "[2001:db8::1]" and "[2001:DB8:0::1]" are one address (RFC 5954 section 4). */
static bool host_equal(struct slice a, struct slice b)
{
    char x[INET6_ADDRSTRLEN], y[INET6_ADDRSTRLEN];
    struct in6_addr p, q;
    if (a.p[0] == '[' && b.p[0] == '[' && slice_to_str(slice_of(a.p + 1, a.n - 2), x, sizeof x) &&
        slice_to_str(slice_of(b.p + 1, b.n - 2), y, sizeof y) && inet_pton(AF_INET6, x, &p) == 1 &&
        inet_pton(AF_INET6, y, &q) == 1)
        return memcmp(&p, &q, sizeof p) == 0;
    return slice_eq_nocase(a, b);
}

static bool port_equal(struct slice a, struct slice b)
{
    uint64_t x = 0, y = 0; /* 0: none, which is not the same as the default one */
    (void)slice_to_u64(a, 65535, &x);
    (void)slice_to_u64(b, 65535, &y);
    return x == y;
}

bool sip_uri_equal(struct slice a, struct slice b)
{
    struct sip_uri x, y;
    return sip_uri_parse(a, &x) && sip_uri_parse(b, &y) && slice_eq_nocase(x.scheme, y.scheme) &&
           escaped_equal(x.userinfo, y.userinfo, false) && host_equal(x.host, y.host) &&
           port_equal(x.port, y.port) && params_agree(x.params, y.params) &&
           params_agree(y.params, x.params) && headers_agree(x.headers, y.headers) &&
           headers_agree(y.headers, x.headers);
}

struct result sip_uri_write_user(struct buf *out, const char *user)
{
    if (user[0] == '\0')
        return err(ERR_INVALID);
    for (const char *c = user; *c != '\0'; c++)
        if (is_in((uint8_t)*c, MARK "&=+$,;?/"))
            TRY(buf_append(out, slice_of(c, 1)));
        else
            TRY(buf_printf(out, "%%%02X", (unsigned)(uint8_t)*c));
    return OK;
}

struct result sip_uri_write_host(struct buf *out, const char *host)
{
    const struct slice s = slice_of_str(host);
    const bool bare_ipv6 = s.n > 0 && s.p[0] != '[' && slice_find(s, ':') < s.n;
    char text[INET6_ADDRSTRLEN];
    struct in6_addr ignored;
    if (bare_ipv6) {
        if (!slice_to_str(s, text, sizeof text) || inet_pton(AF_INET6, text, &ignored) != 1)
            return err(ERR_INVALID);
        return buf_printf(out, "[%s]", text);
    }
    return sip_host_valid(s) ? buf_append(out, s) : err(ERR_INVALID);
}
