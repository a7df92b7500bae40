#include "control/request_file.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "base/limits.h"
#include "pki/pem.h"

#define NUMBER_MAX 9007199254740992.0 /* 2^53: up to here a double has every whole number */

/* --- single members --- */

RESULT request_number(const struct cJSON *params, const char *name, uint64_t *out,
                      struct errinfo *e)
{
    const struct cJSON *item = cJSON_GetObjectItemCaseSensitive(params, name);

    if (item == NULL)
        return OK;
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= NUMBER_MAX) ||
        (double)(uint64_t)item->valuedouble != item->valuedouble)
        return fail(e, ERR_INVALID, "\"%s\" has to be a whole number", name);
    *out = (uint64_t)item->valuedouble;
    return OK;
}

RESULT request_text(const struct cJSON *params, const char *name, const char **out,
                    struct errinfo *e)
{
    const struct cJSON *item = cJSON_GetObjectItemCaseSensitive(params, name);

    if (item != NULL && !cJSON_IsString(item))
        return fail(e, ERR_INVALID, "\"%s\" has to be text", name);
    if (item != NULL)
        *out = item->valuestring;
    return OK;
}

RESULT request_bool(const struct cJSON *params, const char *name, bool *out, struct errinfo *e)
{
    const struct cJSON *item = cJSON_GetObjectItemCaseSensitive(params, name);

    if (item != NULL && !cJSON_IsBool(item))
        return fail(e, ERR_INVALID, "\"%s\" has to be true or false", name);
    if (item != NULL)
        *out = cJSON_IsTrue(item);
    return OK;
}

/* --- a file --- */

static RESULT decode(const char *base64, struct request_file *out, struct errinfo *e)
{
    const struct pem_block block = {.base64 = slice_of_str(base64)};

    buf_init(&out->decoded, LIMIT_RPC_REQUEST);
    if (is_err(pem_decode(&block, &out->decoded, NULL))) {
        buf_wipe(&out->decoded);
        return fail(e, ERR_INVALID, "\"base64\" is not Base64");
    }
    out->content = buf_slice(&out->decoded);
    return OK;
}

static RESULT take_staged(const struct cJSON *o, const struct staging *staging,
                          struct request_file *out, struct errinfo *e)
{
    struct slice all;
    uint64_t offset = 0, size;

    TRY(staging_get(staging, out->staged, &all, e));
    TRY(request_number(o, "offset", &offset, e));
    size = offset <= all.n ? all.n - offset : 0;
    TRY(request_number(o, "size", &size, e));
    if (offset > all.n || size > all.n - offset)
        return fail(e, ERR_INVALID, "the uploaded file is not so long");
    out->content = slice_of(all.p + offset, (size_t)size);
    return OK;
}

RESULT request_file_read(const struct cJSON *o, const struct staging *staging,
                         struct request_file *out, struct errinfo *e)
{
    const char *content = NULL, *base64 = NULL;

    *out = (struct request_file){0};
    TRY(request_text(o, "name", &out->name, e));
    TRY(request_text(o, "content", &content, e));
    TRY(request_text(o, "base64", &base64, e));
    TRY(request_number(o, "staged", &out->staged, e));
    if (out->name == NULL)
        return fail(e, ERR_INVALID, "a file needs a \"name\"");
    if ((content != NULL) + (base64 != NULL) + (out->staged != 0) != 1)
        return fail(e, ERR_INVALID,
                    "a file has one of \"content\", \"base64\" and \"staged\" (a number)");
    if (out->staged != 0)
        return take_staged(o, staging, out, e);
    if (base64 != NULL)
        return decode(base64, out, e);
    out->content = slice_of_str(content);
    return OK;
}

RESULT request_file_read_strict(const struct cJSON *o, const char *what,
                                const struct staging *staging, struct request_file *out,
                                struct errinfo *e)
{
    static const char *const members[] = {REQUEST_FILE_MEMBERS};
    const struct cJSON *member;

    if (!cJSON_IsObject(o))
        return fail(e, ERR_INVALID, "%s is an object with \"name\" and \"content\"", what);
    cJSON_ArrayForEach(member, o)
    {
        size_t i = 0;
        while (i < sizeof members / sizeof members[0] && strcmp(members[i], member->string) != 0)
            i++;
        if (i == sizeof members / sizeof members[0])
            return fail(e, ERR_INVALID, "%s has no member '%.64s'", what, member->string);
    }
    return request_file_read(o, staging, out, e);
}

void request_file_clear(struct request_file *f)
{
    buf_wipe(&f->decoded);
    *f = (struct request_file){0};
}
