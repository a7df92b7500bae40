/*
 * unixpeer: who is at the other end of a Unix socket, as the kernel knows it. For the modules of
 * sys/ that have descriptors; others ask stream or packet.
 */
#ifndef SIPSD_SYS_UNIXPEER_H
#define SIPSD_SYS_UNIXPEER_H

#include "sys/stream.h"

/* SO_PEERCRED. ERR_SYSTEM if FD is no connected Unix socket. */
RESULT unixpeer_cred(int fd, struct stream_cred *out);

/* Whether GID is its group, or was one of its supplementary ones when it connected
 * (SO_PEERGROUPS). False where that cannot be found out. */
bool unixpeer_in_group(int fd, gid_t gid);

#endif
