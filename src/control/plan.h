/*
 * plan: what would come of some settings files: which layer each changes, what their commands do to
 * the certificates, and whether all of it together is good. No I/O but that of the commit at the
 * end, which is not this module's: files and certificates are handed in.
 *
 *     TRY(plan_new(&input, &plan, e));
 *     for (each file)
 *         plan_file(plan, name, host, content, NULL, report);
 *     while ((url = plan_next(plan, report)) != NULL)
 *         plan_give(plan, host, fetched, report);         or plan_deny()
 *     r = plan_judge(plan, &verdict, report, e);
 *     ... change_commit(plan_change(plan), e) ...
 *     plan_free(plan);
 *
 * What is wrong with the files is no failure of these calls: it goes into the report, item by item,
 * all of it, and the plan is refused in the end. One certificate's file at a time is in memory;
 * what is kept of it is what was parsed.
 */
#ifndef SIPSD_CONTROL_PLAN_H
#define SIPSD_CONTROL_PLAN_H

#include "control/change.h"
#include "control/provision_report.h"
#include "control/settings.h"

struct plan;
struct layers;
struct commands;

/* Borrowed, must outlive the plan. */
struct plan_input {
    struct credentials *credentials; /* what counts now; the change is one of these */
    const struct layers *layers;     /* likewise */
    const struct settings *base;     /* of the files that sipsd was started with */
    const struct settings *now;      /* that count: LAYERS over BASE */
    const char *mac;                 /* the phone's: whose <mac>.cfg is ours */
};

RESULT plan_new(const struct plan_input *in, struct plan **out, struct errinfo *e);
void plan_free(struct plan *p); /* NULL is fine */

/* Which layer a settings file is for: "<mac>.cfg", with the phone's MAC in any usual form, is for
 * this phone, all others for all. False, and a sentence: it is for another phone, by its name. */
bool plan_is_phones(const char *name, const char *mac, bool *phones, struct errinfo *e);

/*
 * Takes a settings file: the layer that its NAME says gets what it sets, its commands are kept to
 * be carried out behind those before. HOST is where it came from, "" for none. FOUND (may be NULL)
 * gets the file's own commands. False if it is no settings file, or another phone's; the report
 * says so, and what is wrong in it.
 */
bool plan_file(struct plan *p, const char *name, const char *host, struct slice content,
               struct commands *found, struct provision_report *r);

/* Commands alone, behind those before. */
void plan_commands(struct plan *p, const struct commands *c, struct provision_report *r);

/* Sets (SET may be NULL) and unsets in the local layer. ERR_NOT_FOUND for a key that there is not.
 */
RESULT plan_local(struct plan *p, const struct settings *set, const char *const *unset,
                  size_t unset_count, struct errinfo *e);

/*
 * Carries commands out, up to the next one that wants a file from elsewhere: its URL, valid until
 * the next call; NULL when all are done. Then plan_give() what is there at HOST ("" for none), or
 * plan_deny() with why it cannot be had.
 */
const char *plan_next(struct plan *p, struct provision_report *r);
void plan_give(struct plan *p, const char *host, struct slice content, struct provision_report *r);
void plan_deny(struct plan *p, const char *host, const char *sentence, struct provision_report *r);

/* Leaves that command out, and says why: for who judges a plan that is not his to carry out, where
 * not all files are at hand. */
void plan_pass(struct plan *p, const char *sentence, struct provision_report *r);

enum plan_verdict {
    PLAN_REFUSED,   /* the report has the reasons */
    PLAN_UNCHANGED, /* it would change nothing */
    PLAN_CHANGES,
};

/* Once, at the end. Fills in what of R is about what changes. Errors are those of this machine
 * (memory), not of the files. */
RESULT plan_judge(struct plan *p, enum plan_verdict *out, struct provision_report *r,
                  struct errinfo *e);

/* After plan_judge(), unless it was refused; borrowed. */
struct change *plan_change(const struct plan *p);
const struct settings *plan_settings(const struct plan *p); /* as they would be */

/* The caller's from then on. */
struct layers *plan_take_layers(struct plan *p);
struct settings *plan_take_settings(struct plan *p);

#endif
