#include "sys/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY_SUFFIX ".new"
#define READ_STEP        4096

/* The code that tells a caller what to do; the sentence says the rest. */
static struct result fail_file(struct errinfo *e, int errnum, const char *what, const char *path)
{
    enum err code = ERR_SYSTEM;
    if (errnum == ENOENT || errnum == ENOTDIR)
        code = ERR_NOT_FOUND;
    else if (errnum == EACCES || errnum == EPERM)
        code = ERR_DENIED;
    return fail_native(e, code, errnum, "cannot %s %s: %s", what, path, strerror(errnum));
}

/* --- reading --- */

static struct result fail_too_large(struct errinfo *e, const char *path, const struct buf *out)
{
    return fail(e, ERR_LIMIT, "%s is larger than the %zu bytes allowed", path, buf_space(out));
}

/* To its end, although it may have grown since it was looked at. */
static struct result read_all(int fd, const char *path, struct buf *out, struct errinfo *e)
{
    for (;;) {
        uint8_t *p;
        uint8_t beyond;
        const size_t space = buf_space(out);
        const size_t step = space < READ_STEP ? space : READ_STEP;
        if (step > 0 && is_err(buf_reserve(out, step, &p)))
            return fail(e, ERR_NOMEM, "out of memory for %s", path);
        const ssize_t n = read(fd, step > 0 ? p : &beyond, step > 0 ? step : 1);
        if (n == 0)
            return OK;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_file(e, errno, "read", path);
        if (step == 0)
            return fail_too_large(e, path, out);
        buf_commit(out, (size_t)n);
    }
}

static struct result read_regular(int fd, const char *path, struct buf *out, struct errinfo *e)
{
    struct stat st;
    uint8_t *p;
    if (fstat(fd, &st) != 0)
        return fail_file(e, errno, "read", path);
    if (!S_ISREG(st.st_mode))
        return fail(e, ERR_INVALID, "%s is not a regular file", path);
    if ((uintmax_t)st.st_size > buf_space(out))
        return fail_too_large(e, path, out);
    if (is_err(buf_reserve(out, (size_t)st.st_size, &p))) /* at once: no copies of a secret */
        return fail(e, ERR_NOMEM, "out of memory for %s", path);
    return read_all(fd, path, out, e);
}

struct result store_read(const char *path, struct buf *out, struct errinfo *e)
{
    const size_t before = buf_len(out);
    const int fd =
        open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO must not hang us */
    if (fd < 0)
        return fail_file(e, errno, "open", path);
    const struct result r = read_regular(fd, path, out, e);
    (void)close(fd);
    if (is_err(r))
        buf_truncate(out, before);
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
    return p->dir < 0 ? fail_file(e, errno, "write", path) : OK;
}

static struct result sync_dir(const struct place *p, struct errinfo *e)
{
    return fsync(p->dir) == 0 ? OK : fail_file(e, errno, "sync the directory of", p->path);
}

static int write_all(int fd, struct slice content)
{
    while (content.n > 0) {
        const ssize_t n = write(fd, content.p, content.n);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0)
            content = slice_from(content, (size_t)n);
    }
    return 0;
}

/* Nobody but the owner can open it before the mode is right. */
static struct result write_temporary(const struct place *p, mode_t mode, struct slice content,
                                     struct errinfo *e)
{
    if (unlinkat(p->dir, p->temporary, 0) != 0 && errno != ENOENT)
        return fail_file(e, errno, "replace an interrupted write of", p->path);
    const int fd =
        openat(p->dir, p->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail_file(e, errno, "write", p->path);
    const bool failed = fchmod(fd, mode) != 0 || write_all(fd, content) != 0 || fsync(fd) != 0;
    int error = errno;
    if (close(fd) != 0 && !failed) /* a network file system may tell only now */
        return fail_file(e, errno, "write", p->path);
    return failed ? fail_file(e, error, "write", p->path) : OK;
}

static struct result replace(const struct place *p, mode_t mode, struct slice content,
                             struct errinfo *e)
{
    struct result r = write_temporary(p, mode, content, e);
    if (is_ok(r) && renameat(p->dir, p->temporary, p->dir, p->name) != 0)
        r = fail_file(e, errno, "write", p->path);
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
        r = fail_file(e, errno, "remove", path);
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
                return fail_file(e, errno, "set the mode of", path);
        } else if (errno != EEXIST) {
            return fail_file(e, errno, "make the directory", path);
        }
        if (here == '\0')
            break;
        *at = here;
    }
    if (stat(path, &st) != 0)
        return fail_file(e, errno, "make the directory", path);
    return S_ISDIR(st.st_mode) ? OK : fail(e, ERR_EXISTS, "%s is not a directory", path);
}

static bool is_regular(DIR *d, const struct dirent *entry)
{
    struct stat st;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_REG;
    return fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/* The first MAX names in order, whatever the directory holds. */
struct name_list {
    char **names;
    size_t count;
    size_t max;
};

static struct result name_list_add(struct name_list *list, const char *name)
{
    size_t at = list->count;
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

static struct result read_names(DIR *d, struct name_list *list, const char *dir, struct errinfo *e)
{
    const struct dirent *entry;
    /* cppcheck-suppress readdirCalled ; one thread, and glibc deprecates readdir_r() */
    for (errno = 0; (entry = readdir(d)) != NULL; errno = 0)
        if (entry->d_name[0] != '.' && is_regular(d, entry) &&
            is_err(name_list_add(list, entry->d_name)))
            return fail(e, ERR_NOMEM, "out of memory for the files of %s", dir);
    return errno == 0 ? OK : fail_file(e, errno, "read the directory", dir);
}

struct result store_list(const char *dir, size_t max, store_list_fn *fn, void *arg,
                         struct errinfo *e)
{
    struct name_list list = {.max = max};
    DIR *d = opendir(dir);
    if (d == NULL)
        return fail_file(e, errno, "read the directory", dir);
    list.names = calloc(max + 1, sizeof *list.names);
    const struct result r = list.names == NULL
                                ? fail(e, ERR_NOMEM, "out of memory for the files of %s", dir)
                                : read_names(d, &list, dir, e);
    (void)closedir(d);
    for (size_t i = 0; i < list.count; i++) {
        if (is_ok(r))
            fn(arg, list.names[i]);
        free(list.names[i]);
    }
    free(list.names);
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
        return fail_file(e, errno, "read the directory", dir);
    /* cppcheck-suppress readdirCalled ; as above */
    while ((entry = readdir(d)) != NULL)
        if (is_temporary(entry->d_name) && is_regular(d, entry) &&
            unlinkat(dirfd(d), entry->d_name, 0) != 0)
            error = errno;
    (void)closedir(d);
    return error == 0 ? OK : fail_file(e, error, "clean", dir);
}
