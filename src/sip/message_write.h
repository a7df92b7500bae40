/*
 * message_write: the SIP messages that we make. Nothing that came from settings or from a peer can
 * break out of its place in them: every string is checked against what may stand there, or escaped.
 */
#ifndef SIPSD_SIP_MESSAGE_WRITE_H
#define SIPSD_SIP_MESSAGE_WRITE_H

#include "base/buf.h"
#include "sip/message.h"

/* What a REGISTER is made of (RFC 3261 section 10.2). */
struct sip_register {
    const char *registrar_uri; /* "sips:example.com" or "sip:example.com;transport=tls" */
    const char *aor;           /* the address of record's URI */
    const char *display_name;  /* as a person writes it, UTF-8; NULL or "" for none */
    const char *contact_uri;
    const char *contact_params; /* ";+sip.instance=...;reg-id=1" or "" */
    const char *via_host;       /* sent-by, with the port */
    const char *branch;         /* begins with z9hG4bK */
    const char *call_id;
    const char *from_tag;
    uint32_t cseq;
    uint32_t expires; /* 0 takes the binding away */
    const char *user_agent;
    const char *supported;     /* option tags: "path, outbound"; NULL for none */
    const char *authorization; /* whole header line(s), each ending in CRLF, or NULL */
};

/*
 * Writes the REGISTER to OUT (appended). No Allow: a registrar would take it as a limit for what it
 * may send us, which is not for the registration to say. ERR_LIMIT, ERR_NOMEM, ERR_INVALID for a
 * string that would break the message; OUT may then hold a part of it.
 */
RESULT sip_message_write_register(struct buf *out, const struct sip_register *r, struct errinfo *e);

/*
 * Writes the response STATUS to request M as RFC 3261 section 8.2.6 says (Via, From, To with TO_TAG
 * if it had none, Call-ID, CSeq), with EXTRA header lines (each ending in CRLF; may be NULL) and no
 * body. REASON NULL stands for the usual words. Errors as above.
 */
RESULT sip_message_write_response(struct buf *out, const struct sip_message *m, int status,
                                  const char *reason, const char *to_tag, const char *extra);

#endif
