/*
 * validity: from when to when a certificate is to hold. Pure.
 *
 * It begins a day before now, as the clocks of others may be slow; a year has 365.2425 days. Never
 * is it outside of its issuer's.
 */
#ifndef SIPSD_FACTORY_VALIDITY_H
#define SIPSD_FACTORY_VALIDITY_H

#include "base/errinfo.h"
#include "pki/certfields.h"

#define VALIDITY_ROOT_YEARS  40
#define VALIDITY_PHONE_YEARS 20

/* A value type. */
struct validity {
    int64_t not_before_s, not_after_s;
    bool cut; /* it ends with its issuer, sooner than was asked for */
};

/* What is asked for. */
struct validity_wish {
    int64_t now_s;
    unsigned years;
    bool no_end; /* instead of YEARS: 99991231235959Z, RFC 5280 section 4.1.2.5 */
};

/* ISSUER is NULL for a root. ERR_INVALID if it is over, or has not begun. */
RESULT validity_make(const struct validity_wish *wish, const struct certfields *issuer,
                     struct validity *out, struct errinfo *e);

/* Certificates are made for decades: a clock that was never set is noticed by the time at which the
 * program was built. ERR_STATE. */
RESULT validity_check_clock(int64_t now_s, int64_t build_s, struct errinfo *e);

/* An issuing CA ends a quarter of its root's time before it: whoever renews the one has time for
 * the other. At least a year. */
unsigned validity_issuing_years(unsigned root_years);

#endif
