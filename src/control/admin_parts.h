/* admin_parts: what the files of control/admin have in common, and nobody else needs. */
#ifndef SIPSD_CONTROL_ADMIN_PARTS_H
#define SIPSD_CONTROL_ADMIN_PARTS_H

#include "control/admin.h"
#include "control/change.h"
#include "control/object.h"
#include "control/staging.h"

struct admin {
    struct admin_source source;
    struct staging *staging;
    struct jsonrpc_service services[6]; /* one for each table of methods, chained */
    size_t services_count;
};

/* The tables. */
extern const struct jsonrpc_method admin_trust_methods[];
extern const struct jsonrpc_method admin_identity_methods[];
extern const struct jsonrpc_method admin_rejected_methods[];
extern const struct jsonrpc_method admin_provision_methods[];
extern const struct jsonrpc_method admin_settings_methods[];

struct credentials *admin_credentials(const struct admin *a);
struct wallclock admin_now(const struct admin *a);

/* What a change of the trusted certificates answers, beside what O has. */
RESULT admin_trust_result(const struct admin *a, struct object *o, struct cJSON **result,
                          struct errinfo *e);

/* {"name", "upload", "certificates": [...]}: what came of one file that was added. */
struct cJSON *admin_added(const struct admin *a, const char *name,
                          const struct change_added *added);

#endif
