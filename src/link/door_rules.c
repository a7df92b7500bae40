#include "link/door_rules.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "sip/field.h"
#include "sip/uri.h"

#define PORT_SIP   5060 /* RFC 3261 section 19.1.2 */
#define EXPIRES_S  3600
#define URI_LIMIT  1024 /* of an address of record that is compared */
#define HOST_LIMIT 16   /* "127.255.255.255" and NUL */

static bool loopback(struct slice host, struct slice port, struct addr *out)
{
    char text[HOST_LIMIT];
    uint64_t number = PORT_SIP;
    struct addr at;
    if (!slice_to_str(host, text, sizeof text) || !addr_parse(text, 0, &at) || at.family != 4 ||
        at.bytes[0] != 127)
        return false;
    if (port.n != 0 && (!slice_to_u64(port, UINT16_MAX, &number) || number == 0))
        return false;
    *out = at;
    out->port = (uint16_t)number;
    return true;
}

bool door_address(struct slice hostport, struct addr *out)
{
    const struct slice host = slice_cut(&hostport, ':');
    return hostport.n != 0 && loopback(host, hostport, out);
}

bool door_contact_parse(struct slice uri, struct door_contact *out)
{
    struct sip_uri u;
    *out = (struct door_contact){.uri = ""};
    if (!sip_uri_parse(uri, &u) || !slice_eq_nocase_str(u.scheme, "sip") || u.headers.p != NULL ||
        !slice_to_str(uri, out->uri, sizeof out->uri))
        return false;
    (void)loopback(u.host, u.port, &out->at);
    return true;
}

struct result door_contact_make(const char *user, const struct addr *at, struct door_contact *out)
{
    char address[ADDR_TEXT_SIZE];
    struct buf b;
    addr_format(at, address);
    *out = (struct door_contact){.at = *at};
    buf_init(&b, sizeof out->uri - 1);
    struct result r = buf_append_str(&b, "sip:");
    if (is_ok(r))
        r = sip_uri_write_user(&b, user);
    if (is_ok(r))
        r = buf_printf(&b, "@%s;transport=tcp", address);
    if (is_ok(r) && !slice_to_str(buf_slice(&b), out->uri, sizeof out->uri))
        r = err(ERR_LIMIT);
    buf_free(&b);
    return r;
}

static struct result write_aor(struct buf *b, struct slice user, struct slice host)
{
    return buf_printf(b, "sip:%.*s@%.*s", SLICE_FMT(user), SLICE_FMT(host));
}

static struct result write_own_aor(struct buf *b, const char *user, const char *domain)
{
    TRY(buf_append_str(b, "sip:"));
    TRY(sip_uri_write_user(b, user));
    TRY(buf_append_str(b, "@"));
    return sip_uri_write_host(b, domain);
}

bool door_is_ours(struct slice uri, const char *user, const char *domain)
{
    struct sip_uri u;
    struct buf theirs, ours;
    if (!sip_uri_parse(uri, &u))
        return false;
    buf_init(&theirs, URI_LIMIT);
    buf_init(&ours, URI_LIMIT);
    const bool same = is_ok(write_aor(&theirs, u.userinfo, u.host)) &&
                      is_ok(write_own_aor(&ours, user, domain)) &&
                      sip_uri_equal(buf_slice(&theirs), buf_slice(&ours));
    buf_free(&theirs);
    buf_free(&ours);
    return same;
}

static struct slice uri_in(const struct sip_message *m, const char *field)
{
    return sip_field_uri(slice_of_str(sip_message_header(m, field, 0)));
}

bool door_may_say(const struct sip_message *m, const char *user, const char *domain)
{
    if (strcmp(sip_message_method(m), "REGISTER") == 0)
        return door_is_ours(uri_in(m, "From"), user, domain) &&
               door_is_ours(uri_in(m, "To"), user, domain);
    return sip_message_to_tag(m)[0] != '\0' || door_is_ours(uri_in(m, "From"), user, domain);
}

bool door_is_target(const struct sip_message *m, const char *hostport)
{
    struct sip_uri u;
    char text[80];
    if (sip_message_to_tag(m)[0] != '\0' || sip_message_header(m, "Route", 1) != NULL ||
        !sip_uri_parse(slice_of_str(sip_message_uri(m)), &u) || u.userinfo.n != 0)
        return false;
    const int n = snprintf(text, sizeof text, "%.*s:%.*s", SLICE_FMT(u.host), SLICE_FMT(u.port));
    return n > 0 && strcmp(text, hostport) == 0;
}

/* --- Contacts --- */

static bool is_sips(struct slice uri)
{
    return slice_starts_nocase(uri, SLICE_LIT("sips:"));
}

bool door_contact_outside(const struct sip_message *m, const char *outside, struct slice *was,
                          char is[BINDING_CONTACT_SIZE])
{
    struct sip_contact c;
    const int status = sip_message_status(m);
    if ((status >= 300 && status <= 399) || !sip_message_contact(m, 0, &c) ||
        slice_eq_str(c.uri, "*"))
        return false;
    const bool sips = is_sips(slice_of_str(sip_message_uri(m))) || is_sips(uri_in(m, "From")) ||
                      is_sips(uri_in(m, "To"));
    *was = c.uri;
    return binding_contact_as(outside, sips, is);
}

bool door_contact_inside(const struct sip_message *m, const char *outside,
                         char was[BINDING_CONTACT_SIZE])
{
    struct sip_contact c;
    for (size_t n = 0; sip_message_contact(m, n, &c); n++)
        for (int sips = 0; sips <= 1; sips++)
            if (binding_contact_as(outside, sips != 0, was) &&
                sip_uri_equal(c.uri, slice_of_str(was)))
                return true;
    return false;
}

uint32_t door_asked_s(const struct sip_message *m)
{
    struct sip_contact c;
    uint64_t seconds = EXPIRES_S;
    if (!sip_message_contact(m, 0, &c) || c.expires == NULL ||
        !slice_to_u64(slice_of_str(c.expires), UINT32_MAX, &seconds))
        (void)sip_message_number(m, "Expires", UINT32_MAX, &seconds);
    return seconds < LIMIT_REGISTER_MAX_S ? (uint32_t)seconds : LIMIT_REGISTER_MAX_S;
}
