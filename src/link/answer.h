/*
 * answer: what the phone itself answers to requests that come in over an account's connection.
 *
 * OPTIONS is answered for real: servers and proxies use it to see whether the phone is there. For
 * everything else there is nobody who could take it: 503, or 481 for what belongs to a dialog or
 * transaction that cannot exist.
 */
#ifndef SIPSD_LINK_ANSWER_H
#define SIPSD_LINK_ANSWER_H

#include "base/buf.h"
#include "base/rng.h"
#include "sip/message.h"

/* Appends the response to request M, or nothing where none may be sent (ACK). */
RESULT answer_request(struct buf *out, const struct sip_message *m, const struct rng *rng);

/* Appends the response STATUS to request M, or nothing where none may be sent (ACK). RETRY_S: the
 * seconds of its Retry-After, 0 for none. */
RESULT answer_status(struct buf *out, const struct sip_message *m, int status, unsigned retry_s,
                     const struct rng *rng);

#endif
