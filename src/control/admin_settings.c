/* settings.*: the settings, and what they can be. */
#include <cjson/cJSON.h>
#include <stdio.h>

#include "base/utf8.h"
#include "control/admin_parts.h"
#include "control/layers.h"
#include "control/provision.h"
#include "control/request_file.h"

static struct provision *engine_of(const struct admin *a)
{
    return a->source.provision(a->source.arg);
}

static RESULT no_memory(struct errinfo *e)
{
    return fail(e, ERR_NOMEM, "sipsd is short of memory; try again");
}

/* Takes ITEM over. */
static RESULT add_to(struct cJSON *list, struct cJSON *item, struct errinfo *e)
{
    if (item != NULL && cJSON_AddItemToArray(list, item))
        return OK;
    cJSON_Delete(item);
    return no_memory(e);
}

/* The list in PARAMS, if there is one: of texts. */
static RESULT read_keys(const struct cJSON *params, const struct cJSON **out, struct errinfo *e)
{
    const struct cJSON *keys = cJSON_GetObjectItemCaseSensitive(params, "keys");
    const struct cJSON *key;

    *out = keys;
    if (keys == NULL)
        return OK;
    if (!cJSON_IsArray(keys))
        return fail(e, ERR_INVALID, "\"keys\" has to be a list of the names of settings");
    cJSON_ArrayForEach(key, keys)
    {
        if (!cJSON_IsString(key))
            return fail(e, ERR_INVALID, "\"keys\" has to be a list of the names of settings");
    }
    return OK;
}

/* --- settings.get --- */

/* Settings that are asked for. */
struct getting {
    const struct settings *now, *base;
    const struct layers *layers;
    struct cJSON *list;
    struct result result;
    struct errinfo *e;
};

/* Whose value counts: the key itself, or one that it falls back on. */
static const struct key *decider(const struct settings *now, const struct key_ref *ref)
{
    const struct key *k = ref->key;

    while (k->fallback != NULL && !settings_is_set(now, k->name, ref->x, ref->y))
        k = keys_row(k->fallback);
    return k;
}

static void add_from(struct object *o, const struct settings *now, const struct key_ref *ref)
{
    const struct key *k = decider(now, ref);
    char name[KEY_NAME_SIZE] = "";

    if (k != ref->key)
        key_name(k, ref->x, ref->y, name);
    object_text(o, "from", name);
}

static struct cJSON *setting(const struct getting *g, const struct key_ref *ref)
{
    const struct key *k = ref->key;
    const bool is_secret = k->type == KEY_SECRET;
    char name[KEY_NAME_SIZE];
    struct object o = object_begin();

    key_name(k, ref->x, ref->y, name);
    object_text(&o, "key", name);
    object_text(&o, "value", is_secret ? NULL : settings_value(g->now, ref));
    object_bool(&o, "set", settings_is_set(g->now, k->name, ref->x, ref->y));
    object_text(&o, "source",
                layer_name(layers_source(g->layers, g->base, k->name, ref->x, ref->y)));
    add_from(&o, g->now, ref);
    object_text(&o, "type", key_type_name(k->type));
    return object_end(&o);
}

static bool add_setting(void *arg, const struct settings_item *item)
{
    struct getting *g = arg;

    g->result = add_to(g->list, setting(g, &item->ref), g->e);
    return is_ok(g->result);
}

/* All keys whose names begin with PREFIX, whether they are set or not. */
static RESULT get_all(struct getting *g, struct slice prefix)
{
    size_t rows;
    const struct key *table = keys_table(&rows);
    const int before = cJSON_GetArraySize(g->list);

    for (const struct key *k = table; k != table + rows; k++)
        for (size_t i = 0; !key_is_command(k) && i < key_xs(k) * key_ys(k); i++) {
            const struct key_ref ref = key_at(k, i);
            char name[KEY_NAME_SIZE];
            key_name(k, ref.x, ref.y, name);
            if (slice_starts(slice_of_str(name), prefix))
                TRY(add_to(g->list, setting(g, &ref), g->e));
        }
    char shown[KEY_NAME_SIZE];
    utf8_clean(prefix, shown, sizeof shown);
    return cJSON_GetArraySize(g->list) != before
               ? OK
               : fail(g->e, ERR_NOT_FOUND, "there is no key that begins with '%s'", shown);
}

