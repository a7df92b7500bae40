#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "control/jsonrpc.h"
#include "tools/unit.h"

/* A service that counts its calls. */
static struct {
    int calls, snapshots;
    size_t long_answer;
} seen;

static struct result echo(void *arg, const struct cJSON *params, struct cJSON **result,
                          struct errinfo *e)
{
    const struct cJSON *fault = cJSON_GetObjectItemCaseSensitive(params, "fault");
    (void)arg;

    seen.calls++;
    if (fault != NULL)
        return fail(e, (enum err)fault->valueint, "it went wrong");
    *result = params != NULL ? cJSON_Duplicate(params, true) : cJSON_CreateNull();
    return OK;
}

static struct result long_answer(void *arg, const struct cJSON *params, struct cJSON **result,
                                 struct errinfo *e)
{
    char *text = calloc(1, seen.long_answer + 1);
    (void)arg;
    (void)params;
    (void)e;

    assert_non_null(text);
    memset(text, 'a', seen.long_answer);
    *result = cJSON_CreateString(text);
    free(text);
    return OK;
}

static struct result snapshot(void *arg, const struct cJSON *params, struct cJSON **result,
                              struct errinfo *e)
{
    (void)arg;
    (void)params;
    (void)e;
    seen.snapshots++;
    *result = cJSON_CreateString("all");
    return OK;
}

static const char *const echo_params[] = {"a", "b", "fault", NULL};
static const struct jsonrpc_method methods[] = {
    {"echo", echo_params, echo},
    {"long", NULL, long_answer},
    {NULL, NULL, NULL},
};
static const struct jsonrpc_service service = {.methods = methods, .snapshot = snapshot};

static unsigned subscribed;

/* Answers LINE, and compares with what is expected without its newline; "" for no answer. */
static void check(struct slice line, const char *expected)
{
    struct buf reply;

    subscribed = 0;
    buf_init(&reply, LIMIT_RPC_REPLY);
    assert_true(is_ok(jsonrpc_answer(&service, line, &reply, &subscribed)));
    const char *text = buf_str(&reply);
    assert_non_null(text);
    if (expected[0] != '\0') {
        assert_int_equal('\n', text[buf_len(&reply) - 1]);
        assert_int_equal(strlen(expected) + 1, buf_len(&reply));
    }
    assert_int_equal(0, strncmp(expected, text, strlen(expected)));
    buf_free(&reply);
}

static void check_table(const char *const cases[][2], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        print_message("%s\n", cases[i][0]);
        check(slice_of_str(cases[i][0]), cases[i][1]);
        assert_int_equal(subscribed, 0);
    }
}

static void test_results(void **state)
{
    static const char *const cases[][2] = {
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"a\":[1,\"x\"]}}",
         "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":[1,\"x\"]}}"},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"\\u00e4\",\"method\":\"echo\"}",
         "{\"jsonrpc\":\"2.0\",\"id\":\"\xc3\xa4\",\"result\":null}"},
        {"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"echo\"}",
         "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":null}"},
        {"{\"jsonrpc\":\"2.0\",\"id\":-9007199254740992,\"method\":\"echo\"}",
         "{\"jsonrpc\":\"2.0\",\"id\":-9007199254740992,\"result\":null}"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1e15,\"method\":\"echo\"}",
         "{\"jsonrpc\":\"2.0\",\"id\":1000000000000000,\"result\":null}"},
        {"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"status\"}",
         "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":\"all\"}"},
        {"  {\"id\":3,\"method\":\"echo\",\"jsonrpc\":\"2.0\",\"more\":true}\r",
         "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":null}"},
    };
    (void)state;
    check_table(cases, COUNT_OF(cases));
}

