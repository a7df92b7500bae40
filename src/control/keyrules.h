/*
 * keyrules: what values of single keys have to be, beyond their type: for the table of
 * control/keys. Each is ERR_INVALID with a sentence that says how it has to be written, and that
 * has no secret in it. VALUE is not empty.
 */
#ifndef SIPSD_CONTROL_KEYRULES_H
#define SIPSD_CONTROL_KEYRULES_H

#include "base/errinfo.h"
#include "base/slice.h"

RESULT keyrule_user(struct slice value, struct errinfo *e);
RESULT keyrule_host(struct slice value, struct errinfo *e);
RESULT keyrule_local_peer(struct slice value, struct errinfo *e);
RESULT keyrule_ssl_method(struct slice value, struct errinfo *e);

/* https or http, whether that is allowed or not, or a data: URL. */
RESULT keyrule_certificate_url(struct slice value, struct errinfo *e);
RESULT keyrule_delete_url(struct slice value, struct errinfo *e);

/* URLs that are kept and shown: without user and password. */
RESULT keyrule_server_url(struct slice value, struct errinfo *e);
RESULT keyrule_report_url(struct slice value, struct errinfo *e);

/* A relative path of plain names. "none" is one too: who reads the setting knows that word. */
RESULT keyrule_common_file(struct slice value, struct errinfo *e);

#endif
