/*
 * admin: the methods of control.sock that show and change certificates and settings: trust.*,
 * identity.*, rejected.*, provision.*, settings.*, upload and reset. docs/events.md is their
 * manual.
 *
 * Each change is a transaction of control/change: when a method has answered, all of it counts, or
 * nothing of it, and live connections have been judged again.
 */
#ifndef SIPSD_CONTROL_ADMIN_H
#define SIPSD_CONTROL_ADMIN_H

#include "control/credentials.h"
#include "control/jsonrpc.h"
#include "control/rejected.h"
#include "sys/loop.h"

struct admin;
struct provision;

/* What the methods look at and act upon. Borrowed, must outlive the admin; asked from the loop. */
struct admin_source {
    struct credentials *(*credentials)(void *arg);
    struct rejected *(*rejected)(void *arg);
    struct provision *(*provision)(void *arg); /* NULL: nothing about provisioning and settings,
                                                  and a reset is one of certificates */
    bool (*reserves_certs)(void *arg);         /* the setting phone_setting.reserve_certs_enable */
    struct wallclock (*now)(void *arg);
    void *arg;
};

RESULT admin_new(struct loop *l, const struct admin_source *source, struct admin **out);
void admin_free(struct admin *a); /* NULL is fine */

/* Its methods, without a snapshot. Valid as long as A. */
const struct jsonrpc_service *admin_service(const struct admin *a);

#endif
