#include "sys/generation_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "sys/fileio.h"
#include "sys/generation.h"
#include "sys/seal.h"

static RESULT path_of(const char *dir, char path[PATH_MAX], struct errinfo *e)
{
    const int n = snprintf(path, PATH_MAX, "%s/generations", dir);
    return n > 0 && n < PATH_MAX
               ? OK
               : fail(e, ERR_INVALID, "'%s' cannot be the name of a directory", dir);
}

RESULT generation_dir_make(const char *dir, struct errinfo *e)
{
    char path[PATH_MAX];
    TRY(path_of(dir, path, e));
    const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fileio_fail(e, errno, "write to", dir);
    const bool made = mkdirat(fd, "generations", 0700) == 0;
    const bool ready =
        made ? fchmodat(fd, "generations", 0700, 0) == 0 && fsync(fd) == 0 : errno == EEXIST;
    const int error = errno;
    (void)close(fd);
    return ready ? OK : fileio_fail(e, error, "make", path);
}

RESULT generation_dir_open(const char *dir, struct generation_dir *out, struct errinfo *e)
{
    TRY(path_of(dir, out->path, e));
    out->fd = open(out->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return out->fd < 0 ? fileio_fail(e, errno, "open", out->path) : OK;
}

void generation_dir_close(struct generation_dir *d)
{
    (void)close(d->fd);
}

void generation_dir_name(uint64_t number, char out[GENERATION_DIR_NAME])
{
    (void)snprintf(out, GENERATION_DIR_NAME, "%08" PRIu64, number);
}

/* Only as generation_dir_name() writes it, so that no two names have the same number. */
static uint64_t number_of(const char *name)
{
    char written[GENERATION_DIR_NAME];
    uint64_t n;
    if (!slice_to_u64(slice_of_str(name), UINT64_MAX, &n))
        return 0;
    generation_dir_name(n, written);
    return strcmp(name, written) == 0 ? n : 0;
}

RESULT generation_dir_newest(const struct generation_dir *d, uint64_t below, uint64_t *number,
                             struct errinfo *e)
{
    const struct dirent *entry;
    const int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    *number = 0;
    if (list == NULL) {
        const int error = errno;
        if (fd >= 0)
            (void)close(fd);
        return fileio_fail(e, error, "read the directory", d->path);
    }
    /* cppcheck-suppress readdirCalled ; one thread, and glibc deprecates readdir_r() */
    for (errno = 0; (entry = readdir(list)) != NULL; errno = 0) {
        const uint64_t n = number_of(entry->d_name);
        if (n > *number && n < below)
            *number = n;
    }
    const int error = errno;
    (void)closedir(list);
    return error == 0 ? OK : fileio_fail(e, error, "read the directory", d->path);
}

bool generation_dir_is_passing(struct result r, const struct errinfo *e)
{
    return r.code == ERR_NOMEM || e->native == EMFILE || e->native == ENFILE ||
           e->native == ENOMEM || e->native == EINTR;
}

RESULT generation_dir_enter(const struct generation_dir *d, uint64_t number,
                            struct generation_inside *out, struct errinfo *e)
{
    char name[GENERATION_DIR_NAME];
    generation_dir_name(number, name);
    *out = (struct generation_inside){.fd = -1};
    (void)snprintf(out->path, sizeof out->path, "%s/%s", d->path, name);
    out->fd = openat(d->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (out->fd < 0)
        return fileio_fail(e, errno, "open", out->path);
    const struct result r =
        namelist_read(out->fd, out->path, LIMIT_GENERATION_FILES, namelist_any, &out->files, e);
    if (is_err(r))
        generation_dir_leave(out);
    return r;
}

void generation_dir_leave(struct generation_inside *in)
{
    namelist_free(&in->files);
    (void)close(in->fd);
}

RESULT generation_dir_read(const struct generation_inside *in, const char *name, struct buf *file,
                           struct slice *content, struct errinfo *e)
{
    char path[PATH_MAX + GENERATION_DIR_NAME + NAME_MAX + 2];
    (void)snprintf(path, sizeof path, "%s/%s", in->path, name);
    if (!generation_is_name(name))
        return fail(e, ERR_INVALID, "%s has a name that no file here may have", path);
    const int fd = openat(in->fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
    if (fd < 0 && errno == ELOOP)
        return fail_native(e, ERR_INVALID, ELOOP,
                           "%s is a symbolic link, and here none is followed", path);
    if (fd < 0)
        return fileio_fail(e, errno, "open", path);
    struct result r = fileio_read(fd, path, file, e);
    (void)close(fd);
    if (is_ok(r) && is_err(r = seal_open(buf_slice(file), content, e)))
        errinfo_context(e, "%s is damaged", path);
    return r;
}
