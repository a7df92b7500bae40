/* provision_parts: what the files of control/provision have in common, and nobody else needs. */
#ifndef SIPSD_CONTROL_PROVISION_PARTS_H
#define SIPSD_CONTROL_PROVISION_PARTS_H

#include "control/command.h"
#include "control/layers.h"
#include "control/plan.h"
#include "control/provision.h"
#include "control/trial.h"

/* A request that waits, or is worked off. */
struct errand {
    uint64_t id;
    enum provision_cause cause;
    struct errand_file {
        char name[LIMIT_PROVISION_NAME];
        struct buf content; /* can have secrets: wiped */
    } files[LIMIT_PROVISION_FILES];
    size_t count;
    struct commands commands;
    bool force, check;
    unsigned trial_s;
};

enum provision_state {
    PROVISION_IDLE,
    PROVISION_GATHERING, /* RUN is the run under way */
    PROVISION_TRYING,    /* a trial: TRIAL */
};

/* What a run still has to get. */
enum run_step { RUN_COMMON, RUN_PHONE, RUN_COMMANDS };

struct run {
    struct errand errand;
    struct plan *plan;
    struct provision_report report;
    enum run_step step;
    unsigned missing;  /* of the server's two files */
    unsigned attempts; /* this one included */
    uint64_t version;  /* of the credentials, when it began */
};

struct provision {
    struct provision_params params;
    enum provision_state state;
    struct layers *layers;
    struct settings *settings; /* those over the base: what counts */
    uint64_t version;          /* of the two: counts up */
    struct complaints complaints;
    struct gather *gather;

    struct errand queue[LIMIT_PROVISION_QUEUE];
    size_t queued;
    uint64_t last_id;
    struct run run;
    struct trial trial;

    /* What is being committed, or rolled back: see provision_credentials_changed(). */
    struct layers *next_layers;
    struct settings *next_settings; /* NULL: they do not change */
    bool rolling_back;

    struct provision_report last; /* id 0: there was none */
    bool last_to_tell;            /* it was made before there was somebody to tell */

    struct loop_timer *turn;     /* the next errand; what a trial waits for */
    struct loop_timer *deadline; /* of gathering, of a trial */
};

void provision_set_state(struct provision *p, enum provision_state to);

/* Takes up the next errand as soon as the loop turns. */
void provision_wake(struct provision *p);

/* What is being committed counts from now on; nothing if there is nothing, or it does already. */
void provision_take_next(struct provision *p);

/* R is how a run ended: kept, logged, told. It is emptied. */
void provision_tell(struct provision *p, struct provision_report *r);

/* --- provision_trial --- */

/* What R tells of was committed on trial. */
void provision_begin_trial(struct provision *p, const struct provision_report *r, unsigned seconds);

void provision_look_at_trial(struct provision *p); /* it may have proved itself */
void provision_trial_over(struct provision *p);    /* its time is */

/* At the start: a trial whose end was not told yet; and telling it. */
void provision_recall_trial(struct provision *p);
void provision_tell_recovered(struct provision *p);

/* --- provision_run --- */

/* The errand of P->run begins. */
void run_begin(struct provision *p);
void run_on_gathered(void *arg, const struct gathered *g);
void run_on_deadline(struct provision *p);
void run_clear(struct run *run);

/* Judges PLAN, and commits it unless only a check was asked for, or nothing would change. R gets
 * how it ended; a failure is FAILED, beside. */
RESULT run_finish(struct provision *p, struct plan *plan, const struct errand *errand,
                  struct provision_report *r, struct errinfo *e);

void errand_clear(struct errand *e);

#endif
