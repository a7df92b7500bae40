#include "tls/judging.h"

#include <mbedtls/ssl.h>

#include "tls/alert.h"
#include "tls/peer.h"

/* Which alert a client without a certificate gets: 0 for none. The peer's verdict says the same. */
static int judge_absence(const struct tls_judging *j, struct verdict *v, bool tls13)
{
    if (!j->required) {
        if (v->class == VERDICT_REJECTED)
            v->class = VERDICT_NONE; /* it was asked, not told, to send one */
        return 0;
    }
    v->class = VERDICT_REJECTED;
    verdict_add(v, REASON_NO_CERTIFICATE, -1, "", "the client sent no certificate");
    /* RFC 5246 section 7.4.6; certificate_required came with TLS 1.3. */
    return tls13 ? TLS_ALERT_CERTIFICATE_REQUIRED : TLS_ALERT_HANDSHAKE_FAILURE;
}

static int judge(struct tls_judging *j, bool tls13)
{
    struct tls_peer *peer = tls_peer_new(j->list, j->seen, j->now_s);

    if (peer == NULL)
        return TLS_ALERT_INTERNAL_ERROR;
    j->peer = peer;
    j->judge(j->arg, peer->chain, peer->chain_len, &peer->verdict);
    if (peer->chain_len == 0)
        return judge_absence(j, &peer->verdict, tls13);
    return verdict_accepted(&peer->verdict) ? 0 : verdict_alert(&peer->verdict);
}

/* What is beyond the limits is not parsed, and not shown to the judge. */
static int refuse_list(struct tls_judging *j)
{
    j->peer = tls_peer_new(j->list, j->seen, j->now_s);
    if (j->peer == NULL)
        return TLS_ALERT_INTERNAL_ERROR;
    j->peer->verdict.class = VERDICT_REJECTED;
    verdict_add(&j->peer->verdict, REASON_LIMIT, -1, "",
                "the peer sent more than %d certificates, or one of more than %d bytes",
                LIMIT_PEER_CERTS, LIMIT_CERT_BYTES);
    return TLS_ALERT_BAD_CERTIFICATE;
}

int tls_judging_on_cert(mbedtls_ssl_context *ssl, const unsigned char *der, size_t len)
{
    struct tls_judging *j = mbedtls_ssl_get_user_data_p(ssl);

    if (j->peer != NULL) /* cannot be: there is one list in a handshake */
        return TLS_ALERT_UNEXPECTED_MESSAGE;
    if (der == NULL)
        return judge(j, mbedtls_ssl_get_version_number(ssl) == MBEDTLS_SSL_VERSION_TLS1_3);
    if (j->seen == LIMIT_PEER_CERTS || len > LIMIT_CERT_BYTES)
        return refuse_list(j);
    j->list[j->seen++] = slice_of(der, len);
    return 0;
}
