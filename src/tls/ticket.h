/*
 * ticket: session tickets that servers gave us, so that the next connection of the same flow is
 * cheaper.
 *
 * A resumed session sends no certificates, so what the full handshake learned is kept with the
 * ticket: the chain and the verdict. TLS 1.2 lets a session of one host resume at another without a
 * word, so tickets are kept by flow: account, name, policy and trust generation are all in the key.
 * A ticket leaves the store when it is tried: those of TLS 1.3 are for one use (RFC 8446 appendix
 * C.4), and one of TLS 1.2 comes back when it has served well. Entries are bounded, in all and for
 * a flow; the oldest goes first. What was judged more than LIMIT_TICKET_AGE_S ago is judged afresh.
 */
#ifndef SIPSD_TLS_TICKET_H
#define SIPSD_TLS_TICKET_H

#include "base/errinfo.h"
#include "base/slice.h"

struct tls_tickets;

/* For at most MAX tickets. ERR_NOMEM. */
RESULT tls_tickets_new(size_t max, struct tls_tickets **out);
void tls_tickets_free(struct tls_tickets *t); /* NULL is fine */

/* Drops all: after every change of trust, identity, policy or of the clock's state. */
void tls_tickets_clear(struct tls_tickets *t);

/* Drops those of one flow. */
void tls_tickets_drop(struct tls_tickets *t, struct slice flow_key);

size_t tls_tickets_count(const struct tls_tickets *t);

/* --- for tls/ only --- */

struct tls_peer;

/* What resumes a session. A value type; who has one frees it with tls_ticket_free(). */
struct tls_ticket {
    struct tls_peer *peer; /* a reference */
    bool tls13;
    uint8_t *session; /* the library's form of it, secrets included */
    size_t session_len;
};

/* Keeps a copy of SESSION and a reference to PEER. Where it cannot, nothing is lost but time. */
void tls_tickets_put(struct tls_tickets *t, struct slice flow_key, bool tls13, struct slice session,
                     struct tls_peer *peer);

/*
 * Takes the newest ticket of the flow whose peer's verdict still stands at NOW_S; false if there is
 * none. One that does not stand any more is dropped.
 */
bool tls_tickets_take(struct tls_tickets *t, struct slice flow_key, int64_t now_s,
                      struct tls_ticket *out);

void tls_ticket_free(struct tls_ticket *ticket); /* wipes; an empty one is fine */

#endif