static void test_errors(void **state)
{
#define ERROR(id, code, message, data)                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"error\":{\"code\":" code ",\"message\":\"" message \
    "\",\"data\":\"" data "\"}}"
#define REQUEST_ERROR(id, message) ERROR(id, "-32600", message, "INVALID")
    static const char *const cases[][2] = {
        {"{\"jsonrpc\":",
         ERROR("null", "-32700", "the JSON ends too early: expected a value", "PARSE")},
        {"\xff", ERROR("null", "-32700", "not JSON at byte 1: expected a value", "PARSE")},
        {"1", REQUEST_ERROR("null", "a request is an object")},
        {"{}", REQUEST_ERROR("null", "\\\"jsonrpc\\\" is not \\\"2.0\\\"")},
        {"{\"id\":7}", REQUEST_ERROR("7", "\\\"jsonrpc\\\" is not \\\"2.0\\\"")},
        {"{\"jsonrpc\":2.0,\"id\":7,\"method\":\"echo\"}",
         REQUEST_ERROR("7", "\\\"jsonrpc\\\" is not \\\"2.0\\\"")},
        {"{\"jsonrpc\":\"1.0\",\"id\":7,\"method\":\"echo\"}",
         REQUEST_ERROR("7", "\\\"jsonrpc\\\" is not \\\"2.0\\\"")},
        {"{\"jsonrpc\":\"2.0\",\"id\":7}", REQUEST_ERROR("7", "\\\"method\\\" is not a string")},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":null}",
         REQUEST_ERROR("7", "\\\"method\\\" is not a string")},
        {"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"echo\"}",
         REQUEST_ERROR("null", "\\\"id\\\" is a string, a whole number up to 2^53, or null")},
        {"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"echo\"}",
         REQUEST_ERROR("null", "\\\"id\\\" is a string, a whole number up to 2^53, or null")},
        {"{\"jsonrpc\":\"2.0\",\"id\":1e99,\"method\":\"echo\"}",
         REQUEST_ERROR("null", "\\\"id\\\" is a string, a whole number up to 2^53, or null")},
        {"{\"jsonrpc\":\"2.0\",\"id\":1e999,\"method\":\"echo\"}",
         REQUEST_ERROR("null", "\\\"id\\\" is a string, a whole number up to 2^53, or null")},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"echo\",\"params\":[1]}",
         ERROR("7", "-32602", "\\\"params\\\" is an object with the parameters' names", "INVALID")},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"echo\",\"params\":{\"c\":1}}",
         ERROR("7", "-32602", "echo has no parameter 'c'", "INVALID")},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"status\",\"params\":{\"c\":1}}",
         ERROR("7", "-32602", "status has no parameter 'c'", "INVALID")},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"Echo\"}",
         ERROR("7", "-32601", "there is no method 'Echo' on this socket", "UNSUPPORTED")},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"echo\",\"params\":{\"fault\":6}}",
         ERROR("7", "-32602", "it went wrong", "NOT_FOUND")},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"echo\",\"params\":{\"fault\":1}}",
         ERROR("7", "-32603", "it went wrong", "NOMEM")},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"echo\",\"params\":{\"fault\":11}}",
         ERROR("7", "-32000", "it went wrong", "BUSY")},
        {"[]", REQUEST_ERROR("null", "a batch has no request in it")},
        {"[1,2,3,4,5,6,7,8,9]",
         ERROR("null", "-32600", "a batch has too many requests in it", "LIMIT")},
    };
    (void)state;
    assert_int_equal(6, ERR_NOT_FOUND);
    assert_int_equal(1, ERR_NOMEM);
    assert_int_equal(11, ERR_BUSY);
    assert_int_equal(8, LIMIT_RPC_BATCH);
    check_table(cases, COUNT_OF(cases));
}

static void test_notifications_are_not_answered(void **state)
{
    static const char *const cases[][2] = {
        {"{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}", ""},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":{\"fault\":5}}", ""},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"nothing\"}", ""},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":7}", ""},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"subscribe\"}", ""},
        {"[{\"jsonrpc\":\"2.0\",\"method\":\"echo\"},{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}]",
         ""},
    };
    (void)state;
    seen.calls = 0;
    check_table(cases, COUNT_OF(cases));
    assert_int_equal(4, seen.calls);
}

static void test_a_batch(void **state)
{
    (void)state;
    check(SLICE_LIT("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"},"
                    "{\"jsonrpc\":\"2.0\",\"method\":\"echo\"},5,"
                    "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"subscribe\"}]"),
          "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null},"
          "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"a request is "
          "an object\",\"data\":\"INVALID\"}},"
          "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":\"all\"}]");
    assert_int_equal(subscribed, JSONRPC_STATE);
}

