/*
 * stream: a connected byte stream, TCP or Unix, and the sockets that accept them.
 *
 * States: connecting (only after stream_connect), open, closed. Callbacks come from the loop, never
 * from inside a call of this module. on_closed is the last one and comes exactly once unless the
 * owner closed first; after it the stream has to be freed with stream_close(), and nothing else may
 * be done with it. stream_close() may be called inside any of its callbacks, and none follows it.
 *
 * Writes are queued up to the cap that the owner gave; the stream keeps its own copy. A write that
 * the peer no longer takes does not fail: what the peer sent before it closed is delivered first,
 * and on_closed says the rest.
 */
#ifndef SIPSD_SYS_STREAM_H
#define SIPSD_SYS_STREAM_H

#include <sys/types.h>

#include "base/errinfo.h"
#include "base/slice.h"
#include "sys/addr.h"
#include "sys/loop.h"

struct stream;
struct stream_listener;

struct stream_handlers {
    void (*on_open)(void *arg);                    /* after stream_connect only */
    void (*on_data)(void *arg, struct slice data); /* valid during the call */
    /* The queue, in which a write had to wait, is empty again; may be NULL. A write that the kernel
     * takes at once is not told: see stream_queued(). */
    void (*on_drained)(void *arg);
    /* The peer closed (ERR_CLOSED), or it failed (ERR_SYSTEM, ERR_TIMEOUT ...; E says how). */
    void (*on_closed)(void *arg, struct result why, const struct errinfo *e);
};

/* Connects over TCP, with keep-alive probes and without Nagle's delay. Fails later, by on_closed.
 */
RESULT stream_connect(struct loop *l, const struct addr *to, size_t queue_cap,
                      const struct stream_handlers *h, void *arg, struct stream **out,
                      struct errinfo *e);

/* Takes over an accepted stream: reading begins. Before it, nothing is read and nothing called. */
void stream_start(struct stream *s, size_t queue_cap, const struct stream_handlers *h, void *arg);

/*
 * A stream to somebody else's code in this process, which wants a descriptor: PEER_FD, a socket
 * that does not block, is the caller's. Begins with stream_start(), like an accepted one. The
 * simulated system has none: that code would have a clock of its own.
 */
RESULT stream_pair(struct loop *l, struct stream **out, int *peer_fd, struct errinfo *e);

/* ERR_LIMIT if the queue would go over its cap (nothing of it is sent then), ERR_STATE if not open.
 */
RESULT stream_write(struct stream *s, struct slice data);
size_t stream_queued(const struct stream *s); /* bytes that the kernel has not taken yet */

/* Reading stops and goes on: back-pressure. */
void stream_pause(struct stream *s);
void stream_resume(struct stream *s);

/* Closes at once and frees; what is queued is lost. NULL is fine. */
void stream_close(struct stream *s);

/*
 * No more callbacks; sends what is queued, waits over TCP until the peer has closed too (else a
 * reset could overtake what was sent), at most for LIMIT_CLOSE_MS, then closes and frees. Of
 * accepted ones over TCP at most LIMIT_FINISHING wait, more are closed at once. loop_free() waits
 * for it. NULL is fine.
 */
void stream_finish(struct stream *s);

/* TCP only; family 0 if there is none. */
struct addr stream_local(const struct stream *s);
struct addr stream_remote(const struct stream *s);

/* Unix only: who is on the other side (SO_PEERCRED). */
struct stream_cred {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};
RESULT stream_peer_cred(const struct stream *s, struct stream_cred *out);

/* Unix only: whether GID is the other side's group, or was one of its supplementary groups when it
 * connected (SO_PEERGROUPS). False where that cannot be found out. */
bool stream_peer_in_group(const struct stream *s, gid_t gid);

/* ACCEPTED belongs to the callee: stream_start() or stream_close() it. */
typedef void stream_accept_fn(void *arg, struct stream *accepted);

/*
 * Listens on a Unix socket: a stale one at PATH is replaced (one that answers is not: ERR_EXISTS);
 * owner group GID (or (gid_t)-1) and MODE are set before anybody can connect. The path is removed
 * by _free, unless somebody else's socket has taken its place.
 *
 * Out of descriptors, accepting pauses for LIMIT_ACCEPT_RETRY_MS; the kernel keeps the backlog.
 */
RESULT stream_listen_unix(struct loop *l, const char *path, mode_t mode, gid_t gid,
                          stream_accept_fn *fn, void *arg, struct stream_listener **out,
                          struct errinfo *e);

/* Port 0 takes a free one: stream_listener_local() tells which. */
RESULT stream_listen_tcp(struct loop *l, const struct addr *at, stream_accept_fn *fn, void *arg,
                         struct stream_listener **out, struct errinfo *e);
struct addr stream_listener_local(const struct stream_listener *sl);
void stream_listener_free(struct stream_listener *sl); /* also inside its callback; NULL is fine */

#endif
