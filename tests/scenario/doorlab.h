/*
 * doorlab: what the tests of the local port (link/door) need: a simulated world with a door, a line
 * of the carrier that is made up, SIP stacks that connect or are dialled, and their messages.
 *
 * The account is alice's at example.com. With LAB_LOG set in the environment, what the product logs
 * is shown.
 */
#ifndef SIPSD_TESTS_SCENARIO_DOORLAB_H
#define SIPSD_TESTS_SCENARIO_DOORLAB_H

#include "base/limits.h"
#include "link/door.h"
#include "sim/sim.h"

#define DOOR    "127.0.0.1:5070"
#define CONTACT "sips:alice@192.0.2.7:40312"

enum { LINE_ID = 77, DOOR_PORT = 5070, PEER_PORT = 5080 };

/* A SIP stack's end of a connection, dialled by either side. */
struct stack {
    struct stream *stream; /* NULL: it is closed */
    char got[70000];       /* all that came */
    size_t n;
};

struct doorlab {
    struct sim *sim;
    struct carrier *carrier;
    struct carrier_line *line;
    struct door *door;
    struct stack stacks[LIMIT_DOOR_CONNECTIONS + 2];
    size_t count;
    struct stream_listener *peer; /* where a stack can be dialled */
    char sent[8192];              /* the last that left over the line */
    unsigned sends;
    size_t queued;
    unsigned registers;
};
extern struct doorlab doorlab; /* one at a time */

int doorlab_set_up(void **state);
int doorlab_tear_down(void **state);

/* --- the door --- */

struct door_config doorlab_config(void);
struct result doorlab_try(struct door_config cfg, struct door **out);
void doorlab_open(struct door_config cfg);

/* --- the TLS side --- */

void doorlab_open_line(bool registered);
void doorlab_close_line(void);
void doorlab_server_says(const char *text);

/* What the server answers to what left over the line last. */
void doorlab_server_answers(int status, const char *extra);

/* Whether the last that left over the line has PART in it. */
bool doorlab_sent(const char *part);

/* --- the stack --- */

struct stack *doorlab_connect(void);
void doorlab_listen(uint16_t port); /* those that are dialled come last in doorlab.stacks */
void doorlab_says(struct stack *s, const char *text); /* forgets what it has got */
bool doorlab_got(const struct stack *s, const char *part);

/* Its answer to the request that it has got last. */
void doorlab_answers(struct stack *s, int status, const char *tag);

/* --- messages --- */

#define END "Max-Forwards: 9\r\nContent-Length: 0\r\n\r\n"

#define STACK_SAYS(method, uri, from, to, more)                        \
    method " " uri " SIP/2.0\r\n"                                      \
           "Via: SIP/2.0/TCP 127.0.0.1:5080;branch=z9hG4bK" method "s" \
           ";rport\r\n"                                                \
           "From: <" from ">;tag=s\r\n"                                \
           "To: <" to ">\r\n"                                          \
           "Call-ID: out@stack\r\n"                                    \
           "CSeq: 1 " method "\r\n" more END

#define OUR   "sip:alice@example.com"
#define BOB   "sip:bob@example.net"
#define STACK "Contact: <sip:a-1@127.0.0.1:5080;transport=tcp>\r\n"

#define INVITE          STACK_SAYS("INVITE", BOB, OUR, BOB, STACK)
#define REGISTER(extra) STACK_SAYS("REGISTER", "sip:example.com", OUR, OUR, extra)

#define SERVER_SAYS(method, to)                                     \
    method " sips:alice@192.0.2.7:40312 SIP/2.0\r\n"                \
           "Via: SIP/2.0/TLS 198.51.100.1;branch=z9hG4bKserver\r\n" \
           "From: <sip:bob@example.net>;tag=b\r\n"                  \
           "To: <sip:alice@example.com>" to "\r\n"                  \
           "Call-ID: in@server\r\n"                                 \
           "CSeq: 1 " method "\r\nContact: <sip:bob@198.51.100.9>\r\n" END

#endif
