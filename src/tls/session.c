#include "tls/session.h"

#include <assert.h>
#include <mbedtls/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "pki/peername.h"
#include "tls/ciphers.h"
#include "tls/peer.h"
#include "tls/resume.h"

struct tls_session {
    struct tls_profile *profile;
    bool client;
    enum tls_state state;
    mbedtls_ssl_context ssl;

    struct slice in;   /* during a feed: what the library has not taken yet */
    bool heard, spoke; /* was there ever a byte from the peer, or for it? */
    bool heard_tls;    /* and was the first one that of a TLS record? */
    struct buf out;    /* ciphertext for the network */
    enum err out_err;  /* why the library could not put something there */
    struct buf plain;  /* decrypted, not read yet */

    struct tls_judging judging;
    struct tls_tickets *tickets;
    uint8_t *flow_key;
    size_t flow_key_len;
    struct tls_peer *offered; /* the peer of the ticket that was offered */

    bool established; /* ever */
    uint32_t records; /* of data, sent with the present key */
    bool close_sent;
    bool confirmed;
    struct errinfo error;
};

/* --- states --- */

static const bool legal[][TLS_FAILED + 1] = {
    [TLS_HANDSHAKE] = {[TLS_ESTABLISHED] = true, [TLS_CLOSED] = true, [TLS_FAILED] = true},
    [TLS_ESTABLISHED] = {[TLS_CLOSED] = true, [TLS_FAILED] = true},
    [TLS_CLOSED] = {false},
    [TLS_FAILED] = {false},
};

static void set_state(struct tls_session *s, enum tls_state to)
{
    assert(legal[s->state][to]);
    s->state = to;
}

static struct slice flow_key(const struct tls_session *s)
{
    return slice_of(s->flow_key, s->flow_key_len);
}

static const char *peer_noun(const struct tls_session *s)
{
    return s->client ? "server" : "client";
}

/* The last change: what waits to be sent still is. A ticket that was offered may be the reason. */
static void enter_failed(struct tls_session *s)
{
    if (s->state == TLS_HANDSHAKE && s->offered != NULL)
        tls_tickets_drop(s->tickets, flow_key(s));
    set_state(s, TLS_FAILED);
}

static void fail_with_alert(struct tls_session *s, uint8_t alert)
{
    if (mbedtls_ssl_get_fatal_alert(&s->ssl, 0) < 0)
        (void)mbedtls_ssl_send_alert_message(&s->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, alert);
    enter_failed(s);
}

/* The server asked for our certificate, and nothing that came since says what it thinks of it. */
static bool own_in_doubt(const struct tls_session *s)
{
    return s->client && !s->confirmed && mbedtls_ssl_own_cert_was_asked(&s->ssl) != 0;
}

static void explain(struct tls_session *s, int code)
{
    const struct tls_peer *peer = s->judging.peer;

    tls_explain(&(struct tls_failure){.peer = peer_noun(s),
                                      .code = code,
                                      .alert_sent = mbedtls_ssl_get_fatal_alert(&s->ssl, 0),
                                      .alert_received = mbedtls_ssl_get_fatal_alert(&s->ssl, 1),
                                      .own_asked = own_in_doubt(s),
                                      .own_sent = mbedtls_ssl_own_cert_was_sent(&s->ssl) != 0,
                                      .out_err = s->out_err,
                                      .heard_tls = s->heard_tls,
                                      .verdict = peer != NULL ? &peer->verdict : NULL},
                &s->error);
}

static void fail_by_library(struct tls_session *s, int code)
{
    explain(s, code);
    if (mbedtls_ssl_get_fatal_alert(&s->ssl, 1) >= 0) { /* it has failed already */
        enter_failed(s);
    } else if (code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        (void)mbedtls_ssl_send_alert_message(&s->ssl, MBEDTLS_SSL_ALERT_LEVEL_WARNING,
                                             TLS_ALERT_CLOSE_NOTIFY);
        enter_failed(s);
    } else {
        fail_with_alert(s, tls_alert_of_error(code));
    }
}

/* --- what the library calls --- */

static int bio_recv(void *ctx, unsigned char *out, size_t size)
{
    struct tls_session *s = ctx;
    const struct slice part = slice_first(s->in, size);

    if (part.n == 0)
        return MBEDTLS_ERR_SSL_WANT_READ;
    memcpy(out, part.p, part.n);
    s->in = slice_from(s->in, part.n);
    return (int)part.n;
}

static int bio_send(void *ctx, const unsigned char *data, size_t n)
{
    struct tls_session *s = ctx;
    const struct result r = buf_append(&s->out, slice_of(data, n));

    if (is_err(r)) {
        s->out_err = r.code;
        return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    }
    s->spoke = true;
    return (int)n;
}

