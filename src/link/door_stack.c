#include "link/door_stack.h"

static const struct door_contact *named(const struct door_stack *s)
{
    return s->registered.uri[0] != '\0' ? &s->registered : &s->used;
}

void door_stack_learn(struct door_stack *s, const struct sip_message *m)
{
    struct sip_contact c;
    struct door_contact contact;
    if (!sip_message_contact(m, 0, &c) || !door_contact_parse(c.uri, &contact))
        return;
    s->used = contact;
    s->misled = false;
}

bool door_stack_register(struct door_stack *s, const struct sip_message *m)
{
    struct sip_contact c;
    door_stack_learn(s, m);
    s->registered = (struct door_contact){.uri = ""};
    return door_asked_s(m) != 0 && sip_message_contact(m, 0, &c) &&
           door_contact_parse(c.uri, &s->registered);
}

const char *door_stack_contact(struct door_stack *s, const struct addr *at)
{
    if (named(s)->uri[0] != '\0')
        return named(s)->uri;
    return is_ok(door_contact_make(s->user, at, &s->made)) ? s->made.uri : NULL;
}

const struct addr *door_stack_address(const struct door_stack *s, uint16_t own_port)
{
    const struct addr *at = &named(s)->at;
    const bool usable = at->family != 0 && at->port != own_port;
    if (s->peer.family != 0 && (!usable || s->misled))
        return &s->peer;
    return usable ? at : NULL;
}
