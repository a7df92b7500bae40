/* run_view: the report of a run of provisioning, for people, and as an exit status. */
#ifndef SIPSD_CTL_RUN_VIEW_H
#define SIPSD_CTL_RUN_VIEW_H

#include <stdbool.h>

struct cJSON;

/* To stdout: the sentence; each file, and below it what is to be said of it; what has changed.
 * REPORT is as docs/events.md has it: members that are not there are left out. */
void run_view_print(const struct cJSON *report);

/* The exit status that goes with its outcome: CTL_OK for one that is good, CTL_REFUSED where
 * nothing was changed, or all was taken back, because of what was pushed; else CTL_FAILED. */
int run_view_status(const struct cJSON *report);

/* Whether it is the report of a trial that goes on, and a second one will follow. */
bool run_view_is_trial(const struct cJSON *report);

#endif
