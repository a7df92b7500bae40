/* identity.*: the phone's own certificates. Their keys are never told. */
#include <cjson/cJSON.h>

#include "control/admin_parts.h"
#include "control/report.h"
#include "control/request_file.h"

/* --- identity.show --- */

struct showing {
    const struct credentials *credentials;
    struct wallclock now;
    bool with_pem;
};

struct chain {
    const struct showing *showing;
    const struct identity *identity;
};

static struct cJSON *cert_at(const void *ctx, size_t i)
{
    const struct chain *c = ctx;

    return report_cert(identity_cert(c->identity, i), c->showing->now, c->showing->with_pem);
}

static const enum identity_source order[] = {IDENTITY_CUSTOM, IDENTITY_UNIQUE, IDENTITY_GENERIC};

static struct cJSON *slot_at(const void *ctx, size_t i)
{
    const struct showing *s = ctx;
    const struct identity_slot *slot =
        identity_slot_of(credentials_slots(s->credentials), order[i]);
    const struct chain chain = {s, slot->identity};
    const size_t n = slot->identity != NULL ? identity_chain_len(slot->identity) : 0;
    struct object o = object_begin();

    object_text(&o, "source", identity_source_name(order[i]));
    object_text(&o, "problem", slot->problem.code != ERR_OK ? slot->problem.text : NULL);
    object_add(&o, "chain", object_array(n, cert_at, &chain));
    return object_end(&o);
}

static RESULT show_all(const struct admin *a, bool with_pem, struct cJSON **result,
                       struct errinfo *e)
{
    const struct showing showing = {admin_credentials(a), admin_now(a), with_pem};
    struct object o = object_begin();

    object_text(&o, "in_use", identity_source_name(credentials_source(showing.credentials)));
    object_text(&o, "sentence", credentials_why(showing.credentials));
    object_add(&o, "identities", object_array(sizeof order / sizeof order[0], slot_at, &showing));
    return object_result(&o, result, e);
}

static struct result show(void *arg, const struct cJSON *params, struct cJSON **result,
                          struct errinfo *e)
{
    bool with_pem = false;

    TRY(request_bool(params, "pem", &with_pem, e));
    return show_all(arg, with_pem, result, e);
}

/* --- identity.install --- */

static RESULT set_identity(struct admin *a, const struct upload_request *request, struct errinfo *e)
{
    struct change *ch;

    TRY(change_begin(admin_credentials(a), &ch, e));
    struct result r = change_set_identity(ch, request, e);
    if (is_ok(r))
        r = change_commit(ch, e);
    change_free(ch);
    return r;
}

/* With the certificates read already. */
static RESULT install_file(struct admin *a, const struct cJSON *params,
                           const struct request_file *file, struct errinfo *e)
{
    const struct cJSON *key_member = cJSON_GetObjectItemCaseSensitive(params, "key");
    const char *password = NULL;
    struct request_file key = {0};

    TRY(request_text(params, "password", &password, e));
    if (key_member != NULL)
        TRY(request_file_read_strict(key_member, "\"key\"", a->staging, &key, e));
    const struct upload_request request = {
        .filename = file->name,
        .content = file->content,
        .key_filename = key.name,
        .key = key.content,
        .password = slice_of_str(password),
        .now = admin_now(a),
    };
    const struct result r = set_identity(a, &request, e);
    request_file_clear(&key);
    return r;
}

static struct result install(void *arg, const struct cJSON *params, struct cJSON **result,
                             struct errinfo *e)
{
    struct admin *a = arg;
    struct request_file file;

    TRY(request_file_read(params, a->staging, &file, e));
    const struct result r = install_file(a, params, &file, e);
    staging_drop(a->staging, file.staged);
    request_file_clear(&file);
    TRY(r);
    return show_all(a, false, result, e);
}

/* --- identity.remove --- */

static struct result remove_it(void *arg, const struct cJSON *params, struct cJSON **result,
                               struct errinfo *e)
{
    struct admin *a = arg;
    struct change *ch;

    (void)params;
    TRY(change_begin(admin_credentials(a), &ch, e));
    struct result r = change_remove_identity(ch)
                          ? change_commit(ch, e)
                          : fail(e, ERR_NOT_FOUND, "there is no uploaded certificate to remove");
    change_free(ch);
    TRY(r);
    return show_all(a, false, result, e);
}

static const char *const show_params[] = {"pem", NULL};
static const char *const install_params[] = {REQUEST_FILE_MEMBERS, "key", "password", NULL};
const struct jsonrpc_method admin_identity_methods[] = {
    {"identity.show", show_params, show},
    {"identity.install", install_params, install},
    {"identity.remove", NULL, remove_it},
    {NULL, NULL, NULL},
};
