/*
 * flow: the TLS side of one account: what its connections are made with, and the one that there is.
 *
 * A connection belongs to an account, a name and a policy; all that a verdict depends on is
 * together here: the judge, the versions and our identity, and the key under which session tickets
 * are kept.
 */
#ifndef SIPSD_LINK_FLOW_H
#define SIPSD_LINK_FLOW_H

#include "link/account.h"
#include "link/connection.h"
#include "link/judge.h"

/* Our own certificate, for sentences. A value type. */
struct flow_shown {
    enum identity_source source;
    char own[96]; /* its name; "" where SOURCE is IDENTITY_NONE */
};

/* A value type, to be embedded; zeroed, then filled by flow_init(). */
struct flow {
    const struct account_shared *shared; /* borrowed */
    int account;
    enum tls_versions versions;
    uint16_t port; /* where it connects to */
    struct judge judge;
    struct tls_profile *profile;
    struct flow_shown offered;     /* what PROFILE shows of ours */
    unsigned identities;           /* how many there have been: part of the key of tickets */
    struct connection *connection; /* NULL while there is none */
    bool outdated;           /* trust or clock changed since the try began; its owner clears it */
    struct flow_shown shown; /* what it shows of ours, if the server asks */
};

/* NAME: whom the server's certificate must name, and SNI. ERR_INVALID, ERR_NOMEM; flow_clear() it
 * in any case. */
RESULT flow_init(struct flow *f, const struct account_shared *shared,
                 const struct account_config *cfg, const char *name, struct trust *trust,
                 struct errinfo *e);
void flow_clear(struct flow *f);

/* How it judges its server; valid as long as F. */
struct account_rules flow_rules(const struct flow *f);

/* Shows ID (may be NULL) on future connections, and forgets kept sessions, which speak for the one
 * before. After a failure that one stays. */
RESULT flow_set_identity(struct flow *f, struct identity *id, enum identity_source source,
                         struct errinfo *e);

RESULT flow_dial(struct flow *f, const struct addr *to, const struct connection_handlers *h,
                 void *arg, struct errinfo *e);

/* Why the connection, which is still there, was closed: E, and if it is because of our certificate,
 * or may well be, which one that was. Then OUT's code is ERR_IDENTITY. */
void flow_explain(const struct flow *f, const struct errinfo *e, struct errinfo *out);

/* With close_notify; nothing if there is no connection. */
void flow_close(struct flow *f);

/* Forgets kept sessions: they carry verdicts that would be made differently now. */
void flow_forget(struct flow *f);

/* Judges the live connection's chain as of now; what is refused is not resumed either. */
void flow_judge(struct flow *f, struct verdict *out);

#endif
