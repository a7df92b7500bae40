/*
 * judge: how an account judges its server, and the listener its clients: trust, name, policy and
 * clock, put together once, for the handshake and for every later look at the same chain.
 *
 * The name is the one that the admin configured, fixed before any DNS look-up.
 */
#ifndef SIPSD_LINK_JUDGE_H
#define SIPSD_LINK_JUDGE_H

#include "base/buf.h"
#include "pki/verify.h"
#include "sys/wallclock.h"
#include "tls/profile.h"

/* A value type; TRUST is a reference of its own from judge_init() to judge_clear(). */
struct judge {
    struct trust *trust;
    enum trust_filter filter;
    struct peername name;
    bool check_name;
    enum verify_purpose purpose; /* VERIFY_SERVER unless it is set */
    struct verify_policy policy;
    const struct wallclock_source *clock; /* borrowed */
};

/* Fills *J; NAME as peername_parse() wants it, NULL for none. ERR_INVALID, and nothing to clear. */
RESULT judge_init(struct judge *j, struct trust *trust, const char *name,
                  const struct wallclock_source *clock, struct errinfo *e);
void judge_clear(struct judge *j); /* a zeroed one is fine */

void judge_set_trust(struct judge *j, struct trust *trust);

/* What verify_chain() is to judge: a peer's chain as of now. It borrows from J and CHAIN. */
struct verify_input judge_input(const struct judge *j, const struct slice *chain, size_t n);

/* What to put into SNI: NULL for an IP address (RFC 6066 section 3). */
const char *judge_server_name(const struct judge *j);

/*
 * Appends the key under which session tickets are kept: all that a kept verdict depends on, so that
 * a session is only resumed where the same judgement would be made again.
 */
RESULT judge_flow_key(const struct judge *j, int account, enum tls_versions versions,
                      struct buf *out);

/* Whether another time of day could change the verdict. */
bool judge_clock_matters(const struct verdict *v);

/* Whether two verdicts say the same to people: class, reasons, path and anchor. */
bool judge_same(const struct verdict *a, const struct verdict *b);

#endif
