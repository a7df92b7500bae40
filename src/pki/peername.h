/*
 * peername: is this certificate's owner the one whose name the admin configured?
 *
 * Pure functions over the names of a leaf certificate. The name that is asked for is the configured
 * one (domain or outbound proxy), fixed before any DNS look-up; never an SRV target or an address
 * that DNS gave.
 */
#ifndef SIPSD_PKI_PEERNAME_H
#define SIPSD_PKI_PEERNAME_H

#include "base/errinfo.h"
#include "base/slice.h"
#include "pki/certfields.h"

/*
 * All sets: host names compare without regard to case, an IP address matches an iPAddress alone and
 * by its bytes, never a text; a wildcard stands in the left-most label and for that one label, and
 * never for all names of a top-level domain ("*.com"), nor of a country's usual second level
 * ("*.co.uk").
 */
enum peername_rules {
    /* The default, RFC 2818 section 3.1: dNSName, with "*.example.com" and fragments such as
     * "f*.example.com", and with underscores; the most specific common name (the last one) only
     * where there is no dNSName, whatever other names there are. In it, a wildcard is a whole
     * label. */
    PEERNAME_RFC2818,
    /* RFC 9525: dNSName and iPAddress; no common name; the wildcard is the whole label. */
    PEERNAME_RFC9525,
    /* RFC 5922 section 7: URI "sip:" without user part; else dNSName; else, where there is no
     * subjectAltName, the common name. No wildcards. */
    PEERNAME_RFC5922,
};

/* "rfc2818" ...; false for any other text. */
bool peername_rules_from_name(const char *text, enum peername_rules *out);
const char *peername_rules_name(enum peername_rules r);

/* The longest host name (RFC 1035 section 2.3.4), and its NUL. */
#define PEERNAME_TEXT_SIZE 254

/* What the peer must be: a host name or an IP address. A value type. */
struct peername {
    enum { PEERNAME_DNS, PEERNAME_IP } kind;
    /* as DNS: lower case, A-labels, no trailing dot; as IP: canonical text (RFC 5952) */
    char text[PEERNAME_TEXT_SIZE];
    uint8_t ip[16];
    uint8_t ip_len; /* 4 or 16 */
};

/*
 * Makes one of what the admin wrote: a host name (a trailing dot is taken off; U-labels are refused
 * with the advice to write the A-label; underscores are let through, as DNS does), an IPv4 or IPv6
 * literal, with or without brackets. ERR_INVALID.
 */
RESULT peername_parse(struct slice text, struct peername *out, struct errinfo *e);

/*
 * OK if LEAF's names match by RULES: MATCHED (may be NULL) is then the certificate's own name that
 * did. Else ERR_CERT, and in E what the certificate is for ("the certificate is for a.example and
 * b.example, not for c.example").
 */
RESULT peername_match(const struct peername *want, const struct certfields *leaf,
                      enum peername_rules rules, char *matched, size_t matched_size,
                      struct errinfo *e);

/*
 * The common name that RULES fall back to for want of better names in LEAF, as it stands in the
 * subject. False if there is none or it is not to be looked at. Name constraints hold for it too.
 */
bool peername_common_name(const struct certfields *leaf, enum peername_rules rules,
                          struct slice *out);

/* One presented dNSName against a host name. */
bool peername_match_dns(struct slice presented, const struct peername *want,
                        enum peername_rules rules);

/* Whether a dNSName is as RFC 5280 section 4.2.1.6 wants it: a host name, perhaps with a wildcard
 * in its first label, without underscores. */
bool peername_is_presented(struct slice name);

/* The host of a "sip:" or "sips:" URI (RFC 3261 section 19.1.1), with brackets if it is an IPv6
 * address. False for other schemes and malformed ones. HAS_USER tells of a user part. */
bool peername_sip_host(struct slice uri, struct slice *host, bool *secure, bool *has_user);

/* A host name in the preferred syntax of RFC 1034 section 3.5: letters, digits and inner hyphens;
 * with ALLOW_UNDERSCORE, underscores too. A trailing dot is not part of one. */
bool peername_is_host(struct slice name, bool allow_underscore);

#endif
