/*
 * profile: what TLS sessions of one kind have in common: role, protocol versions, cipher suites,
 * groups, our own identity, ALPN, the server's ticket keys. Immutable, reference-counted: sessions
 * keep a reference, so that replacing an identity touches no live session.
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
    bool tickets;            /* client: ask for and use them; server: issue them */
    struct rng rng;
};

RESULT tls_profile_new(const struct tls_profile_params *p, struct tls_profile **out,
                       struct errinfo *e);
struct tls_profile *tls_profile_ref(struct tls_profile *p);
void tls_profile_unref(struct tls_profile *p); /* NULL is fine */

/*
 * Once at the start of the process, before anything of tls/ or pki/ is used: the library's
 * allocator, time and PSA. The time of day that mbedTLS needs for ticket ages is passed in, too.
 */
RESULT tls_global_init(int64_t (*epoch_s)(void), struct errinfo *e);
void tls_global_free(void);

#endif
