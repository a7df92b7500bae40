#include "sys/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fileio.h"
#include "sys/namelist.h"

#define TEMPORARY_SUFFIX ".new"

/* --- reading --- */

struct result store_read(const char *path, struct buf *out, struct errinfo *e)
{
    const int fd =
        open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO must not hang us */
    if (fd < 0)
        return fileio_fail(e, errno, "open", path);
    const struct result r = fileio_read(fd, path, out, e);
    (void)close(fd);
    return r;
}

/* --- writing --- */

/* A file by its directory, which is open, and its name in it. */
struct place {
    const char *path; /* for sentences */
    int dir;
    const char *name;
    char temporary[NAME_MAX + 1];
};

static struct result place_open(struct place *p, const char *path, struct errinfo *e)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const size_t n = slash == NULL ? 0 : (size_t)(slash - path);
    p->path = path;
    p->name = slash == NULL ? path : slash + 1;
    const int length = snprintf(p->temporary, sizeof p->temporary, ".%s" TEMPORARY_SUFFIX, p->name);
    if (p->name[0] == '\0' || length < 0 || (size_t)length >= sizeof p->temporary ||
        n >= sizeof dir)
        return fail(e, ERR_INVALID, "'%s' cannot be the name of a file", path);
    (void)snprintf(dir, sizeof dir, "%.*s", (int)n, path);
    p->dir = open(slash == NULL ? "." : n == 0 ? "/" : dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return p->dir < 0 ? fileio_fail(e, errno, "write", path) : OK;
}

static struct result sync_dir(const struct place *p, struct errinfo *e)
{
    return fsync(p->dir) == 0 ? OK : fileio_fail(e, errno, "sync the directory of", p->path);
}

static struct result write_temporary(const struct place *p, mode_t mode, struct slice content,
                                     struct errinfo *e)
{
    if (unlinkat(p->dir, p->temporary, 0) != 0 && errno != ENOENT)
        return fileio_fail(e, errno, "replace an interrupted write of", p->path);
    return fileio_create(p->dir, p->temporary, mode, &content, 1, p->path, e);
}

static struct result replace(const struct place *p, mode_t mode, struct slice content,
                             struct errinfo *e)
{
    struct result r = write_temporary(p, mode, content, e);
    if (is_ok(r) && renameat(p->dir, p->temporary, p->dir, p->name) != 0)
        r = fileio_fail(e, errno, "write", p->path);
    if (is_err(r))
        (void)unlinkat(p->dir, p->temporary, 0);
    else
        r = sync_dir(p, e);
    return r;
}

struct result store_write(const char *path, mode_t mode, struct slice content, struct errinfo *e)
{
    struct place p;
    TRY(place_open(&p, path, e));
    const struct result r = replace(&p, mode, content, e);
    (void)close(p.dir);
    return r;
}

/* The lock is for the temporary file's name, which two that create the same file share. link(2),
 * unlike rename(2), never replaces what is there. */
static struct result create(const struct place *p, mode_t mode, struct slice content,
                            struct errinfo *e)
{
    struct result r;
    if (flock(p->dir, LOCK_EX) != 0)
        return fileio_fail(e, errno, "lock the directory of", p->path);
    r = write_temporary(p, mode, content, e);
    if (is_ok(r) && linkat(p->dir, p->temporary, p->dir, p->name, 0) != 0)
        r = errno == EEXIST ? fail(e, ERR_EXISTS, "%s is there already", p->path)
                            : fileio_fail(e, errno, "write", p->path);
    (void)unlinkat(p->dir, p->temporary, 0);
    if (is_ok(r))
        r = sync_dir(p, e);
    return r; /* the lock goes with the descriptor */
}

struct result store_create(const char *path, mode_t mode, struct slice content, struct errinfo *e)
{
    struct place p;
    TRY(place_open(&p, path, e));
    const struct result r = create(&p, mode, content, e);
    (void)close(p.dir);
    return r;
}

struct result store_remove(const char *path, struct errinfo *e)
{
    struct place p;
    struct errinfo why = ERRINFO_INIT;
    struct result r = place_open(&p, path, &why);
    if (is_err(r)) {
        if (r.code == ERR_NOT_FOUND)
            return OK;
        return fail_native(e, r.code, why.native, "%s", why.text);
    }
    if (unlinkat(p.dir, p.name, 0) == 0)
        r = sync_dir(&p, e);
    else if (errno != ENOENT)
        r = fileio_fail(e, errno, "remove", path);
    (void)close(p.dir);
    return r;
}

/* --- directories --- */

struct result store_make_dir(const char *dir, mode_t mode, struct errinfo *e)
{
    char path[PATH_MAX];
    struct stat st;
    if (!slice_to_str(slice_of_str(dir), path, sizeof path) || path[0] == '\0')
        return fail(e, ERR_INVALID, "'%s' cannot be the name of a directory", dir);
    for (char *at = path + 1;; at++) {
        const char here = *at;
        if (here != '/' && here != '\0')
            continue;
        *at = '\0';
        if (mkdir(path, 0700) == 0) {
            if (chmod(path, mode) != 0)
                return fileio_fail(e, errno, "set the mode of", path);
        } else if (errno != EEXIST) {
            return fileio_fail(e, errno, "make the directory", path);
        }
        if (here == '\0')
            break;
        *at = here;
    }
    if (stat(path, &st) != 0)
        return fileio_fail(e, errno, "make the directory", path);
    return S_ISDIR(st.st_mode) ? OK : fail(e, ERR_EXISTS, "%s is not a directory", path);
}

struct result store_list(const char *dir, size_t max, store_list_fn *fn, void *arg,
                         struct errinfo *e)
{
    struct namelist list;
    const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fileio_fail(e, errno, "read the directory", dir);
    const struct result r = namelist_read(fd, dir, max, namelist_regular, &list, e);
    (void)close(fd);
    for (size_t i = 0; is_ok(r) && i < list.count; i++)
        fn(arg, list.names[i]);
    namelist_free(&list);
    return r;
}

static bool is_temporary(const char *name)
{
    const struct slice s = slice_of_str(name);
    return name[0] == '.' && slice_ends(s, SLICE_LIT(TEMPORARY_SUFFIX)) &&
           s.n > sizeof TEMPORARY_SUFFIX;
}

struct result store_clean(const char *dir, struct errinfo *e)
{
    const struct dirent *entry;
    int error = 0;
    DIR *d = opendir(dir);
    if (d == NULL)
        return fileio_fail(e, errno, "read the directory", dir);
    /* cppcheck-suppress readdirCalled ; as above */
    while ((entry = readdir(d)) != NULL)
        if (is_temporary(entry->d_name) && namelist_regular(d, entry) &&
            unlinkat(dirfd(d), entry->d_name, 0) != 0)
            error = errno;
    (void)closedir(d);
    return error == 0 ? OK : fileio_fail(e, error, "clean", dir);
}
