/*
 * phone: from settings to what the modules below want: account configurations, trust filter,
 * policies.
 */
#ifndef SIPSD_CONTROL_PHONE_H
#define SIPSD_CONTROL_PHONE_H

#include "control/settings.h"
#include "link/account.h"
#include "link/door.h"
#include "link/listener.h"

/*
 * The configuration of account NUMBER (1 to LIMIT_ACCOUNTS); its strings are valid until the
 * settings change or go. OK also for an account that is not enabled. For one that is:
 * ERR_UNSUPPORTED if it does not use TLS and so is not sipsd's; ERR_INVALID if it cannot work (no
 * server, no user name). Both with a sentence that names the account and the key.
 */
RESULT phone_account(const struct settings *s, int number, struct account_config *out,
                     struct errinfo *e);

/* Whether two configurations differ, so that the account has to be made anew. */
bool phone_account_differs(const struct account_config *a, const struct account_config *b);

/* How the phone is a server itself. */
void phone_listener(const struct settings *s, struct listener_config *out);

/* The local port of account NUMBER for SIP stacks, with strings as above; false if it has none: it
 * is not enabled, cannot work, or its port is 0. */
bool phone_door(const struct settings *s, int number, struct door_config *out);

/*
 * How files are fetched from the provisioning server, and from where commands say: how a server is
 * judged, what the phone shows it, and what is only for the provisioning server itself. Strings as
 * above.
 */
struct phone_fetch {
    enum trust_filter filter;
    bool check_name;
    struct verify_policy policy;
    enum tls_versions versions;
    enum identity_want identity;
    bool allow_http;
    const char *server;   /* its URL; "": there is none */
    const char *user;     /* "" for none */
    const char *password; /* a secret */
};
void phone_fetch(const struct settings *s, struct phone_fetch *out);

/* When the settings have files fetched, and where reports of it go. */
struct phone_schedule {
    const char *server;  /* the URL to fetch from; "": there is none, and nothing is fetched */
    bool power_on;       /* when the phone starts */
    uint32_t period_min; /* again and again, in minutes; 0: no */
    bool check_sync;     /* when a SIP server says so */
    uint32_t spread_s;   /* at most so long is waited before, at random */
    const char *report;  /* a URL; "": nowhere */
};
void phone_schedule(const struct settings *s, struct phone_schedule *out);

/* Which trusted certificates count for SIP; an account may have a filter of its own. */
enum trust_filter phone_trust_filter(const struct settings *s);

/* Which certificate of its own the admin wants the phone to show: see identity_choose(). */
enum identity_want phone_identity(const struct settings *s);

/* Whether uploaded certificates survive a reset of the phone. */
bool phone_reserves_certs(const struct settings *s);

/*
 * "urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF" (RFC 5626 section 4.1) from MAC
 * "AA:BB:CC:DD:EE:FF", or in another form that base/mac reads. ERR_INVALID.
 */
#define PHONE_INSTANCE_SIZE 46
RESULT phone_instance_id(const char *mac, char out[PHONE_INSTANCE_SIZE], struct errinfo *e);

#endif
