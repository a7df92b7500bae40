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

/* A value type, to be embedded; zeroed, then filled by flow_init(). */
struct flow {
    const struct account_shared *shared; /* borrowed */
    int account;
    enum tls_versions versions;
    struct judge judge;
    struct tls_profile *profile;
    struct connection *connection; /* NULL while there is none */
    bool outdated;                 /* trust or clock changed since it was dialled */
};

/* NAME: whom the server's certificate must name, and SNI. ERR_INVALID, ERR_NOMEM; flow_clear() it
 * in any case. */
RESULT flow_init(struct flow *f, const struct account_shared *shared,
                 const struct account_config *cfg, const char *name, struct trust *trust,
                 struct errinfo *e);
void flow_clear(struct flow *f);

RESULT flow_dial(struct flow *f, const struct addr *to, const struct connection_handlers *h,
                 void *arg, struct errinfo *e);

/* With close_notify; nothing if there is no connection. */
void flow_close(struct flow *f);

/* Forgets kept sessions: they carry verdicts that would be made differently now. */
void flow_forget(struct flow *f);

/* Judges the live connection's chain as of now; what is refused is not resumed either. */
void flow_judge(struct flow *f, struct verdict *out);

#endif
