#include "link/door_calls.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"

#define KEY_SIZE 16

enum call_state {
    CALL_NONE,
    CALL_RINGING, /* an INVITE without its final response */
    CALL_UP,
    CALL_ENDED, /* kept for what is still on its way: the ACK of a refusal, a repeated BYE */
};

/* A dialog as RFC 3261 section 12 has it, seen from the stack: by Call-ID and the stack's own tag,
 * so that an account that calls itself has two. */
struct call {
    enum call_state state;
    uint8_t key[KEY_SIZE];
    struct door_way way;
    uint64_t ends_ms;
};

struct door_calls {
    struct call all[LIMIT_DOOR_CALLS];
};

struct result door_calls_new(struct door_calls **out)
{
    *out = calloc(1, sizeof **out);
    return *out == NULL ? err(ERR_NOMEM) : OK;
}

void door_calls_free(struct door_calls *c)
{
    free(c);
}

/* --- which call --- */

static void make_key(const struct sip_message *m, const char *tag, uint8_t out[KEY_SIZE])
{
    const struct slice parts[] = {slice_of_str(sip_message_call_id(m)), slice_of("", 1),
                                  slice_of_str(tag)};
    uint8_t whole[HASH_MAX_SIZE];
    hash_parts(HASH_SHA256, parts, sizeof parts / sizeof parts[0], whole);
    memcpy(out, whole, KEY_SIZE);
}

static struct call *find(const struct door_calls *c, const uint8_t key[KEY_SIZE])
{
    for (size_t i = 0; i < LIMIT_DOOR_CALLS; i++)
        if (c->all[i].state != CALL_NONE && memcmp(c->all[i].key, key, KEY_SIZE) == 0)
            return (struct call *)&c->all[i];
    return NULL;
}

/* The stack's own tag: it is the sender of what goes outward, but the To of what it answers. */
static const char *own_tag(const struct sip_message *m, bool outward)
{
    return sip_message_is_request(m) == outward ? sip_message_from_tag(m) : sip_message_to_tag(m);
}

/* One that rings has no tag of the stack's yet, which is what its CANCEL finds it by. */
static struct call *find_for(const struct door_calls *c, const struct sip_message *m, bool outward)
{
    uint8_t key[KEY_SIZE];
    make_key(m, own_tag(m, outward), key);
    struct call *call = find(c, key);
    if (call != NULL)
        return call;
    make_key(m, "", key);
    return find(c, key);
}

const struct door_way *door_calls_find(const struct door_calls *c, const struct sip_message *m,
                                       bool outward)
{
    const struct call *call = find_for(c, m, outward);
    return call == NULL ? NULL : &call->way;
}

/* --- what becomes of it --- */

static void set_state(struct call *call, enum call_state to, uint64_t now_ms)
{
    static const uint64_t lasts_ms[] = {
        [CALL_RINGING] = LIMIT_DOOR_RING_MS,
        [CALL_UP] = LIMIT_DOOR_CALL_MS,
        [CALL_ENDED] = LIMIT_SIP_TIMER_F_MS,
    };
    call->state = to;
    call->ends_ms = now_ms + lasts_ms[to];
}

/* A free place, or that of the call that has ended longest; NULL if all are in use. */
static struct call *find_room(struct door_calls *c)
{
    struct call *best = NULL;
    for (size_t i = 0; i < LIMIT_DOOR_CALLS; i++) {
        struct call *call = &c->all[i];
        if (call->state == CALL_NONE)
            return call;
        if (call->state == CALL_ENDED && (best == NULL || call->ends_ms < best->ends_ms))
            best = call;
    }
    return best;
}

static struct call *begin(struct door_calls *c, const struct sip_message *m, bool outward)
{
    struct call *call = find_room(c);
    if (call != NULL) {
        *call = (struct call){.state = CALL_NONE};
        make_key(m, own_tag(m, outward), call->key);
    }
    return call;
}

/* The final response to an INVITE. The tag that the stack gives itself is known from here on. */
static void end_invite(struct call *call, const struct sip_message *m, bool outward, uint64_t now)
{
    const bool accepted = sip_message_status(m) < 300;
    make_key(m, own_tag(m, outward), call->key);
    if (accepted || call->state == CALL_UP) /* a refused re-INVITE ends nothing */
        set_state(call, CALL_UP, now);
    else
        set_state(call, CALL_ENDED, now);
}

static void note_response(struct call *call, const struct sip_message *m, bool outward,
                          uint64_t now)
{
    const int status = sip_message_status(m);
    if (status < 200)
        return;
    if (strcmp(sip_message_method(m), "INVITE") == 0)
        end_invite(call, m, outward, now);
    else if (strcmp(sip_message_method(m), "BYE") == 0 && status != 401 && status != 407)
        set_state(call, CALL_ENDED, now);
}

void door_calls_note(struct door_calls *c, const struct sip_message *m, bool outward,
                     const struct door_way *w, uint64_t now_ms)
{
    const bool begins = sip_message_is_request(m) && strcmp(sip_message_method(m), "INVITE") == 0 &&
                        sip_message_to_tag(m)[0] == '\0';
    struct call *call = find_for(c, m, outward);
    if (call == NULL && begins)
        call = begin(c, m, outward);
    if (call == NULL)
        return;
    call->way = *w;
    if (begins)
        set_state(call, CALL_RINGING, now_ms);
    else if (!sip_message_is_request(m))
        note_response(call, m, outward, now_ms);
    else
        set_state(call, call->state, now_ms); /* a word in it: it goes on */
}

/* --- the connections --- */

static bool hangs(const struct call *call)
{
    return call->state == CALL_RINGING || call->state == CALL_UP;
}

unsigned door_calls_count(const struct door_calls *c)
{
    unsigned n = 0;
    for (size_t i = 0; i < LIMIT_DOOR_CALLS; i++)
        n += hangs(&c->all[i]);
    return n;
}

unsigned door_calls_on_line(const struct door_calls *c, uint64_t line)
{
    unsigned n = 0;
    for (size_t i = 0; i < LIMIT_DOOR_CALLS; i++)
        n += hangs(&c->all[i]) && c->all[i].way.line == line;
    return n;
}

bool door_calls_on_stack(const struct door_calls *c, uint64_t stack)
{
    for (size_t i = 0; i < LIMIT_DOOR_CALLS; i++)
        if (hangs(&c->all[i]) && c->all[i].way.stack == stack)
            return true;
    return false;
}

void door_calls_stack_gone(struct door_calls *c, uint64_t stack, uint64_t now_ms)
{
    const uint64_t latest = now_ms + LIMIT_DOOR_GONE_MS;
    for (size_t i = 0; i < LIMIT_DOOR_CALLS; i++) {
        struct call *call = &c->all[i];
        if (call->state == CALL_NONE || call->way.stack != stack)
            continue;
        call->way.stack = 0;
        if (call->ends_ms > latest)
            call->ends_ms = latest;
    }
}

uint64_t door_calls_expire(struct door_calls *c, uint64_t now_ms)
{
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < LIMIT_DOOR_CALLS; i++) {
        struct call *call = &c->all[i];
        if (call->state != CALL_NONE && call->ends_ms <= now_ms)
            call->state = CALL_NONE;
        if (call->state != CALL_NONE && call->ends_ms < next)
            next = call->ends_ms;
    }
    return next;
}
