/* tempdir: a directory for one test, and what a test wants to know of it. What fails here ends the
 * process. */
#ifndef SIPSD_TESTS_TOOLS_TEMPDIR_H
#define SIPSD_TESTS_TOOLS_TEMPDIR_H

#include <stdbool.h>

#include "base/slice.h"

#define TEMPDIR_SIZE 64

void tempdir_make(char out[TEMPDIR_SIZE]);
void tempdir_remove(const char *path); /* and all that is in it */

/* "DIR/NAME"; valid until the fourth call from now. */
const char *tempdir_path(const char *dir, const char *name);

/* Writes the file PATH as it is, over what was there. */
void tempdir_put(const char *path, struct slice content);

/* Names in DIR, hidden ones too; only those; 0 if there is no such directory. */
unsigned tempdir_count(const char *dir);
unsigned tempdir_count_hidden(const char *dir);

#endif
