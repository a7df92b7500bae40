/*
 * carrier: carries the SIP messages of calls between TLS connections and the phone side. It is the
 * hop (sip/hop) with the rules of who may send what where; it does no I/O of its own.
 *
 *     TLS side                       carrier                       phone side
 *     account's connection  = line  --------------  phone = relay.sock (call-control)
 *     inbound connection    = line  --------------  phone = a local port (a SIP stack)
 *
 * - A message is sent on the very connection that it names, and only if that belongs to the account
 *   that it names; never on another one because that one is gone.
 * - A request that comes in goes to the phone of its account, else to the one of all accounts; if
 *   there is none, or it does not keep up, it gets a response here: 503 with Retry-After, 481 for
 *   what belongs to a call, 483, 513. A response goes to the connection that asked, or nowhere.
 * - Nothing waits here. Whoever cannot take a message now says so (ERR_BUSY), and when it can
 * again.
 *
 * Single-threaded; nothing may be freed inside its own callback, except as said below.
 */
#ifndef SIPSD_LINK_CARRIER_H
#define SIPSD_LINK_CARRIER_H

#include "base/errinfo.h"
#include "base/rng.h"
#include "pki/verdict.h"
#include "sip/hop.h"
#include "sip/message.h"
#include "sys/addr.h"

struct carrier;
struct carrier_line;
struct carrier_phone;

/* RNG gives the key of this process's branches, and tags. */
RESULT carrier_new(const struct rng *rng, struct carrier **out, struct errinfo *e);

/* All lines and phones must have been freed before. NULL is fine. */
void carrier_free(struct carrier *k);

/* --- the TLS side --- */

/* What the phone side may know of a line; a value type without pointers. */
struct carrier_facts {
    int account;  /* 1 to LIMIT_ACCOUNTS */
    uint64_t id;  /* connection_id() */
    bool inbound; /* the peer has dialled */
    bool lock;    /* as in the account's status */
    enum assurance assurance;
    bool registered; /* the account is, over this connection */
    struct addr local, remote;
    char contact[256]; /* the URI that the phone side puts into Contact; "" if there is none */
};

struct carrier_line_handlers {
    /* Sends one whole message. ERR_STATE: the connection is not open. */
    struct result (*send)(void *arg, struct slice message);
    /* Bytes that the peer has not taken yet. */
    size_t (*queued)(void *arg);
    /* The number of calls changed (carrier_line_calls()); may be NULL. */
    void (*calls_changed)(void *arg);
    /* M, a REGISTER of the phone side's or a response to one, was passed on; may be NULL. */
    void (*registers)(void *arg, const struct sip_message *m);
};

/*
 * An open connection, whose peer was accepted. An inbound one that carries requests for several
 * accounts has a line for each, of the same id. H and ARG must outlive the line. ERR_NOMEM;
 * ERR_INVALID if F has no account.
 */
RESULT carrier_line_new(struct carrier *k, const struct carrier_facts *f,
                        const struct carrier_line_handlers *h, void *arg,
                        struct carrier_line **out);

/* The connection is gone: the phone side is told. NULL is fine. Not from inside line handlers. */
void carrier_line_free(struct carrier_line *l);

/* The facts are these now; if they differ, the phone side is told. The id stays. */
void carrier_line_set(struct carrier_line *l, const struct carrier_facts *f);

/*
 * M, with the text RAW, arrived on the line and is not its owner's business: it is handed on, or
 * answered, or dropped with a line in the log. The line's `send` may be called in it.
 */
void carrier_line_receive(struct carrier_line *l, const struct sip_message *m, struct slice raw);

/* A response to a request of the owner's own (REGISTER): it says at which address the server sees
 * us, which is what the other end of a call is told from then on. */
void carrier_line_observe(struct carrier_line *l, const struct sip_message *m);

/* The peer has taken what was queued: a `busy` ends. */
void carrier_line_drained(struct carrier_line *l);

/* Calls that hang on the line, as the phone side has said. */
unsigned carrier_line_calls(const struct carrier_line *l);

/* --- the phone side --- */

/*
 * How a message goes to, or comes from, a phone: the connection on that side, and what has to be
 * changed in the message besides. Strings are borrowed for the call that it is given to, or is
 * asked by. A side with hostport NULL has no address of its own: the TLS side's is used for it.
 */
