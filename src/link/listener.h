/*
 * listener: the phone as TLS server: the SIPS port, over IPv4 and IPv6, and the connections that
 * come in there.
 *
 * Everything about it can be replaced while it runs: the port, the identity (new connections get
 * the new one, the socket stays), trust, policy and clock (every live connection whose client has
 * shown a certificate is judged again; what is still good is not touched).
 *
 * What strangers can take from the phone is bounded: LIMIT_INBOUND connections, of which
 * LIMIT_INBOUND_HANDSHAKES are in their handshake and LIMIT_INBOUND_SOURCE are from one IPv4
 * address or one /64 of IPv6. Beyond it a connection is closed before a byte is read, but where
 * all places for handshakes are taken, the oldest gives way once it is older than
 * LIMIT_INBOUND_PATIENCE_MS: those who only hold them cannot shut out those who mean it. Nothing is
 * ever taken from the accounts' own connections.
 */
#ifndef SIPSD_LINK_LISTENER_H
#define SIPSD_LINK_LISTENER_H

#include "link/inbound.h"

struct listener;

struct listener_config {
    uint16_t port; /* 0: nobody listens */
    enum tls_versions versions;
    enum tls_client_auth client_auth;
    enum trust_filter filter;    /* of the CAs of clients */
    struct verify_policy policy; /* for clients' certificates */
    bool trust_ctrl;             /* requests are taken from an account's own server only */
};

struct listener_params {
    struct loop *loop;
    const struct account_shared *shared; /* for its clock and rng, from listener_configure() on */
    struct account_source accounts;
    /*
     * A connection opened, changed or ended, or (state CLOSED without having been OPEN) was refused
     * for its certificate. S is valid during the call. From the loop, or from inside a call below.
     *
     * Within LIMIT_INBOUND_TALLY_MS at most LIMIT_INBOUND_TOLD refused ones are told, and at most
     * LIMIT_INBOUND_STRANGERS that open without a certificate. Of whom nothing was told when it
     * opened, nothing is told later: neither that it was matched to an account nor its end.
     */
    void (*changed)(void *arg, const struct inbound_status *s);
    /* At the end of that time: so many (never 0) were not told. */
    void (*untold)(void *arg, unsigned connections);
    void *arg;
};

/* Nothing listens yet. ERR_NOMEM. */
RESULT listener_new(const struct listener_params *p, struct listener **out, struct errinfo *e);

/* At once: nothing is sent or told. NULL is fine. */
void listener_free(struct listener *l);

/*
 * Opens a port below 1024, which takes privileges that the process is about to give up; other ports
 * are opened when there is something to open them for. Nobody is served until the calls below have
 * said how. ERR_SYSTEM.
 */
RESULT listener_reserve(struct listener *l, uint16_t port, struct errinfo *e);

/*
 * How it is to be from now on. A port that cannot be had is logged, and tried again every
 * LIMIT_LISTEN_RETRY_MS. Connections stay if they would be accepted by the new settings too.
 */
void listener_configure(struct listener *l, const struct listener_config *cfg);

/* The certificate that is sent; referenced. NULL: there is none, and nobody listens. One that
 * cannot be sent is logged, and the old one stays. */
void listener_set_identity(struct listener *l, struct identity *id);

void listener_set_trust(struct listener *l, struct trust *trust);
void listener_clock_changed(struct listener *l);

/* The set of accounts, as the source gives it, is another one. */
void listener_accounts_changed(struct listener *l);

/* Closes the port and, with close_notify, all connections: the phone stops. */
void listener_stop(struct listener *l);

/* The connections that are open, the oldest first. */
size_t listener_count(const struct listener *l);
struct inbound_status listener_at(const struct listener *l, size_t i);

#endif
