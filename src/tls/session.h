/*
 * session: one TLS connection, client or server, without any I/O of its own.
 *
 * Ciphertext goes in with tls_session_feed() and comes out with tls_session_output(); plaintext
 * goes in with tls_session_write() and comes out with tls_session_read(). Every call may change the
 * state and produce output; after each, look at the state and send what there is. Nothing blocks,
 * nothing calls back but the judge.
 *
 *     HANDSHAKE -> ESTABLISHED -> CLOSED      the peer's close_notify came; or, in the handshake
 *         |             |                     or at the network's end, ours went before
 *         +-------------+-------> FAILED      tls_session_error() says why; the right fatal alert
 *                                             is in the output, unless the peer's came first
 *
 * Not for threads. The peer's data is never trusted: what it may cost is bounded by base/limits.h.
 * Renegotiation (TLS 1.2) is refused with a warning, key updates (TLS 1.3) are answered.
 */
#ifndef SIPSD_TLS_SESSION_H
#define SIPSD_TLS_SESSION_H

#include "base/errinfo.h"
#include "base/slice.h"
#include "pki/verdict.h"
#include "tls/alert.h"
#include "tls/judging.h"
#include "tls/profile.h"
#include "tls/ticket.h"

struct tls_session;

enum tls_state { TLS_HANDSHAKE, TLS_ESTABLISHED, TLS_CLOSED, TLS_FAILED };

struct tls_session_params {
    const char
        *server_name;    /* client: SNI; NULL, or not a host name (an IP literal): none is sent */
    tls_judge_fn *judge; /* client: required; server: required if it asks for a certificate */
    void *judge_arg;
    struct tls_tickets *tickets; /* client: may be NULL; borrowed, must outlive the session */
    struct slice flow_key;       /* client: of the ticket; copied. The server name is part of it */
    int64_t now_s;               /* a kept verdict that ends before it is not resumed */
};

/* ERR_INVALID for a judge that is missing, ERR_NOMEM. */
RESULT tls_session_new(struct tls_profile *profile, const struct tls_session_params *p,
                       struct tls_session **out, struct errinfo *e);
void tls_session_free(
    struct tls_session *s); /* NULL is fine; sends nothing, wipes what was secret */

/* A client's first flight; then state and output as after every call. For servers it does nothing.
 */
void tls_session_start(struct tls_session *s);

/* Takes all of IN (ciphertext from the network). After FAILED or CLOSED it is ignored. Decrypted
 * bytes that are left unread beyond LIMIT_TLS_UNREAD end the session. */
void tls_session_feed(struct tls_session *s, struct slice in);

/* The network's end of file: FAILED in the handshake or without close_notify before it (RFC 8446
 * section 6.1), so that a truncated message is not taken for a whole one. */
void tls_session_feed_eof(struct tls_session *s);

/* Ciphertext to send, valid until the next call on the session; and how much of it the network
 * took. */
struct slice tls_session_output(const struct tls_session *s);
void tls_session_sent(struct tls_session *s, size_t n);

/* Decrypted bytes: N > 0 and OK; ERR_AGAIN if there are none now; ERR_CLOSED after close_notify;
 * ERR_TLS after a failure. What came before the end can always be read. */
RESULT tls_session_read(struct tls_session *s, uint8_t *out, size_t size, size_t *n);

/* Encrypts all of DATA into the output, or nothing. ERR_STATE unless ESTABLISHED and not closed by
 * us, ERR_LIMIT if LIMIT_CONNECTION_OUT bytes would wait, ERR_TLS if it failed (FAILED then). */
RESULT tls_session_write(struct tls_session *s, struct slice data);

/*
 * Goes on to new keys for what we send, with TLS 1.3, and asks the peer to do the same if ASK (RFC
 * 8446 section 4.6.3). tls_session_write() does so by itself, without asking, before one key has
 * encrypted LIMIT_TLS_KEY_RECORDS records. ERR_STATE with TLS 1.2, unless ESTABLISHED, or if closed
 * by us; ERR_TLS if it failed (FAILED then).
 */
RESULT tls_session_update_keys(struct tls_session *s, bool ask);

/*
 * Puts close_notify into the output (once). What the peer still sends can be read on; its
 * close_notify, or now its end of file, makes it CLOSED. In the handshake it is CLOSED at once,
 * and the peer is told that we gave up.
 */
void tls_session_close(struct tls_session *s);

enum tls_state tls_session_state(const struct tls_session *s);

/* Why it FAILED; NULL otherwise. ERR_CERT if the peer was refused, and then the verdict's sentence;
 * ERR_IDENTITY if it did not accept our certificate, or wanted one;
 * ERR_TRUNCATED for an end of file; else ERR_TLS, ERR_LIMIT, ERR_NOMEM. Native is mbedTLS's code.
 */
const struct errinfo *tls_session_error(const struct tls_session *s);

/*
 * The verdict on the peer (VERDICT_NONE before there is one), and the chain that it was made on,
 * kept for a second judgement. A resumed session has those of the full handshake that its ticket
 * came from.
 */
const struct verdict *tls_session_verdict(const struct tls_session *s);
const struct slice *tls_session_chain(const struct tls_session *s, size_t *n);

struct tls_session_facts {
    const char *version; /* "TLSv1.3", or NULL before it is known */
    const char *cipher;  /* the IANA name, or NULL before it is known */
    const char *alpn;    /* or NULL */
    bool resumed;
    int alert_sent; /* the fatal alert's number, or -1 */
    int alert_received;
    bool sent_certificate; /* the peer asked for ours, and we sent it */
    bool in_doubt; /* the server asked for ours, whether we had one or not, and nothing that came
                      since says what it thinks of that */
    /*
     * The peer is known to have finished the handshake. With TLS 1.3 a client is ESTABLISHED
     * before the server has judged the client's certificate: where it asked for one, whether
     * we had one or not, this is false until the first record after that.
     */
    bool confirmed;
};
struct tls_session_facts tls_session_facts(const struct tls_session *s);

#endif
