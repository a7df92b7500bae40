/*
 * offline: a phone that is not there, to judge with what an admin wants to give to one: its
 * credentials, on which the phone's own modules work as they do there. One at a time.
 */
#ifndef SIPSD_CTL_OFFLINE_H
#define SIPSD_CTL_OFFLINE_H

#include "control/credentials.h"
#include "ctl/files.h"

struct offline;

/*
 * A phone whose clock is set, and shows NOW_S. It has the trusted certificates in the files CAS
 * (NULL: none), each an upload, and nothing else. MAC is borrowed. ERR_INVALID for a file that it
 * cannot have, with a sentence; ERR_SYSTEM where there is no room for temporary files; ERR_NOMEM.
 */
RESULT offline_new(const char *mac, int64_t now_s, const struct files *cas, struct offline **out,
                   struct errinfo *e);
void offline_free(struct offline *o); /* NULL is fine */

/* Borrowed. */
struct credentials *offline_credentials(const struct offline *o);

#endif
