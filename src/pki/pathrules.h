/*
 * pathrules: the rules that need more than one certificate of a path.
 */
#ifndef SIPSD_PKI_PATHRULES_H
#define SIPSD_PKI_PATHRULES_H

#include "pki/path.h"

/*
 * The last certificate of PATH against those below it: path length and name constraints. They only
 * look down, so a path that keeps them can be built upwards step by step.
 */
void pathrules_step(const struct verify_input *in, const struct path *path, struct faults *f);

/* A whole path, its last certificate being the anchor: certificate policies, revocation. */
void pathrules_whole(const struct verify_input *in, const struct path *path, struct faults *f);

#endif
