/*
 * frame: where one SIP message ends and the next begins on a stream (RFC 3261 section 18.3, RFC
 * 5626 section 3.5.1).
 *
 * Sans-I/O: bytes in, whole messages and keep-alives out. Message boundaries are decided here,
 * before any parser sees a byte: lines end in CR LF; Content-Length must be there (RFC 3261 section
 * 20.14: on streams it is mandatory), once or alike, a plain decimal number; header and message
 * sizes are capped. Each byte is looked at once, however small the pieces are that it comes in.
 */
#ifndef SIPSD_SIP_FRAME_H
#define SIPSD_SIP_FRAME_H

#include "base/errinfo.h"
#include "base/slice.h"

struct sip_frame;

enum sip_frame_event {
    SIP_FRAME_MORE,    /* nothing whole: feed more */
    SIP_FRAME_MESSAGE, /* one message in *OUT, valid until the next call */
    SIP_FRAME_PING,    /* CRLF CRLF: answer with CRLF */
    SIP_FRAME_PONG,    /* a single CRLF between messages. If it was the first half of a ping, the
                          second half is told as the ping */
};

RESULT sip_frame_new(struct sip_frame **out);
void sip_frame_free(struct sip_frame *f);

/* Appends bytes of the stream (copied). ERR_LIMIT if what is kept would exceed one largest message
 * and one read (LIMIT_TLS_PLAINTEXT): take everything out between two feeds. */
RESULT sip_frame_feed(struct sip_frame *f, struct slice bytes);

/*
 * The next thing in the stream; call it until it says MORE. ERR_PARSE for what has no boundaries,
 * ERR_LIMIT for what is too large, ERR_UNSUPPORTED for a web server, with a sentence. An error is
 * final for the stream: close the connection. *OUT has then what was kept, from the beginning of
 * the message that is wrong, as long as the frame lives.
 */
RESULT sip_frame_next(struct sip_frame *f, enum sip_frame_event *event, struct slice *out,
                      struct errinfo *e);

/* After SIP_FRAME_MORE: whether a message has begun whose end has not come. */
bool sip_frame_is_partial(const struct sip_frame *f);

#endif
