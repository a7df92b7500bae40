/*
 * verify: the judgement of a peer's certificates. A pure function: no I/O, no clock, no state.
 *
 * It takes the list as the peer sent it, in any order, and decides by RFC 5280 section 6 and the
 * usual rules of the public profile. mbedTLS checks single signatures; the decision is made here.
 *
 * All plausible paths from the leaf to a trust anchor are tried, through what the peer sent and
 * what is trusted, within LIMIT_PATH_DEPTH, LIMIT_SIGNATURE_CHECKS and LIMIT_PATH_STEPS; the first
 * one without a fault is taken. Where there is none, the reasons are those of the path that came
 * nearest. A certificate that no path needs does no harm, however broken it is.
 */
#ifndef SIPSD_PKI_VERIFY_H
#define SIPSD_PKI_VERIFY_H

#include "base/clock.h"
#include "base/slice.h"
#include "pki/crl.h"
#include "pki/peername.h"
#include "pki/policy.h"
#include "pki/trust.h"
#include "pki/verdict.h"

enum verify_purpose {
    VERIFY_SERVER, /* the peer is a TLS server, or a TLS client */
    VERIFY_CLIENT,
    VERIFY_ANY, /* path validation alone (RFC 5280 section 6): no key usage or EKU of the leaf is
                   asked for, and no rules of form of the profile */
};

/*
 * What to do while the clock is not set (wallclock.state). Dates are judged against the best lower
 * bound of the time: what had ended before it has expired for sure, and is refused whatever the
 * policy. With CLOCK_UNSET all other dates are uncertain; with CLOCK_FLOOR only the beginning of a
 * certificate that begins after the bound.
 */
enum verify_clock_policy {
    VERIFY_CLOCK_WAIT, /* refuse with REASON_CLOCK_UNSET what is uncertain: try again later */
    VERIFY_CLOCK_PROVISIONAL, /* accept it as VERDICT_PROVISIONAL, if nothing else is wrong */
    VERIFY_CLOCK_REFUSE,      /* refuse everything while the clock is not CLOCK_SET */
};

/* How closely certificates must keep to the form that RFC 5280 section 4 asks of those who make
 * them. What protects the peer's identity is the same in both. */
enum verify_profile {
    VERIFY_PROFILE_PUBLIC,     /* as public CAs must */
    VERIFY_PROFILE_COMPATIBLE, /* as home-made and old CAs do: version 1 leaves, key identifiers,
                                  criticality and serial numbers are not looked at */
};

struct verify_policy {
    bool check_trust; /* false: every peer is accepted, VERDICT_UNVERIFIED unless all is right */
    enum peername_rules rules;
    enum verify_clock_policy clock;
    enum verify_profile profile;
    unsigned min_rsa_bits;    /* 0: 2048 */
    bool allow_sha1;          /* signatures below the anchor; MD5 and older never */
    bool client_eku_required; /* VERIFY_CLIENT: a certificate with an EKU must have clientAuth */
    bool crl_required; /* every certificate must be on good standing by a CRL, even of CAs of which
                          none was given */
    struct policy_inputs policies;
};

struct verify_input {
    const struct slice
        *chain; /* DER, the leaf first, the rest in any order; at most LIMIT_PEER_CERTS are read */
    size_t chain_len;
    const struct trust *trust;
    enum trust_filter filter;
    /*
     * Revocation lists, as provisioning gave them. A path is checked whole or not at all: if there
     * is a CRL of any of its CAs, every certificate below the anchor must be covered by one.
     */
    const struct crl *crls;
    size_t crls_count;
    const struct peername *name; /* NULL: the name is not checked */
    struct wallclock now;
    enum verify_purpose purpose;
    const struct verify_policy *policy;
};

/* Fills OUT whole. Never fails: what goes wrong inside is REASON_INTERNAL and a refusal. */
void verify_chain(const struct verify_input *in, struct verdict *out);

#endif
