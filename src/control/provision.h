/*
 * provision: admins push certificates and settings. Each push, fetch or setting is a run, and a run
 * is one transaction: what it wants is gathered, judged as a whole, and then counts as a whole, or
 * nothing of it does (control/plan, control/change). docs/provisioning.md is the manual.
 *
 *     IDLE --> GATHERING --> IDLE | TRIAL --> IDLE
 *
 * One run at a time; others wait in a queue. A run begins from the loop, never inside the call that
 * asks for it, and each that was given an id ends with exactly one call of ENDED; a trial ends with
 * a second one, KEPT or ROLLED_BACK under the same id.
 *
 * The engine owns what was provisioned: the layers of settings (control/layers), and the settings
 * that count, which are those over the base. It has credentials held while a trial runs.
 */
#ifndef SIPSD_CONTROL_PROVISION_H
#define SIPSD_CONTROL_PROVISION_H

#include "control/credentials.h"
#include "control/gather.h"
#include "control/provision_report.h"
#include "control/settings.h"
#include "link/account.h"

struct provision;
struct layers;
struct commands;

/* Asked and called from the loop, or from inside a call of the engine. */
struct provision_hooks {
    /* The settings of the files that sipsd was started with; borrowed. */
    const struct settings *(*base)(void *arg);
    /* The settings that count are NOW, no longer OLD: both are valid during the call; then OLD
     * goes. Nothing of the engine that changes something may be called in it. */
    void (*apply)(void *arg, const struct settings *old, const struct settings *now);
    /* A run ended. R is valid during the call. New runs may be begun in it. */
    void (*ended)(void *arg, const struct provision_report *r);
    /* The accounts that there are, as fleet_count() and fleet_at(). */
    size_t (*account_count)(void *arg);
    struct account *(*account_at)(void *arg, size_t i);
    struct wallclock (*now)(void *arg);
    void *arg;
    struct fetch_ops fetch; /* has an ARG of its own */
};

/* Strings are borrowed, and all of it must outlive the engine. */
struct provision_params {
    struct loop *loop;
    struct credentials *credentials;
    const char *state_dir;
    const char *mac; /* the phone's, in any usual form */
    struct provision_hooks hooks;
};

/*
 * A trial that did not end, because the process did, is rolled back. At the start, before the
 * credentials are opened; the engine tells of it later (ENDED, from the loop). A failure is logged,
 * and tried again by the engine.
 */
void provision_recover(const char *state_dir);

/* Reads the layers; a damaged one is complained of, and the one of the generation before counts
 * instead. APPLY is not called: provision_settings() is what counts. ERR_NOMEM. */
RESULT provision_new(const struct provision_params *p, struct provision **out, struct errinfo *e);
void provision_free(struct provision *p); /* what is under way is dropped. NULL is fine */

/* The settings that count: valid until APPLY was called with others. And those below the layers. */
const struct settings *provision_settings(const struct provision *p);
const struct settings *provision_base(const struct provision *p);
const struct layers *provision_layers(const struct provision *p);         /* borrowed, likewise */
const struct complaints *provision_complaints(const struct provision *p); /* about layers */

struct provision_file {
    const char *name;
    struct slice content;
};

/* All of it is copied. */
struct provision_request {
    enum provision_cause cause;         /* any but LOCAL */
    const struct provision_file *files; /* PUSH: 1 to LIMIT_PROVISION_FILES of them */
    size_t count;
    const struct commands *commands; /* START; else NULL */
    bool force;                      /* also if it would lock out */
    bool check;                      /* only to see what would come of it */
    unsigned trial_s;                /* LIMIT_TRIAL_MIN_S to LIMIT_TRIAL_MAX_S; 0: no trial */
};

/*
 * Asks for a run. *ID is its number, above all before, and told in its report. A fetch that asks
 * for what one in the queue will do anyway gets that one's number. ERR_BUSY: the queue is full
 * (LIMIT_PROVISION_QUEUE runs, LIMIT_PROVISION_WAITING bytes of files); ERR_INVALID, ERR_LIMIT for
 * a request that makes no sense; ERR_STATE for a fetch without static.auto_provision.server.url.
 */
RESULT provision_begin(struct provision *p, const struct provision_request *r, uint64_t *id,
                       struct errinfo *e);

/*
 * Sets what CHANGES has (NULL: nothing) in the local layer, and unsets the UNSET keys there: at
 * once, with the same judgement, guard and report (cause LOCAL). OK if it counts, or was so
 * already; else the report's code and sentence, and nothing has changed. ENDED is called from
 * inside. REPORT (may be NULL) is valid until the next run ends. ERR_BUSY while a trial runs.
 */
RESULT provision_set_local(struct provision *p, const struct settings *changes,
                           const char *const *unset, size_t unset_count, bool force,
                           const struct provision_report **report, struct errinfo *e);

/* Ends the trial well, or takes it back. ERR_STATE if there is none; what cannot be written leaves
 * the trial as it was. */
RESULT provision_confirm(struct provision *p, struct errinfo *e);
RESULT provision_roll_back(struct provision *p, struct errinfo *e);

/* How the last run ended, of this process or one before; NULL: there was none. Valid until the next
 * one ends. */
const struct provision_report *provision_last(const struct provision *p);

/* Whether a trial runs; and whether a run is under way or waits. */
bool provision_in_trial(const struct provision *p);
bool provision_is_busy(const struct provision *p);

/* --- what the daemon has to tell it --- */

/* The base was replaced, or the credentials were read anew (SIGHUP), or another process or module
 * has changed the files of the generation: layers are read again, and APPLY is called if other
 * settings count. ERR_NOMEM: all is as it was. */
RESULT provision_reload(struct provision *p, struct errinfo *e);

/* First thing in the credentials' CHANGED callback: settings that are committed together with
 * certificates are applied then, so that connections are judged with both. */
void provision_credentials_changed(struct provision *p);

/* An account changed: a trial may have ended well. */
void provision_account_changed(struct provision *p);

#endif
