/*
 * relay: how the phone's call-control sends and receives the SIP messages of its calls through
 * sipsd: the wire format of relay.sock, and its client in libsipsd.
 *
 * relay.sock (in sipsd's run directory) is a Unix socket of the type SOCK_SEQPACKET: one packet is
 * one struct of the wire below and what belongs to it. Who may connect is decided by the socket's
 * group (sipsd --call-group) and looked at again by the kernel's word of who it is. One
 * call-control at a time: a second one is told so (SIPSD_RELAY_ERROR_TAKEN) and sent away.
 *
 * sipsd is a SIP proxy on the way (RFC 3261 section 16), and call-control a user agent behind it:
 * - Messages are whole, with Content-Length. sipsd adds and removes its own Via and Record-Route,
 *   counts Max-Forwards down, and leaves all else as it is. Where a Route is sipsd's, it removes
 * it.
 * - Registering is sipsd's business. In Contact call-control puts the URI of the account's state
 *   (struct sipsd_relay_state); in Via anything that is its own ("SIP/2.0/TLS phone.invalid").
 * - A connection has an id that is never used again. Messages of a call go over the connection that
 *   the call began on: name its id. When it is gone, so is the way of the call; sipsd says so
 *   (SIPSD_RELAY_ERROR_GONE), and takes no other connection for it. Id 0 is "the one that the
 *   account has now", for what begins something new.
 * - Say with a dialogs packet how many calls hang on a connection: a connection with calls is not
 *   closed for a change of settings that can wait. When call-control is gone, so are its calls.
 * - Requests that come in while there is no call-control, or one that does not read, are answered
 * by sipsd: 503 with Retry-After. OPTIONS outside of calls are answered by sipsd always.
 *
 *     struct sipsd_relay *r;
 *     struct sipsd_relay_event ev;
 *     char error[SIPSD_ERROR_SIZE];
 *     if (sipsd_relay_connect("/run/sipsd/relay.sock", &r, error) != SIPSD_OK) ...
 *     for (;;) {
 *         poll(sipsd_relay_fd(r) ...);
 *         while ((status = sipsd_relay_next(r, &ev, error)) == SIPSD_OK)
 *             if (ev.type == SIPSD_RELAY_RECEIVE)
 *                 take_message(ev.account, ev.connection, ev.message, ev.length);
 *         if (status != SIPSD_AGAIN)
 *             connect_again();
 *     }
 */
#ifndef SIPSD_RELAY_H
#define SIPSD_RELAY_H

#include "sipsd/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- the wire --- */

/*
 * A packet begins with a header of 24 bytes, numbers in network byte order:
 *
 *      0  4  "SIPS"
 *      4  1  version: 1
 *      5  1  type: enum sipsd_relay_type
 *      6  2  account: its number, or 0 where there is none
 *      8  8  connection: its id, or 0
 *     16  4  length of what follows; it is the rest of the packet
 *     20  4  token: of a send or dialogs packet, any number; an error packet repeats that of what
 * it is about, and names the connection that id 0 stood for
 */
#define SIPSD_RELAY_HEADER  24
#define SIPSD_RELAY_VERSION 1
#define SIPSD_RELAY_MESSAGE 65535 /* the longest SIP message */
#define SIPSD_RELAY_PACKET  (SIPSD_RELAY_HEADER + SIPSD_RELAY_MESSAGE)

enum sipsd_relay_type {
    /* Both ways, and the first packet each way; empty. After sipsd's, a state packet for each
     * connection that there is. Call-control has 5 s to send its own. */
    SIPSD_RELAY_HELLO = 1,
    /* To sipsd: a whole SIP message, to go over this connection (0: the present one) of this
     * account. There is no answer unless it fails. */
    SIPSD_RELAY_SEND = 2,
    /* From sipsd: a whole SIP message that came over this connection of this account. */
    SIPSD_RELAY_RECEIVE = 3,
    /*
     * From sipsd: this connection of this account is new, has changed, or is gone:
     *
     *      0  1  1: it is up, 0: it is gone
     *      1  1  1: it was made by the peer, 0: by the phone
     *      2  1  1: the lock may show, 0: it may not
     *      3  1  assurance: 0 none, 1 chain, 2 full (enum sipsd_assurance)
     *      4  1  1: the account is registered over it, 0: it is not
     *      5  1  0
     *      6  .  three texts, each two bytes of length and so many of UTF-8: the URI for Contact
     *            (empty: none yet), the connection's own address, and the peer's, with their ports
     */
    SIPSD_RELAY_STATE = 4,
    /* From sipsd: one byte; 1: this connection takes no messages at present (after an error of that
     * code), 0: it does again. */
    SIPSD_RELAY_BUSY = 5,
    /* To sipsd: four bytes: so many calls hang on this connection of this account now. */
    SIPSD_RELAY_DIALOGS = 6,
    /*
     * From sipsd: what account, connection and token say was not done:
     *
     *      0  2  code: enum sipsd_relay_error
     *      2  2  a SIP status that says the same to a caller (483, 503 ...), or 0
     *      4  .  the rest: one sentence, UTF-8
     */
    SIPSD_RELAY_ERROR = 7,
};

