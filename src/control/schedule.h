/*
 * schedule: when the phone fetches its settings by itself: at the start, from time to time, when an
 * account's server says so, and again after a failure. What a fetch is, its owner knows.
 *
 * Many phones have the same reason at the same time: after a power cut, at a server's word. So each
 * waits a random part of the spread first; periods are drawn between 90 and 110 per cent.
 *
 * A fetch that could not be had (FAILED) is tried again as base/backoff says, for ever, and not
 * before the time that the server asked for (Retry-After), whatever the reason for the next one is.
 * One whose files were refused is not: they have to be mended first, and the next occasion will do.
 */
#ifndef SIPSD_CONTROL_SCHEDULE_H
#define SIPSD_CONTROL_SCHEDULE_H

#include "base/rng.h"
#include "control/phone.h"
#include "control/provision_report.h"
#include "sys/loop.h"

struct schedule;

/* From the loop: time for a fetch, because of CAUSE. An error is a failed one. */
typedef struct result schedule_fetch_fn(void *arg, enum provision_cause cause, struct errinfo *e);

/* RNG is copied. Nothing is fetched before the settings are known. ERR_NOMEM. */
RESULT schedule_new(struct loop *l, const struct rng *rng, schedule_fetch_fn *fetch, void *arg,
                    struct schedule **out);
void schedule_free(struct schedule *s); /* NULL is fine */

/*
 * The settings are these; what they say is copied. At once in force: a period counts from the last
 * fetch, or from now where there was none; what waits for a server that is none any more is
 * dropped; what failed at another server is tried at once.
 */
void schedule_configure(struct schedule *s, const struct phone_schedule *cfg);

/* The phone starts; once. SPREAD: as many do at the same time, perhaps; else at once. */
void schedule_power_on(struct schedule *s, bool spread);

/* A SIP server says that there are new settings. While one such fetch waits, another adds nothing;
 * two are LIMIT_CHECK_SYNC_MS apart. */
void schedule_check_sync(struct schedule *s);

/* Something that a fetch may have failed for is different: the clock, the trusted certificates, the
 * phone's own. What waits after a failure is tried at once. */
void schedule_try_again(struct schedule *s);

/* A run has ended, whatever it was. */
void schedule_ended(struct schedule *s, const struct provision_report *r);

/* Milliseconds until the next fetch by itself; UINT64_MAX: none will be. */
uint64_t schedule_next_ms(const struct schedule *s);

#endif
