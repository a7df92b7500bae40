/*
 * digest: HTTP digest authentication for SIP: RFC 3261 section 22, RFC 8760 (SHA-256), RFC 7616.
 *
 * The client's side: reads challenges, says which is best, makes answers. The password, and all
 * that is made of it, is wiped after use. Not supported, because no registrar asks for it alone:
 * qop auth-int, userhash (a server that offers it takes the plain name too) and SHA-512/256.
 */
#ifndef SIPSD_SIP_DIGEST_H
#define SIPSD_SIP_DIGEST_H

#include "base/buf.h"
#include "base/errinfo.h"
#include "base/hash.h"
#include "base/rng.h"
#include "base/slice.h"

#define DIGEST_REALM_SIZE  256
#define DIGEST_NONCE_SIZE  512
#define DIGEST_OPAQUE_SIZE 256

/* One challenge (WWW-Authenticate or Proxy-Authenticate); a value type. The strings are what the
 * quoted strings mean, without their backslashes. */
struct digest_challenge {
    char realm[DIGEST_REALM_SIZE];
    char nonce[DIGEST_NONCE_SIZE];
    char opaque[DIGEST_OPAQUE_SIZE];
    enum hash_alg alg;
    bool sess;     /* the -sess variant */
    bool qop_auth; /* false: the server knows no qop (RFC 2069) */
    bool stale;    /* the nonce was too old, the password not looked at */
    bool has_opaque;
};

/*
 * Parses the challenge at the front of *REST, a header field's value, and moves *REST behind it:
 * some servers put several into one field. ERR_UNSUPPORTED for another scheme or algorithm, or only
 * qop auth-int; *REST has moved on. ERR_PARSE, ERR_LIMIT: *REST is empty.
 */
RESULT digest_parse(struct slice *rest, struct digest_challenge *out, struct errinfo *e);

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
 * METHOD and URI, with nonce count NC (the first is 1) and a cnonce drawn from RNG. ERR_INVALID if
 * the user's name has control characters. Wipe OUT after use (buf_wipe()): offline, the password
 * can be guessed from it.
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

/*
 * The parameter called NAME of a list as in Authorization ("Digest" may stand before it) or
 * Authentication-Info, without quotes. ERR_NOT_FOUND, ERR_LIMIT if it does not fit, ERR_PARSE.
 */
RESULT digest_param(struct slice list, const char *name, char *out, size_t size);

#endif
