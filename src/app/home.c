#include "app/home.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"
#include "sys/store.h"

/* By descriptor and without following links: the user may own what is above DIR. */
static struct result give(const char *dir, const char *user, struct errinfo *e)
{
    const struct passwd *pw = getpwnam(user);
    if (pw == NULL)
        return fail(e, ERR_NOT_FOUND, "there is no user %s", user);
    const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(e, errno, "cannot open %s", dir);
    const int failed = fchown(fd, pw->pw_uid, pw->pw_gid);
    const int errnum = errno;
    (void)close(fd);
    return failed == 0 ? OK : fail_errno(e, errnum, "cannot give %s to %s", dir, user);
}

RESULT home_make_dir(const char *dir, mode_t mode, const char *user, struct errinfo *e)
{
    TRY(store_make_dir(dir, mode, e));
    return user != NULL && geteuid() == 0 ? give(dir, user, e) : OK;
}

RESULT home_mac(const char *interface, char *out, size_t size, struct errinfo *e)
{
    char path[128];
    struct buf content;
    if (strchr(interface, '/') != NULL || strlen(interface) > 64)
        return fail(e, ERR_INVALID, "'%s' is not the name of an interface", interface);
    (void)snprintf(path, sizeof path, "/sys/class/net/%s/address", interface);
    buf_init(&content, 2 * 4096); /* files in /sys say that they have a page */
    struct result r = store_read(path, &content, e);
    if (is_err(r))
        errinfo_context(e, "interface %s has no MAC address", interface);
    else if (!slice_to_str(slice_trim(buf_slice(&content)), out, size))
        r = fail(e, ERR_INVALID, "interface %s has no usual MAC address", interface);
    buf_free(&content);
    return r;
}
