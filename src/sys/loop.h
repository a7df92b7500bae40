/*
 * loop: the one event loop of a process, behind which libuv hides.
 *
 * Single-threaded: everything here is called from the loop's own thread, and callbacks run on it. A
 * timer, poll or signal that was stopped or freed never calls back again, even if it was due in the
 * same turn of the loop, and may be freed inside its own callback. Memory that libuv still holds is
 * given back when libuv lets go of it.
 *
 * tests/sim/ has a second implementation of this header, sys/stream.h and sys/dns.h, with simulated
 * time and an in-memory network.
 */
#ifndef SIPSD_SYS_LOOP_H
#define SIPSD_SYS_LOOP_H

#include <stdint.h>

#include "base/errinfo.h"

struct loop;
struct loop_timer;
struct loop_signal;
struct loop_poll;

typedef void loop_fn(void *arg);

/* SIGPIPE is ignored from then on, in the whole process. */
RESULT loop_new(struct loop **out, struct errinfo *e);

/* Everything that was made on it must have been freed or closed before; runs what is left to let go
 * of, at most for LIMIT_CLOSE_MS (stream_finish). NULL is fine. */
void loop_free(struct loop *l);

/* Runs callbacks until loop_stop(); one that came before makes it return at once. Asleep, and not
 * woken, while there is nothing to do. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);

/* Milliseconds of a clock that never jumps, from an arbitrary start. Constant within one turn of
 * the loop; timers count from it. */
uint64_t loop_now_ms(const struct loop *l);

/* A number, never 0, that this process does not give twice. It begins at random, so that what an
 * earlier process gave is hardly among them. */
uint64_t loop_unique_id(struct loop *l);

/* One-shot timers. start: FN(ARG) after MS milliseconds, in place of an earlier start. NULL on no
 * memory. */
struct loop_timer *loop_timer_new(struct loop *l, loop_fn *fn, void *arg);
void loop_timer_start(struct loop_timer *t, uint64_t ms);
void loop_timer_stop(struct loop_timer *t);
void loop_timer_free(struct loop_timer *t); /* NULL is fine, here and below */

/* FN(ARG) each time that SIGNUM arrives. */
RESULT loop_signal_new(struct loop *l, int signum, loop_fn *fn, void *arg, struct loop_signal **out,
                       struct errinfo *e);
void loop_signal_free(struct loop_signal *s);

/* FN(ARG) while FD is readable (or hung up). FD stays the caller's and must outlive the poll. */
RESULT loop_poll_new(struct loop *l, int fd, loop_fn *fn, void *arg, struct loop_poll **out,
                     struct errinfo *e);
/* From now on while FD is in any of the states of WHAT, instead. FN is not told which. */
enum loop_poll_what { LOOP_POLL_READABLE = 1, LOOP_POLL_WRITABLE = 2 };
void loop_poll_watch(struct loop_poll *p, unsigned what);
void loop_poll_free(struct loop_poll *p);

#endif
