/*
 * fileio: the steps of which store and generation are made, over descriptors that are open. For
 * sys/ only.
 */
#ifndef SIPSD_SYS_FILEIO_H
#define SIPSD_SYS_FILEIO_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/errinfo.h"

/* Fails with the code that tells a caller what to do (NOT_FOUND, DENIED, else SYSTEM) and the
 * sentence "cannot WHAT PATH: strerror". */
RESULT fileio_fail(struct errinfo *e, int errnum, const char *what, const char *path);

/* Appends all of the regular file FD to OUT, at once, so that there are no copies of a secret.
 * ERR_INVALID for what is no regular file; ERR_LIMIT over OUT's cap, told before reading; on
 * failure OUT is as it was. PATH is for sentences, here and below. */
RESULT fileio_read(int fd, const char *path, struct buf *out, struct errinfo *e);

/* Makes the file NAME in DIR, which has none of that name, of the N PARTS, and syncs it. MODE is
 * its mode whatever the umask is. On failure there may be a part of it. */
RESULT fileio_create(int dir, const char *name, mode_t mode, const struct slice *parts, size_t n,
                     const char *path, struct errinfo *e);

/* Removes NAME from DIR, and all that is in it if it is a directory, down to a depth that nothing
 * of ours has. False, with errno, if something is left. */
bool fileio_remove_all(int dir, const char *name);

#endif
