/* admin: the methods about certificates, asked as a line of JSON-RPC each. */
#include "tools/unit.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/admin.h"
#include "pki/pem.h"
#include "tls/profile.h"
#include "tools/statedir.h"

static struct statedir s;
static struct loop *loop;
static struct admin *admin;
static struct rejected *rejected;
static bool reserves;

static struct credentials *source_credentials(void *arg)
{
    (void)arg;
    return s.credentials;
}

static struct rejected *source_rejected(void *arg)
{
    (void)arg;
    return rejected;
}

static bool source_reserves(void *arg)
{
    (void)arg;
    return reserves;
}

static struct wallclock source_now(void *arg)
{
    (void)arg;
    return (struct wallclock){.epoch_s = TESTPKI_NOW, .state = CLOCK_SET};
}

static int set_up(void **state)
{
    const struct admin_source source = {.credentials = source_credentials,
                                        .rejected = source_rejected,
                                        .reserves_certs = source_reserves,
                                        .now = source_now};
    (void)state;
    reserves = false;
    statedir_make(&s);
    statedir_open(&s, IDENTITY_WANT_ANY);
    assert_true(is_ok(loop_new(&loop, NULL)));
    assert_true(is_ok(rejected_new(&rejected)));
    assert_true(is_ok(admin_new(loop, &source, &admin)));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    admin_free(admin);
    rejected_free(rejected);
    loop_free(loop);
    statedir_remove(&s);
    return 0;
}

/* Calls METHOD with PARAMS, which are freed; the response. */
static struct cJSON *call(const char *method, struct cJSON *params)
{
    struct cJSON *request = cJSON_CreateObject();
    struct buf reply;
    unsigned subscribed = 0;
    cJSON_AddStringToObject(request, "jsonrpc", "2.0");
    cJSON_AddNumberToObject(request, "id", 1);
    cJSON_AddStringToObject(request, "method", method);
    if (params != NULL)
        cJSON_AddItemToObject(request, "params", params);
    char *line = cJSON_PrintUnformatted(request);
    cJSON_Delete(request);
    buf_init(&reply, LIMIT_RPC_REPLY);
    assert_true(
        is_ok(jsonrpc_answer(admin_service(admin), slice_of_str(line), &reply, &subscribed)));
    struct cJSON *response =
        cJSON_ParseWithLength((const char *)buf_slice(&reply).p, buf_len(&reply));
    assert_non_null(response);
    buf_free(&reply);
    free(line);
    return response;
}

/* The result's member NAME as a number; fails on an error. */
static double ask(const char *method, struct cJSON *params, const char *name)
{
    struct cJSON *response = call(method, params);
    const struct cJSON *result = cJSON_GetObjectItemCaseSensitive(response, "result");
    const struct cJSON *member = cJSON_GetObjectItemCaseSensitive(result, name);
    if (member == NULL)
        fail_msg("%s: %s", method, cJSON_PrintUnformatted(response));
    const double n = cJSON_IsBool(member) ? (double)cJSON_IsTrue(member) : member->valuedouble;
    cJSON_Delete(response);
    return n;
}

/* The error's data has to be DATA, and its message to have TEXT. */
static void refused(const char *method, struct cJSON *params, const char *data, const char *text)
{
    struct cJSON *response = call(method, params);
    const struct cJSON *error = cJSON_GetObjectItemCaseSensitive(response, "error");
    const char *message = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "message"));
    assert_non_null(message);
    assert_string_equal(data,
                        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "data")));
    if (strstr(message, text) == NULL)
        fail_msg("'%s' has no '%s'", message, text);
    cJSON_Delete(response);
}

static struct cJSON *file(const char *name, const char *member, const char *content)
{
    struct cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "name", name);
    cJSON_AddStringToObject(o, member, content);
    return o;
}

static struct cJSON *ca_file(const char *name, const char *subject)
{
    char *pem = statedir_pem(statedir_ca(subject));
    struct cJSON *o = file(name, "content", pem);
    free(pem);
    return o;
}

static struct cJSON *parsed(const char *text)
{
    struct cJSON *json = cJSON_Parse(text);
    assert_non_null(json);
    return json;
}

