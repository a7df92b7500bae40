/*
 * pathrules: the rules that need more than one certificate of a path.
 */
#ifndef SIPSD_PKI_PATHRULES_H
#define SIPSD_PKI_PATHRULES_H

#include "pki/path.h"

/* What is kept between the paths of one search. A value type; only IN is set at the start. */
struct pathrules {
    const struct verify_input *in;
    unsigned comparisons;                                /* of names, made so far */
    uint8_t constraints[PATH_CERTS_MAX][PATH_CERTS_MAX]; /* [CA][below it]; 0: not looked at */
};

/*
 * The last certificate of PATH against those below it: path length and name constraints. They only
 * look down, so a path that keeps them can be built upwards step by step.
 */
void pathrules_step(struct pathrules *r, const struct path *path, struct faults *f);

/* A whole path, its last certificate being the anchor: certificate policies. */
void pathrules_whole(struct pathrules *r, const struct path *path, struct faults *f);

#endif
