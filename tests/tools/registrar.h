/*
 * registrar: a small SIP registrar for tests and the demo, on the product's own modules: REGISTER
 * with digest (RFC 3261 section 10.3, RFC 8760), OPTIONS, and on demand the faults of real ones.
 *
 * Sans-I/O: it is given messages, or the bytes of a connection, and the time; it writes what is to
 * be sent. All connections share one table of bindings. Not a model of a server: it keeps little
 * tables and looks through them one by one.
 */
#ifndef SIPSD_TESTS_TOOLS_REGISTRAR_H
#define SIPSD_TESTS_TOOLS_REGISTRAR_H

#include "base/buf.h"
#include "base/rng.h"
#include "sip/message.h"

struct registrar;

/* What it does instead of its work, to every REGISTER. */
enum registrar_fault {
    REGISTRAR_WELL,
    REGISTRAR_SILENT,      /* never answers */
    REGISTRAR_TRYING,      /* 100 and nothing behind it */
    REGISTRAR_UNAVAILABLE, /* 503, with Retry-After if that is set */
    REGISTRAR_FORBIDDEN,   /* 403, whatever the credentials */
    REGISTRAR_NO_SIPS,     /* 416 to a SIPS URI */
    REGISTRAR_NO_OUTBOUND, /* 439 to a Contact with reg-id */
    REGISTRAR_INSATIABLE,  /* 423, and wants a second more each time */
    REGISTRAR_WRONG_CSEQ,  /* answers as if to another CSeq */
    REGISTRAR_NO_CONTACT,  /* 200 without the contact */
    REGISTRAR_STALE,       /* no nonce is ever fresh enough */
    REGISTRAR_CLOSES,      /* closes the connection */
};

struct registrar_config {       /* all copied */
    const char *realm;          /* NULL: no password is asked for */
    bool md5;                   /* algorithms to offer, */
    bool sha256;                /* this one first */
    bool one_field;             /* both challenges in one header field */
    bool as_proxy;              /* 407 instead of 401 */
    bool challenge_again;       /* 401 to a wrong password; else 403 */
    bool silent_about_stale;    /* a new challenge for an old nonce, without stale=true */
    bool next_nonce;            /* gives the next nonce with each 200 */
    uint64_t nonce_lifetime_ms; /* 0: for ever */
    uint32_t min_expires_s;     /* 423 below */
    uint32_t max_expires_s;     /* grants no more; 0: whatever is asked */
    uint32_t retry_after_s;     /* of the 503 */
    enum registrar_fault fault; /* what to begin with */
};

/* X(name, text) */
#define REGISTRAR_EVENT_TABLE(X)    \
    X(CHALLENGED, "challenged")     \
    X(REGISTERED, "registered")     \
    X(REFRESHED, "refreshed")       \
    X(UNREGISTERED, "unregistered") \
    X(EXPIRED, "expired")           \
    X(REFUSED, "refused")           \
    X(ASKED, "asked") /* any other request */

enum registrar_event_type {
#define REGISTRAR_EVENT_ENUM_(name, text) REGISTRAR_##name,
    REGISTRAR_EVENT_TABLE(REGISTRAR_EVENT_ENUM_)
#undef REGISTRAR_EVENT_ENUM_
};

/* Strings are valid during the call. */
struct registrar_event {
    enum registrar_event_type type;
    const char *aor;     /* as in To */
    const char *contact; /* "" where there is none */
    uint32_t expires_s;  /* granted */
    int status;          /* of the response, 0 if there is none */
    const char *text;    /* for REFUSED why, for ASKED the method, else "" */
};

typedef void registrar_event_fn(void *arg, const struct registrar_event *event);

const char *registrar_event_name(enum registrar_event_type type);

/* ON_EVENT may be NULL. */
RESULT registrar_new(const struct registrar_config *cfg, const struct rng *rng,
                     registrar_event_fn *on_event, void *arg, struct registrar **out);
void registrar_free(struct registrar *r); /* NULL is fine */

/* AUTH_USER NULL: the same as USER. Added again, a user gets the new password. */
RESULT registrar_add_user(struct registrar *r, const char *user, const char *auth_user,
                          const char *password);

void registrar_set_fault(struct registrar *r, enum registrar_fault fault);

/* Takes one message and appends to OUT what is to be sent for it; *CLOSE: and close the connection
 * then. */
RESULT registrar_handle(struct registrar *r, const struct sip_message *m, uint64_t now_ms,
                        struct buf *out, bool *close);

/* One binding; a value type, its strings are the registrar's. */
struct registrar_binding {
    const char *aor;
    const char *contact;
    uint32_t expires_s; /* from now on */
};

/* The N-th binding of all that are alive at NOW_MS; false if there are not so many. Tells those
 * that have expired. */
bool registrar_binding(struct registrar *r, size_t n, uint64_t now_ms,
                       struct registrar_binding *out);

/* --- one connection, as bytes --- */

struct registrar_peer;

RESULT registrar_peer_new(struct registrar *r, struct registrar_peer **out);
void registrar_peer_free(struct registrar_peer *p); /* NULL is fine */

/* Takes what the connection received; keep-alives are answered too. An error means that it is no
 * SIP that can be gone on with. */
RESULT registrar_peer_feed(struct registrar_peer *p, struct slice bytes, uint64_t now_ms,
                           struct buf *out, bool *close, struct errinfo *e);

#endif
