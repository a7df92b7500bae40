/*
 * uri: SIP and SIPS URIs (RFC 3261 section 19.1, RFC 5954 for IPv6) as text: what is one, whether
 * two are the same, and how a user name gets into one.
 *
 * osip reads nearly anything as a URI; this is what is asked before it, and before a URI goes out.
 */
#ifndef SIPSD_SIP_URI_H
#define SIPSD_SIP_URI_H

#include "base/buf.h"
#include "base/slice.h"

/* The parts of a SIP or SIPS URI, still escaped; slices of the text that was parsed. */
struct sip_uri {
    struct slice scheme;
    struct slice userinfo; /* with the password; empty if there is none */
    struct slice host;     /* IPv6 with its brackets */
    struct slice port;     /* digits, 1 to 65535; empty if there is none */
    struct slice params;   /* without the first ';' */
    struct slice headers;  /* without the '?' */
};

/* Takes the whole of TEXT apart; false if it is no SIP or SIPS URI by the grammar (section 25.1).
 */
bool sip_uri_parse(struct slice text, struct sip_uri *out);

/* A SIP or SIPS URI by the grammar, or a URI of another scheme that at least cannot break a header
 * field. */
bool sip_uri_valid(struct slice text);

/* The same resource, by the rules of section 19.1.4; false if one is no SIP or SIPS URI. */
bool sip_uri_equal(struct slice a, struct slice b);

/* The same user part, escaped or not (a password behind it aside); both without the '@'. */
bool sip_user_equal(struct slice a, struct slice b);

/* A host as it stands in a URI: a name, an IPv4 address, or an IPv6 address in brackets. */
bool sip_host_valid(struct slice host);

/* host [":" port], as in a URI or a Via. */
bool sip_hostport_valid(struct slice hostport);

/* Appends USER as the user part of a URI: what may not stand there (section 25.1, user) is escaped
 * as %HH. ERR_INVALID for the empty string. */
RESULT sip_uri_write_user(struct buf *out, const char *user);

/* Appends HOST as the host part: an IPv6 address gets its brackets if it has none. ERR_INVALID if
 * it is no host. */
RESULT sip_uri_write_host(struct buf *out, const char *host);

#endif
