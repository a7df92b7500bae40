/*
 * uvloop: what the modules of sys/ share of libuv. For them alone: nothing above sys/ knows that
 * there is a libuv.
 */
#ifndef SIPSD_SYS_UVLOOP_H
#define SIPSD_SYS_UVLOOP_H

#include <uv.h>

#include "sys/loop.h"
#include "sys/stream.h"

uv_loop_t *uvloop_of(struct loop *l);

/*
 * Counts the objects that their owners have not freed yet. loop_free() asserts that there are none,
 * for memory that libuv is still letting go of is not among them, and what was forgotten would
 * make it wait for ever.
 */
void uvloop_hold(struct loop *l);
void uvloop_release(struct loop *l);

/*
 * Counts the accepted streams that their owners have left and that wait for their peers, whom
 * nobody knows: at most LIMIT_FINISHING, then _begin says false and nothing is counted.
 */
bool uvloop_begin_finishing(struct loop *l);
void uvloop_end_finishing(struct loop *l);

/* One buffer for all reads on the loop: what is in it is good until the callback returns. */
uv_buf_t uvloop_read_buffer(struct loop *l);

/* A stream of the connected socket FD, which is the stream's from then on and closed on failure. */
RESULT stream_adopt(struct loop *l, int fd, bool is_tcp, struct stream **out, struct errinfo *e);

/* Takes the accepted socket FD, also where it fails; accepting pauses then. */
typedef struct result accepted_fd_fn(void *arg, int fd, struct errinfo *e);

/* As stream_listen_unix(), for SEQPACKET sockets. */
RESULT listen_unix_packets(struct loop *l, const char *path, mode_t mode, gid_t gid,
                           accepted_fd_fn *fn, void *arg, struct stream_listener **out,
                           struct errinfo *e);

#endif
