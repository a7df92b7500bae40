/*
 * session: one TLS connection, client or server, without any I/O of its own.
 *
 * Ciphertext goes in with tls_session_feed() and comes out with tls_session_output(); plaintext
 * goes in with tls_session_write() and comes out with tls_session_read(). Every call may change the
 * state and produce output; after each, look at the state and send what there is. Nothing blocks,
 * nothing calls back but the judge.
 *
 *     HANDSHAKE -> ESTABLISHED -> CLOSED      by close_notify
 *         \------------\--------> FAILED      tls_session_error() says why; the right fatal alert
 * is in the output
 */
#ifndef SIPSD_TLS_SESSION_H
#define SIPSD_TLS_SESSION_H

#include "base/clock.h"
#include "base/errinfo.h"
#include "base/slice.h"
#include "pki/peername.h"
#include "pki/verdict.h"
#include "tls/profile.h"
#include "tls/ticket.h"

struct tls_session;

enum tls_state { TLS_HANDSHAKE, TLS_ESTABLISHED, TLS_CLOSED, TLS_FAILED };

/*
 * Judges the peer's certificates, inside the handshake, before anything of ours is sent that the
 * peer could use: called at most once, with the list as the peer sent it (valid during the call; N
 * may be 0). What it writes to OUT stands instead of the library's own verification.
 */
typedef void tls_judge_fn(void *arg, const struct slice *chain, size_t n, struct verdict *out);

struct tls_session_params {
    const char *server_name; /* client: SNI; NULL or an IP literal: none is sent */
    tls_judge_fn *judge;     /* client: required; server: required if it asks for a certificate */
    void *judge_arg;
    struct tls_tickets *tickets; /* client: may be NULL; borrowed, must outlive the session */
    struct slice flow_key;       /* client: of the ticket; copied */
    int64_t now_s;               /* a kept verdict that ends before it is not resumed */
};

RESULT tls_session_new(struct tls_profile *profile, const struct tls_session_params *p,
                       struct tls_session **out, struct errinfo *e);
void tls_session_free(struct tls_session *s); /* NULL is fine; sends nothing */

/* A client's first flight; then state and output as after every call. For servers it does nothing.
 */
void tls_session_start(struct tls_session *s);

/* Takes all of IN (ciphertext from the network). After FAILED or CLOSED it is ignored. */
void tls_session_feed(struct tls_session *s, struct slice in);

/* The network's end of file: FAILED in the handshake or without close_notify before it (RFC 8446
 * section 6.1). */
void tls_session_feed_eof(struct tls_session *s);

/* Ciphertext to send, valid until the next call on the session; and how much of it the network
 * took. */
struct slice tls_session_output(const struct tls_session *s);
void tls_session_sent(struct tls_session *s, size_t n);

/* Decrypted bytes: N > 0 and OK; ERR_AGAIN if there are none now; ERR_CLOSED after close_notify;
 * ERR_TLS. */
RESULT tls_session_read(struct tls_session *s, uint8_t *out, size_t size, size_t *n);

/* Encrypts all of DATA into the output. ERR_STATE unless ESTABLISHED, ERR_LIMIT over
 * LIMIT_CONNECTION_OUT. */
RESULT tls_session_write(struct tls_session *s, struct slice data);

/* Puts close_notify into the output (once). What the peer still sends can be read on. */
void tls_session_close(struct tls_session *s);

enum tls_state tls_session_state(const struct tls_session *s);

/* Why it FAILED; NULL otherwise. Native is mbedTLS's code. */
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
    const char *cipher;  /* the IANA name */
    const char *alpn;    /* or NULL */
    bool resumed;
    int alert_sent; /* the fatal alert's number, or -1 */
    int alert_received;
    bool sent_certificate; /* the peer asked for ours, and we sent it */
};
struct tls_session_facts tls_session_facts(const struct tls_session *s);

/* The name of an alert ("unknown_ca"), or "unknown". */
const char *tls_alert_name(int alert);

#endif
