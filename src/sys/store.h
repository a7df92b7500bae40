/*
 * store: files on flash that are whole or not there.
 *
 * A write goes to a temporary file in the same directory, which is synced, renamed over the old
 * one, and the directory is synced: a power cut at any step leaves the old content or the new,
 * never a part. Temporary files that a cut left behind are removed by store_clean().
 */
#ifndef SIPSD_SYS_STORE_H
#define SIPSD_SYS_STORE_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/errinfo.h"

/* Reads the whole file into OUT (appended). ERR_NOT_FOUND; ERR_LIMIT over OUT's cap, told before
 * reading. */
RESULT store_read(const char *path, struct buf *out, struct errinfo *e);

/* MODE is the file's whatever the umask is: 0600 for keys. */
RESULT store_write(const char *path, mode_t mode, struct slice content, struct errinfo *e);

/* Removes it for good (directory synced); OK if it was not there. */
RESULT store_remove(const char *path, struct errinfo *e);

/* Calls FN with each regular file's name in DIR, sorted by name, hidden ones left out, at most MAX.
 */
typedef void store_list_fn(void *arg, const char *name);
RESULT store_list(const char *dir, size_t max, store_list_fn *fn, void *arg, struct errinfo *e);

/* Makes DIR (and its parents) with MODE if it is not there. */
RESULT store_make_dir(const char *dir, mode_t mode, struct errinfo *e);

/* Removes what interrupted writes left in DIR. */
RESULT store_clean(const char *dir, struct errinfo *e);

#endif
