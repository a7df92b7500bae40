/*
 * inbound: one TLS connection that somebody made to the phone.
 *
 *     HANDSHAKE -> OPEN -> CLOSED
 *
 * The listener owns it and says what all of them share. Whom a request is for is decided when it
 * comes, after the verdict on the client's certificate; what is refused is answered here, and so
 * is OPTIONS, all else is the carrier's. While no call hangs on it, it ends by itself where its
 * handshake, its first request or the rest of a message does not come, and when nothing at all came
 * for LIMIT_INBOUND_IDLE_MS.
 */
#ifndef SIPSD_LINK_INBOUND_H
#define SIPSD_LINK_INBOUND_H

#include "link/connection.h"
#include "link/judge.h"
#include "link/reception.h"

struct inbound;

enum inbound_state { INBOUND_HANDSHAKE, INBOUND_OPEN, INBOUND_CLOSED };

/* What may be known of one; strings are valid until it changes again. */
struct inbound_status {
    uint64_t id; /* connection_id() */
    enum inbound_state state;
    struct addr remote;
    struct tls_session_facts tls;
    const struct verdict *verdict; /* on the client's certificate; class NONE: it showed none */
    /* Full only where the certificate is verified and has the name of the server of ACCOUNT, or,
     * while that is 0, of any account. */
    enum assurance assurance;
    int account;                 /* that the last request was for; 0: none yet */
    const struct errinfo *error; /* CLOSED: why; else ERR_OK. ERR_CERT: the verdict says it */
};

/* What the inbound connections of one listener share; borrowed, must outlive them. */
struct inbound_shared {
    struct loop *loop;
    const struct account_shared *accounts_shared;
    struct account_source accounts;
    struct judge judge; /* of clients */
    enum tls_client_auth client_auth;
    bool trust_ctrl;
    /* Something of the status changed, OPEN and CLOSED above all; from the loop, or from inside a
     * call of this module. After CLOSED, which is the last, it may be freed, also at once. */
    void (*changed)(void *arg, struct inbound *in);
    void *arg;
};

/* Takes the accepted stream over, also on failure. */
RESULT inbound_new(const struct inbound_shared *shared, struct stream *accepted,
                   struct tls_profile *profile, struct inbound **out);

/* At once, nothing is sent or told; and with close_notify. NULL is fine. */
void inbound_free(struct inbound *in);
void inbound_close(struct inbound *in);

/*
 * What the verdict depends on has changed: trust, policy, the clock, or whether a certificate is
 * required; it does so by itself when a certificate of the client's path ends. A client that is
 * still good is not touched; any other is closed, and told as CLOSED.
 */
void inbound_reconsider(struct inbound *in);

/* The set of accounts is another one: what it carried for one that is gone ends, unless it is a
 * call. */
void inbound_accounts_changed(struct inbound *in);

struct inbound_status inbound_status(const struct inbound *in);
enum inbound_state inbound_state(const struct inbound *in);
struct addr inbound_remote(const struct inbound *in);
uint64_t inbound_began_ms(const struct inbound *in); /* by loop_now_ms() */

#endif