/* --- tickets --- */

static bool is_tls13(const struct tls_session *s)
{
    return mbedtls_ssl_get_version_number(&s->ssl) == MBEDTLS_SSL_VERSION_TLS1_3;
}

static void keep_ticket(struct tls_session *s)
{
    if (s->tickets != NULL)
        tls_resume_keep(s->tickets, flow_key(s), &s->ssl, s->judging.peer);
}

/*
 * The ClientHello that offers a session of TLS 1.2 offers no TLS 1.3. Where the server did not take
 * it up, the new one is not kept, so that the next connection can have TLS 1.3.
 */
static bool keeps_tls12(const struct tls_session *s, bool resumed)
{
    return !is_tls13(s) &&
           (s->offered == NULL || resumed || tls_profile_versions(s->profile) == TLS_1_2_ONLY);
}

/* --- handshake --- */

/* Nobody gets through unjudged. */
static bool is_judged(const struct tls_session *s)
{
    return s->judging.peer != NULL ||
           (!s->client && tls_profile_client_auth(s->profile) == TLS_CLIENT_AUTH_OFF);
}

static void establish(struct tls_session *s)
{
    const bool resumed = mbedtls_ssl_was_resumed(&s->ssl) != 0;

    if (resumed && s->judging.peer == NULL && s->offered != NULL)
        s->judging.peer = tls_peer_ref(s->offered);
    if (!is_judged(s)) {
        explain(s, MBEDTLS_ERR_SSL_INTERNAL_ERROR);
        fail_with_alert(s, TLS_ALERT_INTERNAL_ERROR);
        return;
    }
    set_state(s, TLS_ESTABLISHED);
    s->established = true;
    s->confirmed = !s->client || !is_tls13(s) || mbedtls_ssl_own_cert_was_asked(&s->ssl) == 0;
    if (s->client && keeps_tls12(s, resumed))
        keep_ticket(s);
    tls_peer_unref(s->offered);
    s->offered = NULL;
}

static void handshake(struct tls_session *s)
{
    const int rc = mbedtls_ssl_handshake(&s->ssl);

    if (rc == 0)
        establish(s);
    else if (rc != MBEDTLS_ERR_SSL_WANT_READ)
        fail_by_library(s, rc);
}

/* --- records after the handshake --- */

static void take_plaintext(struct tls_session *s)
{
    const size_t n = mbedtls_ssl_get_bytes_avail(&s->ssl);
    uint8_t *p;

    if (n == 0)
        return;
    const struct result r = buf_reserve(&s->plain, n, &p);
    if (is_err(r)) {
        IGNORE(fail(&s->error, r.code, "the %s sends faster than it is read", peer_noun(s)));
        fail_with_alert(s, TLS_ALERT_INTERNAL_ERROR);
        return;
    }
    const int got = mbedtls_ssl_read(&s->ssl, p, n);
    assert(got == (int)n); /* it was there already */
    buf_commit(&s->plain, n);
    s->confirmed = true;
}

static void on_close_notify(struct tls_session *s)
{
    tls_session_close(s); /* RFC 5246 section 7.2.1: answered with our own */
    set_state(s, TLS_CLOSED);
}

/* One record. False when the library has no more to do without new input. */
static bool receive_record(struct tls_session *s)
{
    const int rc = mbedtls_ssl_read(&s->ssl, NULL, 0); /* decrypts, and keeps what it got */

    switch (rc) {
    case 0:
        take_plaintext(s);
        return true;
    case MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET:
        s->confirmed = true;
        keep_ticket(s);
        return true;
    case MBEDTLS_ERR_SSL_WANT_READ:
        /* It may say so with a message in its hand. */
        return s->in.n > 0 || mbedtls_ssl_check_pending(&s->ssl) != 0;
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
        on_close_notify(s);
        return false;
    default:
        fail_by_library(s, rc);
        return false;
    }
}

static void advance(struct tls_session *s)
{
    if (s->state == TLS_HANDSHAKE)
        handshake(s);
    while (s->state == TLS_ESTABLISHED && receive_record(s))
        ;
}

/* --- life --- */

/* A host name goes into SNI as it is looked up: no trailing dot, no address (RFC 6066 section 3).
 */
static int set_server_name(struct tls_session *s, const char *name)
{
    struct peername host;
    const bool is_host = name != NULL && is_ok(peername_parse(slice_of_str(name), &host, NULL)) &&
                         host.kind == PEERNAME_DNS;

    return mbedtls_ssl_set_hostname(&s->ssl, is_host ? host.text : NULL);
}

