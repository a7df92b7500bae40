/* provision.*: runs of provisioning, and trials of them. */
#include <cjson/cJSON.h>

#include "control/admin_parts.h"
#include "control/provision.h"
#include "control/request_file.h"

static struct provision *engine_of(const struct admin *a)
{
    return a->source.provision(a->source.arg);
}

/* --- provision.push, provision.fetch --- */

static RESULT read_options(const struct cJSON *params, struct provision_request *r,
                           struct errinfo *e)
{
    uint64_t trial_s = 0;

    TRY(request_bool(params, "force", &r->force, e));
    TRY(request_bool(params, "check", &r->check, e));
    TRY(request_number(params, "trial_s", &trial_s, e));
    r->trial_s = trial_s <= LIMIT_TRIAL_MAX_S ? (unsigned)trial_s : LIMIT_TRIAL_MAX_S + 1;
    return OK;
}

static RESULT begin(const struct admin *a, const struct provision_request *r, struct cJSON **result,
                    struct errinfo *e)
{
    uint64_t id;

    TRY(provision_begin(engine_of(a), r, &id, e));
    struct object o = object_begin();
    object_number(&o, "id", (double)id);
    return object_result(&o, result, e);
}

/* The files of a push, as they came. */
struct pushed {
    struct request_file files[LIMIT_PROVISION_FILES];
    size_t count;
};

static RESULT read_files(const struct admin *a, const struct cJSON *params, struct pushed *out,
                         struct errinfo *e)
{
    const struct cJSON *files = cJSON_GetObjectItemCaseSensitive(params, "files");
    const struct cJSON *file;

    if (!cJSON_IsArray(files) || cJSON_GetArraySize(files) == 0 ||
        cJSON_GetArraySize(files) > LIMIT_PROVISION_FILES)
        return fail(e, ERR_INVALID, "\"files\" has to be a list of 1 to %d settings files",
                    LIMIT_PROVISION_FILES);
    cJSON_ArrayForEach(file, files)
    {
        TRY(request_file_read_strict(file, "one of \"files\"", a->staging, &out->files[out->count],
                                     e));
        out->count++;
    }
    return OK;
}

static RESULT push_files(const struct admin *a, const struct cJSON *params,
                         const struct pushed *pushed, struct cJSON **result, struct errinfo *e)
{
    struct provision_file files[LIMIT_PROVISION_FILES];
    struct provision_request r = {.cause = PROVISION_PUSH, .files = files, .count = pushed->count};

    for (size_t i = 0; i < pushed->count; i++)
        files[i] = (struct provision_file){pushed->files[i].name, pushed->files[i].content};
    TRY(read_options(params, &r, e));
    return begin(a, &r, result, e);
}

static struct result push(void *arg, const struct cJSON *params, struct cJSON **result,
                          struct errinfo *e)
{
    const struct admin *a = arg;
    struct pushed pushed = {.count = 0};

    struct result r = read_files(a, params, &pushed, e);
    if (is_ok(r))
        r = push_files(a, params, &pushed, result, e);
    for (size_t i = 0; i < pushed.count; i++) {
        if (is_ok(r) && pushed.files[i].staged != 0)
            staging_drop(a->staging, pushed.files[i].staged);
        request_file_clear(&pushed.files[i]);
    }
    return r;
}

static struct result fetch(void *arg, const struct cJSON *params, struct cJSON **result,
                           struct errinfo *e)
{
    struct provision_request r = {.cause = PROVISION_ASKED};

    TRY(read_options(params, &r, e));
    return begin(arg, &r, result, e);
}

/* --- how it ended --- */

static RESULT show_last(const struct admin *a, struct cJSON **result, struct errinfo *e)
{
    const struct provision_report *last = provision_last(engine_of(a));

    *result = last != NULL ? provision_report_json(last) : cJSON_CreateNull();
    return *result != NULL ? OK : fail(e, ERR_NOMEM, "sipsd is short of memory; try again");
}

static struct result last(void *arg, const struct cJSON *params, struct cJSON **result,
                          struct errinfo *e)
{
    (void)params;
    return show_last(arg, result, e);
}

static struct result confirm(void *arg, const struct cJSON *params, struct cJSON **result,
                             struct errinfo *e)
{
    (void)params;
    TRY(provision_confirm(engine_of(arg), e));
    return show_last(arg, result, e);
}

static struct result rollback(void *arg, const struct cJSON *params, struct cJSON **result,
                              struct errinfo *e)
{
    (void)params;
    TRY(provision_roll_back(engine_of(arg), e));
    return show_last(arg, result, e);
}

static const char *const push_params[] = {"files", "force", "check", "trial_s", NULL};
static const char *const fetch_params[] = {"force", "check", "trial_s", NULL};
const struct jsonrpc_method admin_provision_methods[] = {
    {"provision.push", push_params, push},  {"provision.fetch", fetch_params, fetch},
    {"provision.last", NULL, last},         {"provision.confirm", NULL, confirm},
    {"provision.rollback", NULL, rollback}, {NULL, NULL, NULL},
};
