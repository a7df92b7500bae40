#include "sys/unixpeer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

struct result unixpeer_cred(int fd, struct stream_cred *out)
{
    struct ucred cred;
    socklen_t size = sizeof cred;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) != 0)
        return err(ERR_SYSTEM);
    *out = (struct stream_cred){.pid = cred.pid, .uid = cred.uid, .gid = cred.gid};
    return OK;
}

/* The supplementary groups of the other side, malloc'ed, and their number; NULL if unknown. */
static gid_t *peer_groups(int fd, size_t *count)
{
    socklen_t size = 32 * sizeof(gid_t);
    for (;;) {
        const socklen_t room = size;
        gid_t *groups = malloc(room);
        if (groups == NULL)
            return NULL;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0) {
            *count = size / sizeof groups[0];
            return groups;
        }
        free(groups);
        if (errno != ERANGE || size <= room) /* else it has said how much it wants */
            return NULL;
    }
}

bool unixpeer_in_group(int fd, gid_t gid)
{
    struct stream_cred cred;
    size_t count = 0;
    if (is_err(unixpeer_cred(fd, &cred)))
        return false;
    bool found = cred.gid == gid;
    gid_t *groups = found ? NULL : peer_groups(fd, &count);
    for (size_t i = 0; groups != NULL && i < count; i++)
        found |= groups[i] == gid;
    free(groups);
    return found;
}
