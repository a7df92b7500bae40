/*
 * store: files on flash that are whole or not there.
 *
 * A write goes to a temporary file in the same directory (".NAME.new"), which is synced, renamed
 * over the old one, and the directory is synced: a power cut at any step leaves the old content or
 * the new, never a part. Temporary files that a cut left behind are removed by store_clean().
 *
 * One process writes a directory (store_create() is the exception). Symbolic links are followed to
 * what is read, which may be a configuration that lives elsewhere, and replaced, not followed, by
 * what is written.
 */
#ifndef SIPSD_SYS_STORE_H
#define SIPSD_SYS_STORE_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/errinfo.h"

/* Reads the whole regular file into OUT (appended; as it was on failure). ERR_NOT_FOUND;
 * ERR_DENIED; ERR_LIMIT over OUT's cap, told before reading. */
RESULT store_read(const char *path, struct buf *out, struct errinfo *e);

/* MODE is the file's whatever the umask is: 0600 for keys. A failure leaves the old content, but
 * one of the very last step, in which only the safety from a power cut is missing. */
RESULT store_write(const char *path, mode_t mode, struct slice content, struct errinfo *e);

/* The same for a file that must not be there yet: ERR_EXISTS, and what is there stays. Any number
 * of processes may create files in one directory at once. */
RESULT store_create(const char *path, mode_t mode, struct slice content, struct errinfo *e);

/* Removes it for good (directory synced); OK if it was not there. */
RESULT store_remove(const char *path, struct errinfo *e);

/* Calls FN with each regular file's name in DIR, sorted by name, hidden ones left out, the first
 * MAX. The directory may be changed inside FN. ERR_NOT_FOUND if there is no such directory. */
typedef void store_list_fn(void *arg, const char *name);
RESULT store_list(const char *dir, size_t max, store_list_fn *fn, void *arg, struct errinfo *e);

/* Makes DIR (and its parents) with MODE, whatever the umask is, if it is not there; what is there
 * keeps its mode. */
RESULT store_make_dir(const char *dir, mode_t mode, struct errinfo *e);

/* Removes what interrupted writes left in DIR. */
RESULT store_clean(const char *dir, struct errinfo *e);

#endif
