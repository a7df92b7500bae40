/*
 * files: an admin's files on their way to sipsd: inside the request where they fit, else uploaded
 * before it in pieces. What was read is wiped: there may be a key in it.
 */
#ifndef SIPSD_CTL_FILES_H
#define SIPSD_CTL_FILES_H

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "ctl/ctl.h"

#define FILES_MAX 10 /* each has one certificate at least, and ten are kept */

struct file {
    const char *path; /* borrowed */
    struct buf content;
};

/* A value type; all zero is empty. */
struct files {
    struct file list[FILES_MAX];
    size_t count;
};

/* Reads one more: CTL_OK, or the exit status, and why is said. PATH "-" is standard input, where
 * FILES_NAME_STDIN is its name. */
#define FILES_NAME_STDIN "stdin"
int files_read(struct files *f, const char *path);
void files_clear(struct files *f);

/* What it is called, without directories. */
const char *files_name(const struct file *f);

/* Adds to OBJECT what a request says of a file: its name, and the content itself. False without
 * memory. */
bool files_inline(cJSON *object, const struct file *f);

/* An array of all of F, for a request: with their contents, or uploaded through C. NULL if that
 * failed: *STATUS is the exit status, and why is said. */
cJSON *files_describe(const struct files *f, struct sipsd_client *c, int *status);

#endif