/* Never another meaning for a number; unknown ones are to be treated as FAILED. */
enum sipsd_relay_error {
    SIPSD_RELAY_ERROR_FAILED = 1,   /* memory is short, or the like */
    SIPSD_RELAY_ERROR_GONE = 2,     /* there is no such connection (any more) */
    SIPSD_RELAY_ERROR_ACCOUNT = 3,  /* it is not that account's, or the account not for you */
    SIPSD_RELAY_ERROR_BUSY = 4,     /* not now: the peer does not keep up */
    SIPSD_RELAY_ERROR_MESSAGE = 5,  /* the message is not right */
    SIPSD_RELAY_ERROR_PROTOCOL = 6, /* the packet is not; the socket is closed after it */
    SIPSD_RELAY_ERROR_TAKEN = 7,    /* another call-control is connected; likewise */
    SIPSD_RELAY_ERROR_DENIED = 8,   /* you may not use this socket; likewise */
};

/* --- the client --- */

/* A connection as a state packet has it; longer text is cut. */
struct sipsd_relay_state {
    bool up;
    bool inbound;
    bool lock;
    enum sipsd_assurance assurance;
    bool registered;
    char contact[256]; /* "sips:alice@192.0.2.7:40312" */
    char local[72];    /* "192.0.2.7:40312" */
    char remote[72];
};

struct sipsd_relay_event {
    enum sipsd_relay_type type; /* HELLO, RECEIVE, STATE, BUSY or ERROR */
    int account;                /* 0: none */
    uint64_t connection;        /* 0: none */
    uint32_t token;             /* ERROR: of what it is about */
    const char *message;        /* RECEIVE: LENGTH bytes; valid until the next call on the relay */
    size_t length;
    struct sipsd_relay_state state;  /* STATE */
    bool busy;                       /* BUSY */
    enum sipsd_relay_error code;     /* ERROR */
    int status;                      /* ERROR: of SIP, or 0 */
    char sentence[SIPSD_ERROR_SIZE]; /* ERROR */
};

struct sipsd_relay;

/* Connects to relay.sock at PATH and says hello. The relay is the caller's: sipsd_relay_free(). */
enum sipsd_status sipsd_relay_connect(const char *path, struct sipsd_relay **out, char *error);
void sipsd_relay_free(struct sipsd_relay *r); /* NULL is fine */

/* To poll for reading; it stays the relay's. */
int sipsd_relay_fd(const struct sipsd_relay *r);

/*
 * The next event; never blocks. SIPSD_AGAIN: none now. SIPSD_CLOSED: sipsd is gone, and all
 * connections with it. SIPSD_REFUSED: sipsd sent us away; ERROR says why. SIPSD_FAILED: what came
 * was not sipsd's.
 */
enum sipsd_status sipsd_relay_next(struct sipsd_relay *r, struct sipsd_relay_event *out,
                                   char *error);

/* Sends LENGTH bytes of MESSAGE over CONNECTION (0: the present one) of ACCOUNT; never blocks.
 * SIPSD_AGAIN: sipsd does not read at present; nothing was sent. What is wrong with the message or
 * the connection comes as an event, with TOKEN. */
enum sipsd_status sipsd_relay_send(struct sipsd_relay *r, int account, uint64_t connection,
                                   uint32_t token, const void *message, size_t length, char *error);

/* So many calls hang on CONNECTION of ACCOUNT now; as sipsd_relay_send(). */
enum sipsd_status sipsd_relay_dialogs(struct sipsd_relay *r, int account, uint64_t connection,
                                      uint32_t calls, char *error);

/* Reads one packet as sipsd sends them: what sipsd_relay_next() does with it, for those who have a
 * socket of their own. False if it is none; OUT->message points into PACKET. */
bool sipsd_relay_parse(const void *packet, size_t size, struct sipsd_relay_event *out);

#ifdef __cplusplus
}
#endif

#endif
