/*
 * link: the wire between two simulated streams. sim_link.c moves bytes and closes over it;
 * sim_stream.c is sys/stream.h at its two ends.
 */
#ifndef SIPSD_TESTS_SIM_LINK_H
#define SIPSD_TESTS_SIM_LINK_H

#include "base/buf.h"
#include "sim/world.h"

enum ending { ENDING_NONE, ENDING_CLOSE, ENDING_RESET };

/* One direction: the sender's queue, the wire, what the receiver has not read. */
struct half {
    struct sim_link *link;
    enum sim_side from;
    struct buf sent;     /* all that was ever written */
    struct buf queue;    /* that does not fit into the window */
    size_t on_wire;      /* bytes on their way */
    struct packet *wire; /* in order of arrival */
    struct buf received;
    bool closed;               /* the sender has closed: told behind all that is on the wire */
    enum ending ending;        /* the close has arrived */
    struct sim_event readable; /* the receiver is to be told of data or the ending */
    struct sim_event drained;  /* the sender is to be told */
    struct sim_event dead;     /* the sender will find its peer gone ... */
    int dead_why;              /* ... with this errno */
};

struct sim_link {
    uint64_t dialled_ms;
    struct addr from;
    struct addr to;
    char *path; /* Unix, else NULL */
    struct stream_cred cred;
    bool opened;
    bool silent;
    struct stream *end[2];    /* by enum sim_side; NULL before it is there and after it has left */
    struct half half[2];      /* by sender */
    struct sim_event arrival; /* of the request to connect */
    struct sim_event answer;  /* to it, with this errno */
    int answer_why;
};

/* --- what streams ask of the wire --- */

/* A new link, on which CLIENT waits for an answer. */
struct sim_link *link_dial(struct stream *client, const struct addr *to, const char *path);

/* Queues and sends; the caller has checked the cap. */
void link_send(struct sim_link *k, enum sim_side from, struct slice data);
size_t link_queued(const struct sim_link *k, enum sim_side from);

/* SIDE reads again. */
void link_poke_reader(struct sim_link *k, enum sim_side side);

/* SIDE sends no more; the other side is told behind what is on its way. */
void link_shut(struct sim_link *k, enum sim_side side);

/* SIDE's stream is gone. */
void link_leave(struct sim_link *k, enum sim_side side);

/* --- what the wire asks of streams: callbacks, after which the stream may be gone --- */

struct stream *stream_accepted(struct sim_link *k);
void stream_opened(struct stream *s);
bool stream_reads(const struct stream *s);
void stream_receive(struct stream *s, struct slice data);
void stream_drained(struct stream *s);
void stream_failed(struct stream *s, int errnum); /* 0: the other side closed */

/* Whoever listens at TO or PATH; NULL if nobody. */
struct stream_listener *listener_find(const struct addr *to, const char *path);
void listener_accept(struct stream_listener *sl, struct stream *accepted);

#endif
