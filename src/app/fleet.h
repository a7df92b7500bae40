/*
 * fleet: the phone's accounts as the settings say: started, left alone, replaced and stopped as the
 * settings change.
 */
#ifndef SIPSD_APP_FLEET_H
#define SIPSD_APP_FLEET_H

#include "control/settings.h"
#include "link/account.h"

struct fleet;

struct fleet_handlers {
    account_changed_fn *changed; /* of an account that fleet_at() gives */
    void (*replaced)(void *arg); /* the set of accounts is another one */
    void (*stopped)(void *arg);  /* after fleet_stop(): all are down; from the loop */
};

/* SHARED and H are borrowed. */
RESULT fleet_new(const struct account_shared *shared, const struct fleet_handlers *h, void *arg,
                 struct fleet **out);

/* At once: nothing is sent any more. NULL is fine. */
void fleet_free(struct fleet *f);

/*
 * From the settings OLD (NULL: nothing of them counts any more) to NOW. An account whose
 * configuration is the same is not touched. One that differs is stopped, when no call hangs on its
 * connection any more (account_retire()), and starts with its new one as soon as the old
 * registration is taken back: the two would fight for the same binding. What cannot be started is
 * logged.
 */
void fleet_apply(struct fleet *f, const struct settings *old, const struct settings *now,
                 struct trust *trust);

void fleet_set_trust(struct fleet *f, struct trust *trust);
/*
 * The phone's own certificate was replaced: all accounts take it for future connections, as
 * account_set_identity() says; none is restarted. SHARED is the owner's to update before, for
 * accounts that are made later. An account that cannot take it keeps the old one, which is logged.
 */
void fleet_set_identity(struct fleet *f, struct identity *id, enum identity_source source);

void fleet_clock_changed(struct fleet *f);

/* Takes all registrations back and closes; STOPPED is called within LIMIT_CLOSE_MS or so. */
void fleet_stop(struct fleet *f);

/* The accounts, in the order of their numbers; without those that are being replaced, but for one
 * that a call still keeps: it stands for its successor. */
size_t fleet_count(const struct fleet *f);
struct account *fleet_at(const struct fleet *f, size_t i);

#endif
