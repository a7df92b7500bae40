/*
 * auth: the client's side of a conversation with servers that challenge: what was last asked for,
 * by the server itself (401) and by a proxy before it (407), and the credentials for the next
 * request.
 *
 * A nonce is used again, with a higher count, until a server gives a new one, so that a refresh
 * costs one round trip (RFC 7616 section 3.6). Sans-I/O. A value type; all zero is the start.
 */
#ifndef SIPSD_SIP_AUTH_H
#define SIPSD_SIP_AUTH_H

#include "sip/digest.h"
#include "sip/message.h"

/* One who challenges. */
struct sip_auth_side {
    bool known; /* there is a challenge to answer */
    bool fresh; /* it came in answer to the present request */
    uint32_t nc;
    struct digest_challenge challenge;
};

struct sip_auth {
    struct sip_auth_side server;
    struct sip_auth_side proxy;
    int rounds; /* challenges for the present request */
};

/* Begins a new request: a challenge to what is kept from earlier ones is no refusal. */
void sip_auth_begin(struct sip_auth *a);

/*
 * Takes the challenge of M, a 401 or 407: send the request again with what sip_auth_write() gives.
 * ERR_AUTH: the credentials were refused, or the server keeps challenging (LIMIT_AUTH_ROUNDS).
 * ERR_UNSUPPORTED, ERR_PARSE: there is no challenge that can be answered.
 */
RESULT sip_auth_challenged(struct sip_auth *a, const struct sip_message *m, struct errinfo *e);

/* Appends the Authorization and Proxy-Authorization lines for METHOD and URI, nothing while nobody
 * has asked. Errors as digest_answer(). */
RESULT sip_auth_write(struct sip_auth *a, struct buf *out, const struct digest_credentials *cred,
                      const char *method, const char *uri, const struct rng *rng,
                      struct errinfo *e);

/* M is a 2xx: it may give the nonce for the next request (RFC 7616 section 3.5). */
void sip_auth_accepted(struct sip_auth *a, const struct sip_message *m);

/* Whether credentials go into the next request. */
bool sip_auth_known(const struct sip_auth *a);

/* Forgets all challenges. */
void sip_auth_reset(struct sip_auth *a);

#endif
