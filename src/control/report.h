/*
 * report: what the sockets tell, as JSON. Pure: statuses in, cJSON out; docs/events.md shows it.
 *
 * All text is UTF-8 without control characters, whatever peers and files had in theirs. Each
 * function returns a new item, or NULL on no memory.
 */
#ifndef SIPSD_CONTROL_REPORT_H
#define SIPSD_CONTROL_REPORT_H

#include "base/clock.h"
#include "control/complaints.h"
#include "control/expiry.h"
#include "link/account.h"
#include "link/door.h"
#include "link/inbound.h"
#include "pki/trust.h"

struct cJSON;

struct cJSON *report_account(const struct account_status *s);

/* The params of "registration": the account's number and its registration. */
struct cJSON *report_registration(const struct account_status *s);

/* The state that is told: an account that refreshes its registration is registered all the time. */
enum registration_state report_registration_state(const struct account_status *s);

/* A connection that somebody made to the phone. */
struct cJSON *report_inbound(const struct inbound_status *s);

/* The params of "inbound_untold": so many were not told within LIMIT_INBOUND_TALLY_MS. */
struct cJSON *report_inbound_untold(unsigned connections);

/* An account's local port for a SIP stack. */
struct cJSON *report_local_port(const struct door_status *s);

/* What is wrong, as an account has it. */
struct cJSON *report_reasons(const struct verdict *v);

/* What account.rules answers. */
struct cJSON *report_rules(const struct account_status *s);

struct cJSON *report_clock(struct wallclock now);
struct cJSON *report_trust(const struct trust *t, enum trust_filter filter);

/* One of trust.list's certificates; WITH_PEM: with the certificate itself. */
struct cJSON *report_anchor(const struct trust_anchor *a, struct wallclock now, bool with_pem);

/* Any certificate, in the same manner. */
struct cJSON *report_cert(const struct cert *c, struct wallclock now, bool with_pem);

/* The params of "certificate" when the phone shows ID (NULL: none) from now on. */
struct cJSON *report_replaced(const struct identity *id, const char *why, struct wallclock now);

/* Files that could not be used, and why. */
struct cJSON *report_complaints(const struct complaints *c);

/* The params of "certificate", which are also the elements of the state's "expiring". */
struct cJSON *report_certificate(const struct expiry_notice *n);

/* "default", "custom", "all"; false for other names. */
const char *report_filter_name(enum trust_filter f);
bool report_filter_from_name(const char *name, enum trust_filter *out);

#endif
