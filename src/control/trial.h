/*
 * trial: what was provisioned on trial, and whether it proved itself: kept is what was confirmed,
 * or what the accounts came back with; all else is rolled back. Only looks and decides;
 * control/provision acts.
 *
 * While a trial runs, the generation has the file TRIAL_FILE: a process that starts with it rolls
 * back first, because whoever should have confirmed has lost sight of the phone.
 */
#ifndef SIPSD_CONTROL_TRIAL_H
#define SIPSD_CONTROL_TRIAL_H

#include "control/provision_report.h"
#include "control/settings.h"
#include "link/account.h"

#define TRIAL_FILE "trial"

/* The accounts, as in struct provision_hooks. */
struct trial_accounts {
    size_t (*count)(void *arg);
    struct account *(*at)(void *arg, size_t i);
    void *arg;
};

/* What an account was before. */
struct trial_before {
    bool locked;
    uint64_t connection; /* the one that it had; 0: none */
};

/* A value type; all zero: there is none. */
struct trial {
    struct provision_report report; /* of the run; its id names the trial */
    struct trial_before before[LIMIT_ACCOUNTS];
    bool identity; /* the phone shows another certificate */
    bool failed;   /* it is to be rolled back, which did not succeed yet */
};

/* Before the commit: what is to come back. */
void trial_prepare(struct trial *t, const struct trial_accounts *a, bool identity);

/*
 * Whether it has proved itself: at least one account is locked, and each that was before, and that
 * NOW still enables, is again. Where the phone shows another certificate, an account whose server
 * asks for one counts only with a new connection: the old one says nothing about it.
 */
bool trial_has_proved(const struct trial *t, const struct trial_accounts *a,
                      const struct settings *now);

/* What the file says, for people: when it ends. */
struct buf;
RESULT trial_write(uint64_t id, int64_t ends_s, struct buf *out);

/* Whether the newest generation in STATE_DIR, which is *NUMBER, is one on trial. */
bool trial_is_open(const char *state_dir, uint64_t *number);

/* Of a trial that has ended: whether the newest generation has what was on trial, and not what was
 * there before. */
bool trial_was_kept(const char *state_dir);

void trial_clear(struct trial *t);

#endif
