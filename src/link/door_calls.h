/*
 * door_calls: the calls that pass through a local port (link/door): over which connections each one
 * goes, and how many hang on a connection.
 *
 * Messages find their way without it, by the branch of our Via and the Route set; it is for what
 * has neither: a request from the server, which names the account and not one of its stack's
 * connections, and for not closing a connection that has calls. Bounded: LIMIT_DOOR_CALLS; beyond
 * that, calls still work, but are not counted. Pure; time is passed in.
 */
#ifndef SIPSD_LINK_DOOR_CALLS_H
#define SIPSD_LINK_DOOR_CALLS_H

#include "sip/message.h"

struct door_calls;

/* The two connections of a call, by their ids. */
struct door_way {
    uint64_t stack; /* 0: it is gone */
    uint64_t line;
    bool inbound; /* the line was dialled by the other side */
};

RESULT door_calls_new(struct door_calls **out);
void door_calls_free(struct door_calls *c); /* NULL is fine */

/* M passed over W, OUTWARD from the stack or to it. */
void door_calls_note(struct door_calls *c, const struct sip_message *m, bool outward,
                     const struct door_way *w, uint64_t now_ms);

/* The way of the call that request M belongs to, CANCEL and ACK included; NULL if none is known.
 * Valid until the next call that changes something. */
const struct door_way *door_calls_find(const struct door_calls *c, const struct sip_message *m,
                                       bool outward);

/* Calls, ringing ones too: all; that hang on LINE; and on the connection STACK. */
unsigned door_calls_count(const struct door_calls *c);
unsigned door_calls_on_line(const struct door_calls *c, uint64_t line);
bool door_calls_on_stack(const struct door_calls *c, uint64_t stack);

/* The connection STACK is gone: its calls may come back on another. */
void door_calls_stack_gone(struct door_calls *c, uint64_t stack, uint64_t now_ms);

/* Forgets what has ended, or was silent for too long. When it is wanted next: UINT64_MAX if never.
 */
uint64_t door_calls_expire(struct door_calls *c, uint64_t now_ms);

#endif
