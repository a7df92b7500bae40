#include "tls/profile.h"

#include <mbedtls/error.h>
#include <mbedtls/platform_time.h>
#include <mbedtls/psa_rng.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <psa/crypto.h>
#include <stdlib.h>

#include "base/limits.h"
#include "tls/ciphers.h"
#include "tls/judging.h"

struct tls_profile {
    unsigned refs;
    struct tls_profile_params params;
    mbedtls_ssl_config config; /* borrows from here and from the identity */
    mbedtls_ssl_ticket_context ticket_keys;
};

/* --- the process --- */

static int64_t (*global_epoch_s)(void);

static mbedtls_time_t global_time(mbedtls_time_t *out)
{
    const mbedtls_time_t now = (mbedtls_time_t)global_epoch_s();

    if (out != NULL)
        *out = now;
    return now;
}

struct result tls_global_init(const struct rng *rng, int64_t (*epoch_s)(void), struct errinfo *e)
{
    mbedtls_psa_rng_set(rng->fill, rng->ctx);
    global_epoch_s = epoch_s;
    (void)mbedtls_platform_set_time(global_time); /* cannot fail */
    const psa_status_t status = psa_crypto_init();
    if (status != PSA_SUCCESS)
        return fail_native(e, ERR_CRYPTO, (int)status, "the cryptographic library does not start");
    return OK;
}

void tls_global_free(void)
{
    mbedtls_psa_crypto_free();
    mbedtls_psa_rng_set(NULL, NULL);
}

/* --- a profile --- */

static struct result check_params(const struct tls_profile_params *p, struct errinfo *e)
{
    if (p->rng.fill == NULL)
        return fail(e, ERR_INVALID, "TLS needs a source of random numbers");
    if (p->role == TLS_SERVER && p->identity == NULL)
        return fail(e, ERR_INVALID, "a TLS server needs a certificate");
    if (p->role == TLS_CLIENT && p->client_auth != TLS_CLIENT_AUTH_OFF)
        return fail(e, ERR_INVALID, "only a TLS server can ask for a client's certificate");
    return OK;
}

/* The whole Certificate message goes out in one record (RFC 8446 section 4.4.2). */
static struct result check_chain(struct identity *id, struct errinfo *e)
{
    const size_t message_header = 4 + 1 + 3;
    const size_t entry_header = 3 + 2;
    const size_t max = MBEDTLS_SSL_OUT_CONTENT_LEN;
    size_t bytes = message_header;

    for (const mbedtls_x509_crt *c = identity_mbedtls_chain(id); c != NULL; c = c->next)
        bytes += entry_header + c->raw.len;
    if (bytes > max)
        return fail(e, ERR_LIMIT,
                    "the certificate chain has %zu bytes and TLS can send %zu: leave out those "
                    "that peers have themselves, such as the root",
                    bytes, max);
    return OK;
}

