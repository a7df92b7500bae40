#include "link/door_guests.h"

#include <stdlib.h>

#include "base/limits.h"

static size_t count(const struct door_guests *g)
{
    size_t n = 0;
    for (const struct door_guest *at = g->first; at != NULL; at = at->next)
        n++;
    return n;
}

struct door_guest *door_guests_make(const struct door_guests *g, struct door *d)
{
    struct door_guest *guest = count(g) < LIMIT_DOOR_CONNECTIONS ? calloc(1, sizeof *guest) : NULL;
    if (guest != NULL)
        guest->door = d;
    return guest;
}

void door_guests_add(struct door_guests *g, struct door_guest *guest)
{
    guest->next = g->first;
    g->first = guest;
}

struct door_guest *door_guests_find(const struct door_guests *g, uint64_t id)
{
    struct door_guest *at = g->first;
    while (at != NULL && (at->closed || doorway_id(at->way) != id))
        at = at->next;
    return at;
}

struct door_guest *door_guests_newest_known(const struct door_guests *g)
{
    struct door_guest *at = g->first;
    while (at != NULL && (at->closed || !at->known))
        at = at->next;
    return at;
}

size_t door_guests_connected(const struct door_guests *g)
{
    size_t n = 0;
    for (const struct door_guest *at = g->first; at != NULL; at = at->next)
        n += !at->closed && doorway_was_open(at->way);
    return n;
}

void door_guests_free_closed(struct door_guests *g)
{
    struct door_guest **at = &g->first;
    while (*at != NULL) {
        struct door_guest *guest = *at;
        if (!guest->closed) {
            at = &guest->next;
            continue;
        }
        *at = guest->next;
        doorway_free(guest->way);
        free(guest);
    }
}

void door_guests_clear(struct door_guests *g)
{
    for (struct door_guest *at = g->first; at != NULL; at = at->next)
        at->closed = true;
    door_guests_free_closed(g);
}
