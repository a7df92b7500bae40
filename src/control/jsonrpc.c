#include "control/jsonrpc.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "control/json.h"

/* Section 5.1 of the specification. */
enum rpc_code {
    CODE_NONE = 0,
    CODE_PARSE = -32700,
    CODE_REQUEST = -32600,
    CODE_METHOD = -32601,
    CODE_PARAMS = -32602,
    CODE_INTERNAL = -32603,
    CODE_SERVER = -32000,
};

/* One request while it is being answered. */
struct call {
    const struct jsonrpc_service *service;
    const struct cJSON *id; /* NULL: none, or none that is valid */
    bool is_notification;
    unsigned subscribed;
    enum rpc_code code; /* of the error, where the specification knows better than code_of() */
};

static enum rpc_code code_of(enum err e)
{
    switch (e) {
    case ERR_INVALID:
    case ERR_NOT_FOUND:
        return CODE_PARAMS;
    case ERR_NOMEM:
        return CODE_INTERNAL;
    default:
        return CODE_SERVER;
    }
}

/* --- messages --- */

/* Adds ITEM, which is freed if that fails; it may be NULL, for no memory. */
static bool add(struct cJSON *object, const char *name, struct cJSON *item)
{
    if (item != NULL && cJSON_AddItemToObject(object, name, item))
        return true;
    cJSON_Delete(item);
    return false;
}

/* What every message begins with; NULL on no memory, here and below. */
static struct cJSON *message_new(void)
{
    struct cJSON *message = cJSON_CreateObject();

    if (message != NULL && cJSON_AddStringToObject(message, "jsonrpc", "2.0") != NULL)
        return message;
    cJSON_Delete(message);
    return NULL;
}

/* A number in full: cJSON would write 1e+15. */
static struct cJSON *id_copy(const struct cJSON *id)
{
    char digits[24];

    if (id == NULL)
        return cJSON_CreateNull();
    if (!cJSON_IsNumber(id))
        return cJSON_Duplicate(id, true);
    (void)snprintf(digits, sizeof digits, "%" PRId64, (int64_t)id->valuedouble);
    return cJSON_CreateRaw(digits);
}

static struct cJSON *response_new(const struct cJSON *id)
{
    struct cJSON *response = message_new();

    if (response != NULL && add(response, "id", id_copy(id)))
        return response;
    cJSON_Delete(response);
    return NULL;
}

/* Takes RESULT over. */
static struct cJSON *success_new(const struct cJSON *id, struct cJSON *result)
{
    struct cJSON *response = response_new(id);

    if (response == NULL) {
        cJSON_Delete(result);
        return NULL;
    }
    if (add(response, "result", result))
        return response;
    cJSON_Delete(response);
    return NULL;
}

static struct cJSON *error_new(const struct cJSON *id, enum rpc_code code, enum err data,
                               const char *sentence)
{
    struct cJSON *response = response_new(id);
    struct cJSON *error = response != NULL ? cJSON_AddObjectToObject(response, "error") : NULL;

    if (error != NULL && cJSON_AddNumberToObject(error, "code", code) != NULL &&
        cJSON_AddStringToObject(error, "message", sentence) != NULL &&
        cJSON_AddStringToObject(error, "data", err_name(data)) != NULL)
        return response;
    cJSON_Delete(response);
    return NULL;
}

/* Appends MESSAGE as a line and frees it; it may be NULL, for no memory. */
static RESULT send(struct cJSON *message, struct buf *out)
{
    char *text = message != NULL ? cJSON_PrintUnformatted(message) : NULL;
    const size_t n = text != NULL ? strlen(text) : 0;
    struct result r;

    cJSON_Delete(message);
    if (text == NULL)
        return err(ERR_NOMEM);
    if (n + 1 > buf_space(out))
        r = err(ERR_LIMIT);
    else if (is_ok(r = buf_append(out, slice_of(text, n))))
        r = buf_append_str(out, "\n");
    cJSON_free(text);
    return r;
}

/* --- one request --- */

static RESULT refuse(struct call *c, enum rpc_code code, struct errinfo *e, const char *sentence)
{
    c->code = code;
    return fail(e, ERR_INVALID, "%s", sentence);
}

#define ID_MAX 9007199254740992.0 /* 2^53: up to here a double has every whole number */

/* Section 4: a string, a number or null; a number that comes back exactly as it was sent. */
static bool is_id(const struct cJSON *id)
{
    if (!cJSON_IsNumber(id))
        return cJSON_IsString(id) || cJSON_IsNull(id);
    return id->valuedouble >= -ID_MAX && id->valuedouble <= ID_MAX &&
           (double)(int64_t)id->valuedouble == id->valuedouble;
}

