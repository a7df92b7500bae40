/* privs: giving up what is not needed: root, new privileges, core dumps. Linux. */
#ifndef SIPSD_SYS_PRIVS_H
#define SIPSD_SYS_PRIVS_H

#include <sys/types.h>

#include "base/errinfo.h"

/* No core dumps, not dumpable, no_new_privs; at start, before any secret is read. */
RESULT privs_harden(struct errinfo *e);

/*
 * Becomes USER for good: groups, gid, uid, no capabilities; checks that the way back is shut. OK
 * and nothing done if the process is that user already; ERR_NOT_FOUND if there is none of that
 * name; ERR_DENIED if the process is neither root nor that user.
 */
RESULT privs_drop(const char *user, struct errinfo *e);

/* The id of group NAME; ERR_NOT_FOUND. */
RESULT privs_group(const char *name, gid_t *out, struct errinfo *e);

#endif
