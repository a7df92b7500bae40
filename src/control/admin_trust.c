/* trust.*: the trusted certificates. */
#include <cjson/cJSON.h>
#include <string.h>

#include "control/admin_parts.h"
#include "control/report.h"
#include "control/request_file.h"

/* --- trust.list --- */

struct listing {
    struct cJSON *list;
    struct wallclock now;
    bool with_pem;
    bool whole;
};

static bool list_anchor(void *arg, const struct trust_anchor *a)
{
    struct listing *l = arg;
    struct cJSON *item = report_anchor(a, l->now, l->with_pem);

    l->whole = item != NULL && cJSON_AddItemToArray(l->list, item);
    if (!l->whole)
        cJSON_Delete(item);
    return l->whole;
}

static struct cJSON *anchors(const struct trust *t, enum trust_filter filter, struct listing *l)
{
    l->list = cJSON_CreateArray();
    l->whole = l->list != NULL;
    if (l->whole)
        trust_each(t, filter, list_anchor, l);
    if (l->whole)
        return l->list;
    cJSON_Delete(l->list);
    return NULL;
}

static RESULT read_filter(const struct cJSON *params, enum trust_filter *filter, struct errinfo *e)
{
    const struct cJSON *name = cJSON_GetObjectItemCaseSensitive(params, "filter");

    *filter = TRUST_ALL;
    if (name != NULL &&
        (!cJSON_IsString(name) || !report_filter_from_name(name->valuestring, filter)))
        return fail(e, ERR_INVALID, "\"filter\" has to be \"default\", \"custom\" or \"all\"");
    return OK;
}

static struct result list(void *arg, const struct cJSON *params, struct cJSON **result,
                          struct errinfo *e)
{
    const struct admin *a = arg;
    const struct credentials *c = admin_credentials(a);
    const struct trust *t = credentials_trust(c);
    struct listing l = {.now = admin_now(a)};
    enum trust_filter filter;

    TRY(read_filter(params, &filter, e));
    TRY(request_bool(params, "pem", &l.with_pem, e));
    struct object o = object_begin();
    object_add(&o, "certificates", anchors(t, filter, &l));
    object_add(&o, "complaints", report_complaints(credentials_complaints(c)));
    object_number(&o, "generation", (double)trust_generation(t));
    object_text(&o, "builtin_version", trust_builtin_version());
    return object_result(&o, result, e);
}

/* --- trust.add --- */

RESULT admin_trust_result(const struct admin *a, struct object *o, struct cJSON **result,
                          struct errinfo *e)
{
    const struct trust *t = credentials_trust(admin_credentials(a));

    object_number(o, "custom", (double)trust_count(t, TRUST_CUSTOM));
    object_number(o, "generation", (double)trust_generation(t));
    return object_result(o, result, e);
}

static const char *fate_name(enum import_fate fate)
{
    return fate == IMPORT_NEW ? "new" : fate == IMPORT_BUILTIN ? "builtin" : "known";
}

struct added_items {
    const struct import *items;
    struct wallclock now;
};

static struct cJSON *item_at(const void *ctx, size_t i)
{
    const struct added_items *all = ctx;
    const struct import_item *item = &all->items->items[i];
    char sentence[LIMIT_TEXT];
    struct object o = object_begin();

    import_item_text(item, sentence, sizeof sentence);
    object_text(&o, "fate", fate_name(item->fate));
    object_bool(&o, "pin", item->pin);
    object_text(&o, "sentence", sentence);
    object_add(&o, "certificate", report_cert(item->cert, all->now, false));
    return object_end(&o);
}

struct cJSON *admin_added(const struct admin *a, const char *name, const struct change_added *added)
{
    const struct added_items all = {&added->items, admin_now(a)};
    struct object o = object_begin();

    object_text(&o, "name", name);
    object_text(&o, "upload", added->name);
    object_add(&o, "certificates", object_array(added->items.count, item_at, &all));
    return object_end(&o);
}

/* Adds what is in FILE, and to REPORT what came of it. */
static RESULT add_file(const struct admin *a, struct change *ch, const struct request_file *file,
                       struct cJSON *report, struct errinfo *e)
{
    struct change_added added;

    TRY(change_add_trusted(ch, file->name, file->content, &added, e));
    struct cJSON *item = admin_added(a, file->name, &added);
    import_clear(&added.items);
    if (item != NULL && cJSON_AddItemToArray(report, item))
        return OK;
    cJSON_Delete(item);
    return fail(e, ERR_NOMEM, "sipsd is short of memory; try again");
}

