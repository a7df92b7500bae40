#include "control/admin.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "control/admin_parts.h"
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

static RESULT forget_all(struct admin *a, size_t *certificates, bool *identity, struct errinfo *e)
{
    struct change *ch;

    TRY(change_begin(admin_credentials(a), &ch, e));
    *certificates = change_clear_trusted(ch);
    *identity = change_remove_identity(ch);
    const struct result r = change_commit(ch, e);
    change_free(ch);
    return r;
}

static struct result reset(void *arg, const struct cJSON *params, struct cJSON **result,
                           struct errinfo *e)
{
    struct admin *a = arg;
    const bool reserved = a->source.reserves_certs(a->source.arg);
    size_t certificates = 0;
    bool identity = false;

    (void)params;
    if (!reserved)
        TRY(forget_all(a, &certificates, &identity, e));
    struct object o = object_begin();
    object_bool(&o, "reserved", reserved);
    object_number(&o, "certificates", (double)certificates);
    object_bool(&o, "identity", identity);
    return object_result(&o, result, e);
}

/* --- the object --- */

static const char *const upload_params[] = {"staged", "size", "offset", "base64", NULL};
static const struct jsonrpc_method methods[] = {
    {"upload", upload_params, upload},
    {"reset", NULL, reset},
    {NULL, NULL, NULL},
};

RESULT admin_new(struct loop *l, const struct admin_source *source, struct admin **out)
{
    const struct jsonrpc_method *const tables[] = {methods, admin_trust_methods,
                                                   admin_identity_methods, admin_rejected_methods};
    struct admin *a = calloc(1, sizeof *a);

    if (a == NULL)
        return err(ERR_NOMEM);
    a->source = *source;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        a->services[i] = (struct jsonrpc_service){
            .methods = tables[i],
            .arg = a,
            .more = i + 1 < sizeof tables / sizeof tables[0] ? &a->services[i + 1] : NULL};
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
    return &a->services[0];
}
