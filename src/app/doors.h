/*
 * doors: the accounts' local ports for SIP stacks (link/door), as the settings say: opened, left
 * alone, replaced and closed as the settings change.
 */
#ifndef SIPSD_APP_DOORS_H
#define SIPSD_APP_DOORS_H

#include "control/settings.h"
#include "link/carrier.h"
#include "link/door.h"
#include "sys/loop.h"

struct doors;

/* K must outlive it. ERR_NOMEM. */
RESULT doors_new(struct loop *l, struct carrier *k, const struct rng *rng, struct doors **out);

/* Closes all. NULL is fine. */
void doors_free(struct doors *d);

/* As S says from now on. One that stays as it is keeps its connections. What cannot be opened is
 * logged. */
void doors_apply(struct doors *d, const struct settings *s);

/* Shows each, by account. */
void doors_each(const struct doors *d, door_visit_fn *visit, void *arg);

#endif
