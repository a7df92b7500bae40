#include "tools/tlsfd.h"

#include <errno.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "pki/certfile.h"
#include "sys/entropy.h"
#include "tls/ciphers.h"
#include "tools/pemfiles.h"

#define TICKET_LIFE_S 86400

struct tlsfd_profile {
    mbedtls_ssl_config config;
    mbedtls_ssl_ticket_context ticket_keys;
    mbedtls_x509_crt ca;
    struct identity *identity;
    mbedtls_ssl_session session; /* a client's, to resume */
    bool server, client_tickets, has_session;
};

struct tlsfd {
    struct tlsfd_profile *profile;
    mbedtls_ssl_context ssl;
    int fd;
    int rc;        /* of the last call */
    size_t unsent; /* of a write that was told AGAIN: mbedTLS wants the same call again */
};

static void must(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "tlsfd: %s\n", what);
    exit(2);
}

/* --- the profile --- */

static void set_identity(struct tlsfd_profile *p, const char *cert, const char *key)
{
    p->identity = pemfiles_identity(cert, key);
    must(mbedtls_ssl_conf_own_cert(&p->config, identity_mbedtls_chain(p->identity),
                                   identity_mbedtls_key(p->identity)) == 0,
         "cannot use its own certificate");
}

static struct result add_ca(void *arg, struct slice der, struct errinfo *e)
{
    struct tlsfd_profile *p = arg;
    (void)e;
    must(mbedtls_x509_crt_parse_der(&p->ca, der.p, der.n) == 0, "cannot parse a CA");
    return OK;
}

static void set_ca(struct tlsfd_profile *p, const char *path)
{
    struct buf file = pemfiles_read(path);
    must(is_ok(certfile_each(buf_slice(&file), add_ca, p, NULL)), path);
    buf_free(&file);
    mbedtls_ssl_conf_ca_chain(&p->config, &p->ca, NULL);
}

static void set_tickets(struct tlsfd_profile *p, bool server)
{
    p->client_tickets = !server;
    if (!server) {
        mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
            &p->config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
        return;
    }
    must(mbedtls_ssl_ticket_setup(&p->ticket_keys, entropy_system.fill, entropy_system.ctx,
                                  MBEDTLS_CIPHER_AES_256_GCM, TICKET_LIFE_S) == 0,
         "no ticket keys");
    mbedtls_ssl_conf_session_tickets_cb(&p->config, mbedtls_ssl_ticket_write,
                                        mbedtls_ssl_ticket_parse, &p->ticket_keys);
    mbedtls_ssl_conf_new_session_tickets(&p->config, 1);
}