static int set_up(struct tls_session *s, const struct tls_session_params *p)
{
    const int rc = mbedtls_ssl_setup(&s->ssl, tls_profile_config(s->profile));

    if (rc != 0)
        return rc;
    mbedtls_ssl_set_bio(&s->ssl, s, bio_send, bio_recv, NULL);
    mbedtls_ssl_set_user_data_p(&s->ssl, &s->judging);
    return s->client ? set_server_name(s, p->server_name) : 0;
}

static struct result copy_flow_key(struct tls_session *s, struct slice key)
{
    s->flow_key = slice_dup(key);
    if (s->flow_key == NULL)
        return err(ERR_NOMEM);
    s->flow_key_len = key.n;
    return OK;
}

struct result tls_session_new(struct tls_profile *profile, const struct tls_session_params *p,
                              struct tls_session **out, struct errinfo *e)
{
    const bool client = tls_profile_role(profile) == TLS_CLIENT;

    if (p->judge == NULL && (client || tls_profile_client_auth(profile) != TLS_CLIENT_AUTH_OFF))
        return fail(e, ERR_INVALID, "a peer that sends certificates needs a judge");
    struct tls_session *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return err(ERR_NOMEM);
    s->profile = tls_profile_ref(profile);
    s->client = client;
    s->error = ERRINFO_INIT;
    s->judging = (struct tls_judging){
        .judge = p->judge,
        .arg = p->judge_arg,
        .required = tls_profile_client_auth(profile) == TLS_CLIENT_AUTH_REQUIRE,
        .now_s = p->now_s,
    };
    s->tickets = client && tls_profile_tickets(profile) ? p->tickets : NULL;
    buf_init(&s->out, LIMIT_CONNECTION_OUT + LIMIT_TLS_CONTROL_OUT);
    buf_init(&s->plain, LIMIT_TLS_UNREAD);
    mbedtls_ssl_init(&s->ssl);
    const int rc = set_up(s, p);
    if (rc != 0 || is_err(copy_flow_key(s, p->flow_key))) {
        tls_session_free(s);
        return fail_native(e, ERR_NOMEM, rc, "there is not enough memory for TLS");
    }
    if (s->tickets != NULL)
        s->offered = tls_resume_offer(s->tickets, flow_key(s), tls_profile_versions(profile),
                                      p->now_s, &s->ssl);
    *out = s;
    return OK;
}

void tls_session_free(struct tls_session *s)
{
    if (s == NULL)
        return;
    mbedtls_ssl_free(&s->ssl);
    buf_free(&s->out);
    buf_wipe(&s->plain);
    tls_peer_unref(s->judging.peer);
    tls_peer_unref(s->offered);
    free(s->flow_key);
    tls_profile_unref(s->profile);
    free(s);
}

/* --- the network's side --- */

void tls_session_start(struct tls_session *s)
{
    if (s->client && s->state == TLS_HANDSHAKE && !s->spoke)
        advance(s);
}

static bool is_record_type(uint8_t byte)
{
    return byte >= MBEDTLS_SSL_MSG_CHANGE_CIPHER_SPEC && byte <= MBEDTLS_SSL_MSG_APPLICATION_DATA;
}

void tls_session_feed(struct tls_session *s, struct slice in)
{
    if (in.n == 0 || s->state == TLS_CLOSED || s->state == TLS_FAILED)
        return;
    if (!s->heard)
        s->heard_tls = is_record_type(in.p[0]);
    s->heard = true;
    s->in = in;
    advance(s);
    s->in = SLICE_EMPTY;
}

void tls_session_feed_eof(struct tls_session *s)
{
    if (s->state == TLS_CLOSED || s->state == TLS_FAILED)
        return;
    if (s->close_sent) {
        set_state(s, TLS_CLOSED);
        return;
    }
    if (s->state == TLS_ESTABLISHED)
        IGNORE(fail(&s->error, ERR_TRUNCATED,
                    "the %s closed the connection without saying so in TLS", peer_noun(s)));
    else if (s->heard)
        IGNORE(fail(&s->error, ERR_TRUNCATED, "the %s closed the connection in the TLS handshake",
                    peer_noun(s)));
    else
        IGNORE(fail(&s->error, ERR_TRUNCATED,
                    "the %s closed the connection without a word of TLS: perhaps this is not its "
                    "port for TLS",
                    peer_noun(s)));
    enter_failed(s);
}

struct slice tls_session_output(const struct tls_session *s)
{
    return buf_slice(&s->out);
}

void tls_session_sent(struct tls_session *s, size_t n)
{
    buf_consume(&s->out, n);
    if (buf_len(&s->out) == 0)
        buf_free(&s->out); /* an idle connection holds no buffers that it can do without */
}

/* --- the application's side --- */

