#include "control/report.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "control/lock.h"
#include "pki/pem.h"

/* --- objects whose building may fail at any step --- */

struct object {
    struct cJSON *json;
    bool ok;
};

static struct object begin(void)
{
    struct object o = {.json = cJSON_CreateObject()};

    o.ok = o.json != NULL;
    return o;
}

static struct cJSON *end(struct object *o)
{
    if (o->ok)
        return o->json;
    cJSON_Delete(o->json);
    return NULL;
}

/* Takes ITEM over; NULL is the failure of whoever made it. */
static void add(struct object *o, const char *name, struct cJSON *item)
{
    if (item != NULL && o->ok && cJSON_AddItemToObject(o->json, name, item))
        return;
    cJSON_Delete(item);
    o->ok = false;
}

static void add_bool(struct object *o, const char *name, bool value)
{
    add(o, name, cJSON_CreateBool(value));
}

static void add_number(struct object *o, const char *name, double value)
{
    add(o, name, cJSON_CreateNumber(value));
}

/* NULL and "" are null: there is none. */
static void add_text(struct object *o, const char *name, const char *text)
{
    char clean[LIMIT_REPORT_TEXT];

    if (text == NULL || text[0] == '\0') {
        add(o, name, cJSON_CreateNull());
        return;
    }
    utf8_clean(slice_of_str(text), clean, sizeof clean);
    add(o, name, cJSON_CreateString(clean));
}

static void add_time(struct object *o, const char *name, int64_t epoch_s)
{
    char iso[CLOCK_ISO_SIZE];

    clock_to_iso(epoch_s, iso);
    add_text(o, name, iso);
}

static void add_sha256(struct object *o, const uint8_t sha256[HASH_SHA256_SIZE])
{
    char hex[HASH_HEX_SIZE(HASH_SHA256_SIZE)];

    hash_hex(slice_of(sha256, HASH_SHA256_SIZE), hex);
    add_text(o, "sha256", hex);
}

/* An array of what MAKE makes of the N elements at CTX. */
static struct cJSON *array_of(size_t n, struct cJSON *(*make)(const void *ctx, size_t i),
                              const void *ctx)
{
    struct cJSON *array = cJSON_CreateArray();

    for (size_t i = 0; array != NULL && i < n; i++) {
        struct cJSON *item = make(ctx, i);
        if (item == NULL || !cJSON_AddItemToArray(array, item)) {
            cJSON_Delete(item);
            cJSON_Delete(array);
            array = NULL;
        }
    }
    return array;
}

/* --- an account --- */

static struct cJSON *reason_at(const void *ctx, size_t i)
{
    const struct reason *r = &((const struct verdict *)ctx)->reasons[i];
    struct object o = begin();

    add_text(&o, "code", reason_name(r->code));
    add(&o, "depth", r->depth >= 0 ? cJSON_CreateNumber(r->depth) : cJSON_CreateNull());
    add_text(&o, "certificate", r->about);
    add_text(&o, "sentence", r->sentence);
    return end(&o);
}

static struct cJSON *certificate_at(const void *ctx, size_t i)
{
    const struct verdict_cert *c = &((const struct verdict *)ctx)->path[i];
    struct object o = begin();

    add_text(&o, "certificate", c->label);
    add_sha256(&o, c->sha256);
    add_time(&o, "not_before", c->not_before_s);
    add_time(&o, "not_after", c->not_after_s);
    return end(&o);
}

static const char *source_name(enum trust_source source)
{
    return source == TRUST_SOURCE_BUILTIN ? "builtin" : "custom";
}

/* Who is on the other side, or was refused there. */
static struct cJSON *peer(const struct account_status *s, const struct verdict *v)
{
    char address[ADDR_TEXT_SIZE] = "";
    struct object o = begin();

    if (s->remote.family != 0)
        addr_format(&s->remote, address);
    add_text(&o, "host", s->host);
    add_text(&o, "address", address);
    add_text(&o, "protocol", s->tls.version);
    add_text(&o, "cipher", s->tls.cipher);
    add_bool(&o, "resumed", s->tls.resumed);
    add_text(&o, "name", v->matched);
    add(&o, "chain", array_of(v->path_len, certificate_at, v));
    add_text(&o, "anchor", v->anchored ? source_name(v->anchor_source) : NULL);
    return end(&o);
}

enum registration_state report_registration_state(const struct account_status *s)
{
    return s->registration == REGISTRATION_REFRESHING ? REGISTRATION_REGISTERED : s->registration;
}

