/*
 * message: a parsed SIP message, checked beyond what osip checks; and messages that we make.
 *
 * osip accepts a missing From, a wrong CSeq method and more: sip_message_parse() refuses what RFC
 * 3261 section 8.1.1 says must be there. Owned by the caller; strings are valid as long as the
 * message is.
 */
#ifndef SIPSD_SIP_MESSAGE_H
#define SIPSD_SIP_MESSAGE_H

#include "base/buf.h"
#include "base/errinfo.h"
#include "base/slice.h"

struct sip_message;

/* Parses one whole message (as sip/frame gives it). ERR_PARSE, ERR_LIMIT, ERR_NOMEM, with a
 * sentence. */
RESULT sip_message_parse(struct slice bytes, struct sip_message **out, struct errinfo *e);
void sip_message_free(struct sip_message *m); /* NULL is fine */

bool sip_message_is_request(const struct sip_message *m);
const char *sip_message_method(const struct sip_message *m); /* of the request, or of CSeq */
int sip_message_status(const struct sip_message *m);         /* 100 to 699; 0 for a request */
const char *sip_message_reason(const struct sip_message *m);
const char *sip_message_call_id(const struct sip_message *m);
uint32_t sip_message_cseq(const struct sip_message *m);
const char *sip_message_branch(const struct sip_message *m); /* of the top Via; "" if it has none */

/*
 * The N-th header field called NAME (long or compact form), whole as text; NULL if there is none.
 * Header fields that may be lists are split: one element an index.
 */
const char *sip_message_header(const struct sip_message *m, const char *name, size_t n);

/*
 * Seconds granted in a 200 to REGISTER for the contact whose URI is CONTACT_URI (compared as RFC
 * 3261 section 19.1.4 says), else by the Expires header, else FALLBACK; 0 if the contact is not
 * among the listed ones.
 */
uint32_t sip_message_granted_expires(const struct sip_message *m, const char *contact_uri,
                                     uint32_t fallback);

/* What a REGISTER is made of; all strings without CR, LF, NUL. */
struct sip_register {
    const char *registrar_uri; /* "sips:example.com" or "sip:example.com;transport=tls" */
    const char *aor;           /* the address of record's URI */
    const char *display_name;  /* may be NULL */
    const char *contact_uri;
    const char *contact_params; /* ";+sip.instance=...;reg-id=1" or "" */
    const char *via_host;       /* sent-by, with the port */
    const char *branch;         /* begins with z9hG4bK */
    const char *call_id;
    const char *from_tag;
    uint32_t cseq;
    uint32_t expires; /* 0 takes the binding away */
    const char *user_agent;
    const char *authorization; /* whole header line(s), each ending in CRLF, or NULL */
};

/* Writes the REGISTER to OUT (appended). ERR_LIMIT, ERR_INVALID for a string that would break the
 * message. */
RESULT sip_message_write_register(struct buf *out, const struct sip_register *r, struct errinfo *e);

/*
 * Writes the response STATUS to request M as RFC 3261 section 8.2.6 says (Via, From, To with TO_TAG
 * if it had none, Call-ID, CSeq), with EXTRA header lines (may be NULL) and no body.
 */
RESULT sip_message_write_response(struct buf *out, const struct sip_message *m, int status,
                                  const char *reason, const char *to_tag, const char *extra);

#endif
