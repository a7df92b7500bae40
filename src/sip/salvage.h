/*
 * salvage: the answer to a request that is no valid message (RFC 3261 section 8.2, RFC 4475).
 *
 * A peer whose request is silently dropped sends it again for half a minute and learns nothing. So
 * what the answer is made of (section 8.2.6: Via, From, To, Call-ID, CSeq) is copied from the text
 * as it stands, without being understood: control characters become '?', lines that were folded
 * become one, so that nothing can break out of its place.
 */
#ifndef SIPSD_SIP_SALVAGE_H
#define SIPSD_SIP_SALVAGE_H

#include "base/buf.h"
#include "base/slice.h"

/*
 * Appends the response STATUS with REASON and TO_TAG (a token) to RAW, which begins with the start
 * line of a message and may be cut off anywhere. Nothing, and OK, where none may or can be sent: to
 * a response, an ACK, what is no SIP, or has no Via. ERR_LIMIT, ERR_NOMEM: OUT may then hold a part
 * of it.
 */
RESULT sip_salvage_response(struct buf *out, struct slice raw, int status, const char *reason,
                            const char *to_tag);

#endif
