/*
 * ticket: session tickets that servers gave us, so that the next connection of the same flow is
 * cheaper.
 *
 * A resumed session sends no certificates, so what the full handshake learned is kept with the
 * ticket: the chain and the verdict. TLS 1.2 lets a session of one host resume at another without a
 * word, so tickets are kept by flow: account, name, policy and trust generation are all in the key.
 * Entries are bounded, the oldest goes first; a TLS 1.3 ticket is used once (RFC 8446 appendix
 * C.4).
 */
#ifndef SIPSD_TLS_TICKET_H
#define SIPSD_TLS_TICKET_H

#include "base/errinfo.h"
#include "base/slice.h"

struct tls_tickets;

RESULT tls_tickets_new(size_t max, struct tls_tickets **out);
void tls_tickets_free(struct tls_tickets *t);

/* Drops all: after every change of trust, identity or policy. */
void tls_tickets_clear(struct tls_tickets *t);

/* Drops those of one flow. */
void tls_tickets_drop(struct tls_tickets *t, struct slice flow_key);

size_t tls_tickets_count(const struct tls_tickets *t);

#endif
