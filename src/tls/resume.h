/*
 * resume: between the store of tickets and the library, which has sessions: offers the one, and
 * keeps the other with the peer whom it belongs to. For tls/ only.
 */
#ifndef SIPSD_TLS_RESUME_H
#define SIPSD_TLS_RESUME_H

#include "tls/profile.h"
#include "tls/ticket.h"

struct mbedtls_ssl_context;

/*
 * Takes a ticket of the flow and has SSL, which has not started yet, offer it. Returns a reference
 * to the peer whose verdict then counts if the server takes it up; NULL if the handshake will be a
 * full one.
 */
struct tls_peer *tls_resume_offer(struct tls_tickets *t, struct slice flow_key,
                                  enum tls_versions versions, int64_t now_s,
                                  struct mbedtls_ssl_context *ssl);

/* Puts the session of SSL, whose handshake is done, into the store; not if it is too large or
 * cannot be resumed. */
void tls_resume_keep(struct tls_tickets *t, struct slice flow_key, struct mbedtls_ssl_context *ssl,
                     struct tls_peer *peer);

#endif
