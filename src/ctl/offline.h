/*
 * offline: a phone that has nothing yet, to judge with what an admin wants to give to one: its
 * credentials, on which the phone's own modules work as they do there. Nothing is ever written. One
 * at a time.
 */
#ifndef SIPSD_CTL_OFFLINE_H
#define SIPSD_CTL_OFFLINE_H

#include "control/credentials.h"

struct offline;

/* A phone whose clock is set, and shows NOW_S. MAC is borrowed. ERR_NOMEM. */
RESULT offline_new(const char *mac, int64_t now_s, struct offline **out, struct errinfo *e);
void offline_free(struct offline *o); /* NULL is fine */

/* Borrowed. */
struct credentials *offline_credentials(const struct offline *o);

#endif
