/*
 * connection: one TLS connection that carries SIP: stream, session and framing put together. The
 * only place where SIP meets TLS.
 *
 *     CONNECTING -> HANDSHAKE -> OPEN -> CLOSED
 *
 * It belongs to an account, a name and a policy (its owner's), never to an address. The handshake
 * has LIMIT_HANDSHAKE_MS. No SIP byte leaves before the verdict accepted the peer.
 */
#ifndef SIPSD_LINK_CONNECTION_H
#define SIPSD_LINK_CONNECTION_H

#include "base/errinfo.h"
#include "sip/message.h"
#include "sys/stream.h"
#include "tls/session.h"

struct connection;

enum connection_state {
    CONNECTION_CONNECTING,
    CONNECTION_HANDSHAKE,
    CONNECTION_OPEN,
    CONNECTION_CLOSED
};

struct connection_handlers {
    void (*on_connected)(void *arg); /* dialled: TCP is up, the handshake begins; may be NULL */
    void (*on_open)(void *arg);      /* the handshake is done, the verdict stands */
    void (*on_message)(void *arg, const struct sip_message *m, struct slice raw);
    void (*on_pong)(void *arg); /* may be NULL */
    /* The last call. E says why: the verdict's sentence where the peer was refused. */
    void (*on_closed)(void *arg, struct result why, const struct errinfo *e);
};

/* Dials TO. Fails later, by on_closed. Free it with connection_free(), also inside its callbacks.
 */
RESULT connection_dial(struct loop *l, const struct addr *to, struct tls_profile *profile,
                       const struct tls_session_params *tls, const struct connection_handlers *h,
                       void *arg, struct connection **out, struct errinfo *e);

/* Takes over an accepted stream as TLS server. */
RESULT connection_accept(struct loop *l, struct stream *s, struct tls_profile *profile,
                         const struct tls_session_params *tls, const struct connection_handlers *h,
                         void *arg, struct connection **out, struct errinfo *e);

/* Sends one SIP message or keep-alive. ERR_STATE unless OPEN, ERR_LIMIT if the peer is too slow. */
RESULT connection_send(struct connection *c, struct slice message);

/* Sends close_notify, flushes within LIMIT_CLOSE_MS, and frees; no more callbacks. NULL is fine. */
void connection_close(struct connection *c);

/* Frees at once. NULL is fine. */
void connection_free(struct connection *c);

enum connection_state connection_state(const struct connection *c);
const struct verdict *connection_verdict(const struct connection *c);
const struct slice *connection_chain(const struct connection *c, size_t *n);
struct tls_session_facts connection_facts(const struct connection *c);
struct addr connection_local(const struct connection *c);
struct addr connection_remote(const struct connection *c);

#endif
