/*
 * digest: HTTP digest authentication for SIP: RFC 3261 section 22, RFC 8760 (SHA-256), RFC 7616.
 *
 * Client side: reads challenges, chooses the best, makes Authorization lines, counts nonces. The
 * password, and all that is made of it, is wiped after use. The server side for the test registrar
 * is in tests/tools.
 */
#ifndef SIPSD_SIP_DIGEST_H
#define SIPSD_SIP_DIGEST_H

#include "base/buf.h"
#include "base/errinfo.h"
#include "base/hash.h"
#include "base/rng.h"
#include "base/slice.h"

/* One challenge (WWW-Authenticate or Proxy-Authenticate); a value type. */
struct digest_challenge {
    char realm[256];
    char nonce[512];
    char opaque[256];
    enum hash_alg alg;
    bool sess; /* -sess variant */
    bool qop_auth;
    bool stale;
    bool has_opaque;
};

/* Parses a header field's value. ERR_UNSUPPORTED: another scheme or algorithm, or only qop
 * auth-int. ERR_PARSE. */
RESULT digest_parse(struct slice value, struct digest_challenge *out, struct errinfo *e);

/* Whether A is to be preferred to B: SHA-256 before MD5, whatever the server's order (RFC 8760
 * section 2.4 leaves the choice to the client's policy; the weaker one is only for servers that
 * have nothing else). */
bool digest_better(const struct digest_challenge *a, const struct digest_challenge *b);

struct digest_credentials {
    const char *user;
    const char *password;
};

/*
 * Appends the value of an Authorization or Proxy-Authorization field ("Digest username=...") for
 * METHOD and URI, with nonce count NC and a cnonce drawn from RNG.
 */
RESULT digest_answer(struct buf *out, const struct digest_challenge *c,
                     const struct digest_credentials *cred, const char *method, const char *uri,
                     uint32_t nc, const struct rng *rng, struct errinfo *e);

/*
 * The response value (lower-case hexadecimal) for given numbers: for known-answer tests and for a
 * server that checks. NC and CNONCE are only used with qop.
 */
void digest_response(const struct digest_challenge *c, const struct digest_credentials *cred,
                     const char *method, const char *uri, uint32_t nc, const char *cnonce,
                     char out[HASH_HEX_SIZE(HASH_MAX_SIZE)]);

#endif
