#include <cjson/cJSON.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "control/json.h"
#include "tools/unit.h"

static enum err check(struct slice text)
{
    return json_check(text, NULL).code;
}

static void test_accepts(void **state)
{
    static const char *const cases[] = {
        "null",
        " true ",
        "\t\r\nfalse\n",
        "0",
        "-0",
        "10.5e-3",
        "1E+2",
        "\"\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\uD83D\\uDD12\"",
        "\"\xf0\x9f\x94\x92\x7f\"",
        "[]",
        "[ ]",
        "{ }",
        "[1,[2,{\"a\":[]}],{}]",
        "{\"a\":1 , \"a\" : {\"b\":null}}",
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct cJSON *value = NULL;
        if (is_err(json_parse(slice_of_str(cases[i]), &value, NULL)))
            fail_msg("refused: %s", cases[i]);
        assert_non_null(value);
        cJSON_Delete(value);
    }
}

/* Each with the sentence, so that a case is not refused for another reason than it is here for. */
static void test_refuses(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"", "the JSON ends too early: expected a value"},
        {" ", "the JSON ends too early: expected a value"},
        {"\xef\xbb\xbf{}", "not JSON at byte 1: expected a value"},
        {"nul", "not JSON at byte 1: expected true, false or null"},
        {"True", "not JSON at byte 1: expected a value"},
        {"01", "not JSON at byte 2: something follows the value"},
        {"-", "the JSON ends too early: expected a digit"},
        {"+1", "not JSON at byte 1: expected a value"},
        {"-a", "not JSON at byte 2: expected a digit"},
        {"1.", "the JSON ends too early: expected a digit behind the point"},
        {".5", "not JSON at byte 1: expected a value"},
        {"1e", "the JSON ends too early: expected a digit in the exponent"},
        {"1e+]", "not JSON at byte 4: expected a digit in the exponent"},
        {"0x1", "not JSON at byte 2: something follows the value"},
        {"\"a", "the JSON ends too early: a string has no closing quote"},
        {"\"a\nb\"", "not JSON at byte 3: a control character in a string is written as an escape"},
        {"\"\\x\"", "not JSON at byte 3: there is no such escape"},
        {"\"\\", "the JSON ends too early: there is no such escape"},
        {"\"\\u12g4\"", "not JSON at byte 6: expected four hexadecimal digits behind \\u"},
        {"\"\\u12", "the JSON ends too early: expected four hexadecimal digits behind \\u"},
        {"\"\\ud83d\"", "not JSON at byte 8: half a surrogate pair is no character"},
        {"\"\\udd12\"", "not JSON at byte 8: half a surrogate pair is no character"},
        {"\"\\ud83d\\u0041\"", "not JSON at byte 14: half a surrogate pair is no character"},
        {"\"\xe4\"", "not JSON at byte 2: this is not UTF-8"},
        {"\"\xc0\xaf\"", "not JSON at byte 2: this is not UTF-8"},
        {"[", "the JSON ends too early: expected a value"},
        {"[1", "the JSON ends too early: expected a comma or ]"},
        {"[1,", "the JSON ends too early: expected a value"},
        {"[1,]", "not JSON at byte 4: expected a value"},
        {"[1 2]", "not JSON at byte 4: expected a comma or ]"},
        {"[1}", "not JSON at byte 3: expected a comma or ]"},
        {"[1]]", "not JSON at byte 4: something follows the value"},
        {"[\f1]", "not JSON at byte 2: expected a value"},
        {"{", "the JSON ends too early: expected a member's name in quotes"},
        {"{a:1}", "not JSON at byte 2: expected a member's name in quotes"},
        {"{\"a\"}", "not JSON at byte 5: expected a colon"},
        {"{\"a\":}", "not JSON at byte 6: expected a value"},
        {"{\"a\":1,}", "not JSON at byte 8: expected a member's name in quotes"},
        {"{\"a\":1]", "not JSON at byte 7: expected a comma or }"},
        {"1 2", "not JSON at byte 3: something follows the value"},
        {"{}//", "not JSON at byte 3: something follows the value"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct errinfo e = ERRINFO_INIT;
        assert_int_equal(ERR_PARSE, json_check(slice_of_str(cases[i].text), &e).code);
        assert_string_equal(cases[i].sentence, e.text);
    }
}

static void test_a_nul_is_no_end(void **state)
{
    (void)state;
    assert_int_equal(ERR_PARSE, check(SLICE_LIT("{}\0")));
    assert_int_equal(ERR_PARSE, check(SLICE_LIT("\"a\0b\"")));
}

static void test_depth_is_bounded(void **state)
{
    char text[2 * LIMIT_JSON_DEPTH + 2];
    (void)state;

    memset(text, '[', LIMIT_JSON_DEPTH);
    memset(text + LIMIT_JSON_DEPTH, ']', LIMIT_JSON_DEPTH);
    assert_int_equal(ERR_OK, check(slice_of(text, sizeof text - 2)));

    memset(text, '[', LIMIT_JSON_DEPTH + 1);
    memset(text + LIMIT_JSON_DEPTH + 1, ']', LIMIT_JSON_DEPTH + 1);
    assert_int_equal(ERR_LIMIT, check(slice_of(text, sizeof text)));
}

static void test_length_is_bounded(void **state)
{
    char *text = malloc(LIMIT_RPC_REQUEST + 1);
    (void)state;

    assert_non_null(text);
    memset(text, ' ', LIMIT_RPC_REQUEST + 1);
    text[0] = '1';
    assert_int_equal(ERR_OK, check(slice_of(text, LIMIT_RPC_REQUEST)));
    assert_int_equal(ERR_LIMIT, check(slice_of(text, LIMIT_RPC_REQUEST + 1)));
    free(text);
}

/* One file of JSONTestSuite: y_ has to be accepted, n_ refused, i_ is free. */
static void check_suite_file(const char *dir, const char *name)
{
    static char content[256 * 1024];
    char path[4096];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t n = fread(content, 1, sizeof content, f);
    (void)fclose(f);
    assert_true(n < sizeof content);

    struct cJSON *value = NULL;
    const struct result r = json_parse(slice_of(content, n), &value, NULL);
    if ((name[0] == 'y' && is_err(r)) || (name[0] == 'n' && is_ok(r)))
        fail_msg("%s is decided wrongly", name);
    if (is_ok(r))
        cJSON_Delete(value);
}

static void test_json_test_suite(void **state)
{
    static const char dir[] = "../shared/json/test_parsing";
    (void)state;

    const char *source = getenv("SOURCE_DIR");
    char path[2048];
    (void)snprintf(path, sizeof path, "%s%s%s", source != NULL ? source : "",
                   source != NULL ? "/" : "", dir);
    DIR *d = opendir(path);
    if (d == NULL) {
        print_message("JSONTestSuite is not at %s: nothing is checked against it\n", path);
        skip();
    }
    size_t files = 0;
    for (struct dirent *entry; (entry = readdir(d)) != NULL;) {
        if (strchr("yni", entry->d_name[0]) == NULL || entry->d_name[1] != '_')
            continue;
        check_suite_file(path, entry->d_name);
        files++;
    }
    (void)closedir(d);
    print_message("%zu files of JSONTestSuite\n", files);
    assert_true(files >= 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts),           cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_a_nul_is_no_end),   cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_length_is_bounded), cmocka_unit_test(test_json_test_suite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
