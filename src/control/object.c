#include "control/object.h"

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "pki/pem.h"

struct object object_begin(void)
{
    struct object o = {.json = cJSON_CreateObject()};

    o.ok = o.json != NULL;
    return o;
}

struct cJSON *object_end(struct object *o)
{
    if (o->ok)
        return o->json;
    cJSON_Delete(o->json);
    return NULL;
}

RESULT object_result(struct object *o, struct cJSON **result, struct errinfo *e)
{
    *result = object_end(o);
    return *result != NULL ? OK : fail(e, ERR_NOMEM, "sipsd is short of memory; try again");
}

void object_add(struct object *o, const char *name, struct cJSON *item)
{
    if (item != NULL && o->ok && cJSON_AddItemToObject(o->json, name, item))
        return;
    cJSON_Delete(item);
    o->ok = false;
}

void object_bool(struct object *o, const char *name, bool value)
{
    object_add(o, name, cJSON_CreateBool(value));
}

void object_number(struct object *o, const char *name, double value)
{
    object_add(o, name, cJSON_CreateNumber(value));
}

void object_text(struct object *o, const char *name, const char *text)
{
    char clean[LIMIT_REPORT_TEXT];

    if (text == NULL || text[0] == '\0') {
        object_add(o, name, cJSON_CreateNull());
        return;
    }
    utf8_clean(slice_of_str(text), clean, sizeof clean);
    object_add(o, name, cJSON_CreateString(clean));
}

void object_time(struct object *o, const char *name, int64_t epoch_s)
{
    char iso[CLOCK_ISO_SIZE];

    clock_to_iso(epoch_s, iso);
    object_text(o, name, iso);
}

void object_sha256(struct object *o, const uint8_t sha256[HASH_SHA256_SIZE])
{
    char hex[HASH_HEX_SIZE(HASH_SHA256_SIZE)];

    hash_hex(slice_of(sha256, HASH_SHA256_SIZE), hex);
    object_text(o, "sha256", hex);
}

void object_pem(struct object *o, struct slice der)
{
    struct buf pem;

    buf_init(&pem, 2 * LIMIT_CERT_BYTES);
    const bool ok = is_ok(pem_write("CERTIFICATE", der, &pem));
    const char *text = ok ? buf_str(&pem) : NULL;
    object_add(o, "pem", text != NULL ? cJSON_CreateString(text) : NULL);
    buf_free(&pem);
}

struct cJSON *object_array(size_t n, struct cJSON *(*make)(const void *ctx, size_t i),
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