/* Section 4: what a request has to look like. */
static RESULT read_request(struct call *c, const struct cJSON *request, const char **method,
                           const struct cJSON **params, struct errinfo *e)
{
    const struct cJSON *version = cJSON_GetObjectItemCaseSensitive(request, "jsonrpc");
    const struct cJSON *id = cJSON_GetObjectItemCaseSensitive(request, "id");
    const struct cJSON *name = cJSON_GetObjectItemCaseSensitive(request, "method");

    if (!cJSON_IsObject(request))
        return refuse(c, CODE_REQUEST, e, "a request is an object");
    if (id != NULL && !is_id(id))
        return refuse(c, CODE_REQUEST, e, "\"id\" is a string, a whole number up to 2^53, or null");
    c->id = id;
    if (!cJSON_IsString(version) || strcmp(version->valuestring, "2.0") != 0)
        return refuse(c, CODE_REQUEST, e, "\"jsonrpc\" is not \"2.0\"");
    if (!cJSON_IsString(name))
        return refuse(c, CODE_REQUEST, e, "\"method\" is not a string");
    c->is_notification = id == NULL;
    *method = name->valuestring;
    *params = cJSON_GetObjectItemCaseSensitive(request, "params");
    if (*params != NULL && !cJSON_IsObject(*params))
        return refuse(c, CODE_PARAMS, e, "\"params\" is an object with the parameters' names");
    return OK;
}

static RESULT check_params(const struct jsonrpc_method *m, const struct cJSON *params,
                           struct errinfo *e)
{
    const struct cJSON *param;

    cJSON_ArrayForEach(param, params)
    {
        const char *const *name = m->params;
        while (name != NULL && *name != NULL && strcmp(*name, param->string) != 0)
            name++;
        if (name == NULL || *name == NULL)
            return fail(e, ERR_INVALID, "%s has no parameter '%.64s'", m->name, param->string);
    }
    return OK;
}

static RESULT find_method(struct call *c, const char *name, struct jsonrpc_method *out, void **arg,
                          struct errinfo *e)
{
    static const char *const topics[] = {"topics", NULL};

    *arg = c->service->arg;
    if (strcmp(name, "status") == 0 || strcmp(name, "subscribe") == 0) {
        *out = (struct jsonrpc_method){.name = name, .fn = c->service->snapshot};
        if (c->service->topics != NULL && strcmp(name, "subscribe") == 0)
            out->params = topics;
        return OK;
    }
    for (const struct jsonrpc_service *s = c->service; s != NULL; s = s->more) {
        for (const struct jsonrpc_method *m = s->methods; m->name != NULL; m++) {
            if (strcmp(name, m->name) == 0) {
                *out = *m;
                *arg = s->arg;
                return OK;
            }
        }
    }
    c->code = CODE_METHOD;
    return fail(e, ERR_UNSUPPORTED, "there is no method '%.64s' on this socket", name);
}

static RESULT find_topic(const struct jsonrpc_service *service, const struct cJSON *name,
                         unsigned *topics, struct errinfo *e)
{
    if (!cJSON_IsString(name))
        return fail(e, ERR_INVALID, "a topic is a string");
    for (unsigned i = 0; service->topics[i] != NULL; i++) {
        if (strcmp(service->topics[i], name->valuestring) == 0) {
            *topics |= JSONRPC_TOPIC(i);
            return OK;
        }
    }
    return fail(e, ERR_INVALID, "there is no topic '%.64s'", name->valuestring);
}

static RESULT read_topics(const struct jsonrpc_service *service, const struct cJSON *params,
                          unsigned *topics, struct errinfo *e)
{
    const struct cJSON *list = cJSON_GetObjectItemCaseSensitive(params, "topics");
    const struct cJSON *name;

    *topics = JSONRPC_STATE;
    if (list != NULL && !cJSON_IsArray(list))
        return fail(e, ERR_INVALID, "\"topics\" is an array of names");
    cJSON_ArrayForEach(name, list)
    {
        TRY(find_topic(service, name, topics, e));
    }
    return OK;
}

static RESULT run(struct call *c, const struct cJSON *request, struct cJSON **result,
                  struct errinfo *e)
{
    struct jsonrpc_method m;
    const struct cJSON *params = NULL;
    const char *name = NULL;
    void *arg;
    unsigned topics = 0;

