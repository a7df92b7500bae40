/*
 * generation: small files on flash that change together.
 *
 * A generation is the directory DIR/generations/NNNNNNNN and the files in it. The one with the
 * highest number is the one that counts. A write makes the next one beside it, complete and synced,
 * and renames it into place: a power cut at any step leaves the old generation or the new one,
 * never a mixture. Only then are older ones removed: the newest and the one before it are kept.
 *
 * Each file begins with a line that this module writes and takes off again:
 *
 *     # sha256 <64 hexadecimal digits: the hash of everything behind this line>
 *
 * A file without that line was put there by hand, and is taken as it is. Damaged is a file whose
 * hash does not fit, that is empty or begins with a zero byte (what a power cut leaves of a file
 * that was never synced), that is too large, cannot be read, is no regular file (links are not
 * followed), or has a name that this module would not write. Damage of one file never takes others
 * with it: it is reported, with a sentence, and stays where it is until the next write; then it is
 * moved to DIR/damaged/NNNNNNNN-NAME for inspection, where the newest LIMIT_DAMAGED_FILES are kept.
 *
 * One process writes; another that tries at the same time is refused. Directories have mode 0700,
 * files 0600. Memory that held content is wiped, for a file may have a private key in it.
 */
#ifndef SIPSD_SYS_GENERATION_H
#define SIPSD_SYS_GENERATION_H

#include <stdint.h>

#include "base/errinfo.h"
#include "base/slice.h"

/* NAME: 1 to LIMIT_GENERATION_NAME characters of [A-Za-z0-9._-], no dot in front. */
struct generation_file {
    const char *name;
    struct slice content;
};

/* Whether NAME can be the name of a file in a generation. */
bool generation_is_name(const char *name);

/*
 * Makes the N FILES the newest generation, whole: what is not among them is not in it; none at all
 * are fine. DIR must exist. *NUMBER (may be NULL) is its number, above all others.
 *
 * A failure leaves the generation that was there: ERR_BUSY if another process is writing ("two
 * writers at once"); ERR_INVALID for a bad name or one that is there twice; ERR_LIMIT over
 * LIMIT_GENERATION_FILES or LIMIT_GENERATION_BYTES; ERR_NOT_FOUND, ERR_DENIED, ERR_SYSTEM (no space
 * is one) from the file system. What goes wrong after the new generation is in place (removing the
 * old ones) is no failure, and is tried again by the next write.
 */
RESULT generation_write(const char *dir, const struct generation_file *files, size_t n,
                        uint64_t *number, struct errinfo *e);

/* Gets one file. CONTENT is valid during the call, and without the line of the hash; empty where
 * DAMAGE, which is NULL for a sound file, says what is wrong. NAME is printable, however damaged.
 */
typedef void generation_file_fn(void *arg, const char *name, struct slice content,
                                const struct errinfo *damage);

/*
 * Calls FN with each file of the newest generation, sorted by name; *NUMBER is which one that is,
 * or 0 if there is none, which is no failure. Hidden files are passed over; of more than
 * LIMIT_GENERATION_FILES the first ones are read, and the rest is told as one damage. One file at a
 * time is in memory. FN must not write generations.
 *
 * A newest generation that is itself unreadable (no directory, no permission) is told to FN as
 * damage, under its number as NAME, and the one before it is read.
 *
 * ERR_DENIED, ERR_SYSTEM if the generations cannot be listed; ERR_NOMEM: FN has got some of the
 * files.
 */
RESULT generation_read(const char *dir, generation_file_fn *fn, void *arg, uint64_t *number,
                       struct errinfo *e);

/* The same for the newest generation below NUMBER: the one before, to fall back on. */
RESULT generation_read_before(const char *dir, uint64_t number, generation_file_fn *fn, void *arg,
                              uint64_t *found, struct errinfo *e);

/*
 * Makes the generation before NUMBER, the newest one, count again: it is written anew, above
 * NUMBER; an empty one where there is none before. Its damaged files are left out. *WRITTEN (may be
 * NULL) is the number that it has now. ERR_STATE if NUMBER is not the newest; else the errors of
 * generation_write(), and then NUMBER stays.
 */
RESULT generation_roll_back(const char *dir, uint64_t number, uint64_t *written, struct errinfo *e);

/* Removes what interrupted writes left; at start. ERR_BUSY if another process is writing. No
 * generations at all is fine. */
RESULT generation_clean(const char *dir, struct errinfo *e);

#endif
