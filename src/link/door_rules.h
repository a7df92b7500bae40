/*
 * door_rules: what a local port (link/door) reads from the messages of a SIP stack, and makes of
 * them: whose they are, where the stack is, and which Contact is exchanged for which. Pure.
 */
#ifndef SIPSD_LINK_DOOR_RULES_H
#define SIPSD_LINK_DOOR_RULES_H

#include "base/buf.h"
#include "link/binding.h"
#include "sip/message.h"
#include "sys/addr.h"

#define DOOR_CONTACT_SIZE 256

/* Where a stack is: the URI that it wants to be called by, and the address in it, family 0 if that
 * is no loopback address. A value type; all zero: nobody knows. */
struct door_contact {
    char uri[DOOR_CONTACT_SIZE];
    struct addr at;
};

/* "127.0.0.1" to "127.255.255.255" with a port ("127.0.0.1:5070"); false for anything else. */
bool door_address(struct slice hostport, struct addr *out);

/* From a Contact's URI; false if it is none that a request can be sent to: not "sip:", with header
 * fields in it, or longer than DOOR_CONTACT_SIZE. */
bool door_contact_parse(struct slice uri, struct door_contact *out);

/* The one of USER (as in a URI) at the address AT: where nothing else is known. */
RESULT door_contact_make(const char *user, const struct addr *at, struct door_contact *out);

/* Whether URI is that of USER at DOMAIN: scheme, port and parameters do not matter. */
bool door_is_ours(struct slice uri, const char *user, const char *domain);

/*
 * Whether the account USER at DOMAIN may say request M: its From is the account, and of a REGISTER
 * its To. In a call that came in, the stack is who the caller has dialled, which may be another
 * name of the account's; there is no such call without the server's consent.
 */
bool door_may_say(const struct sip_message *m, const char *user, const char *domain);

/* Whether M, a request, is for the local port at HOSTPORT itself (OPTIONS to see if it is there):
 * no user, no dialog, and no way further on. */
bool door_is_target(const struct sip_message *m, const char *hostport);

/* The first Contact of M is to be OUTSIDE for the other end (RFC 3261 section 8.1.1.8, RFC 5630
 * section 3.1.3): as "sips:" in what is between sips: URIs, else as "sip:" and transport=tls. False
 * if there is none to be exchanged: no Contact, a wildcard, a redirection to somewhere else. */
bool door_contact_outside(const struct sip_message *m, const char *outside, struct slice *was,
                          char is[BINDING_CONTACT_SIZE]);

/* Which form of OUTSIDE is among the Contacts of response M to a REGISTER; false if it is not. */
bool door_contact_inside(const struct sip_message *m, const char *outside,
                         char was[BINDING_CONTACT_SIZE]);

/* How long a REGISTER wants its first Contact to last, in seconds; 0 takes it away. */
uint32_t door_asked_s(const struct sip_message *m);

#endif
