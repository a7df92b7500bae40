#include "sys/namelist.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fileio.h"

bool namelist_regular(DIR *d, const struct dirent *entry)
{
    struct stat st;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_REG;
    return fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

bool namelist_any(DIR *d, const struct dirent *entry)
{
    (void)d;
    (void)entry;
    return true;
}

static struct result add(struct namelist *list, const char *name)
{
    size_t at = list->count;
    list->total++;
    while (at > 0 && strcmp(list->names[at - 1], name) > 0)
        at--;
    if (at == list->max)
        return OK;
    char *copy = strdup(name);
    if (copy == NULL)
        return err(ERR_NOMEM);
    if (list->count == list->max)
        free(list->names[--list->count]);
    memmove(&list->names[at + 1], &list->names[at], (list->count - at) * sizeof *list->names);
    list->names[at] = copy;
    list->count++;
    return OK;
}

static struct result read_all(DIR *d, const char *path, namelist_filter *wanted,
                              struct namelist *list, struct errinfo *e)
{
    const struct dirent *entry;
    /* cppcheck-suppress readdirCalled ; one thread, and glibc deprecates readdir_r() */
    for (errno = 0; (entry = readdir(d)) != NULL; errno = 0)
        if (entry->d_name[0] != '.' && wanted(d, entry) && is_err(add(list, entry->d_name)))
            return fail(e, ERR_NOMEM, "out of memory for the files of %s", path);
    return errno == 0 ? OK : fileio_fail(e, errno, "read the directory", path);
}

RESULT namelist_read(int fd, const char *path, size_t max, namelist_filter *wanted,
                     struct namelist *out, struct errinfo *e)
{
    *out = (struct namelist){.names = calloc(max + 1, sizeof *out->names), .max = max};
    if (out->names == NULL)
        return fail(e, ERR_NOMEM, "out of memory for the files of %s", path);
    const int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = own < 0 ? NULL : fdopendir(own);
    if (d == NULL) {
        const int error = errno;
        if (own >= 0)
            (void)close(own);
        return fileio_fail(e, error, "read the directory", path);
    }
    const struct result r = read_all(d, path, wanted, out, e);
    (void)closedir(d);
    return r;
}

void namelist_free(struct namelist *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->names[i]);
    free(list->names);
    *list = (struct namelist){0};
}
