/*
 * phone: from settings to what the modules below want: account configurations, trust filter,
 * policies.
 */
#ifndef SIPSD_CONTROL_PHONE_H
#define SIPSD_CONTROL_PHONE_H

#include "control/settings.h"
#include "link/account.h"

/* The configuration of account NUMBER; its strings are valid until the settings change or go.
 * ERR_INVALID with a sentence if it is enabled and cannot work (no server, no user name). */
RESULT phone_account(const struct settings *s, int number, struct account_config *out,
                     struct errinfo *e);

/* Whether two configurations differ in anything that asks for a new connection. */
bool phone_account_differs(const struct account_config *a, const struct account_config *b);

enum trust_filter phone_trust_filter(const struct settings *s);

/* "urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF" (RFC 5626 section 4.1) from MAC
 * "AA:BB:CC:DD:EE:FF" or "aabbccddeeff". */
#define PHONE_INSTANCE_SIZE 46
RESULT phone_instance_id(const char *mac, char out[PHONE_INSTANCE_SIZE], struct errinfo *e);

#endif