static void test_trust_list(void **state)
{
    (void)state;
    assert_int_equal(1, ask("trust.add", ca_file("my ca.pem", "CN=Demo CA,O=Demo"), "custom"));
    struct cJSON *response = call("trust.list", parsed("{\"filter\":\"custom\",\"pem\":true}"));
    char *text = cJSON_PrintUnformatted(response);
    static const char *const said[] = {"\"name\":\"Demo CA\"",
                                       "\"source\":\"custom\"",
                                       "\"operator\":null",
                                       "\"file\":\"my-ca\"",
                                       "\"not_before\":\"2020-01-01T00:00:00Z\"",
                                       "\"not_after\":\"2049-12-31T23:59:59Z\"",
                                       "\"expired\":false",
                                       "\"key\":\"EC P-256\"",
                                       "\"pem\":\"-----BEGIN CERTIFICATE-----\\n",
                                       "\"complaints\":[]"};
    for (size_t i = 0; i < COUNT_OF(said); i++)
        if (strstr(text, said[i]) == NULL)
            fail_msg("'%s' is not in %s", said[i], text);
    free(text);
    cJSON_Delete(response);
    response = call("trust.list", parsed("{\"filter\":\"default\"}"));
    assert_int_equal(76,
                     cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(
                         cJSON_GetObjectItemCaseSensitive(response, "result"), "certificates")));
    cJSON_Delete(response);
    refused("trust.list", parsed("{\"filter\":\"some\"}"), "INVALID", "\"filter\"");
    refused("trust.list", parsed("{\"pem\":1}"), "INVALID", "\"pem\"");
}

static void test_ways_to_bring_a_file(void **state)
{
    const struct testpki_cert *a = statedir_ca("CN=A");
    struct buf base64;
    (void)state;
    buf_init(&base64, 65536);
    assert_true(is_ok(pem_encode(testpki_der(a), &base64)));
    assert_int_equal(1, ask("trust.add", file("a.der", "base64", buf_str(&base64)), "custom"));
    struct cJSON *upload = cJSON_CreateObject();
    cJSON_AddNumberToObject(upload, "size", (double)testpki_der(a).n);
    cJSON_AddNumberToObject(upload, "offset", 0);
    cJSON_AddStringToObject(upload, "base64", buf_str(&base64));
    assert_int_equal(1, ask("upload", upload, "staged"));
    refused("trust.add", parsed("{\"name\":\"a.pem\",\"staged\":1,\"offset\":0,\"size\":99999}"),
            "INVALID", "not so long");
    assert_int_equal(1, ask("trust.add", parsed("{\"name\":\"a.pem\",\"staged\":1}"), "custom"));
    refused("trust.add", parsed("{\"name\":\"a.pem\",\"staged\":1}"), "NOT_FOUND", "any more");
    buf_free(&base64);
}

