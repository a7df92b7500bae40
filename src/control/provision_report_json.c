/* Reports as JSON, and back: the last part of control/provision_report. */
#include <cjson/cJSON.h>
#include <string.h>

#include "base/ascii.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "control/json.h"
#include "control/object.h"
#include "control/provision_report.h"

static const char *const fates[] = {
    [PROVISION_FILE_READ] = "read",
    [PROVISION_FILE_UNCHANGED] = "unchanged",
    [PROVISION_FILE_MISSING] = "missing",
    [PROVISION_FILE_REFUSED] = "refused",
};
#define FATES (sizeof fates / sizeof fates[0])

static const char *const whats[] = {
    [PROVISION_SETTING] = "setting",
    [PROVISION_TRUSTED] = "trusted",
    [PROVISION_DELETE_TRUSTED] = "delete_trusted",
    [PROVISION_IDENTITY] = "identity",
    [PROVISION_DELETE_IDENTITY] = "delete_identity",
    [PROVISION_ACCOUNT] = "account",
    [PROVISION_SERVER] = "server",
};
#define WHATS (sizeof whats / sizeof whats[0])

/* --- writing --- */

static struct cJSON *record_at(const void *ctx, size_t i)
{
    const struct provision_record *f = &((const struct provision_report *)ctx)->records[i];
    struct object o = object_begin();

    object_text(&o, "name", f->name);
    object_text(&o, "host", f->host);
    object_number(&o, "bytes", (double)f->bytes);
    if (f->fate == PROVISION_FILE_READ)
        object_sha256(&o, f->sha256);
    else
        object_text(&o, "sha256", NULL);
    object_text(&o, "outcome", fates[f->fate]);
    object_text(&o, "sentence", f->sentence);
    return object_end(&o);
}

static struct cJSON *item_at(const void *ctx, size_t i)
{
    const struct provision_item *item = &((const struct provision_report *)ctx)->items[i];
    struct object o = object_begin();

    object_text(&o, "file", item->file);
    if (item->line > 0)
        object_number(&o, "line", (double)item->line);
    else
        object_text(&o, "line", NULL);
    object_text(&o, "what", whats[item->what]);
    object_text(&o, "subject", item->subject);
    object_bool(&o, "ok", item->ok);
    object_text(&o, "sentence", item->sentence);
    return object_end(&o);
}

static struct cJSON *changed_at(const void *ctx, size_t i)
{
    return cJSON_CreateString(((const struct provision_report *)ctx)->changed[i]);
}

static struct cJSON *changes(const struct provision_report *r)
{
    struct object o = object_begin();

    object_add(&o, "settings", object_array(r->changed_count, changed_at, r));
    object_number(&o, "settings_left_out", (double)r->changed_left_out);
    object_number(&o, "trusted_added", (double)r->trusted_added);
    object_number(&o, "trusted_removed", (double)r->trusted_removed);
    object_bool(&o, "identity", r->identity);
    return object_end(&o);
}

static void add_time(struct object *o, const char *name, int64_t time_s)
{
    if (time_s != 0)
        object_time(o, name, time_s);
    else
        object_text(o, name, NULL);
}

struct cJSON *provision_report_json(const struct provision_report *r)
{
    struct object o = object_begin();

    object_number(&o, "id", (double)r->id);
    add_time(&o, "time", r->time_s);
    object_text(&o, "cause", provision_cause_name(r->cause));
    object_text(&o, "outcome", provision_outcome_name(r->outcome));
    object_text(&o, "code", r->code != ERR_OK ? err_name(r->code) : NULL);
    object_text(&o, "sentence", r->sentence);
    object_bool(&o, "lockout", r->lockout);
    object_bool(&o, "forced", r->forced);
    object_add(&o, "files", object_array(r->records_count, record_at, r));
    object_add(&o, "items", object_array(r->items_count, item_at, r));
    object_number(&o, "items_left_out", (double)r->items_left_out);
    object_add(&o, "changed", changes(r));
    object_number(&o, "generation", (double)r->generation);
    add_time(&o, "trial_ends", r->trial_ends_s);
    return object_end(&o);
}

struct result provision_report_write(const struct provision_report *r, struct buf *out,
                                     struct errinfo *e)
{
    struct cJSON *json = provision_report_json(r);
    char *text = json != NULL ? cJSON_PrintUnformatted(json) : NULL;
    struct result result = err(ERR_NOMEM);

    if (text != NULL)
        result = buf_printf(out, "%s\n", text);
    cJSON_free(text);
    cJSON_Delete(json);
    return is_ok(result) ? OK : fail(e, result.code, "no memory for a report of provisioning");
}

/* --- reading; what is not as it was written is left as it is in an empty report --- */

static const struct cJSON *get(const struct cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name);
}

static void get_text(const struct cJSON *o, const char *name, char *out, size_t size)
{
    const char *text = cJSON_GetStringValue(get(o, name));

    if (text != NULL)
        utf8_clean(slice_of_str(text), out, size);
}

/* Whole numbers that a double can hold (RFC 8259 section 6). */
static uint64_t get_number(const struct cJSON *o, const char *name)
{
    const struct cJSON *n = get(o, name);
    const double most = 9007199254740991.0;

    return cJSON_IsNumber(n) && n->valuedouble >= 0 && n->valuedouble <= most
               ? (uint64_t)n->valuedouble
               : 0;
}

static int64_t get_time(const struct cJSON *o, const char *name)
{
    const char *text = cJSON_GetStringValue(get(o, name));
    int64_t time_s;

    return text != NULL && clock_from_iso(text, &time_s) ? time_s : 0;
}

