/*
 * anchors: the custom CA certificates that lie in the state directory, and the trust store that is
 * made of them.
 *
 * Each file counts as a whole and is judged alone: one that cannot be used is logged and left where
 * it is, the others stand.
 */
#ifndef SIPSD_APP_ANCHORS_H
#define SIPSD_APP_ANCHORS_H

#include "base/errinfo.h"
#include "pki/trust.h"

struct anchors;

/* Reads the *.pem files of DIR; no directory is like an empty one. */
RESULT anchors_read(const char *dir, struct anchors **out, struct errinfo *e);
void anchors_free(struct anchors *a); /* NULL is fine */

/* Whether both have the same certificates under the same names. */
bool anchors_equal(const struct anchors *a, const struct anchors *b);

/* A new snapshot of the built-in certificates and these. */
RESULT anchors_trust(const struct anchors *a, struct trust **out, struct errinfo *e);

#endif
