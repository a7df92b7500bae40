/*
 * registrar_auth: the half of digest authentication that asks: challenges, and whether an answer to
 * one is right. Nonces are remembered, so that counts that do not grow are seen.
 */
#ifndef SIPSD_TESTS_TOOLS_REGISTRAR_AUTH_H
#define SIPSD_TESTS_TOOLS_REGISTRAR_AUTH_H

#include "base/rng.h"
#include "sip/digest.h"
#include "sip/message.h"
#include "tools/registrar.h"

#define REGISTRAR_NONCES       32
#define REGISTRAR_NONCE_LENGTH 24

/* A value type; realm and rng are borrowed. */
struct registrar_auth {
    const struct registrar_config *cfg;
    const struct rng *rng;
    size_t next; /* the oldest, to be overwritten */
    struct {
        char text[REGISTRAR_NONCE_LENGTH + 1];
        uint64_t issued_ms;
        uint32_t nc; /* the highest seen */
    } nonces[REGISTRAR_NONCES];
};

enum registrar_verdict {
    REGISTRAR_AUTH_NONE, /* no credentials for us */
    REGISTRAR_AUTH_STALE,
    REGISTRAR_AUTH_WRONG,
    REGISTRAR_AUTH_RIGHT,
};

/* Judges the credentials of request M against USER's; the name in them must be AUTH_USER. */
enum registrar_verdict registrar_auth_check(struct registrar_auth *a, const struct sip_message *m,
                                            const char *auth_user, const char *password,
                                            uint64_t now_ms);

/* Appends the challenge's header lines. */
RESULT registrar_auth_challenge(struct registrar_auth *a, bool stale, uint64_t now_ms,
                                struct buf *out);

/* Appends an Authentication-Info line with the nonce for the next request. */
RESULT registrar_auth_next(struct registrar_auth *a, uint64_t now_ms, struct buf *out);

#endif
