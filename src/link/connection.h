/*
 * connection: one TLS connection that carries SIP: stream, session and framing put together. The
 * only place where SIP meets TLS.
 *
 *     CONNECTING -> HANDSHAKE -> OPEN -> CLOSED
 *
 * It belongs to an account, a name and a policy (its owner's), never to an address. Connecting has
 * LIMIT_CONNECT_MS, the handshake LIMIT_HANDSHAKE_MS. No SIP byte leaves before the verdict
 * accepted the peer; a refused one gets the alert that says why, then the connection closes.
 * Keep-alives are answered here (RFC 5626 section 3.5.1).
 *
 * A message whose end has not come LIMIT_SIP_ARRIVAL_MS after its beginning ends the connection.
 * A peer that sends faster than we work, or does not read what it asked for, is read more slowly:
 * at most LIMIT_CONNECTION_TURN messages in one turn of the loop, none while more than half of
 * LIMIT_CONNECTION_OUT waits for it.
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

/* All of them come from the loop, never from inside a call of this module. Static storage. */
struct connection_handlers {
    void (*on_connected)(void *arg); /* dialled: TCP is up, the handshake begins; may be NULL */
    void (*on_open)(void *arg);      /* the handshake is done, the verdict stands */
    /* M and RAW are valid during the call. A message that cannot be parsed is logged and dropped:
     * its boundaries are known, so the rest of the stream is sound. */
    void (*on_message)(void *arg, const struct sip_message *m, struct slice raw);
    /*
     * What came is no message, for the reason WHY: ERR_PARSE, ERR_UNSUPPORTED (another version),
     * ERR_LIMIT. RAW is all that there is of it, for an answer if the owner has one; may be NULL.
     * Where RAW has no sure end, the connection is closed next.
     */
    void (*on_malformed)(void *arg, struct result why, struct slice raw);
    /* The server has accepted our certificate. Only where facts.confirmed was not true at on_open
     * yet (TLS 1.3, RFC 8446 section 4.4.2.4); may be NULL. */
    void (*on_confirmed)(void *arg);
    void (*on_pong)(void *arg); /* may be NULL */
    /* The peer has taken all that waited for it; may be NULL. */
    void (*on_drained)(void *arg);
    /*
     * The last call; what the connection knows stays readable until it is freed. R and E say why,
     * in words that name host and address: ERR_CERT with the verdict's sentence (the peer was
     * refused), ERR_TIMEOUT, ERR_TLS, ERR_CLOSED (the peer ended it), ERR_PARSE, ERR_LIMIT,
     * ERR_SYSTEM.
     */
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

/* Sends one SIP message or keep-alive. ERR_STATE unless OPEN, ERR_LIMIT if the peer is too slow
 * (nothing of it was sent, and the connection is no good any more: close it). */
RESULT connection_send(struct connection *c, struct slice message);

/* Bytes, as they are encrypted, that the peer has not taken yet: to hold back before it is too
 * much. */
size_t connection_queued(const struct connection *c);

/* Sends close_notify, flushes within LIMIT_CLOSE_MS, and frees; no more callbacks. NULL is fine. */
void connection_close(struct connection *c);

/* Frees at once. NULL is fine. */
void connection_free(struct connection *c);

enum connection_state connection_state(const struct connection *c);

/* Never 0, and never that of another connection of this process, before or after. */
uint64_t connection_id(const struct connection *c);
const struct verdict *connection_verdict(const struct connection *c);
const struct slice *connection_chain(const struct connection *c, size_t *n);
struct tls_session_facts connection_facts(const struct connection *c);

/* When the last whole message or keep-alive came, by loop_now_ms(); at first, when it opened. */
uint64_t connection_heard_ms(const struct connection *c);

/* Family 0 before TCP is up. */
struct addr connection_local(const struct connection *c);
struct addr connection_remote(const struct connection *c);

#endif
