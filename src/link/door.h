/*
 * door: a local port for one account: SIP over TCP on 127.0.0.1, so that a SIP stack which knows no
 * TLS (or whose TLS is not to be trusted) makes SIPS calls by naming sipsd as its outbound proxy.
 *
 *     SIP stack -- TCP, 127.0.0.1 -- door -- carrier -- TLS -- the account's server
 *
 * It is the phone (link/carrier) of its account. Two ways to be registered:
 *
 * - sipsd registers, and the stack only makes and takes calls. A REGISTER of the stack is answered
 *   here, and says where the stack is.
 * - The stack registers through the door (door_config.stack_registers); sipsd keeps the connection
 *   and sends no REGISTER of its own.
 *
 * In both, the other end sees sipsd's Contact and the stack is called at its own: the Contact of
 * what the stack sends is exchanged for that of the account's connection, the Request-URI of what
 * comes in for that of the stack. Our Record-Route keeps the rest of a call on this way.
 *
 * Requests from the server go to the stack's connection that the call is on, else to that which it
 * registered over, or used last; where there is none, to the address that it has named, else to the
 * one of the settings. Every process on the phone can connect: a request must be From the account,
 * and is its server's to authenticate.
 */
#ifndef SIPSD_LINK_DOOR_H
#define SIPSD_LINK_DOOR_H

#include "base/errinfo.h"
#include "link/carrier.h"
#include "sys/loop.h"

struct door;

struct door_config { /* all copied */
    int account;
    uint16_t port; /* of 127.0.0.1 */
    bool stack_registers;
    const char *user; /* of the account's address */
    const char *domain;
    const char *peer; /* "127.0.0.1:5080": where the stack is if it has not said so; NULL or "" */
};

/*
 * Opens the port. One that cannot be had now is logged and asked for again every
 * LIMIT_LISTEN_RETRY_MS. K and RNG's source must outlive it. ERR_EXISTS: the account has a door;
 * ERR_INVALID: the peer is no loopback address; ERR_NOMEM.
 */
RESULT door_new(struct loop *l, struct carrier *k, const struct rng *rng,
                const struct door_config *cfg, struct door **out, struct errinfo *e);

/* The stack's connections are closed; what was sent still arrives. NULL is fine. */
void door_free(struct door *d);

/* Whether it is as CFG says. */
bool door_is(const struct door *d, const struct door_config *cfg);

/* What may be known of it. */
struct door_status {
    int account;
    uint16_t port;
    bool open; /* it listens */
    bool stack_registers;
    size_t connections; /* with the stack */
    struct addr
        stack; /* the other end of the one over which it is called; family 0: none is there */
    unsigned calls;
};
struct door_status door_status(const struct door *d);

/* Is shown one, S is valid during the call. */
typedef void door_visit_fn(void *arg, const struct door_status *s);

#endif
