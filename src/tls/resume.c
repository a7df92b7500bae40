#include "tls/resume.h"

#include <mbedtls/ssl.h>

#include "base/limits.h"
#include "base/wipe.h"
#include "tls/peer.h"

static bool offer(mbedtls_ssl_context *ssl, const struct tls_ticket *t)
{
    mbedtls_ssl_session session;

    mbedtls_ssl_session_init(&session);
    const bool done = mbedtls_ssl_session_load(&session, t->session, t->session_len) == 0 &&
                      mbedtls_ssl_set_session(ssl, &session) == 0;
    mbedtls_ssl_session_free(&session);
    return done;
}

struct tls_peer *tls_resume_offer(struct tls_tickets *t, struct slice flow_key,
                                  enum tls_versions versions, int64_t now_s,
                                  mbedtls_ssl_context *ssl)
{
    struct tls_ticket ticket;
    struct tls_peer *peer = NULL;

    if (!tls_tickets_take(t, flow_key, now_s, &ticket))
        return NULL;
    if (versions != (ticket.tls13 ? TLS_1_2_ONLY : TLS_1_3_ONLY) && offer(ssl, &ticket))
        peer = tls_peer_ref(ticket.peer);
    tls_ticket_free(&ticket);
    return peer;
}

/* The library exports every session of TLS 1.2, also one that the server will not know again. */
static bool can_resume(const mbedtls_ssl_session *session, bool tls13)
{
    return tls13 || mbedtls_ssl_session_get_id_len(session) > 0 ||
           session->MBEDTLS_PRIVATE(ticket_len) > 0;
}

void tls_resume_keep(struct tls_tickets *t, struct slice flow_key, mbedtls_ssl_context *ssl,
                     struct tls_peer *peer)
{
    const bool tls13 = mbedtls_ssl_get_version_number(ssl) == MBEDTLS_SSL_VERSION_TLS1_3;
    mbedtls_ssl_session session;
    uint8_t bytes[LIMIT_TICKET_BYTES];
    size_t n;

    mbedtls_ssl_session_init(&session);
    if (mbedtls_ssl_get_session(ssl, &session) == 0 && can_resume(&session, tls13) &&
        mbedtls_ssl_session_save(&session, bytes, sizeof(bytes), &n) == 0)
        tls_tickets_put(t, flow_key, tls13, slice_of(bytes, n), peer);
    mbedtls_ssl_session_free(&session);
    wipe(bytes, sizeof(bytes));
}
