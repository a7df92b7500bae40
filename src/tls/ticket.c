#include "tls/ticket.h"

#include <stdlib.h>

#include "base/wipe.h"
#include "tls/peer.h"

struct entry {
    uint64_t age; /* the smaller, the older; 0: nothing is here */
    uint8_t *flow_key;
    size_t flow_key_len;
    struct tls_ticket ticket;
};

struct tls_tickets {
    uint64_t last_age;
    size_t max;
    struct entry entries[];
};

void tls_ticket_free(struct tls_ticket *ticket)
{
    if (ticket->session != NULL)
        wipe(ticket->session, ticket->session_len);
    free(ticket->session);
    tls_peer_unref(ticket->peer);
    *ticket = (struct tls_ticket){0};
}

static void entry_clear(struct entry *e)
{
    tls_ticket_free(&e->ticket);
    free(e->flow_key);
    *e = (struct entry){0};
}

static bool entry_is_of(const struct entry *e, struct slice flow_key)
{
    return e->age != 0 && slice_eq(slice_of(e->flow_key, e->flow_key_len), flow_key);
}

struct result tls_tickets_new(size_t max, struct tls_tickets **out)
{
    struct tls_tickets *t = calloc(1, sizeof(*t) + max * sizeof(t->entries[0]));

    if (t == NULL)
        return err(ERR_NOMEM);
    t->max = max;
    *out = t;
    return OK;
}

void tls_tickets_clear(struct tls_tickets *t)
{
    for (size_t i = 0; i < t->max; i++)
        entry_clear(&t->entries[i]);
}

void tls_tickets_free(struct tls_tickets *t)
{
    if (t == NULL)
        return;
    tls_tickets_clear(t);
    free(t);
}

void tls_tickets_drop(struct tls_tickets *t, struct slice flow_key)
{
    for (size_t i = 0; i < t->max; i++)
        if (entry_is_of(&t->entries[i], flow_key))
            entry_clear(&t->entries[i]);
}

size_t tls_tickets_count(const struct tls_tickets *t)
{
    size_t n = 0;

    for (size_t i = 0; i < t->max; i++)
        n += t->entries[i].age != 0;
    return n;
}

/* Where a new ticket of the flow goes: the oldest of its own where it has enough, else the oldest
 * of all, which is a free place if there is one. NULL for a store without places. */
static struct entry *place_for(struct tls_tickets *t, struct slice flow_key)
{
    struct entry *oldest = NULL;
    struct entry *own_oldest = NULL;
    size_t own = 0;

    for (size_t i = 0; i < t->max; i++) {
        struct entry *e = &t->entries[i];
        if (oldest == NULL || e->age < oldest->age)
            oldest = e;
        if (!entry_is_of(e, flow_key))
            continue;
        own++;
        if (own_oldest == NULL || e->age < own_oldest->age)
            own_oldest = e;
    }
    return own >= LIMIT_TICKETS_FLOW ? own_oldest : oldest;
}

void tls_tickets_put(struct tls_tickets *t, struct slice flow_key, bool tls13, struct slice session,
                     struct tls_peer *peer)
{
    struct entry *e = place_for(t, flow_key);

    if (e == NULL)
        return;
    struct entry new = {
        .age = t->last_age + 1,
        .flow_key = slice_dup(flow_key),
        .flow_key_len = flow_key.n,
        .ticket = {.tls13 = tls13, .session = slice_dup(session), .session_len = session.n},
    };
    if (new.flow_key == NULL || new.ticket.session == NULL) {
        entry_clear(&new);
        return;
    }
    new.ticket.peer = tls_peer_ref(peer);
    entry_clear(e);
    *e = new;
    t->last_age = new.age;
}

bool tls_tickets_take(struct tls_tickets *t, struct slice flow_key, int64_t now_s,
                      struct tls_ticket *out)
{
    struct entry *newest = NULL;

    for (size_t i = 0; i < t->max; i++) {
        struct entry *e = &t->entries[i];
        if (!entry_is_of(e, flow_key))
            continue;
        if (!tls_peer_fresh(e->ticket.peer, now_s))
            entry_clear(e);
        else if (newest == NULL || e->age > newest->age)
            newest = e;
    }
    if (newest == NULL)
        return false;
    *out = newest->ticket;
    newest->ticket = (struct tls_ticket){0};
    entry_clear(newest);
    return true;
}
