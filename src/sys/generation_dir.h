/* generation_dir: which generations there are, by the names of their directories, and what is in
 * one of them. For sys/generation only. */
#ifndef SIPSD_SYS_GENERATION_DIR_H
#define SIPSD_SYS_GENERATION_DIR_H

#include <limits.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/errinfo.h"
#include "sys/namelist.h"

/* DIR/generations, open. */
struct generation_dir {
    int fd;
    char path[PATH_MAX];
};

/* Makes it if it is not there, for good. */
RESULT generation_dir_make(const char *dir, struct errinfo *e);

/* ERR_NOT_FOUND if there are no generations. */
RESULT generation_dir_open(const char *dir, struct generation_dir *out, struct errinfo *e);
void generation_dir_close(struct generation_dir *d);

/* "00000012", from 1 on. */
#define GENERATION_DIR_NAME 24
void generation_dir_name(uint64_t number, char out[GENERATION_DIR_NAME]);

/* The highest number below BELOW that anything has that is named like a generation; 0: none. */
RESULT generation_dir_newest(const struct generation_dir *d, uint64_t below, uint64_t *number,
                             struct errinfo *e);

/* One generation, open, and the names of the files in it. */
struct generation_inside {
    int fd;
    char path[PATH_MAX + GENERATION_DIR_NAME];
    struct namelist files;
};

/* To be closed after success. ERR_NOMEM; every other failure means that it is damaged, unless
 * generation_dir_is_passing() says that it is not. */
RESULT generation_dir_enter(const struct generation_dir *d, uint64_t number,
                            struct generation_inside *out, struct errinfo *e);
void generation_dir_leave(struct generation_inside *in);

/* Reads NAME in it into FILE (an empty buffer), of which *CONTENT becomes a part. Failures as
 * above. */
RESULT generation_dir_read(const struct generation_inside *in, const char *name, struct buf *file,
                           struct slice *content, struct errinfo *e);

/* Whether a failure says nothing about the file: no memory, no descriptors. */
bool generation_dir_is_passing(struct result r, const struct errinfo *e);

#endif