static void add_registration(struct object *o, const struct account_status *s)
{
    const struct errinfo *error = s->registration_error;

    add_text(o, "state", registration_state_name(report_registration_state(s)));
    add_number(o, "expires_s", s->granted_s);
    add(o, "status",
        s->registration_status != 0 ? cJSON_CreateNumber(s->registration_status)
                                    : cJSON_CreateNull());
    add_text(o, "error", error->code != ERR_OK ? error->text : NULL);
}

static struct cJSON *registration(const struct account_status *s)
{
    struct object o = begin();

    add_registration(&o, s);
    return end(&o);
}

struct cJSON *report_registration(const struct account_status *s)
{
    struct object o = begin();

    add_number(&o, "account", s->number);
    add_registration(&o, s);
    return end(&o);
}

struct cJSON *report_account(const struct account_status *s)
{
    const struct verdict *v = lock_verdict(s);
    struct lock_entry lock;
    struct object o = begin();

    lock_reduce(s, &lock);
    add_number(&o, "account", s->number);
    add_text(&o, "label", s->label);
    add_text(&o, "aor", s->aor);
    add_text(&o, "state", lock_state_name(lock.state));
    add_bool(&o, "lock", lock.lock);
    add_text(&o, "assurance", lock_assurance_name(lock.assurance));
    add_bool(&o, "encrypted", s->encrypted);
    add_text(&o, "verdict", verdict_class_name(lock.verdict));
    add_text(&o, "code", lock.code);
    add_text(&o, "sentence", lock.sentence);
    add(&o, "reasons", array_of(v != NULL ? v->reasons_count : 0, reason_at, v));
    add(&o, "registration", registration(s));
    add(&o, "peer", v != NULL ? peer(s, v) : cJSON_CreateNull());
    add(&o, "retry_in_ms",
        s->state == ACCOUNT_WAITING ? cJSON_CreateNumber(s->retry_in_ms) : cJSON_CreateNull());
    add_number(&o, "failures", s->failures);
    return end(&o);
}

/* --- clock and trust --- */

struct cJSON *report_clock(struct wallclock now)
{
    struct object o = begin();

    add_text(&o, "state", clock_state_name(now.state));
    add_time(&o, "time", now.epoch_s);
    return end(&o);
}

struct cJSON *report_trust(const struct trust *t, enum trust_filter filter)
{
    struct object o = begin();

    add_number(&o, "generation", (double)trust_generation(t));
    add_number(&o, "builtin", (double)trust_count(t, TRUST_DEFAULT));
    add_number(&o, "custom", (double)trust_count(t, TRUST_CUSTOM));
    add_text(&o, "filter", report_filter_name(filter));
    return end(&o);
}

static void add_pem(struct object *o, struct slice der)
{
    struct buf pem;

    buf_init(&pem, 2 * LIMIT_CERT_BYTES);
    const bool ok = is_ok(pem_write("CERTIFICATE", der, &pem));
    const char *text = ok ? buf_str(&pem) : NULL;
    add(o, "pem", text != NULL ? cJSON_CreateString(text) : NULL);
    buf_free(&pem);
}

struct cJSON *report_anchor(const struct trust_anchor *a, struct wallclock now, bool with_pem)
{
    const bool builtin = a->source == TRUST_SOURCE_BUILTIN;
    uint8_t sha256[HASH_SHA256_SIZE];
    char text[LIMIT_REPORT_TEXT];
    struct object o = begin();

    cert_label(a->cert, text, sizeof text);
    add_text(&o, "name", text);
    add_text(&o, "source", source_name(a->source));
    add_text(&o, "operator", builtin ? a->name : NULL);
    add_text(&o, "file", builtin ? NULL : a->name);
    cert_subject_text(a->cert, text, sizeof text);
    add_text(&o, "subject", text);
    cert_sha256(a->cert, sha256);
    add_sha256(&o, sha256);
    add_time(&o, "not_before", cert_not_before(a->cert));
    add_time(&o, "not_after", cert_not_after(a->cert));
    add_bool(&o, "expired", cert_not_after(a->cert) < now.epoch_s);
    cert_key_text(a->cert, text, sizeof text);
    add_text(&o, "key", text);
    if (with_pem)
        add_pem(&o, cert_der(a->cert));
    return end(&o);
}

static const char *const filter_names[] = {
    [TRUST_DEFAULT] = "default", [TRUST_CUSTOM] = "custom", [TRUST_ALL] = "all"};

const char *report_filter_name(enum trust_filter f)
{
    return filter_names[f];
}

bool report_filter_from_name(const char *name, enum trust_filter *out)
{
    for (int f = TRUST_DEFAULT; f <= TRUST_ALL; f++) {
        if (strcmp(name, filter_names[f]) == 0) {
            *out = (enum trust_filter)f;
            return true;
        }
    }
    return false;
}
