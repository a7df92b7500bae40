/*
 * doorway: one TCP connection between a local port (link/door) and a SIP stack on the phone:
 * a stream that carries whole SIP messages, without TLS.
 *
 *     CONNECTING (dialled) -> OPEN -> CLOSED
 *
 * Bounded in size and time. A stack that does not read is given LIMIT_DOOR_BACKLOG bytes and
 * LIMIT_DOOR_STUCK_MS, and is not read from meanwhile; one that connects has LIMIT_DOOR_FIRST_MS
 * for its first message and LIMIT_SIP_ARRIVAL_MS for each to be whole; a silent one goes after
 * LIMIT_DOOR_IDLE_MS. Keep-alives are answered (RFC 5626 section 3.5.1).
 */
#ifndef SIPSD_LINK_DOORWAY_H
#define SIPSD_LINK_DOORWAY_H

#include "base/errinfo.h"
#include "sip/message.h"
#include "sys/stream.h"

struct doorway;

/* All of them come from the loop, never from inside a call of this module but doorway_retry(). W is
 * not freed in them. Static storage. */
struct doorway_handlers {
    /* M and RAW are valid during the call. False: not now; nothing more is read until
     * doorway_retry(), which offers it again. */
    bool (*on_message)(void *arg, const struct sip_message *m, struct slice raw);
    /* It was dialled in vain, and M was to be sent over it; before on_closed. */
    void (*on_unsent)(void *arg, const struct sip_message *m);
    /* It has been silent for LIMIT_DOOR_IDLE_MS: true if it may stay. */
    bool (*may_be_idle)(void *arg);
    /* The last call. E says why, as a sentence. */
    void (*on_closed)(void *arg, const struct errinfo *e);
};

/* Takes over an accepted stream; of a failure it is closed. ERR_NOMEM. */
RESULT doorway_accept(struct loop *l, struct stream *s, const struct doorway_handlers *h, void *arg,
                      struct doorway **out);

/* Dials TO. Fails later, by on_closed. */
RESULT doorway_dial(struct loop *l, const struct addr *to, const struct doorway_handlers *h,
                    void *arg, struct doorway **out, struct errinfo *e);

/* At once; what is queued is still flushed. Not from inside its handlers. NULL is fine. */
void doorway_free(struct doorway *w);

/*
 * Sends one message, or keeps it until it is OPEN. ERR_BUSY: too much waits there already; a
 * request is refused when the backlog is half full, so that there is room for responses, and a
 * response that finds none ends the connection. ERR_STATE: it is closed.
 */
RESULT doorway_send(struct doorway *w, struct slice message);

/* What on_message had no room for may have it now. */
void doorway_retry(struct doorway *w);

uint64_t doorway_id(const struct doorway *w); /* loop_unique_id() */
struct addr doorway_peer(const struct doorway *w);
bool doorway_was_open(const struct doorway *w); /* is, or was: it was not dialled in vain */

#endif
