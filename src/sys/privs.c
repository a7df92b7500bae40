#include "sys/privs.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Entries of passwd and group: a group may list very many members. */
#define ENTRY_SIZE_FIRST 1024
#define ENTRY_SIZE_MAX   (1024 * 1024)

static struct result set_undumpable(struct errinfo *e)
{
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return fail_errno(e, errno, "cannot forbid memory dumps");
    return OK;
}

struct result privs_harden(struct errinfo *e)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return fail_errno(e, errno, "cannot forbid core dumps");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail_errno(e, errno, "cannot forbid new privileges");
    return set_undumpable(e);
}

/* --- names to ids --- */

struct account_ids {
    uid_t uid;
    gid_t gid;
};

/* getpwnam_r() and getgrnam_r() with as much memory as they ask for; 0, ENOENT or their error. */
static int look_up_user(const char *name, char *mem, size_t size, struct account_ids *out)
{
    struct passwd entry;
    struct passwd *found;
    const int rc = getpwnam_r(name, &entry, mem, size, &found);
    if (rc != 0 || found == NULL)
        return rc != 0 ? rc : ENOENT;
    *out = (struct account_ids){.uid = entry.pw_uid, .gid = entry.pw_gid};
    return 0;
}

static int look_up_group(const char *name, char *mem, size_t size, struct account_ids *out)
{
    struct group entry;
    struct group *found;
    const int rc = getgrnam_r(name, &entry, mem, size, &found);
    if (rc != 0 || found == NULL)
        return rc != 0 ? rc : ENOENT;
    *out = (struct account_ids){.gid = entry.gr_gid};
    return 0;
}

static struct result look_up(int (*fn)(const char *, char *, size_t, struct account_ids *),
                             const char *kind, const char *name, struct account_ids *out,
                             struct errinfo *e)
{
    int rc = ERANGE;
    for (size_t size = ENTRY_SIZE_FIRST; rc == ERANGE && size <= ENTRY_SIZE_MAX; size *= 4) {
        char *mem = malloc(size);
        rc = mem == NULL ? ENOMEM : fn(name, mem, size, out);
        free(mem);
    }
    if (rc == ENOENT || rc == ESRCH)
        return fail(e, ERR_NOT_FOUND, "there is no %s '%s' on this system", kind, name);
    return rc == 0 ? OK : fail_errno(e, rc, "cannot look up the %s '%s'", kind, name);
}

struct result privs_group(const char *name, gid_t *out, struct errinfo *e)
{
    struct account_ids ids;
    TRY(look_up(look_up_group, "group", name, &ids, e));
    *out = ids.gid;
    return OK;
}

/* --- becoming another user --- */

static bool is_user_already(const struct account_ids *ids)
{
    uid_t real, effective, saved;
    return getresuid(&real, &effective, &saved) == 0 && real == ids->uid && effective == ids->uid &&
           saved == ids->uid;
}

/* What setresuid() leaves: the inheritable set, and all of them where securebits keep them. */
static int drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
    return (int)syscall(SYS_capset, &header, none);
}

static bool way_back_is_shut(const struct account_ids *ids)
{
    return (ids->uid == 0 || setresuid((uid_t)-1, 0, (uid_t)-1) != 0) &&
           (ids->gid == 0 || ids->uid == 0 || setresgid((gid_t)-1, 0, (gid_t)-1) != 0) &&
           is_user_already(ids);
}

struct result privs_drop(const char *user, struct errinfo *e)
{
    struct account_ids ids;
    TRY(look_up(look_up_user, "user", user, &ids, e));
    if (is_user_already(&ids))
        return OK;
    if (geteuid() != 0)
        return fail(e, ERR_DENIED, "only root can become the user '%s'", user);
    /* Groups first: without uid 0 they cannot be changed any more. */
    if (initgroups(user, ids.gid) != 0 || setresgid(ids.gid, ids.gid, ids.gid) != 0 ||
        setresuid(ids.uid, ids.uid, ids.uid) != 0 || drop_capabilities() != 0)
        return fail_errno(e, errno, "cannot become the user '%s'", user);
    if (!way_back_is_shut(&ids))
        return fail(e, ERR_STATE, "the privileges of root are still there after becoming '%s'",
                    user);
    return set_undumpable(e); /* the kernel decides anew when the user changes */
}