static void configure(struct tlsfd_profile *p, const struct tlsfd_spec *spec)
{
    mbedtls_ssl_config *c = &p->config;
    const mbedtls_ssl_protocol_version version =
        spec->minor == 2 ? MBEDTLS_SSL_VERSION_TLS1_2 : MBEDTLS_SSL_VERSION_TLS1_3;
    must(mbedtls_ssl_config_defaults(c,
                                     spec->server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
                                     MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) == 0,
         "no configuration");
    mbedtls_ssl_conf_rng(c, entropy_system.fill, entropy_system.ctx);
    mbedtls_ssl_conf_min_tls_version(c, version);
    mbedtls_ssl_conf_max_tls_version(c, version);
    mbedtls_ssl_conf_ciphersuites(c, spec->suites != NULL ? spec->suites : tls_cipher_suites);
    mbedtls_ssl_conf_groups(c, tls_groups);
    mbedtls_ssl_conf_sig_algs(c, tls_signatures);
    mbedtls_ssl_conf_authmode(c, spec->ca != NULL ? MBEDTLS_SSL_VERIFY_REQUIRED
                                                  : MBEDTLS_SSL_VERIFY_NONE);
    if (!spec->tickets)
        mbedtls_ssl_conf_session_tickets(c, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
}

struct tlsfd_profile *tlsfd_profile_new(const struct tlsfd_spec *spec)
{
    struct tlsfd_profile *p = calloc(1, sizeof *p);
    must(p != NULL, "out of memory");
    p->server = spec->server;
    mbedtls_ssl_config_init(&p->config);
    mbedtls_ssl_ticket_init(&p->ticket_keys);
    mbedtls_x509_crt_init(&p->ca);
    mbedtls_ssl_session_init(&p->session);
    configure(p, spec);
    if (spec->cert != NULL)
        set_identity(p, spec->cert, spec->key);
    if (spec->ca != NULL)
        set_ca(p, spec->ca);
    if (spec->tickets)
        set_tickets(p, spec->server);
    return p;
}

void tlsfd_profile_free(struct tlsfd_profile *p)
{
    if (p == NULL)
        return;
    mbedtls_ssl_config_free(&p->config);
    mbedtls_ssl_ticket_free(&p->ticket_keys);
    mbedtls_x509_crt_free(&p->ca);
    mbedtls_ssl_session_free(&p->session);
    identity_unref(p->identity);
    free(p);
}

/* --- a connection --- */

static int fd_send(void *ctx, const unsigned char *data, size_t n)
{
    const struct tlsfd *t = ctx;
    const ssize_t sent = send(t->fd, data, n, MSG_NOSIGNAL);
    if (sent >= 0)
        return (int)sent;
    return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_WRITE : -1;
}

static int fd_recv(void *ctx, unsigned char *out, size_t size)
{
    const struct tlsfd *t = ctx;
    const ssize_t n = recv(t->fd, out, size, 0);
    if (n > 0)
        return (int)n;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return MBEDTLS_ERR_SSL_WANT_READ;
    return n == 0 ? MBEDTLS_ERR_SSL_CONN_EOF : -1;
}

struct tlsfd *tlsfd_new(struct tlsfd_profile *profile, int fd)
{
    struct tlsfd *t = calloc(1, sizeof *t);
    must(t != NULL, "out of memory");
    t->profile = profile;
    t->fd = fd;
    mbedtls_ssl_init(&t->ssl);
    must(mbedtls_ssl_setup(&t->ssl, &profile->config) == 0, "no context");
    must(mbedtls_ssl_set_hostname(&t->ssl, profile->server ? NULL : "localhost") == 0, "no name");
    if (profile->has_session)
        must(mbedtls_ssl_set_session(&t->ssl, &profile->session) == 0, "no session to resume");
    mbedtls_ssl_set_bio(&t->ssl, t, fd_send, fd_recv, NULL);
    return t;
}

void tlsfd_free(struct tlsfd *t)
{
    if (t == NULL)
        return;
    mbedtls_ssl_free(&t->ssl);
    free(t);
}

static void keep_session(struct tlsfd *t)
{
    struct tlsfd_profile *p = t->profile;
    mbedtls_ssl_session_free(&p->session);
    mbedtls_ssl_session_init(&p->session);
    p->has_session = mbedtls_ssl_get_session(&t->ssl, &p->session) == 0;
}

static enum tlsfd_status status_of(struct tlsfd *t, int rc)
{
    t->rc = rc;
    switch (rc) {
    case MBEDTLS_ERR_SSL_WANT_READ:
    case MBEDTLS_ERR_SSL_WANT_WRITE:
        return TLSFD_AGAIN;
    case 0:
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
    case MBEDTLS_ERR_SSL_CONN_EOF:
        return TLSFD_CLOSED;
    default:
        return TLSFD_FAILED;
    }
}

enum tlsfd_status tlsfd_handshake(struct tlsfd *t)
{
    const int rc = mbedtls_ssl_handshake(&t->ssl);
    if (rc != 0)
        return status_of(t, rc);
    if (t->profile->client_tickets &&
        mbedtls_ssl_get_version_number(&t->ssl) == MBEDTLS_SSL_VERSION_TLS1_2)
        keep_session(t);
    return TLSFD_OK;
}

enum tlsfd_status tlsfd_read(struct tlsfd *t, uint8_t *out, size_t size, size_t *n)
{
    int rc = mbedtls_ssl_read(&t->ssl, out, size);
    while (rc == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET ||
           (rc == MBEDTLS_ERR_SSL_WANT_READ && mbedtls_ssl_check_pending(&t->ssl) != 0)) {
        if (rc == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET && t->profile->client_tickets)
            keep_session(t);
        rc = mbedtls_ssl_read(&t->ssl, out, size);
    }
    *n = rc > 0 ? (size_t)rc : 0;
    return rc > 0 ? TLSFD_OK : status_of(t, rc);
}

enum tlsfd_status tlsfd_write(struct tlsfd *t, const uint8_t *bytes, size_t n, size_t *written)
{
    const size_t length = t->unsent != 0 ? t->unsent : n;
    const int rc = mbedtls_ssl_write(&t->ssl, bytes, length);
    t->unsent = rc == MBEDTLS_ERR_SSL_WANT_WRITE ? length : 0;
    *written = rc > 0 ? (size_t)rc : 0;
    return rc > 0 ? TLSFD_OK : status_of(t, rc);
}

bool tlsfd_wants_write(const struct tlsfd *t)
{
    return t->rc == MBEDTLS_ERR_SSL_WANT_WRITE;
}

bool tlsfd_has_more(const struct tlsfd *t)
{
    return mbedtls_ssl_check_pending(&t->ssl) != 0;
}

void tlsfd_close(struct tlsfd *t)
{
    (void)mbedtls_ssl_close_notify(&t->ssl);
}

const char *tlsfd_suite(const struct tlsfd *t)
{
    return mbedtls_ssl_get_ciphersuite(&t->ssl);
}

const char *tlsfd_error(const struct tlsfd *t)
{
    static char text[32];
    (void)snprintf(text, sizeof text, "mbedTLS -0x%04x", (unsigned)-t->rc);
    return text;
}