static void test_what_is_no_file(void **state)
{
    static const struct {
        const char *params, *text;
    } bad[] = {
        {"{}", "\"name\""},
        {"{\"name\":1}", "\"name\""},
        {"{\"name\":\"a.pem\"}", "\"content\""},
        {"{\"name\":\"a.pem\",\"content\":\"\",\"base64\":\"\"}", "one of"},
        {"{\"name\":\"a.pem\",\"base64\":\"?\"}", "Base64"},
        {"{\"name\":\"a.pem\",\"staged\":-1}", "whole number"},
        {"{\"name\":\"a.pem\",\"staged\":1.5}", "whole number"},
        {"{\"files\":[]}", "\"files\""},
        {"{\"files\":{}}", "\"files\""},
        {"{\"files\":[1]}", "object"},
        {"{\"files\":[{\"name\":\"a.pem\",\"content\":\"\"}],\"name\":\"b\"}", "alone"},
        {"{\"files\":[{\"name\":\"a.pem\",\"text\":\"\"}]}", "'text'"},
        {"{\"file\":1}", "'file'"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        refused("trust.add", parsed(bad[i].params), "INVALID", bad[i].text);
    refused("trust.add", NULL, "INVALID", "\"name\"");
    refused("trust.remove", parsed("{}"), "INVALID", "\"certificate\"");
    refused("upload", parsed("{\"size\":5}"), "INVALID", "\"base64\"");
    assert_string_equal("", statedir_files(&s));
}

static void test_all_files_or_none(void **state)
{
    struct cJSON *params = cJSON_CreateObject(), *files = cJSON_AddArrayToObject(params, "files");
    (void)state;
    cJSON_AddItemToArray(files, ca_file("a.pem", "CN=A"));
    cJSON_AddItemToArray(files, file("b.pem", "content", "none\n"));
    struct cJSON *again = cJSON_Duplicate(params, true);
    refused("trust.add", params, "NOT_FOUND", "b.pem: ");
    assert_string_equal("", statedir_files(&s));
    cJSON_ReplaceItemInArray(cJSON_GetObjectItemCaseSensitive(again, "files"), 1,
                             ca_file("b.pem", "CN=B"));
    assert_int_equal(2, ask("trust.add", again, "custom"));
    assert_int_equal(1, ask("trust.remove", parsed("{\"certificate\":\"a\"}"), "removed"));
    assert_int_equal(1, ask("trust.clear", NULL, "removed"));
    assert_string_equal("", statedir_files(&s));
}

static void test_identity(void **state)
{
    char *both = statedir_identity("CN=phone"), *other = statedir_identity("CN=other");
    (void)state;
    assert_int_equal(0, strcmp("none", identity_source_name(credentials_source(s.credentials))));
    refused("identity.remove", NULL, "NOT_FOUND", "no uploaded");
    assert_true(ask("identity.install", file("mine.pem", "content", both), "identities") >= 0);
    struct cJSON *params = file("mine.pem", "content", both);
    cJSON_AddItemToObject(params, "key", file("other.key", "content", other));
    refused("identity.install", params, "INVALID", "key");
    struct cJSON *shown = call("identity.show", parsed("{\"pem\":true}"));
    char *text = cJSON_PrintUnformatted(shown);
    assert_non_null(strstr(text, "\"in_use\":\"custom\""));
    assert_non_null(strstr(text, "BEGIN CERTIFICATE"));
    assert_null(strstr(text, "PRIVATE"));
    assert_string_equal("identity.pem ", statedir_files(&s));
    assert_true(ask("identity.remove", NULL, "identities") >= 0);
    assert_string_equal("", statedir_files(&s));
    free(text);
    cJSON_Delete(shown);
    free(both);
    free(other);
}

static void test_reset(void **state)
{
    char *both = statedir_identity("CN=phone");
    (void)state;
    assert_int_equal(1, ask("trust.add", ca_file("a.pem", "CN=A"), "custom"));
    assert_true(ask("identity.install", file("mine.pem", "content", both), "identities") >= 0);
    reserves = true;
    assert_int_equal(1, ask("reset", NULL, "reserved"));
    assert_string_equal("ca.a.pem identity.pem ", statedir_files(&s));
    reserves = false;
    assert_int_equal(1, ask("reset", NULL, "certificates"));
    assert_string_equal("", statedir_files(&s));
    free(both);
}

static void test_nothing_was_rejected(void **state)
{
    (void)state;
    assert_true(ask("rejected.list", parsed("{\"account\":1}"), "rejected") >= 0);
    refused("rejected.show", parsed("{\"id\":1}"), "NOT_FOUND", "");
    refused("rejected.show", parsed("{}"), "INVALID", "\"id\"");
    refused("rejected.trust", parsed("{\"id\":1}"), "INVALID", "\"sha256\"");
    refused("rejected.trust", parsed("{\"id\":1,\"sha256\":\"00\"}"), "NOT_FOUND", "");
}

static int64_t epoch_s(void)
{
    return TESTPKI_NOW;
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_trust_list),
        TEST(test_ways_to_bring_a_file),
        TEST(test_what_is_no_file),
        TEST(test_all_files_or_none),
        TEST(test_identity),
        TEST(test_reset),
        TEST(test_nothing_was_rejected),
    };
    const struct rng rng = testpki_rng();
    log_open(LOG_SINK_NONE, LOG_LEVEL_ERROR, "test");
    if (is_err(tls_global_init(&rng, epoch_s, NULL))) /* identities are tried with handshakes */
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    tls_global_free();
    return failed;
}
