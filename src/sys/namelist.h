/* namelist: the names in a directory, sorted, and only as many of them as wanted, however many it
 * has. For sys/ only. */
#ifndef SIPSD_SYS_NAMELIST_H
#define SIPSD_SYS_NAMELIST_H

#include <dirent.h>

#include "base/errinfo.h"

struct namelist {
    char **names; /* the first ones in order */
    size_t count;
    size_t max;
    size_t total; /* how many there were */
};

/* Whether the entry of D is wanted. Hidden ones are passed over before. */
typedef bool namelist_filter(DIR *d, const struct dirent *entry);
bool namelist_regular(DIR *d, const struct dirent *entry);
bool namelist_any(DIR *d, const struct dirent *entry);

/* Of the directory FD, which stays open and is read from its start. PATH is for sentences. OUT is
 * to be freed, after failure too. */
RESULT namelist_read(int fd, const char *path, size_t max, namelist_filter *wanted,
                     struct namelist *out, struct errinfo *e);
void namelist_free(struct namelist *list);

#endif