static bool get_bool(const struct cJSON *o, const char *name)
{
    return cJSON_IsTrue(get(o, name));
}

/* Its place among the N names; false if it is none of them. */
static bool get_choice(const struct cJSON *o, const char *name, const char *(*name_of)(size_t i),
                       size_t n, size_t *out)
{
    const char *text = cJSON_GetStringValue(get(o, name));

    for (size_t i = 0; text != NULL && i < n; i++)
        if (strcmp(text, name_of(i)) == 0) {
            *out = i;
            return true;
        }
    return false;
}

static const char *fate_name(size_t i)
{
    return fates[i];
}

static const char *what_name(size_t i)
{
    return whats[i];
}

static const char *cause_name(size_t i)
{
    return provision_cause_name((enum provision_cause)i);
}

static const char *outcome_name(size_t i)
{
    return provision_outcome_name((enum provision_outcome)i);
}

static const char *code_name(size_t i)
{
    return err_name((enum err)i);
}

/* False if TEXT is no digest. */
static bool read_digest(const char *text, uint8_t out[HASH_SHA256_SIZE])
{
    if (strlen(text) != (size_t)2 * HASH_SHA256_SIZE)
        return false;
    for (size_t i = 0; i < HASH_SHA256_SIZE; i++) {
        const int high = ascii_hex((uint8_t)text[2 * i]), low = ascii_hex((uint8_t)text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(16 * high + low);
    }
    return true;
}

static void read_record(const struct cJSON *json, struct provision_report *r)
{
    struct provision_record f = {0};
    char hex[HASH_HEX_SIZE(HASH_SHA256_SIZE)] = "";
    size_t fate = PROVISION_FILE_REFUSED;
    const size_t before = r->records_count;

    get_text(json, "name", f.name, sizeof f.name);
    get_text(json, "host", f.host, sizeof f.host);
    get_text(json, "sentence", f.sentence, sizeof f.sentence);
    get_text(json, "sha256", hex, sizeof hex);
    (void)get_choice(json, "outcome", fate_name, FATES, &fate);
    if (fate == PROVISION_FILE_READ && !read_digest(hex, f.sha256))
        fate = PROVISION_FILE_REFUSED;
    provision_report_file(r, f.name, f.host, PROVISION_FILE_REFUSED, SLICE_EMPTY, f.sentence);
    if (r->records_count == before)
        return;
    r->records[before].bytes = (size_t)get_number(json, "bytes");
    r->records[before].fate = (enum provision_fate)fate;
    memcpy(r->records[before].sha256, f.sha256, sizeof f.sha256);
}

static void read_item(const struct cJSON *json, struct provision_report *r)
{
    struct provision_item item = {.line = (size_t)get_number(json, "line"),
                                  .ok = get_bool(json, "ok")};
    size_t what = PROVISION_SETTING;

    (void)get_choice(json, "what", what_name, WHATS, &what);
    item.what = (enum provision_what)what;
    get_text(json, "file", item.file, sizeof item.file);
    get_text(json, "subject", item.subject, sizeof item.subject);
    get_text(json, "sentence", item.sentence, sizeof item.sentence);
    provision_report_item(r, &item);
}

static void read_changes(const struct cJSON *json, struct provision_report *r)
{
    const struct cJSON *name;

    cJSON_ArrayForEach(name, get(json, "settings"))
    {
        if (cJSON_IsString(name))
            provision_report_changed(r, name->valuestring);
    }
    r->changed_left_out += (size_t)get_number(json, "settings_left_out");
    r->trusted_added = (size_t)get_number(json, "trusted_added");
    r->trusted_removed = (size_t)get_number(json, "trusted_removed");
    r->identity = get_bool(json, "identity");
}

static RESULT read_head(const struct cJSON *json, struct provision_report *r, struct errinfo *e)
{
    size_t cause, outcome, code = ERR_OK;

    if (!get_choice(json, "cause", cause_name, PROVISION_LOCAL + 1, &cause) ||
        !get_choice(json, "outcome", outcome_name, PROVISION_ROLLED_BACK + 1, &outcome) ||
        get_number(json, "id") == 0)
        return fail(e, ERR_PARSE, "this is no report of a run of provisioning");
    (void)get_choice(json, "code", code_name, ERR_COUNT, &code);
    provision_report_init(r, get_number(json, "id"), (enum provision_cause)cause);
    r->outcome = (enum provision_outcome)outcome;
    r->code = (enum err)code;
    r->time_s = get_time(json, "time");
    get_text(json, "sentence", r->sentence, sizeof r->sentence);
    r->lockout = get_bool(json, "lockout");
    r->forced = get_bool(json, "forced");
    r->generation = get_number(json, "generation");
    r->trial_ends_s = get_time(json, "trial_ends");
    return OK;
}

static void read_lists(const struct cJSON *json, struct provision_report *r)
{
    const struct cJSON *element;

    cJSON_ArrayForEach(element, get(json, "files"))
    {
        read_record(element, r);
    }
    cJSON_ArrayForEach(element, get(json, "items"))
    {
        read_item(element, r);
    }
    r->items_left_out += (size_t)get_number(json, "items_left_out");
    read_changes(get(json, "changed"), r);
}

struct result provision_report_read(struct slice text, struct provision_report *out,
                                    struct errinfo *e)
{
    struct cJSON *json;

    *out = (struct provision_report){0};
    TRY(json_parse(text, &json, e));
    const struct result r = read_head(json, out, e);
    if (is_ok(r))
        read_lists(json, out);
    cJSON_Delete(json);
    return r;
}
