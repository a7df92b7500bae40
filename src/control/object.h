/*
 * object: JSON objects, built without looking at every step: what fails at any of them makes
 * object_end() give NULL.
 *
 *     struct object o = object_begin();
 *     object_text(&o, "name", name);
 *     object_add(&o, "list", list_of_them());
 *     return object_end(&o);
 *
 * All text is UTF-8 without control characters, whatever files and peers had in theirs.
 */
#ifndef SIPSD_CONTROL_OBJECT_H
#define SIPSD_CONTROL_OBJECT_H

#include "base/errinfo.h"
#include "base/hash.h"

struct cJSON;

/* A value type; whoever begins one ends it. */
struct object {
    struct cJSON *json;
    bool ok;
};

struct object object_begin(void);

/* The object, which is the caller's; or NULL on no memory, and nothing is left of it. */
struct cJSON *object_end(struct object *o);

/* The same as the result of a method. ERR_NOMEM with a sentence. */
RESULT object_result(struct object *o, struct cJSON **result, struct errinfo *e);

/* Takes ITEM over; NULL is the failure of whoever made it. */
void object_add(struct object *o, const char *name, struct cJSON *item);

void object_bool(struct object *o, const char *name, bool value);
void object_number(struct object *o, const char *name, double value);
void object_text(struct object *o, const char *name, const char *text); /* NULL and "" are null */
void object_time(struct object *o, const char *name, int64_t epoch_s);  /* as ISO 8601 */

/* "sha256", in hexadecimal. */
void object_sha256(struct object *o, const uint8_t sha256[HASH_SHA256_SIZE]);

/* "pem": the certificate with this DER. */
void object_pem(struct object *o, struct slice der);

/* An array of what MAKE makes of the N elements at CTX; NULL if one of them is, or on no memory. */
struct cJSON *object_array(size_t n, struct cJSON *(*make)(const void *ctx, size_t i),
                           const void *ctx);

#endif
