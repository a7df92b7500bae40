#include "factory/factory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "sys/store.h"

void factory_note(const char *fmt, ...)
{
    va_list ap;

    (void)fflush(stdout);
    (void)fputs("sipsd-factory: ", stderr);
    va_start(ap, fmt);
    (void)vfprintf(stderr, fmt, ap);
    va_end(ap);
    (void)fputc('\n', stderr);
}

char *factory_path(const char *dir, const char *name, const char *suffix)
{
    const size_t size = strlen(dir) + strlen(name) + strlen(suffix) + 2;
    char *path = malloc(size);

    if (path != NULL)
        (void)snprintf(path, size, "%s/%s%s", dir, name, suffix);
    return path;
}

struct result factory_check_free(const char *path, struct errinfo *e)
{
    struct stat st;

    return lstat(path, &st) == 0 ? fail(e, ERR_EXISTS, "%s is there already", path) : OK;
}

struct result factory_read(const char *path, struct buf *out, struct errinfo *e)
{
    buf_init(out, LIMIT_CERT_FILE_BYTES);
    return store_read(path, out, e);
}

struct result factory_read_secret(const char *path, struct buf *out, struct errinfo *e)
{
    struct stat st;

    if (stat(path, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        factory_note("warning: %s holds a secret, and others than its owner may open it", path);
    return factory_read(path, out, e);
}

struct result factory_password(const struct options *o, struct buf *out, struct errinfo *e)
{
    buf_init(out, LIMIT_PASSWORD_BYTES);
    if (o->password_file == NULL)
        return OK;
    struct result r = factory_read_secret(o->password_file, out, e);
    if (is_ok(r) && buf_len(out) > LIMIT_PASSWORD_BYTES)
        r = fail(e, ERR_LIMIT, "%s is too large for a password", o->password_file);
    if (is_err(r))
        return r;
    struct slice rest = buf_slice(out);
    struct slice line = slice_cut(&rest, '\n');
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    if (line.n == 0)
        return fail(e, ERR_INVALID, "%s: the first line, which is the password, is empty",
                    o->password_file);
    buf_truncate(out, line.n);
    return OK;
}
