/*
 * events: the two sockets of the phone's own processes, events.sock for the UI and control.sock for
 * admins, and what is told and asked there. docs/events.md is this module's manual.
 *
 * It looks at accounts, trust and clock through a source, so it owns none of them. What a UI has
 * been told of each account is remembered: only what differs is told again.
 */
#ifndef SIPSD_CONTROL_EVENTS_H
#define SIPSD_CONTROL_EVENTS_H

#include <sys/types.h>

#include "base/errinfo.h"
#include "control/complaints.h"
#include "control/expiry.h"
#include "control/jsonrpc.h"
#include "control/provision_report.h"
#include "link/account.h"
#include "link/door.h"
#include "link/inbound.h"

struct events;

/* What the methods look at and act upon; the daemon fills it in. Borrowed, must outlive the events.
 * All of it is asked from the loop. */
struct events_source {
    size_t (*account_count)(void *arg);
    struct account *(*account_at)(void *arg, size_t i);
    size_t (*inbound_count)(void *arg); /* NULL: there are none */
    struct inbound_status (*inbound_at)(void *arg, size_t i);
    struct trust *(*trust)(void *arg); /* borrowed */
    enum trust_filter (*trust_filter)(void *arg);
    struct wallclock (*now)(void *arg);
    const struct complaints *(*complaints)(void *arg); /* about files; borrowed */
    /* Visits the certificates that end soon or have ended; NULL: nobody watches over them. */
    void (*expiring)(void *arg, expiry_tell_fn *visit, void *visit_arg);
    /* Visits the accounts' local ports; NULL: there are none. */
    void (*local_ports)(void *arg, door_visit_fn *visit, void *visit_arg);
    void *arg;
};

struct events_params {
    struct loop *loop;
    const char *run_dir; /* events.sock and control.sock are made in it */
    gid_t ui_group;      /* whose members may use events.sock; (gid_t)-1: none */
    gid_t admin_group;   /* the same for control.sock */
    const char *version; /* of sipsd; static storage */
    struct events_source source;
    const struct jsonrpc_service *more; /* further methods of control.sock; borrowed; or NULL */
};

RESULT events_new(const struct events_params *p, struct events **out, struct errinfo *e);

/* Ends all clients, and removes the sockets. NULL is fine. */
void events_free(struct events *ev);

/* Account A changed: tells "lock" and "registration" if they differ from what was told last. */
void events_account_changed(struct events *ev, struct account *a);

/* A connection to the phone came, changed, went or was refused: tells "inbound". */
void events_inbound_changed(struct events *ev, const struct inbound_status *s);

/* So many connections were not told, for there were too many: tells "inbound_untold". */
void events_inbound_untold(struct events *ev, unsigned connections);

/* The set of accounts was replaced: tells a snapshot. */
void events_accounts_replaced(struct events *ev);

/* MESSAGE passed on connection CONNECTION of account ACCOUNT: told to those who want to see
 * messages ("message"). */
void events_message(struct events *ev, int account, uint64_t connection, bool outward,
                    struct slice message);

/* The trust store or its filter was replaced, the clock was set: tells "trust", "clock". */
void events_trust_changed(struct events *ev);
void events_clock_changed(struct events *ev);

/* The phone shows ID (NULL: none) from now on: tells "certificate". WHY is a sentence. */
void events_identity_changed(struct events *ev, const struct identity *id, const char *why);

/* A run of provisioning has ended: tells "provision". */
void events_provision(struct events *ev, const struct provision_report *r);

/* A certificate is about to end, has ended, or does not matter any more: tells "certificate". */
void events_certificate(struct events *ev, const struct expiry_notice *n);

#endif
