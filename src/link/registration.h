/*
 * registration: keeps one account's binding at its registrar alive (RFC 3261 section 10, RFC 5626
 * section 4.2).
 *
 *     OFF -> TRYING -> REGISTERED <-> REFRESHING
 *               \-> WAITING -> TRYING          any -> REMOVING -> OFF
 *
 * Sans-I/O: it is told that a connection is up, what arrived and what time it is; it says what to
 * send (through its handlers) and when it wants to be called again. Challenges (401, 407, stale
 * nonces), 423, Retry-After and refreshes are its business; connecting is not.
 *
 * Everything is registered as SIPS: Request-URI, address of record and Contact (RFC 5630 section
 * 5.1.1.1 wants all of them alike). To a server that knows no SIPS URIs (416) it speaks of "sip:"
 * and "transport=tls", as RFC 3261 section 8.1.3.5 asks; the connection is the same.
 *
 * A refresh goes out when 80 to 90 % of the granted time have passed, drawn anew each time, so that
 * phones that were switched on together do not stay together. A refused account waits long: a
 * server locks out whoever repeats a wrong password. The wait holds over reconnections.
 */
#ifndef SIPSD_LINK_REGISTRATION_H
#define SIPSD_LINK_REGISTRATION_H

#include "base/errinfo.h"
#include "base/rng.h"
#include "sip/message.h"

struct registration;

enum registration_state {
    REGISTRATION_OFF,    /* no connection */
    REGISTRATION_TRYING, /* a REGISTER is under way; not registered */
    REGISTRATION_REGISTERED,
    REGISTRATION_REFRESHING, /* registered, and a REGISTER is under way */
    REGISTRATION_WAITING,    /* refused or unanswered; will try again on this connection at the
                                deadline */
    REGISTRATION_REMOVING,   /* an un-REGISTER is under way */
};

struct registration_params {  /* all copied */
    const char *user;         /* of the address of record */
    const char *domain;       /* of the address of record, and of the registrar */
    const char *display_name; /* may be NULL or "" */
    const char *auth_user;    /* NULL or "": user */
    const char *password;     /* NULL or "": there is none */
    const char *instance_id;  /* "urn:uuid:..." or NULL */
    const char *user_agent;
    uint32_t expires_s; /* to ask for */
    bool passive; /* somebody else registers over the connection: nothing is sent, only watched */
};

/* Called from inside the functions below: note what they say, and act when those have returned. */
struct registration_handlers {
    /* A whole message to send now. An error means the connection is going: it will be told by
     * _disconnected. */
    struct result (*send)(void *arg, struct slice message);
    /* State, granted time or the last error changed. */
    void (*changed)(void *arg);
    /* The registration cannot go on over this connection (no answer: timer F): close it, connect
     * anew. */
    void (*give_up)(void *arg, const struct errinfo *why);
};

/* ERR_INVALID, with a sentence, if the parameters make no valid REGISTER; ERR_NOMEM. RNG's source
 * must outlive it. */
RESULT registration_new(const struct registration_params *p, const struct registration_handlers *h,
                        void *arg, const struct rng *rng, struct registration **out,
                        struct errinfo *e);

/* NULL is fine; sends nothing. Not from inside its handlers. */
void registration_free(struct registration *r);

/*
 * A fresh connection (state OFF): registers at once, or when the wait after a refusal is over.
 * LOCAL is its own address as text with the port ("192.0.2.7:40312", "[2001:db8::7]:4").
 */
void registration_connected(struct registration *r, const char *local, uint64_t now_ms);
void registration_disconnected(struct registration *r);

/* Somebody asked to try now: the waits after refusals are forgotten. */
void registration_forget_refusals(struct registration *r);

/* Whether M answers a REGISTER of this registration, by its Call-ID and CSeq; it may be too late.
 */
bool registration_has_asked(const struct registration *r, const struct sip_message *m);

/* A response arrived; true if it was for this registration. */
bool registration_receive(struct registration *r, const struct sip_message *m, uint64_t now_ms);

bool registration_is_passive(const struct registration *r);

/* A passive one: a message about somebody's registration passed (link/watched). */
void registration_watch(struct registration *r, const struct sip_message *m, uint64_t now_ms);

/* Takes the binding away (Expires: 0); the state is OFF when that is done or is not answered within
 * LIMIT_CLOSE_MS, and at once if there is none. */
void registration_remove(struct registration *r, uint64_t now_ms);

/* When registration_tick() is wanted next, or UINT64_MAX. Calls before that do no harm. */
uint64_t registration_deadline(const struct registration *r);
void registration_tick(struct registration *r, uint64_t now_ms);

enum registration_state registration_state(const struct registration *r);
const char *registration_state_name(enum registration_state s); /* "registered" ... */
bool registration_is_up(const struct registration *r);          /* REGISTERED or REFRESHING */
uint32_t registration_granted_s(const struct registration *r);  /* 0 if it is not up */

/* The Contact's URI of this connection; "" where there is none. Valid until the next call. */
const char *registration_contact(const struct registration *r);

/* The last failure since it was last registered (ERR_OK if there is none): "the server refused the
 * user name or password (403 Forbidden)"; and the last final status, or 0. */
const struct errinfo *registration_error(const struct registration *r);
int registration_last_status(const struct registration *r);

#endif