/* KEY is a name, or the beginning of one with a '*' behind it. */
static RESULT get_one(struct getting *g, const char *key)
{
    const struct slice text = slice_of_str(key);
    struct key_ref ref;

    if (slice_ends(text, SLICE_LIT("*")))
        return get_all(g, slice_first(text, text.n - 1));
    TRY(key_find(text, &ref, g->e));
    if (key_is_command(ref.key))
        return fail(g->e, ERR_INVALID, "%s: it is no setting but an order, and has no value",
                    ref.key->name);
    return add_to(g->list, setting(g, &ref), g->e);
}

static RESULT get_settings(struct getting *g, const struct cJSON *keys)
{
    const struct cJSON *key;

    if (keys == NULL) {
        settings_each(g->now, add_setting, g);
        return g->result;
    }
    if (cJSON_GetArraySize(keys) > LIMIT_SETTINGS_ASKED)
        return fail(g->e, ERR_LIMIT, "no more than %d keys can be asked for at once",
                    LIMIT_SETTINGS_ASKED);
    cJSON_ArrayForEach(key, keys)
    {
        TRY(get_one(g, key->valuestring));
    }
    return OK;
}

static struct result get(void *arg, const struct cJSON *params, struct cJSON **result,
                         struct errinfo *e)
{
    const struct admin *a = arg;
    const struct provision *p = engine_of(a);
    const struct cJSON *keys;
    struct getting g = {.now = provision_settings(p),
                        .base = provision_base(p),
                        .layers = provision_layers(p),
                        .result = OK,
                        .e = e};

    TRY(read_keys(params, &keys, e));
    g.list = cJSON_CreateArray();
    if (g.list == NULL)
        return no_memory(e);
    const struct result r = get_settings(&g, keys);
    if (is_err(r)) {
        cJSON_Delete(g.list);
        return r;
    }
    struct object o = object_begin();
    object_add(&o, "settings", g.list);
    return object_result(&o, result, e);
}

/* --- settings.set, settings.unset --- */

/* What a member of "settings" says: text, a number, true, false, or null for the default. */
static RESULT value_of(const struct cJSON *member, char number[24], struct slice *out,
                       struct errinfo *e)
{
    const double d = cJSON_IsNumber(member) ? member->valuedouble : 0;

    if (cJSON_IsString(member))
        *out = slice_of_str(member->valuestring);
    else if (cJSON_IsBool(member))
        *out = cJSON_IsTrue(member) ? SLICE_LIT("1") : SLICE_LIT("0");
    else if (cJSON_IsNull(member))
        *out = SLICE_EMPTY;
    else if (cJSON_IsNumber(member) && d >= 0 && d <= 1e9 && d == (double)(int64_t)d)
        *out = slice_of(number, (size_t)snprintf(number, 24, "%lld", (long long)d));
    else
        return fail(e, ERR_INVALID, "the value of a setting is text, a whole number or null");
    return OK;
}

static RESULT read_changes(const struct cJSON *params, struct settings *out, struct errinfo *e)
{
    const struct cJSON *all = cJSON_GetObjectItemCaseSensitive(params, "settings");
    const struct cJSON *member;

    if (!cJSON_IsObject(all) || all->child == NULL)
        return fail(e, ERR_INVALID, "\"settings\" has to be an object: names and their values");
    cJSON_ArrayForEach(member, all)
    {
        char number[24];
        struct slice value;
        TRY(value_of(member, number, &value, e));
        TRY(settings_set(out, member->string, value, e));
    }
    return OK;
}

/* Has it done; the answer is the report. */
static RESULT change(const struct admin *a, const struct cJSON *params,
                     const struct settings *changes, const char *const *unset, size_t unset_count,
                     struct cJSON **result, struct errinfo *e)
{
    const struct provision_report *report = NULL;
    bool force = false;

