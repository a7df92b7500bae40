/* A line from a client: whatever it is, the answer is one line of strict JSON, or nothing. */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "control/json.h"
#include "control/jsonrpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct result echo(void *arg, const struct cJSON *params, struct cJSON **result,
                          struct errinfo *e)
{
    const struct cJSON *account = cJSON_GetObjectItemCaseSensitive(params, "account");

    (void)arg;
    if (!cJSON_IsNumber(account))
        return fail(e, ERR_INVALID, "\"account\" is a number");
    *result = cJSON_Duplicate(params, true);
    return *result != NULL ? OK : fail(e, ERR_NOMEM, "no memory");
}

static struct result snapshot(void *arg, const struct cJSON *params, struct cJSON **result,
                              struct errinfo *e)
{
    (void)arg;
    (void)params;
    (void)e;
    *result = cJSON_CreateObject();
    return OK;
}

static void check_reply(struct slice reply)
{
    if (reply.n == 0)
        return;
    if (slice_find(reply, '\n') != reply.n - 1)
        abort();
    if (json_check(reply, NULL).code == ERR_PARSE)
        abort();
    if (slice_find_slice(reply, SLICE_LIT("\"jsonrpc\":\"2.0\"")) == reply.n)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"account", "filter", NULL};
    static const struct jsonrpc_method methods[] = {{"account.reconnect", names, echo},
                                                    {NULL, NULL, NULL}};
    static const struct jsonrpc_service service = {.methods = methods, .snapshot = snapshot};
    unsigned subscribed = 0;
    struct buf reply;

    buf_init(&reply, LIMIT_RPC_REPLY);
    if (is_err(jsonrpc_answer(&service, slice_of(data, size), &reply, &subscribed)) ||
        (subscribed != 0 && buf_len(&reply) == 0))
        abort();
    check_reply(buf_slice(&reply));
    buf_free(&reply);
    return 0;
}