struct carrier_passage {
    struct hop_side side;
    struct hop_edit edit;
};

struct carrier_phone_handlers {
    /*
     * M came over the line F and is for this phone. Fill *OUT (zeroed) with the passage: for a
     * request (ID 0) the phone's choice, for a response that of connection ID. False if there is no
     * such connection (any more): a request gets 503 then, a response is dropped.
     */
    bool (*passage)(void *arg, const struct carrier_facts *f, const struct sip_message *m,
                    uint64_t id, struct carrier_passage *out);
    /* Takes MESSAGE (valid during the call) for connection ID of this phone; comes after `passage`.
     * ERR_BUSY: not now; any other error as if there were no such connection. */
    struct result (*deliver)(void *arg, uint64_t id, const struct carrier_facts *f,
                             struct slice message);
    /* The line is new (UP), has other facts (UP), or is gone; may be NULL. */
    void (*line)(void *arg, const struct carrier_facts *f, bool up);
    /* After ERR_BUSY of carrier_send(): the line takes messages again; may be NULL. */
    void (*drained)(void *arg, const struct carrier_facts *f);
};

/*
 * A phone for ACCOUNT, or for all accounts that have none of their own (0). ERR_EXISTS if there is
 * one already; ERR_NOMEM. It is not told of the lines that there are: carrier_lines().
 */
RESULT carrier_phone_new(struct carrier *k, int account, const struct carrier_phone_handlers *h,
                         void *arg, struct carrier_phone **out);

/* Its calls count no more. NULL is fine. Not from inside its handlers. */
void carrier_phone_free(struct carrier_phone *p);

/*
 * Sends RAW, one whole message that came from the phone's side FROM, over connection ID of ACCOUNT;
 * ID 0 is the account's present one to its server. *USED (may be NULL) is the one it went over,
 * or should have; untouched if there is none.
 *
 * ERR_NOT_FOUND  there is no such connection (any more); another one is not taken for it
 * ERR_DENIED     it is not that account's, the account is not this phone's, or a response does not
 *                belong to a request that came over it
 * ERR_BUSY       the peer does not keep up: try again after `drained`
 * ERR_PARSE, ERR_LIMIT, ERR_UNSUPPORTED, ERR_TRUNCATED   the message itself is not right
 * ERR_INVALID, ERR_NOMEM, ERR_STATE
 *
 * With a sentence; where the phone can be answered, e->native is the status (483, 513, 503 ...).
 */
RESULT carrier_send(struct carrier_phone *p, int account, uint64_t id,
                    const struct carrier_passage *from, struct slice raw, uint64_t *used,
                    struct errinfo *e);

/* The same for a message that was parsed already: M, whose text is RAW. */
RESULT carrier_pass(struct carrier_phone *p, int account, uint64_t id,
                    const struct carrier_passage *from, const struct sip_message *m,
                    struct slice raw, uint64_t *used, struct errinfo *e);

/* So many calls hang on connection ID of ACCOUNT from now on. ERR_NOT_FOUND, ERR_DENIED. */
RESULT carrier_set_calls(struct carrier_phone *p, int account, uint64_t id, unsigned calls,
                         struct errinfo *e);

/* What connection ID of ACCOUNT is like; 0: of the account's present one to its server. False if
 * there is none that P may use. */
bool carrier_find(const struct carrier_phone *p, int account, uint64_t id,
                  struct carrier_facts *out);

/* FN for each line that P may use. Lines may not come or go meanwhile. */
typedef void carrier_line_fn(void *arg, const struct carrier_facts *f);
void carrier_lines(const struct carrier_phone *p, carrier_line_fn *fn, void *arg);

/* --- for both, and for diagnosis --- */

/* Whether there is a phone for ACCOUNT. */
bool carrier_serves(const struct carrier *k, int account);

/* Sees the text of each message that comes from, or goes to, connection CONNECTION of ACCOUNT, with
 * the credentials in it; nothing may be changed from in it. */
typedef void carrier_tap_fn(void *arg, int account, uint64_t connection, bool outward,
                            struct slice message);
void carrier_tap(struct carrier *k, carrier_tap_fn *fn, void *arg); /* NULL: nobody looks */

/* Shows a message that passes such a connection without the carrier, for whoever owns it: that of
 * the registration, for one. */
void carrier_show(const struct carrier *k, int account, uint64_t connection, bool outward,
                  struct slice message);

#endif
