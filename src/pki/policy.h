/*
 * policy: certificate policies along a path (RFC 5280 sections 6.1.2 to 6.1.5).
 *
 * Most paths have policies that nobody asks for; they matter where a CA, or the account's policy,
 * requires that one is valid for the whole path.
 */
#ifndef SIPSD_PKI_POLICY_H
#define SIPSD_PKI_POLICY_H

#include "pki/certfields.h"

/* The inputs of section 6.1.1 (c) and (e) to (g). All zero: any policy will do, and none. */
struct policy_inputs {
    const struct slice *acceptable; /* OIDs' bytes: user-initial-policy-set; none: any-policy */
    size_t acceptable_count;
    bool require_explicit;
    bool inhibit_mapping;
    bool inhibit_any;
};

enum policy_result {
    POLICY_VALID,
    POLICY_NONE,      /* one is required, and none is valid for the whole path */
    POLICY_MALFORMED, /* an extension of the certificate *AT is malformed */
    POLICY_TOO_MANY,  /* LIMIT_POLICIES */
};

/* PATH has the leaf first and does not include the anchor; LEN > 0. AT gets an index into it: of
 * the certificate that the result is about. */
enum policy_result policy_check(const struct policy_inputs *in,
                                const struct certfields *const *path, size_t len, size_t *at);

#endif
