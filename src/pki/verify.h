/*
 * verify: the judgement of a peer's certificates. A pure function: no I/O, no clock, no state.
 *
 * It takes the list as the peer sent it, in any order, and decides by RFC 5280 section 6 and the
 * usual rules of the public profile. mbedTLS parses certificates and checks single signatures; the
 * decision is made here.
 */
#ifndef SIPSD_PKI_VERIFY_H
#define SIPSD_PKI_VERIFY_H

#include "base/clock.h"
#include "base/slice.h"
#include "pki/peername.h"
#include "pki/trust.h"
#include "pki/verdict.h"

enum verify_purpose { VERIFY_SERVER, VERIFY_CLIENT, VERIFY_ANY };

/* What to do about dates while the clock is not set (wallclock.state == CLOCK_UNSET). */
enum verify_clock_policy {
    VERIFY_CLOCK_WAIT, /* refuse with REASON_CLOCK_UNSET where the dates decide: try again later */
    VERIFY_CLOCK_PROVISIONAL, /* accept what only the clock stands against, as VERDICT_PROVISIONAL
                               */
    VERIFY_CLOCK_REFUSE,      /* refuse everything until the clock is set */
};

struct verify_policy {
    bool check_trust; /* false: every peer is accepted, VERDICT_UNVERIFIED unless all is right */
    enum peername_rules rules;
    enum verify_clock_policy clock;
    unsigned min_rsa_bits;    /* 0: 2048 */
    bool allow_sha1;          /* signatures below the anchor; MD5 and older never */
    bool client_eku_required; /* VERIFY_CLIENT: a certificate with an EKU must have clientAuth */
};

struct verify_input {
    const struct slice
        *chain; /* DER, the leaf first, the rest in any order; at most LIMIT_PEER_CERTS are read */
    size_t chain_len;
    const struct trust *trust;
    enum trust_filter filter;
    const struct peername *name; /* NULL: the name is not checked */
    struct wallclock now;
    enum verify_purpose purpose;
    const struct verify_policy *policy;
};

/* Fills OUT whole. Never fails: what goes wrong inside is REASON_INTERNAL and a refusal. */
void verify_chain(const struct verify_input *in, struct verdict *out);

#endif
