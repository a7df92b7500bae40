/*
 * aresloop: one c-ares channel on the loop: its sockets are watched, its retries timed. For
 * sys/dns.c alone: nothing above knows that there is a c-ares.
 */
#ifndef SIPSD_SYS_ARESLOOP_H
#define SIPSD_SYS_ARESLOOP_H

#include <ares.h>

#include "base/errinfo.h"
#include "sys/loop.h"

struct aresloop;

/*
 * SERVERS ("192.0.2.53,[2001:db8::53]:5353") are asked, or, where it is NULL, those of resolv.conf
 * as that is now. AFTER(ARG) is called whenever c-ares has worked, outside of it: whatever has
 * ended may be freed there, A too.
 */
RESULT aresloop_new(struct loop *l, const char *servers, loop_fn *after, void *arg,
                    struct aresloop **out, struct errinfo *e);

/* Ends the look-ups under way (ARES_EDESTRUCTION). Never from inside a callback of c-ares. */
void aresloop_free(struct aresloop *a);

/* ares_getaddrinfo() for a TCP connection to HOST, in both families. FN may be called at once. */
void aresloop_look_up(struct aresloop *a, const char *host, ares_addrinfo_callback fn, void *arg);

#endif
