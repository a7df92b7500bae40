/*
 * packet: a connected Unix socket that keeps the boundaries of what is sent (SEQPACKET), and the
 * sockets that accept such.
 *
 * Callbacks come from the loop, never from inside a call of this module. on_closed is the last one
 * and comes exactly once, unless the owner closed first; after it the packet has to be freed with
 * packet_close(). packet_close() and packet_finish() may be called inside any callback, and none
 * follows.
 */
#ifndef SIPSD_SYS_PACKET_H
#define SIPSD_SYS_PACKET_H

#include <sys/types.h>

#include "base/errinfo.h"
#include "base/slice.h"
#include "sys/loop.h"
#include "sys/stream.h"

struct packet;
struct packet_listener;

struct packet_handlers {
    void (*on_packet)(void *arg, struct slice packet); /* valid during the call; never empty */
    void (*on_drained)(void *arg); /* all that had to wait was taken; may be NULL */
    /* The peer closed (ERR_CLOSED), sent more than SIZE bytes at once (ERR_LIMIT), or it failed. */
    void (*on_closed)(void *arg, struct result why, const struct errinfo *e);
};

/*
 * Takes an accepted one over: reading begins, of packets of at most SIZE bytes; at most QUEUE_CAP
 * bytes wait for a peer that does not read. ERR_NOMEM; it is still to be closed then.
 */
RESULT packet_start(struct packet *p, size_t size, size_t queue_cap,
                    const struct packet_handlers *h, void *arg);

/*
 * Sends the N PARTS as one packet; also before packet_start(), when there is no queue. ERR_LIMIT:
 * the queue has no room, or the kernel takes no packet of that length; nothing of it was sent.
 * ERR_STATE after the end.
 */
RESULT packet_send(struct packet *p, const struct slice *parts, size_t n);
size_t packet_queued(const struct packet *p);

/* Closes at once and frees; what is queued is lost. NULL is fine. */
void packet_close(struct packet *p);

/* No more callbacks; leaves the peer LIMIT_CLOSE_MS to read what it was sent, then closes and frees
 * (closing with something unread would take it from the peer). NULL is fine. */
void packet_finish(struct packet *p);

/* As stream_peer_cred() and stream_peer_in_group(). */
RESULT packet_peer_cred(const struct packet *p, struct stream_cred *out);
bool packet_peer_in_group(const struct packet *p, gid_t gid);

/* ACCEPTED belongs to the callee: packet_start(), packet_finish() or packet_close() it. */
typedef void packet_accept_fn(void *arg, struct packet *accepted);

/* As stream_listen_unix(). */
RESULT packet_listen(struct loop *l, const char *path, mode_t mode, gid_t gid, packet_accept_fn *fn,
                     void *arg, struct packet_listener **out, struct errinfo *e);
void packet_listener_free(struct packet_listener *pl); /* also inside its callback; NULL is fine */

#endif
