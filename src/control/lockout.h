/*
 * lockout: the guard against a push that would lock the admin out: would those servers that the
 * phone trusts now, and will go on using, still be trusted afterwards?
 *
 * Two kinds are looked at. The SIP server of an account that is connected now and was verified, if
 * the account stays enabled with the same server. And the provisioning server, by the certificates
 * that it showed last, if it stays the provisioning server. What cannot be known in advance is not
 * guessed: a server that was never seen, TLS versions, and what servers think of the phone's own
 * certificate. For those there is the trial.
 */
#ifndef SIPSD_CONTROL_LOCKOUT_H
#define SIPSD_CONTROL_LOCKOUT_H

#include "control/gather.h"
#include "control/provision_report.h"
#include "link/account.h"

struct lockout_input {
    const struct settings *next; /* as they would be */
    struct trust *trust;         /* likewise */
    struct wallclock now;
    const struct gather_chain *server; /* NULL, or no certificates in it: never seen */
    size_t (*account_count)(void *arg);
    struct account *(*account_at)(void *arg, size_t i);
    void *arg;
};

/* Adds an item that is not ok to R for each who would be locked out; how many those are. OK as
 * FORCED says: then they are ok, with the sentence. */
size_t lockout_look(const struct lockout_input *in, bool forced, struct provision_report *r);

#endif