/* The file in O; NUMBER is its place among several, or 0. *STAGED is where it was, if it was. */
static RESULT add_one(const struct admin *a, struct change *ch, const struct cJSON *o, int number,
                      struct cJSON *report, uint64_t *staged, struct errinfo *e)
{
    struct request_file file;

    TRY(number != 0 ? request_file_read_strict(o, "one of \"files\"", a->staging, &file, e)
                    : request_file_read(o, a->staging, &file, e));
    const struct result r = add_file(a, ch, &file, report, e);
    if (is_err(r) && number != 0)
        errinfo_context(e, "%s", file.name);
    if (file.staged != 0)
        *staged = file.staged;
    request_file_clear(&file);
    return r;
}

static RESULT add_all(const struct admin *a, struct change *ch, const struct cJSON *params,
                      struct cJSON *report, uint64_t *staged, struct errinfo *e)
{
    const struct cJSON *files = cJSON_GetObjectItemCaseSensitive(params, "files");
    const struct cJSON *file;
    int number = 0;

    if (files == NULL)
        return add_one(a, ch, params, 0, report, staged, e);
    if (!cJSON_IsArray(files) || cJSON_GetArraySize(files) == 0 ||
        cJSON_GetArraySize(files) > LIMIT_CUSTOM_CAS || cJSON_GetArraySize(params) != 1)
        return fail(e, ERR_INVALID, "\"files\" has to be a list of 1 to %d files, and stands alone",
                    LIMIT_CUSTOM_CAS);
    cJSON_ArrayForEach(file, files)
    {
        TRY(add_one(a, ch, file, ++number, report, staged, e));
    }
    return OK;
}

static struct result add(void *arg, const struct cJSON *params, struct cJSON **result,
                         struct errinfo *e)
{
    const struct admin *a = arg;
    struct cJSON *report = cJSON_CreateArray();
    struct change *ch = NULL;
    uint64_t staged = 0;

    if (report == NULL)
        return fail(e, ERR_NOMEM, "sipsd is short of memory; try again");
    struct result r = change_begin(admin_credentials(a), &ch, e);
    if (is_ok(r))
        r = add_all(a, ch, params, report, &staged, e);
    if (is_ok(r))
        r = change_commit(ch, e);
    change_free(ch);
    staging_drop(a->staging, staged);
    if (is_err(r)) {
        cJSON_Delete(report);
        return r;
    }
    struct object o = object_begin();
    object_add(&o, "files", report);
    return admin_trust_result(a, &o, result, e);
}

/* --- trust.remove, trust.clear --- */

static struct result remove_one(void *arg, const struct cJSON *params, struct cJSON **result,
                                struct errinfo *e)
{
    const struct admin *a = arg;
    const char *which = NULL;
    struct change *ch;
    size_t removed = 0;

    TRY(request_text(params, "certificate", &which, e));
    if (which == NULL)
        return fail(e, ERR_INVALID,
                    "\"certificate\" has to be the name of an upload or the beginning of a "
                    "certificate's SHA-256");
    TRY(change_begin(admin_credentials(a), &ch, e));
    struct result r = change_remove_trusted(ch, which, &removed, e);
    if (is_ok(r))
        r = change_commit(ch, e);
    change_free(ch);
    TRY(r);
    struct object o = object_begin();
    object_number(&o, "removed", (double)removed);
    return admin_trust_result(a, &o, result, e);
}

static struct result clear(void *arg, const struct cJSON *params, struct cJSON **result,
                           struct errinfo *e)
{
    const struct admin *a = arg;
    struct change *ch;

    (void)params;
    TRY(change_begin(admin_credentials(a), &ch, e));
    const size_t removed = change_clear_trusted(ch);
    const struct result r = change_commit(ch, e);
    change_free(ch);
    TRY(r);
    struct object o = object_begin();
    object_number(&o, "removed", (double)removed);
    return admin_trust_result(a, &o, result, e);
}

static const char *const list_params[] = {"filter", "pem", NULL};
static const char *const add_params[] = {"files", REQUEST_FILE_MEMBERS, NULL};
static const char *const remove_params[] = {"certificate", NULL};
const struct jsonrpc_method admin_trust_methods[] = {
    {"trust.list", list_params, list},
    {"trust.add", add_params, add},
    {"trust.remove", remove_params, remove_one},
    {"trust.clear", NULL, clear},
    {NULL, NULL, NULL},
};
