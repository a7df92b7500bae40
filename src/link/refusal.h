/*
 * refusal: what a registrar means by a final response that is no success: a sentence for the
 * phone's admin, and when trying again makes sense.
 */
#ifndef SIPSD_LINK_REFUSAL_H
#define SIPSD_LINK_REFUSAL_H

#include "base/errinfo.h"
#include "sip/message.h"

struct refusal {
    bool of_account;        /* trying again changes nothing until somebody changes the account */
    uint32_t retry_after_s; /* what the server asks for (RFC 3261 section 20.33), capped; or 0 */
};

/* Reads M, a final response of 300 or above; CREDENTIALS: the request had some. Fills E. */
struct refusal refusal_read(const struct sip_message *m, bool credentials, struct errinfo *e);

#endif
