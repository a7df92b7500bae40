/*
 * fetchway: how the daemon fetches: control/fetch, with what the settings and the certificates say
 * at the moment that a fetch begins. Nothing is kept between two of them, so a new certificate or
 * rule counts from the next one on.
 *
 * What the phone tells of itself: the User-Agent is "sipsd/1.0 001565123456", as provisioning
 * servers know it from phones. The MAC address goes only over TLS, and only to the provisioning
 * server and to where reports go (or where those redirect to, over TLS too). User and password are
 * for the provisioning server alone.
 */
#ifndef SIPSD_CONTROL_FETCHWAY_H
#define SIPSD_CONTROL_FETCHWAY_H

#include "base/rng.h"
#include "control/credentials.h"
#include "control/gather.h"

/* A value type, to be filled; all of it is borrowed. */
struct fetchway {
    struct loop *loop;
    struct dns *dns;
    const struct wallclock_source *clock;
    const struct rng *rng;
    const struct credentials *credentials;
    const struct settings *(*settings)(void *arg); /* that count now */
    void *settings_arg;
    refused_fn *on_refused; /* of servers that are refused; or NULL */
    void *on_refused_arg;
    const char *agent; /* "sipsd/1.0" */
    const char *mac;   /* the phone's, in any usual form */
};

/* For the engine; W must outlive all that is done with them. */
struct fetch_ops fetchway_ops(struct fetchway *w);

/* Gets a file. Errors are those of fetch_start(), and of tls_profile_new(). */
RESULT fetchway_get(const struct fetchway *w, const struct fetch_wanted *wanted, fetch_fn *fn,
                    void *fn_arg, struct fetch **out, struct errinfo *e);

/* Sends a report, which is copied, as JSON. */
RESULT fetchway_post(const struct fetchway *w, const char *url, struct slice json, fetch_fn *fn,
                     void *fn_arg, struct fetch **out, struct errinfo *e);

#endif
