/* daemon_parts: what the files of the daemon have in common, and nobody else needs. */
#ifndef SIPSD_APP_DAEMON_PARTS_H
#define SIPSD_APP_DAEMON_PARTS_H

#include "app/daemon.h"
#include "app/doors.h"
#include "app/fleet.h"
#include "app/provisioning.h"
#include "control/admin.h"
#include "control/events.h"
#include "control/expirywatch.h"
#include "control/phone.h"
#include "control/rejected.h"
#include "link/relay.h"

struct daemon {
    const struct options *options;
    struct loop *loop;
    struct dns *dns;
    struct wallclock_source *clock;
    struct tls_tickets *tickets;
    struct credentials *credentials;
    struct provisioning *provisioning; /* has the settings */
    struct complaints complaints;      /* of both, put together for who asks */
    struct rejected *rejected;
    struct account_shared shared;
    struct fleet *fleet;
    struct listener *listener;
    struct admin *admin;
    struct events *events;
    struct expirywatch *expirywatch;
    struct carrier *carrier;
    struct relay *relay;
    struct doors *doors;
    struct loop_signal *signals[3];
    struct loop_timer *watchdog;
    bool stopping;
    char mac[32];
    char instance[PHONE_INSTANCE_SIZE];
    char user_agent[32];
};

/* What the modules below look at: D, by functions. It has to outlive them. */
struct account_source source_accounts(struct daemon *d);
struct events_source source_events(struct daemon *d);
struct admin_source source_admin(struct daemon *d);
struct expirywatch_source source_expirywatch(struct daemon *d);
struct wallclock source_now(void *daemon);

#endif