static void set_versions(mbedtls_ssl_config *c, enum tls_versions versions)
{
    mbedtls_ssl_conf_min_tls_version(c, versions == TLS_1_3_ONLY ? MBEDTLS_SSL_VERSION_TLS1_3
                                                                 : MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_max_tls_version(c, versions == TLS_1_2_ONLY ? MBEDTLS_SSL_VERSION_TLS1_2
                                                                 : MBEDTLS_SSL_VERSION_TLS1_3);
}

/* For mbedTLS it only says whether a server asks; what follows from the answer the session says. */
static int authmode(const struct tls_profile_params *p)
{
    if (p->role == TLS_CLIENT)
        return MBEDTLS_SSL_VERIFY_REQUIRED;
    return p->client_auth == TLS_CLIENT_AUTH_OFF ? MBEDTLS_SSL_VERIFY_NONE
                                                 : MBEDTLS_SSL_VERIFY_OPTIONAL;
}

static int set_tickets(struct tls_profile *p)
{
    mbedtls_ssl_config *c = &p->config;

    if (p->params.role == TLS_CLIENT) {
        mbedtls_ssl_conf_session_tickets(c, p->params.tickets
                                                ? MBEDTLS_SSL_SESSION_TICKETS_ENABLED
                                                : MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
        mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
            c, p->params.tickets ? MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED
                                 : MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_DISABLED);
        return 0;
    }
    if (!p->params.tickets || p->params.client_auth != TLS_CLIENT_AUTH_OFF)
        return 0; /* without the callbacks, a server has no tickets */
    const int rc = mbedtls_ssl_ticket_setup(&p->ticket_keys, p->params.rng.fill, p->params.rng.ctx,
                                            MBEDTLS_CIPHER_AES_256_GCM, LIMIT_TICKET_AGE_S);
    if (rc == 0)
        mbedtls_ssl_conf_session_tickets_cb(c, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse,
                                            &p->ticket_keys);
    return rc;
}

static int configure(struct tls_profile *p)
{
    const struct tls_profile_params *params = &p->params;
    mbedtls_ssl_config *c = &p->config;

    int rc = mbedtls_ssl_config_defaults(
        c, params->role == TLS_CLIENT ? MBEDTLS_SSL_IS_CLIENT : MBEDTLS_SSL_IS_SERVER,
        MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    if (rc != 0)
        return rc;
    set_versions(c, params->versions);
    mbedtls_ssl_conf_rng(c, params->rng.fill, params->rng.ctx);
    mbedtls_ssl_conf_ciphersuites(c, tls_cipher_suites);
    mbedtls_ssl_conf_groups(c, tls_groups);
    mbedtls_ssl_conf_sig_algs(c, tls_signatures);
    /* Never a session without a fresh key exchange, resumed or not: forward secrecy. */
    mbedtls_ssl_conf_tls13_key_exchange_modes(c,
                                              MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ALL);
    mbedtls_ssl_conf_authmode(c, authmode(params));
    mbedtls_ssl_conf_peer_cert_cb(c, tls_judging_on_cert);
    if (params->alpn != NULL)
        rc = mbedtls_ssl_conf_alpn_protocols(c, (const char **)(uintptr_t)params->alpn);
    if (rc == 0 && params->identity != NULL)
        rc = mbedtls_ssl_conf_own_cert(c, identity_mbedtls_chain(params->identity),
                                       identity_mbedtls_key(params->identity));
    return rc != 0 ? rc : set_tickets(p);
}

struct result tls_profile_new(const struct tls_profile_params *params, struct tls_profile **out,
                              struct errinfo *e)
{
    TRY(check_params(params, e));
    if (params->identity != NULL)
        TRY(check_chain(params->identity, e));
    struct tls_profile *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return err(ERR_NOMEM);
    p->refs = 1;
    p->params = *params;
    if (p->params.identity != NULL)
        identity_ref(p->params.identity);
    mbedtls_ssl_config_init(&p->config);
    mbedtls_ssl_ticket_init(&p->ticket_keys);
    const int rc = configure(p);
    if (rc != 0) {
        tls_profile_unref(p);
        return fail_native(e, rc == MBEDTLS_ERR_SSL_ALLOC_FAILED ? ERR_NOMEM : ERR_CRYPTO, rc,
                           "TLS could not be set up: %s", mbedtls_high_level_strerr(rc));
    }
    *out = p;
    return OK;
}

struct tls_profile *tls_profile_ref(struct tls_profile *p)
{
    p->refs++;
    return p;
}

void tls_profile_unref(struct tls_profile *p)
{
    if (p == NULL || --p->refs > 0)
        return;
    mbedtls_ssl_config_free(&p->config);
    mbedtls_ssl_ticket_free(&p->ticket_keys);
    identity_unref(p->params.identity);
    free(p);
}

const struct mbedtls_ssl_config *tls_profile_config(const struct tls_profile *p)
{
    return &p->config;
}

enum tls_role tls_profile_role(const struct tls_profile *p)
{
    return p->params.role;
}

enum tls_versions tls_profile_versions(const struct tls_profile *p)
{
    return p->params.versions;
}

enum tls_client_auth tls_profile_client_auth(const struct tls_profile *p)
{
    return p->params.client_auth;
}

bool tls_profile_tickets(const struct tls_profile *p)
{
    return p->params.tickets;
}
