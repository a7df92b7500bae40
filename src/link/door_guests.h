/*
 * door_guests: the connections between a local port (link/door) and its SIP stack, dialled by
 * either side; at most LIMIT_DOOR_CONNECTIONS.
 *
 * One that has ended is only marked, because its end is told from inside of it:
 * door_guests_free_closed() frees such ones later, from the loop.
 */
#ifndef SIPSD_LINK_DOOR_GUESTS_H
#define SIPSD_LINK_DOOR_GUESTS_H

#include "link/doorway.h"

struct door;

struct door_guest {
    struct door_guest *next;
    struct door *door;
    struct doorway *way;
    bool known; /* it has sent a request of the account, or was dialled */
    bool dialled;
    bool closed; /* to be freed */
};

/* A value type; all zero is none. */
struct door_guests {
    struct door_guest *first; /* the newest */
};

/* A guest of D that is not among them yet, for door_guests_add(), or to be free()d; NULL where
 * there are too many, or no memory. */
struct door_guest *door_guests_make(const struct door_guests *g, struct door *d);

/* G, whose way is there now. */
void door_guests_add(struct door_guests *g, struct door_guest *guest);

/* The one whose connection ID is, or NULL. */
struct door_guest *door_guests_find(const struct door_guests *g, uint64_t id);

/* The newest one that is known to be the account's; NULL: none is. */
struct door_guest *door_guests_newest_known(const struct door_guests *g);

/* How many are connected. */
size_t door_guests_connected(const struct door_guests *g);

void door_guests_free_closed(struct door_guests *g);

/* All of them, at once. */
void door_guests_clear(struct door_guests *g);

#endif
