/*
 * account: one SIP account: from its settings to a registered, locked connection, for ever.
 *
 *     IDLE -> RESOLVING -> CONNECTING -> HANDSHAKE -> OPEN -> (WAITING -> RESOLVING ...)
 *
 * It never gives up and never hammers: after a failure it waits as base/backoff says. What the UI
 * may know of it is an account_status; each change of it is told once.
 */
#ifndef SIPSD_LINK_ACCOUNT_H
#define SIPSD_LINK_ACCOUNT_H

#include "base/errinfo.h"
#include "link/account_state.h"
#include "link/carrier.h"
#include "link/connection.h"
#include "link/refused.h"
#include "link/registration.h"
#include "link/route.h"
#include "pki/identity_choice.h"
#include "pki/trust.h"
#include "pki/verify.h"
#include "sys/dns.h"
#include "sys/wallclock.h"
#include "tls/ticket.h"

struct account;

/* What the settings say of one account; all strings are copied by account_new(). */
struct account_config {
    int number; /* 1 to LIMIT_ACCOUNTS */
    bool enabled;
    const char *label;
    const char *display_name;
    const char *user;
    const char *auth_user;
    const char *password;
    const char
        *domain; /* sip_server.1.address: of the address of record, and the name that is checked */
    const char *proxy_host; /* outbound proxy: where to connect, and then the name that is checked;
                               or NULL */
    uint16_t port;          /* 5061 */
    uint32_t expires_s;
    bool registered_by_stack; /* a SIP stack on the phone registers over the connection, not we */
    struct verify_policy policy;
    bool check_name;
    enum trust_filter filter;
    enum tls_versions versions;
};

/* ACCOUNT's own server says that there are new settings to be fetched. It comes from inside the
 * connection's message: only to take note. */
typedef void check_sync_fn(void *arg, int account);

/* What all accounts share; borrowed, must outlive them. */
struct account_shared {
    struct loop *loop;
    struct dns *dns;
    struct wallclock_source *clock;
    struct tls_tickets *tickets;
    struct rng rng;
    const char *instance_id; /* "urn:uuid:..." */
    const char *user_agent;
    struct identity *identity; /* sent to servers that ask for a certificate; NULL: none is sent.
                                  What new accounts begin with: see account_set_identity() */
    enum identity_source identity_source; /* which one that is, for sentences */
    refused_fn *on_refused;               /* of all accounts; NULL: nobody wants to know */
    void *on_refused_arg;
    struct carrier *carrier; /* what is not the registration's goes there; NULL: nobody takes it */
    /* NULL: a NOTIFY with "Event: check-sync" is a request like any other. Else it is answered
     * here: only an account's own server may send it, over the connection that the phone has made,
     * and with a certificate that was verified. The owner may change it at any time. */
    check_sync_fn *on_check_sync;
    void *on_check_sync_arg;
};

/* How a server is judged, for those who want to judge alike. Borrowed. */
struct account_rules {
    uint16_t port;
    const struct peername *name; /* that the server's certificate must have; NULL: any */
    const struct verify_policy *policy;
    enum trust_filter filter;
    enum tls_versions versions;
};

/* What the UI may know; strings are valid until the account changes again. */
struct account_status {
    int number;
    const char *label;
    const char *aor; /* "sips:alice@example.com" */
    enum account_state state;
    enum registration_state registration;
    uint32_t granted_s;                       /* 0 unless registered */
    int registration_status;                  /* of the last final response; 0 before one */
    const struct errinfo *registration_error; /* code ERR_OK while all is well */
    bool encrypted; /* a TLS connection is up, and the server accepted ours */
    bool name_checked;
    const struct verdict
        *verdict; /* of the live connection, or of the last handshake; class NONE before one */
    const struct errinfo *error;  /* why there is no connection: the last failure; code ERR_OK while
                                     all is well. ERR_CERT: the verdict says why */
    struct tls_session_facts tls; /* of the live connection */
    struct addr remote;           /* family 0 if there is no connection */
    uint64_t connection;          /* connection_id() of the live one, or 0 */
    const char *host;             /* where it connects to, as configured */
    const struct route *route;    /* its addresses: route_has() */
    bool retiring;                /* it will be replaced, and a call still keeps it */
    struct account_rules rules;   /* by which its server is judged; valid as long as A */
    uint32_t retry_in_ms;         /* WAITING: until the next try */
    uint32_t failures;            /* in a row */
};

/*
 * Something of the status changed: once a change, after all of it is done. It comes from the loop,
 * or from inside one of the calls below that change something; A may not be freed in it.
 */
typedef void account_changed_fn(void *arg, struct account *a);

RESULT account_new(const struct account_shared *shared, const struct account_config *cfg,
                   struct trust *trust, account_changed_fn *changed, void *arg,
                   struct account **out, struct errinfo *e);

/* At once, nothing is sent. NULL is fine. */
void account_free(struct account *a);

/* Begins to connect; nothing if it is disabled or was started already. */
void account_start(struct account *a);

/* Un-REGISTERs, sends close_notify, becomes IDLE within LIMIT_CLOSE_MS; at once where nothing is to
 * be taken back. */
void account_stop(struct account *a);

/*
 * The same as soon as no call hangs on the connection any more, and after LIMIT_DRAIN_S whether or
 * not; until then it goes on as before, except that a connection that is lost is not made anew.
 */
void account_retire(struct account *a);

/* Drops the connection and connects now, whatever it was waiting for; nothing if it is IDLE or
 * STOPPING. One that is retiring stops. */
void account_reconnect(struct account *a);

/*
 * The trust store was replaced: the live connection's chain is judged again. A still good one is
 * not touched; a bad one is closed and loses its lock at once. An account that waits because of its
 * peer's certificate tries again at once.
 */
void account_set_trust(struct account *a, struct trust *trust);

/*
 * The phone's own certificate was replaced (ID may be NULL: none is sent any more). It is for
 * future connections: a live one is not touched, and a handshake under way goes on with the old
 * one. Kept sessions are dropped: they speak for the old one. An account that waits because its
 * server did not accept the phone's certificate, or wanted one, tries again at once; so does one
 * whose handshake with the old one fails for that.
 *
 * ERR_LIMIT for a chain that TLS cannot send, ERR_NOMEM, ERR_CRYPTO: the old one stays.
 */
RESULT account_set_identity(struct account *a, struct identity *id, enum identity_source source,
                            struct errinfo *e);

/* The clock was set: the same judgement again with the new time. */
void account_clock_changed(struct account *a);

/* Where CFG has the account connect to: the name that is checked. */
const char *account_config_host(const struct account_config *cfg);

/*
 * Whether the server of the live connection would be accepted with another TRUST and configuration;
 * nothing changes, and nobody is told. OUT is the verdict, class NONE where there is nothing to
 * judge, which counts as accepted: no connection, none that was verified, or CFG is not enabled or
 * has another server.
 */
bool account_would_accept(const struct account *a, const struct account_config *cfg,
                          struct trust *trust, struct verdict *out);

struct account_status account_status(const struct account *a);
int account_number(const struct account *a);

#endif