struct result tls_session_read(struct tls_session *s, uint8_t *out, size_t size, size_t *n)
{
    const struct slice part = slice_first(buf_slice(&s->plain), size);

    if (part.n > 0) {
        memcpy(out, part.p, part.n);
        *n = part.n;
        buf_consume(&s->plain, part.n);
        if (buf_len(&s->plain) == 0)
            buf_wipe(&s->plain);
        return OK;
    }
    *n = 0;
    switch (s->state) {
    case TLS_CLOSED:
        return err(ERR_CLOSED);
    case TLS_FAILED:
        return err(ERR_TLS);
    case TLS_HANDSHAKE:
    case TLS_ESTABLISHED:
        break;
    }
    return err(ERR_AGAIN);
}

/* Will N bytes, encrypted, fit behind what waits already? */
static bool fits(const struct tls_session *s, size_t n)
{
    const int payload = mbedtls_ssl_get_max_out_record_payload(&s->ssl);
    const int overhead = mbedtls_ssl_get_record_expansion(&s->ssl);

    if (payload <= 0 || overhead < 0 || n > LIMIT_CONNECTION_OUT)
        return false;
    const size_t records = (n + (size_t)payload - 1) / (size_t)payload;
    return buf_len(&s->out) + n + records * (size_t)overhead <= LIMIT_CONNECTION_OUT;
}

struct result tls_session_update_keys(struct tls_session *s, bool ask)
{
    if (s->state != TLS_ESTABLISHED || s->close_sent || !is_tls13(s))
        return err(ERR_STATE);
    const int rc = mbedtls_ssl_send_key_update(&s->ssl, ask);
    if (rc != 0) {
        fail_by_library(s, rc);
        return err(ERR_TLS);
    }
    s->records = 0;
    return OK;
}

struct result tls_session_write(struct tls_session *s, struct slice data)
{
    if (s->state != TLS_ESTABLISHED || s->close_sent)
        return err(ERR_STATE);
    if (!fits(s, data.n))
        return err(ERR_LIMIT);
    if (s->records >= LIMIT_TLS_KEY_RECORDS && is_tls13(s))
        TRY(tls_session_update_keys(s, false));
    while (data.n > 0) {
        const int rc = mbedtls_ssl_write(&s->ssl, data.p, data.n);
        if (rc <= 0) {
            fail_by_library(s, rc);
            return err(ERR_TLS);
        }
        s->records++;
        data = slice_from(data, (size_t)rc);
    }
    return OK;
}

void tls_session_close(struct tls_session *s)
{
    if (s->close_sent || s->state == TLS_CLOSED || s->state == TLS_FAILED)
        return;
    s->close_sent = true;
    if (s->state == TLS_ESTABLISHED) {
        (void)mbedtls_ssl_close_notify(
            &s->ssl); /* fails only without memory: then it is not sent */
        return;
    }
    if (s->spoke)
        (void)mbedtls_ssl_send_alert_message(&s->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                             TLS_ALERT_USER_CANCELED);
    set_state(s, TLS_CLOSED);
}

/* --- what is known --- */

enum tls_state tls_session_state(const struct tls_session *s)
{
    return s->state;
}

const struct errinfo *tls_session_error(const struct tls_session *s)
{
    return s->state == TLS_FAILED ? &s->error : NULL;
}

const struct verdict *tls_session_verdict(const struct tls_session *s)
{
    static const struct verdict none = {.class = VERDICT_NONE};

    return s->judging.peer != NULL ? &s->judging.peer->verdict : &none;
}

const struct slice *tls_session_chain(const struct tls_session *s, size_t *n)
{
    *n = s->judging.peer != NULL ? s->judging.peer->chain_len : 0;
    return *n > 0 ? s->judging.peer->chain : NULL;
}

struct tls_session_facts tls_session_facts(const struct tls_session *s)
{
    const bool versioned = s->established || s->judging.peer != NULL;

    return (struct tls_session_facts){
        .version = versioned ? mbedtls_ssl_get_version(&s->ssl) : NULL,
        .cipher = tls_cipher_name(mbedtls_ssl_get_ciphersuite_id_from_ssl(&s->ssl)),
        .alpn = mbedtls_ssl_get_alpn_protocol(&s->ssl),
        .resumed = mbedtls_ssl_was_resumed(&s->ssl) != 0,
        .alert_sent = mbedtls_ssl_get_fatal_alert(&s->ssl, 0),
        .alert_received = mbedtls_ssl_get_fatal_alert(&s->ssl, 1),
        .sent_certificate = mbedtls_ssl_own_cert_was_sent(&s->ssl) != 0,
        .in_doubt = own_in_doubt(s),
        .confirmed = s->confirmed,
    };
}
