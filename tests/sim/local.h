/*
 * local: a process of the simulated phone at the other end of a Unix socket, for tests of the
 * sockets: it says what it is told to, and keeps all that it hears.
 */
#ifndef SIPSD_TESTS_SIM_LOCAL_H
#define SIPSD_TESTS_SIM_LOCAL_H

#include "base/buf.h"
#include "sim/sim.h"

struct local {
    struct sim *w;
    struct stream *s;
    struct buf got; /* not checked yet */
    bool closed;    /* by the other side */
};

/* All of these let everything happen that follows. P must stay where it is. */
void local_connect(struct local *p, struct sim *w, const char *path);
void local_leave(struct local *p);
void local_ask(struct local *p, const char *text);

/* Asks without waiting for what follows. */
void local_say(struct local *p, const char *text);

/* What P has heard since it was last checked is EXPECTED. */
void local_check(struct local *p, const char *expected);

#endif