    TRY(read_request(c, request, &name, &params, e));
    TRY(find_method(c, name, &m, &arg, e));
    TRY(check_params(&m, params, e));
    const bool subscribes = strcmp(name, "subscribe") == 0;
    if (subscribes)
        TRY(read_topics(c->service, params, &topics, e));
    TRY(m.fn(arg, params, result, e));
    c->subscribed = subscribes && !c->is_notification ? topics : 0;
    return OK;
}

/* The response to REQUEST, or NULL if it gets none. ERR_NOMEM. */
static RESULT answer_one(const struct jsonrpc_service *service, const struct cJSON *request,
                         struct cJSON **response, unsigned *subscribed)
{
    struct call c = {.service = service};
    struct cJSON *result = NULL;
    struct errinfo e = ERRINFO_INIT;
    const struct result r = run(&c, request, &result, &e);

    *response = NULL;
    if (c.is_notification) {
        cJSON_Delete(result);
        return OK;
    }
    if (is_ok(r))
        *response = success_new(c.id, result);
    else
        *response = error_new(c.id, c.code != CODE_NONE ? c.code : code_of(r.code), r.code,
                              errinfo_text(&e, r));
    *subscribed |= c.subscribed;
    return *response != NULL ? OK : err(ERR_NOMEM);
}

/* --- a line --- */

/* Section 6: an array of responses, in any order; nothing for a batch of notifications alone. */
static RESULT answer_batch(const struct jsonrpc_service *service, const struct cJSON *batch,
                           struct cJSON **responses, unsigned *subscribed)
{
    struct cJSON *all = cJSON_CreateArray();
    const struct cJSON *request;
    struct result r = all != NULL ? OK : err(ERR_NOMEM);

    cJSON_ArrayForEach(request, batch)
    {
        struct cJSON *one = NULL;
        if (is_ok(r))
            r = answer_one(service, request, &one, subscribed);
        if (one != NULL && !cJSON_AddItemToArray(all, one)) {
            cJSON_Delete(one);
            r = err(ERR_NOMEM);
        }
    }
    if (is_err(r) || cJSON_GetArraySize(all) == 0) {
        cJSON_Delete(all);
        all = NULL;
    }
    *responses = all;
    return r;
}

static RESULT answer_parsed(const struct jsonrpc_service *service, const struct cJSON *message,
                            struct cJSON **response, unsigned *subscribed)
{
    const int n = cJSON_GetArraySize(message);

    if (!cJSON_IsArray(message))
        return answer_one(service, message, response, subscribed);
    if (n >= 1 && n <= LIMIT_RPC_BATCH)
        return answer_batch(service, message, response, subscribed);
    if (n == 0)
        *response = error_new(NULL, CODE_REQUEST, ERR_INVALID, "a batch has no request in it");
    else
        *response = error_new(NULL, CODE_REQUEST, ERR_LIMIT, "a batch has too many requests in it");
    return *response != NULL ? OK : err(ERR_NOMEM);
}

struct result jsonrpc_answer(const struct jsonrpc_service *service, struct slice line,
                             struct buf *reply, unsigned *subscribed)
{
    struct cJSON *message = NULL, *response = NULL;
    struct errinfo e = ERRINFO_INIT;
    unsigned called = 0;
    struct result r = json_parse(line, &message, &e);

    if (is_err(r))
        return send(
            error_new(NULL, r.code == ERR_PARSE ? CODE_PARSE : CODE_REQUEST, r.code, e.text),
            reply);
    r = answer_parsed(service, message, &response, &called);
    json_wipe(message);
    if (is_err(r) || response == NULL)
        return r;
    r = send(response, reply);
    if (r.code == ERR_LIMIT)
        return send(error_new(NULL, CODE_SERVER, ERR_LIMIT, "the answer is too long"), reply);
    if (is_ok(r))
        *subscribed |= called;
    return r;
}

struct result jsonrpc_notification(const char *method, const struct cJSON *params, struct buf *out)
{
    struct cJSON *message = message_new();

    /* A reference: nothing of PARAMS is changed or freed. */
    if (message == NULL || cJSON_AddStringToObject(message, "method", method) == NULL ||
        !cJSON_AddItemReferenceToObject(message, "params", (struct cJSON *)(uintptr_t)params)) {
        cJSON_Delete(message);
        return err(ERR_NOMEM);
    }
    return send(message, out);
}

struct result jsonrpc_error(enum err code, const char *sentence, struct buf *out)
{
    return send(error_new(NULL, code == ERR_LIMIT ? CODE_REQUEST : CODE_SERVER, code, sentence),
                out);
}
