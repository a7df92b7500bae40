/*
 * events: what the UI and the admin are told: the JSON of status, locks, registrations and trust;
 * and the two sockets with their methods, put together. docs/events.md is this module's manual.
 */
#ifndef SIPSD_CONTROL_EVENTS_H
#define SIPSD_CONTROL_EVENTS_H

#include "base/errinfo.h"
#include "control/settings.h"
#include "link/account.h"

struct events;

/* What the methods look at and act upon; the daemon fills it in. Borrowed, must outlive the events.
 */
struct events_source {
    size_t (*account_count)(void *arg);
    struct account *(*account_at)(void *arg, size_t i);
    struct trust *(*trust)(void *arg); /* borrowed */
    enum trust_filter (*trust_filter)(void *arg);
    struct wallclock (*now)(void *arg);
    void *arg;
};

struct events_params {
    struct loop *loop;
    const char *run_dir; /* events.sock and control.sock are made in it */
    gid_t ui_group;      /* (gid_t)-1: none */
    gid_t admin_group;
    const char *version;
    struct events_source source;
};

RESULT events_new(const struct events_params *p, struct events **out, struct errinfo *e);
void events_free(struct events *ev);

/* Account A changed: reduces, compares with what was told last, notifies "lock" and "registration"
 * if they differ. */
void events_account_changed(struct events *ev, struct account *a);

/* The trust store or the set of accounts was replaced: notifies "trust", or a snapshot. */
void events_trust_changed(struct events *ev);
void events_accounts_replaced(struct events *ev);

#endif
