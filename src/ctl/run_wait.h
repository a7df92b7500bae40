/* run_wait: waits until a run of provisioning has ended, and shows its report. */
#ifndef SIPSD_CTL_RUN_WAIT_H
#define SIPSD_CTL_RUN_WAIT_H

#include "sipsd/client.h"

/*
 * C has subscribed before the run with this ID was asked for. Prints its report, for people or as
 * JSON, and of a trial the second one too; returns the exit status. SIGINT, SIGTERM and SIGHUP end
 * the waiting, not the run: it says so, and how to learn what came of it.
 */
int run_wait(struct sipsd_client *c, double id);

#endif
