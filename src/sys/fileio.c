#include "sys/fileio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_STEP 4096

struct result fileio_fail(struct errinfo *e, int errnum, const char *what, const char *path)
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
            return fileio_fail(e, errno, "read", path);
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
        return fileio_fail(e, errno, "read", path);
    if (!S_ISREG(st.st_mode))
        return fail(e, ERR_INVALID, "%s is not a regular file", path);
    if ((uintmax_t)st.st_size > buf_space(out))
        return fail_too_large(e, path, out);
    if (is_err(buf_reserve(out, (size_t)st.st_size, &p)))
        return fail(e, ERR_NOMEM, "out of memory for %s", path);
    return read_all(fd, path, out, e);
}

struct result fileio_read(int fd, const char *path, struct buf *out, struct errinfo *e)
{
    const size_t before = buf_len(out);
    const struct result r = read_regular(fd, path, out, e);
    if (is_err(r))
        buf_truncate(out, before);
    return r;
}

/* --- writing --- */

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

static int write_parts(int fd, const struct slice *parts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (write_all(fd, parts[i]) != 0)
            return -1;
    return 0;
}

/* Nobody but the owner can open it before the mode is right. */
struct result fileio_create(int dir, const char *name, mode_t mode, const struct slice *parts,
                            size_t n, const char *path, struct errinfo *e)
{
    const int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fileio_fail(e, errno, "write", path);
    const bool failed = fchmod(fd, mode) != 0 || write_parts(fd, parts, n) != 0 || fsync(fd) != 0;
    const int error = errno;
    if (close(fd) != 0 && !failed) /* a network file system may tell only now */
        return fileio_fail(e, errno, "write", path);
    return failed ? fileio_fail(e, error, "write", path) : OK;
}

/* --- removing --- */

#define DEPTH_MAX 8

static bool remove_within(int dir, const char *name, unsigned depth);

/* Everything in the directory NAME. */
static bool empty_directory(int dir, const char *name, unsigned depth)
{
    const int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    bool gone = true;
    if (d == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return false;
    }
    /* cppcheck-suppress readdirCalled ; one thread, and glibc deprecates readdir_r() */
    while ((entry = readdir(d)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            gone = remove_within(fd, entry->d_name, depth + 1) && gone;
    (void)closedir(d);
    return gone;
}

static bool remove_within(int dir, const char *name, unsigned depth)
{
    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
        return true;
    if (errno != EISDIR && errno != EPERM) /* Linux; POSIX */
        return false;
    return depth < DEPTH_MAX && empty_directory(dir, name, depth) &&
           unlinkat(dir, name, AT_REMOVEDIR) == 0;
}

bool fileio_remove_all(int dir, const char *name)
{
    return remove_within(dir, name, 0);
}
