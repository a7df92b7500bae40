#include "control/admin.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/log.h"
#include "control/admin_parts.h"
#include "control/layers.h"
#include "control/provision.h"
#include "control/request_file.h"

struct credentials *admin_credentials(const struct admin *a)
{
    return a->source.credentials(a->source.arg);
}

struct wallclock admin_now(const struct admin *a)
{
    return a->source.now(a->source.arg);
}

/* --- upload --- */

static RESULT read_piece(const struct cJSON *params, struct staging_piece *p, struct errinfo *e)
{
    const char *base64 = NULL;
    uint64_t size = 0, offset = 0;

    *p = (struct staging_piece){0};
    TRY(request_number(params, "staged", &p->number, e));
    TRY(request_number(params, "size", &size, e));
    TRY(request_number(params, "offset", &offset, e));
    TRY(request_text(params, "base64", &base64, e));
    if (base64 == NULL)
        return fail(e, ERR_INVALID, "a piece of a file is in \"base64\"");
    if (size > SIZE_MAX || offset > SIZE_MAX)
        return fail(e, ERR_LIMIT, "the file is too large");
    p->size = (size_t)size;
    p->offset = (size_t)offset;
    p->base64 = slice_of_str(base64);
    return OK;
}

static struct result upload(void *arg, const struct cJSON *params, struct cJSON **result,
                            struct errinfo *e)
{
    const struct admin *a = arg;
    struct staging_piece piece;
    uint64_t number;
    size_t received;

    TRY(read_piece(params, &piece, e));
    TRY(staging_put(a->staging, &piece, &number, &received, e));
    struct object o = object_begin();
    object_number(&o, "staged", (double)number);
    object_number(&o, "received", (double)received);
    return object_result(&o, result, e);
}

/* --- reset --- */

/* What is forgotten. */
struct forgotten {
    size_t certificates, settings;
    bool identity;
};

static bool count_one(void *arg, const struct settings_item *item)
{
    (void)item;
    ++*(size_t *)arg;
    return true;
}

/* All that was provisioned and set: the files that sipsd was started with are what is left. */
static RESULT forget_settings(const struct layers *l, struct change *ch, size_t *count,
                              struct errinfo *e)
{
    struct layers *none;

    for (enum layer which = LAYER_COMMON; which <= LAYER_LOCAL; which++)
        settings_each(layers_at(l, which), count_one, count);
    if (is_err(layers_clone(l, &none)))
        return fail(e, ERR_NOMEM, "sipsd is short of memory; try again");
    layers_clear(none);
    const struct result r = layers_put(none, ch, e);
    layers_free(none);
    return r;
}

static RESULT forget(struct admin *a, struct change *ch, bool reserved, struct forgotten *out,
                     struct errinfo *e)
{
    struct provision *engine =
        a->source.provision != NULL ? a->source.provision(a->source.arg) : NULL;

    if (!reserved) {
        out->certificates = change_clear_trusted(ch);
        out->identity = change_remove_identity(ch);
    }
    if (engine != NULL)
        TRY(forget_settings(provision_layers(engine), ch, &out->settings, e));
    TRY(change_commit(ch, e));
    return out->settings != 0 ? provision_reload(engine, e) : OK;
}

static struct result reset(void *arg, const struct cJSON *params, struct cJSON **result,
                           struct errinfo *e)
{
    struct admin *a = arg;
    const bool reserved = a->source.reserves_certs(a->source.arg);
    struct forgotten forgotten = {0};
    struct change *ch;

    (void)params;
    TRY(change_begin(admin_credentials(a), &ch, e));
    const struct result r = forget(a, ch, reserved, &forgotten, e);
    change_free(ch);
    TRY(r);
    log_notice("sipsd", "reset: %zu settings and %zu trusted certificates%s are forgotten",
               forgotten.settings, forgotten.certificates,
               forgotten.identity ? ", and the phone's own," : "");
    struct object o = object_begin();
    object_bool(&o, "reserved", reserved);
    object_number(&o, "certificates", (double)forgotten.certificates);
    object_bool(&o, "identity", forgotten.identity);
    object_number(&o, "settings", (double)forgotten.settings);
    return object_result(&o, result, e);
}

/* --- the object --- */

static const char *const upload_params[] = {"staged", "size", "offset", "base64", NULL};
static const struct jsonrpc_method methods[] = {
    {"upload", upload_params, upload},
    {"reset", NULL, reset},
    {NULL, NULL, NULL},
};

/* Puts a table before those that are there. */
static void add_methods(struct admin *a, const struct jsonrpc_method *table)
{
    struct jsonrpc_service *s = &a->services[a->services_count];

    *s = (struct jsonrpc_service){.methods = table, .arg = a};
    if (a->services_count != 0)
        s->more = &a->services[a->services_count - 1];
    a->services_count++;
}

RESULT admin_new(struct loop *l, const struct admin_source *source, struct admin **out)
{
    struct admin *a = calloc(1, sizeof *a);

    if (a == NULL)
        return err(ERR_NOMEM);
    a->source = *source;
    add_methods(a, methods);
    add_methods(a, admin_trust_methods);
    add_methods(a, admin_identity_methods);
    add_methods(a, admin_rejected_methods);
    if (source->provision != NULL) {
        add_methods(a, admin_settings_methods);
        add_methods(a, admin_provision_methods);
    }
    const struct result r = staging_new(l, &a->staging);
    if (is_err(r)) {
        free(a);
        return r;
    }
    *out = a;
    return OK;
}

void admin_free(struct admin *a)
{
    if (a == NULL)
        return;
    staging_free(a->staging);
    free(a);
}

const struct jsonrpc_service *admin_service(const struct admin *a)
{
    return &a->services[a->services_count - 1];
}
