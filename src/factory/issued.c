#include "factory/issued.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "factory/factory.h"

struct result issued_row(const struct cert *c, struct buf *rows, struct errinfo *e)
{
    char serial[HASH_HEX_SIZE(20)], sha256[HASH_HEX_SIZE(HASH_SHA256_SIZE)], name[LIMIT_TEXT];
    char from[CLOCK_ISO_SIZE], until[CLOCK_ISO_SIZE];
    uint8_t digest[HASH_SHA256_SIZE];

    cert_sha256(c, digest);
    hash_hex(slice_of(digest, sizeof digest), sha256);
    hash_hex(slice_first(cert_fields(c)->serial, 20), serial);
    cert_label(c, name, sizeof name);
    clock_to_iso(cert_not_before(c), from);
    clock_to_iso(cert_not_after(c), until);
    const struct result r =
        buf_printf(rows, "%s\t%s\t%s\t%s\t%s\n", serial, name, from, until, sha256);
    return is_ok(r) ? OK : fail(e, r.code, "out of memory");
}

/* Whether the last byte is no line's end: a power cut may have left a part of a line. */
static bool ends_in_mid_line(int fd)
{
    struct stat st;
    char last;

    return fstat(fd, &st) == 0 && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 &&
           last != '\n';
}

static int write_all(int fd, struct slice s)
{
    while (s.n > 0) {
        const ssize_t n = write(fd, s.p, s.n);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0)
            s = slice_from(s, (size_t)n);
    }
    return 0;
}

/* A new file gets its head. */
static int append(int fd, struct slice rows)
{
    struct stat st;

    if (flock(fd, LOCK_EX) != 0 || fstat(fd, &st) != 0)
        return -1;
    if (st.st_size == 0 && write_all(fd, SLICE_LIT(ISSUED_HEAD)) != 0)
        return -1;
    if (ends_in_mid_line(fd) && write_all(fd, SLICE_LIT("\n")) != 0)
        return -1;
    return write_all(fd, rows) != 0 || fsync(fd) != 0 ? -1 : 0;
}

struct result issued_append(const char *dir, const struct buf *rows, struct errinfo *e)
{
    char *path = factory_path(dir, ISSUED_FILE, "");
    struct result r = OK;

    if (path == NULL)
        return fail(e, ERR_NOMEM, "out of memory");
    const int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0 || append(fd, buf_slice(rows)) != 0)
        r = fail_errno(e, errno, "cannot write the record %s", path);
    if (fd >= 0)
        (void)close(fd);
    free(path);
    return r;
}
