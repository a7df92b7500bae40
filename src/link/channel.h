/*
 * channel: a byte stream to a server for code that wants a descriptor, such as an HTTP library:
 * what is written to the descriptor goes to the server, over TLS or, if so asked, over plain TCP.
 *
 *     RESOLVING -> CONNECTING -> HANDSHAKE -> OPEN -> CLOSED
 *                      ^-------------'  the next address
 *
 * The peer is judged as for SIP, inside the handshake and by the same judge: there is no other TLS
 * here. What was written to the descriptor before OPEN waits in the socket pair, so not a byte of
 * it reaches a server that was not accepted. No session is resumed: every channel is judged anew.
 *
 * The addresses of the host are tried in turn; a look-up has LIMIT_DNS_MS, connecting
 * LIMIT_CONNECT_MS and a handshake LIMIT_HANDSHAKE_MS. Either side is read as fast as the other
 * takes it. When the server has closed, what it sent before can be read, then there is the end of
 * file; whether it was the server's intention to end there, only on_closed says.
 */
#ifndef SIPSD_LINK_CHANNEL_H
#define SIPSD_LINK_CHANNEL_H

#include "base/errinfo.h"
#include "link/judge.h"
#include "link/refused.h"
#include "pki/peerchain.h"
#include "sys/dns.h"
#include "tls/session.h"

struct channel;

/* Borrowed while the channel lives, but for the profile, which is referenced. */
struct channel_params {
    struct loop *loop;
    struct dns *dns;
    const char *host; /* a host name or an IP literal */
    uint16_t port;
    struct tls_profile *profile; /* a client's; NULL: plain TCP */
    const struct judge *judge;   /* with a profile */
    refused_fn *on_refused;      /* NULL: nobody wants to know */
    void *on_refused_arg;
};

/* Called from the loop, and not to free the channel in. Static storage. */
struct channel_handlers {
    void (*on_open)(void *arg);
    /*
     * The last call. OK if the server has closed in order; else why, with a sentence that names the
     * host: ERR_DNS, ERR_TIMEOUT, ERR_SYSTEM, ERR_CLOSED, ERR_TLS, ERR_CERT (the verdict's
     * sentence), ERR_IDENTITY, ERR_TRUNCATED (TLS ended without close_notify: what came may not be
     * all). Not called when the other end of the descriptor was closed first.
     */
    void (*on_closed)(void *arg, struct result why, const struct errinfo *e);
};

/* FD, which does not block, is the caller's to close. */
RESULT channel_open(const struct channel_params *p, const struct channel_handlers *h, void *arg,
                    struct channel **out, int *fd, struct errinfo *e);

/* Closes, with close_notify where TLS is up, and frees; no more callbacks. NULL is fine. */
void channel_free(struct channel *c);

/* The verdict on the server, class VERDICT_NONE while there is none; of the address that was tried
 * last, if none was accepted. */
const struct verdict *channel_verdict(const struct channel *c);

/* What it was made on, if the server was accepted; else empty. */
const struct peerchain *channel_chain(const struct channel *c);

/* All zero without TLS. */
struct tls_session_facts channel_facts(const struct channel *c);

#endif
