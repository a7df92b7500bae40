/*
 * port: one TCP port that is listened on, over IPv4 and IPv6; or at 127.0.0.1 alone.
 *
 * A port that cannot be had now (another process has it) is asked for again every
 * LIMIT_LISTEN_RETRY_MS. A system without IPv6 does without.
 */
#ifndef SIPSD_LINK_PORT_H
#define SIPSD_LINK_PORT_H

#include "sys/stream.h"

struct port;

/* Nothing is open yet. FN as for stream_listen_tcp(). ERR_NOMEM. */
RESULT port_new(struct loop *l, stream_accept_fn *fn, void *arg, struct port **out,
                struct errinfo *e);

/* The same at 127.0.0.1; AREA is for the log, borrowed. */
RESULT port_new_local(struct loop *l, const char *area, stream_accept_fn *fn, void *arg,
                      struct port **out, struct errinfo *e);
void port_free(struct port *p); /* NULL is fine */

/* Listens on NUMBER from now on, 0 for none; what is open there already stays so. Failures are
 * logged. */
void port_set(struct port *p, uint16_t number);

/* The same, once and now: ERR_SYSTEM with a sentence, and nothing is open then. */
RESULT port_open(struct port *p, uint16_t number, struct errinfo *e);

bool port_is_open(const struct port *p);

/* What it listens on, or would; 0 if it is to be closed. */
uint16_t port_number(const struct port *p);

#endif