static void test_subscribe(void **state)
{
    (void)state;
    check(SLICE_LIT("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\"}"),
          "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"all\"}");
    assert_int_equal(subscribed, JSONRPC_STATE);
    check(SLICE_LIT("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\",\"params\":{\"x\":1}}"),
          "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":\"subscribe has no "
          "parameter 'x'\",\"data\":\"INVALID\"}}");
    assert_int_equal(subscribed, 0);
}

static void test_topics(void **state)
{
    (void)state;
    static const char *const topics[] = {"first", "second", NULL};
    static const struct jsonrpc_service with = {
        .methods = methods, .snapshot = snapshot, .topics = topics};
    static const struct {
        const char *list, *answer;
        unsigned bits;
    } cases[] = {
        {"[]", "\"result\":\"all\"", JSONRPC_STATE},
        {"[\"second\"]", "\"result\":\"all\"", JSONRPC_STATE | JSONRPC_TOPIC(1)},
        {"[\"second\",\"first\",\"second\"]", "\"result\":\"all\"",
         JSONRPC_STATE | JSONRPC_TOPIC(0) | JSONRPC_TOPIC(1)},
        {"[\"first\",\"third\"]", "there is no topic 'third'", 0},
        {"[1]", "a topic is a string", 0},
        {"\"first\"", "\\\"topics\\\" is an array of names", 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char line[256];
        struct buf reply;
        (void)snprintf(line, sizeof line,
                       "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\","
                       "\"params\":{\"topics\":%s}}",
                       cases[i].list);
        subscribed = 0;
        buf_init(&reply, LIMIT_RPC_REPLY);
        assert_true(is_ok(jsonrpc_answer(&with, slice_of_str(line), &reply, &subscribed)));
        if (strstr(buf_str(&reply), cases[i].answer) == NULL)
            fail_msg("\"%s\" is not in %s", cases[i].answer, buf_str(&reply));
        assert_int_equal(subscribed, cases[i].bits);
        buf_free(&reply);
    }
    check(SLICE_LIT("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\","
                    "\"params\":{\"topics\":[]}}"),
          "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":\"subscribe has no "
          "parameter 'topics'\",\"data\":\"INVALID\"}}");
}

/* Nobody who did not get the snapshot may be sent changes. */
static void test_an_answer_is_bounded(void **state)
{
    (void)state;
    seen.long_answer = LIMIT_RPC_REPLY;
    check(SLICE_LIT("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"long\"},"
                    "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"subscribe\"}]"),
          "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,\"message\":\"the answer is "
          "too long\",\"data\":\"LIMIT\"}}");
    assert_int_equal(subscribed, 0);

    struct buf reply;
    seen.long_answer = LIMIT_RPC_REPLY - 37; /* with all that is around it */
    buf_init(&reply, LIMIT_RPC_REPLY);
    assert_true(is_ok(
        jsonrpc_answer(&service, SLICE_LIT("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"long\"}"),
                       &reply, &subscribed)));
    assert_int_equal(LIMIT_RPC_REPLY, buf_len(&reply));
    buf_free(&reply);
}

static void test_a_long_request(void **state)
{
    char *line = malloc(LIMIT_RPC_REQUEST + 1);
    (void)state;

    assert_non_null(line);
    memset(line, ' ', LIMIT_RPC_REQUEST + 1);
    check(slice_of(line, LIMIT_RPC_REQUEST + 1),
          "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"the JSON is "
          "longer than 65536 bytes\",\"data\":\"LIMIT\"}}");
    free(line);
}

static void test_notification(void **state)
{
    struct cJSON *params = cJSON_Parse("{\"a\":1}");
    struct buf out;
    (void)state;

    buf_init(&out, 100);
    assert_true(is_ok(jsonrpc_notification("lock", params, &out)));
    assert_string_equal("{\"jsonrpc\":\"2.0\",\"method\":\"lock\",\"params\":{\"a\":1}}\n",
                        buf_str(&out));
    assert_int_equal(ERR_LIMIT, jsonrpc_notification("lock", params, &out).code);
    buf_free(&out);
    cJSON_Delete(params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_notifications_are_not_answered),
        cmocka_unit_test(test_a_batch),
        cmocka_unit_test(test_subscribe),
        cmocka_unit_test(test_topics),
        cmocka_unit_test(test_an_answer_is_bounded),
        cmocka_unit_test(test_a_long_request),
        cmocka_unit_test(test_notification),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