    TRY(request_bool(params, "force", &force, e));
    TRY(provision_set_local(engine_of(a), changes, unset, unset_count, force, &report, e));
    *result = provision_report_json(report);
    return *result != NULL ? OK : no_memory(e);
}

static struct result set(void *arg, const struct cJSON *params, struct cJSON **result,
                         struct errinfo *e)
{
    struct settings *changes;

    if (is_err(settings_new(&changes)))
        return no_memory(e);
    struct result r = read_changes(params, changes, e);
    if (is_ok(r))
        r = change(arg, params, changes, NULL, 0, result, e);
    settings_free(changes);
    return r;
}

static struct result unset(void *arg, const struct cJSON *params, struct cJSON **result,
                           struct errinfo *e)
{
    const char *names[LIMIT_SETTINGS_ASKED];
    const struct cJSON *keys, *key;
    size_t count = 0;

    TRY(read_keys(params, &keys, e));
    if (cJSON_GetArraySize(keys) == 0 || cJSON_GetArraySize(keys) > LIMIT_SETTINGS_ASKED)
        return fail(e, ERR_INVALID, "\"keys\" has to be a list of 1 to %d names of settings",
                    LIMIT_SETTINGS_ASKED);
    cJSON_ArrayForEach(key, keys)
    {
        struct key_ref ignored;
        TRY(key_find(slice_of_str(key->valuestring), &ignored, e));
        names[count++] = key->valuestring;
    }
    return change(arg, params, NULL, names, count, result, e);
}

/* --- settings.describe --- */

static struct cJSON *choice(const void *ctx, size_t i)
{
    const struct key *k = ctx;

    return cJSON_CreateString(k->choices[i]);
}

static size_t choices_count(const struct key *k)
{
    size_t n = 0;

    while (k->choices != NULL && k->choices[n] != NULL)
        n++;
    return n;
}

static struct cJSON *description(const struct key *k)
{
    struct object o = object_begin();

    object_text(&o, "key", k->name);
    object_text(&o, "type", key_type_name(k->type));
    if (k->type == KEY_CHOICE) {
        object_add(&o, "min", cJSON_CreateNull());
        object_add(&o, "max", cJSON_CreateNull());
        object_add(&o, "choices", object_array(choices_count(k), choice, k));
    } else {
        object_number(&o, "min", (double)k->min);
        object_number(&o, "max", (double)k->max);
        object_add(&o, "choices", cJSON_CreateNull());
    }
    object_text(&o, "default", k->initial);
    object_text(&o, "fallback", k->fallback);
    object_text(&o, "help", k->help);
    return object_end(&o);
}

static struct cJSON *row_at(const void *ctx, size_t i)
{
    const struct key *table = ctx;

    return description(&table[i]);
}

/* NAME is one of the table, or one that a file can have. */
static RESULT find_row(const char *name, const struct key **out, struct errinfo *e)
{
    struct key_ref ref;

    *out = keys_row(name);
    if (*out != NULL)
        return OK;
    TRY(key_find(slice_of_str(name), &ref, e));
    *out = ref.key;
    return OK;
}

static struct result describe(void *arg, const struct cJSON *params, struct cJSON **result,
                              struct errinfo *e)
{
    const char *name = NULL;
    size_t count;
    const struct key *rows = keys_table(&count);

    (void)arg;
    TRY(request_text(params, "key", &name, e));
    if (name != NULL) {
        TRY(find_row(name, &rows, e));
        count = 1;
    }
    struct object o = object_begin();
    object_add(&o, "keys", object_array(count, row_at, rows));
    return object_result(&o, result, e);
}

static const char *const get_params[] = {"keys", NULL};
static const char *const set_params[] = {"settings", "force", NULL};
static const char *const unset_params[] = {"keys", "force", NULL};
static const char *const describe_params[] = {"key", NULL};
const struct jsonrpc_method admin_settings_methods[] = {
    {"settings.get", get_params, get},
    {"settings.set", set_params, set},
    {"settings.unset", unset_params, unset},
    {"settings.describe", describe_params, describe},
    {NULL, NULL, NULL},
};
