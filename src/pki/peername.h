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
#include "pki/x509.h"

enum peername_rules {
    PEERNAME_RFC2818, /* the default: dNSName with wildcards and fragments, iPAddress, CN where no
                         dNSName is */
    PEERNAME_RFC9525, /* no CN; the wildcard is the whole left-most label */
    PEERNAME_RFC5922, /* SIP domain certificates: URI "sip:" first, dNSName, no wildcards */
};

/* "rfc2818" ...; false for any other text. */
bool peername_rules_from_name(const char *text, enum peername_rules *out);
const char *peername_rules_name(enum peername_rules r);

/* What the peer must be: a host name or an IP address. A value type. */
struct peername {
    enum { PEERNAME_DNS, PEERNAME_IP } kind;
    char text[254]; /* as DNS: lower case, A-labels, no trailing dot; as IP: canonical text */
    uint8_t ip[16];
    uint8_t ip_len; /* 4 or 16 */
};

/*
 * Makes one of what the admin wrote: a host name (a trailing dot is taken off; U-labels are refused
 * with the advice to write the A-label), an IPv4 or IPv6 literal, with or without brackets.
 * ERR_INVALID.
 */
RESULT peername_parse(struct slice text, struct peername *out, struct errinfo *e);

/* OK if LEAF's names match by RULES: MATCHED (may be NULL) is then the certificate's own name that
 * did. Else ERR_CERT and in E what the certificate is for ("the certificate is for a.example and
 * b.example"). */
RESULT peername_match(const struct peername *want, const struct cert *leaf,
                      enum peername_rules rules, char *matched, size_t matched_size,
                      struct errinfo *e);

/* One presented dNSName against a host name, for tests and name constraints. */
bool peername_match_dns(struct slice presented, const struct peername *want,
                        enum peername_rules rules);

#endif
