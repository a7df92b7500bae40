/*
 * profile: what TLS sessions of one kind have in common: role, protocol versions, our own identity,
 * ALPN, the server's ticket keys. Which cipher suites, groups and signatures there are is in
 * tls/ciphers. Immutable, reference-counted: sessions keep a reference, so that replacing an
 * identity touches no live session.
 */
#ifndef SIPSD_TLS_PROFILE_H
#define SIPSD_TLS_PROFILE_H

#include "base/errinfo.h"
#include "base/rng.h"
#include "pki/identity.h"

struct tls_profile;

enum tls_role { TLS_CLIENT, TLS_SERVER };

enum tls_versions { TLS_1_2_AND_1_3, TLS_1_2_ONLY, TLS_1_3_ONLY };

/* Whether a server asks for the client's certificate. */
enum tls_client_auth { TLS_CLIENT_AUTH_OFF, TLS_CLIENT_AUTH_REQUEST, TLS_CLIENT_AUTH_REQUIRE };

struct tls_profile_params {
    enum tls_role role;
    enum tls_versions versions;
    struct identity *identity; /* referenced; needed by servers, optional for clients */
    enum tls_client_auth client_auth;
    const char *const *alpn; /* NULL-terminated, static storage; NULL for none */
    /*
     * Client: ask for tickets and use them. Server: issue them, under keys that only this profile
     * has and that change every LIMIT_TICKET_AGE_S. A server that asks for certificates issues
     * none: a resumed session would have no certificates to judge, nor again when trust changes.
     */
    bool tickets;
    struct rng rng; /* for secrets: the system's */
};

/* ERR_INVALID for what makes no sense together, ERR_LIMIT for a chain that is too long to send,
 * each with a sentence; ERR_NOMEM, ERR_CRYPTO. */
RESULT tls_profile_new(const struct tls_profile_params *p, struct tls_profile **out,
                       struct errinfo *e);
struct tls_profile *tls_profile_ref(struct tls_profile *p);
void tls_profile_unref(struct tls_profile *p); /* NULL is fine */

/*
 * Once at the start of the process, before anything of tls/ or pki/ is used: what the library has
 * only one of, a source of random numbers (for key exchanges; its context is borrowed) and a time
 * of day (for the age of ticket keys). And once at the end.
 */
RESULT tls_global_init(const struct rng *rng, int64_t (*epoch_s)(void), struct errinfo *e);
void tls_global_free(void);

/* --- for tls/ only --- */

struct mbedtls_ssl_config;

const struct mbedtls_ssl_config *tls_profile_config(const struct tls_profile *p);
enum tls_role tls_profile_role(const struct tls_profile *p);
enum tls_versions tls_profile_versions(const struct tls_profile *p);
enum tls_client_auth tls_profile_client_auth(const struct tls_profile *p);
bool tls_profile_tickets(const struct tls_profile *p);

#endif
