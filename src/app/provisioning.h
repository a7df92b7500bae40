/*
 * provisioning: where the daemon's settings come from: the files that it was started with, what was
 * provisioned over them, and the ways in which more comes: at the start, on a schedule, at a SIP
 * server's word. It puts together control/provision, schedule, fetchway and report_post.
 */
#ifndef SIPSD_APP_PROVISIONING_H
#define SIPSD_APP_PROVISIONING_H

#include "app/options.h"
#include "control/provision.h"
#include "link/reception.h"

struct provisioning;

/* Borrowed, must outlive it. */
struct provisioning_params {
    const struct options *options; /* the files to read, and the state directory */
    struct loop *loop;
    struct dns *dns;
    struct wallclock_source *clock;
    const char *mac;
    const char *agent; /* "sipsd/1.0" */
    struct account_source accounts;
    refused_fn *on_refused; /* of servers that files were to be fetched from */
    void *on_refused_arg;
    struct wallclock (*now)(void *arg);
    /* The settings are NOW, no longer OLD; certificates that came with them count already. */
    void (*apply)(void *arg, const struct settings *old, const struct settings *now);
    void (*ended)(void *arg, const struct provision_report *r); /* a run, whatever came of it */
    void *arg;                                                  /* of the three */
};

/* First, before credentials are opened: reads the files, whose settings provisioning_settings()
 * gives until there is an engine. ERR_* with a sentence if one cannot be read. */
RESULT provisioning_new(const struct provisioning_params *p, struct provisioning **out,
                        struct errinfo *e);

/* Then: what was provisioned before counts over them. APPLY is not called. ERR_NOMEM. */
RESULT provisioning_open(struct provisioning *p, struct credentials *c, struct errinfo *e);

/* And when the daemon is up: carries out the files' commands, and fetches if it is wanted. */
void provisioning_start(struct provisioning *p);
void provisioning_free(struct provisioning *p); /* NULL is fine */

const struct settings *provisioning_settings(const struct provisioning *p);
struct provision *provisioning_engine(const struct provisioning *p);

/* Reads the files again, and the layers: all of the new settings count, or, if something in them is
 * refused, all of the old ones. New commands are carried out. */
RESULT provisioning_reload(struct provisioning *p, struct errinfo *e);

/* --- what the daemon has to tell it --- */

/* First thing in the credentials' CHANGED callback. */
void provisioning_credentials_changed(struct provisioning *p);
void provisioning_account_changed(struct provisioning *p);
void provisioning_clock_changed(struct provisioning *p);

/* An account's server says that there are new settings. */
void provisioning_check_sync(struct provisioning *p, int account);

#endif
