/*
 * report: what the sockets tell, as JSON. Pure: statuses in, cJSON out; docs/events.md shows it.
 *
 * All text is UTF-8 without control characters, whatever peers and files had in theirs. Each
 * function returns a new item, or NULL on no memory.
 */
#ifndef SIPSD_CONTROL_REPORT_H
#define SIPSD_CONTROL_REPORT_H

#include "base/clock.h"
#include "link/account.h"
#include "pki/trust.h"

struct cJSON;

struct cJSON *report_account(const struct account_status *s);

/* The params of "registration": the account's number and its registration. */
struct cJSON *report_registration(const struct account_status *s);

/* The state that is told: an account that refreshes its registration is registered all the time. */
enum registration_state report_registration_state(const struct account_status *s);

struct cJSON *report_clock(struct wallclock now);
struct cJSON *report_trust(const struct trust *t, enum trust_filter filter);

/* One of trust.list's certificates; WITH_PEM: with the certificate itself. */
struct cJSON *report_anchor(const struct trust_anchor *a, struct wallclock now, bool with_pem);

/* "default", "custom", "all"; false for other names. */
const char *report_filter_name(enum trust_filter f);
bool report_filter_from_name(const char *name, enum trust_filter *out);

#endif
