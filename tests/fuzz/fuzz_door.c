/*
 * Any message that can be parsed passes a local port, both ways: what is made of its Contact is a
 * URI, whatever the stack calls itself can be sent a request, and calls stay counted within their
 * bound.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "link/door_calls.h"
#include "link/door_stack.h"
#include "link/watched.h"
#include "sip/uri.h"

#define OUTSIDE "sips:alice@192.0.2.7:40312"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool holds)
{
    if (!holds)
        abort();
}

static void check_contacts(const struct sip_message *m)
{
    char is[BINDING_CONTACT_SIZE];
    struct slice was;
    if (door_contact_outside(m, OUTSIDE, &was, is))
        need(sip_uri_valid(slice_of_str(is)) && was.n > 0);
    if (door_contact_inside(m, OUTSIDE, is))
        need(sip_uri_valid(slice_of_str(is)));
}

static void check_stack(const struct sip_message *m)
{
    static const struct addr at = {.family = 4, .bytes = {127, 0, 0, 1}, .port = 5080};
    struct door_stack s = {.user = "alice"};
    struct sip_uri u;
    (void)door_stack_register(&s, m);
    const struct addr *to = door_stack_address(&s, 5070);
    need(to == NULL || (to->family == 4 && to->bytes[0] == 127 && to->port != 0));
    const char *uri = door_stack_contact(&s, &at);
    need(uri != NULL && sip_uri_parse(slice_of_str(uri), &u) && u.headers.p == NULL);
    need(door_asked_s(m) <= LIMIT_REGISTER_MAX_S);
}

static void check_watched(const struct sip_message *m)
{
    struct watched w = {.error = ERRINFO_INIT};
    watched_reset(&w);
    (void)watched_see(&w, m, OUTSIDE, 1000);
    need((w.granted_s != 0) == (w.state == REGISTRATION_REGISTERED));
    (void)watched_tick(&w, UINT64_MAX);
}

static void check_calls(const struct sip_message *m, bool outward)
{
    const struct door_way way = {.stack = 1, .line = 2};
    struct door_calls *calls;
    if (is_err(door_calls_new(&calls)))
        return;
    for (int i = 0; i < 2; i++)
        door_calls_note(calls, m, outward, &way, 0);
    const bool begins = sip_message_is_request(m) && sip_message_to_tag(m)[0] == '\0' &&
                        strcmp(sip_message_method(m), "INVITE") == 0;
    need(door_calls_on_line(calls, 2) == (begins ? 1U : 0U));
    need((door_calls_find(calls, m, outward) != NULL) == begins);
    need(door_calls_expire(calls, UINT64_MAX) == UINT64_MAX);
    door_calls_free(calls);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sip_message *m;
    if (is_err(sip_message_parse(slice_of(data, size), &m, NULL)))
        return 0;
    check_contacts(m);
    check_stack(m);
    check_watched(m);
    check_calls(m, true);
    check_calls(m, false);
    if (sip_message_is_request(m)) {
        (void)door_may_say(m, "alice", "example.com");
        (void)door_is_target(m, "127.0.0.1:5070");
    }
    sip_message_free(m);
    return 0;
}
