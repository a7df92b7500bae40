/*
 * message: a received SIP message, parsed and checked.
 *
 * Nothing reaches osip that was not looked at first: lines, names, characters, counts and the shape
 * of each structured header field are checked here (sip/field, sip/uri), and what RFC 3261 section
 * 8.1.1 demands must be there, once. osip then reads the fields that have a structure: Via, From,
 * To, Contact, CSeq, Content-Type. On its own it accepts a missing From, "Content-Length: -5", bare
 * line feeds or a status of 9999999, says no more of an error than a number, walks its lists for
 * each element that it adds, and parses multipart bodies: so it never gets a body.
 *
 * Strings are valid as long as the message is. Folded lines are unfolded; a control character that
 * was legally quoted (RFC 3261 section 25.1, quoted-pair) reads as '?'.
 */
#ifndef SIPSD_SIP_MESSAGE_H
#define SIPSD_SIP_MESSAGE_H

#include "base/errinfo.h"
#include "base/slice.h"

struct sip_message;

/*
 * Parses one whole message (as sip/frame gives it; BYTES are copied). ERR_PARSE for what is no SIP
 * message or not a valid one, ERR_UNSUPPORTED for another version or protocol, ERR_LIMIT,
 * ERR_NOMEM; with a sentence that names the header field.
 */
RESULT sip_message_parse(struct slice bytes, struct sip_message **out, struct errinfo *e);
void sip_message_free(struct sip_message *m); /* NULL is fine */

bool sip_message_is_request(const struct sip_message *m);
const char *sip_message_method(const struct sip_message *m); /* of the request, or of CSeq */
const char *sip_message_uri(const struct sip_message *m); /* the Request-URI; "" for a response */
int sip_message_status(const struct sip_message *m);      /* 100 to 699; 0 for a request */
const char *sip_message_reason(const struct sip_message *m); /* "" for a request */
const char *sip_message_call_id(const struct sip_message *m);
uint32_t sip_message_cseq(const struct sip_message *m);
const char *sip_message_branch(const struct sip_message *m); /* of the top Via; "" if it has none */
const char *sip_message_from_tag(const struct sip_message *m); /* "" if it has none */
const char *sip_message_to_tag(const struct sip_message *m);   /* "" if it has none */
struct slice sip_message_body(const struct sip_message *m);

/*
 * The N-th header field called NAME (either its long or its compact form, in any case), whole as
 * text; NULL if there is none. Header fields that are lists (RFC 3261 section 7.3.1) are split: one
 * element an index, over all lines of that name.
 */
const char *sip_message_header(const struct sip_message *m, const char *name, size_t n);

/* The decimal number, of at most MAX, that the first header field called NAME is; behind it may be
 * a comment or parameters, as in Retry-After. False if there is none. */
bool sip_message_number(const struct sip_message *m, const char *name, uint64_t max, uint64_t *out);

/* One Contact; a value type, its strings are the message's. */
struct sip_contact {
    struct slice uri;     /* without <>; "*" for the wildcard of RFC 3261 section 10.2.2 */
    const char *expires;  /* the expires parameter, or NULL */
    const char *instance; /* the +sip.instance parameter as it stands, quotes and all, or NULL */
};

/* The N-th Contact; false if there are not so many. */
bool sip_message_contact(const struct sip_message *m, size_t n, struct sip_contact *out);

/*
 * Seconds granted in a 200 to REGISTER for the contact that is ours: whose URI is CONTACT_URI
 * (compared as RFC 3261 section 19.1.4 says), or, for servers that rewrite it, whose instance is
 * INSTANCE_ID ("urn:uuid:...", may be NULL); else by the Expires header, else FALLBACK; 0 if it is
 * not among the listed ones.
 */
uint32_t sip_message_granted_expires(const struct sip_message *m, const char *contact_uri,
                                     const char *instance_id, uint32_t fallback);

#endif
