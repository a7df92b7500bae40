/* dataurl: files that are in their URL (RFC 2397). */
#include "tools/unit.h"

#include <string.h>

#include "control/dataurl.h"

static struct buf out;

static int set_up(void **state)
{
    (void)state;
    buf_init(&out, 64);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_wipe(&out);
    return 0;
}

static void check(const char *url, const char *expected)
{
    struct errinfo e = ERRINFO_INIT;

    buf_clear(&out);
    if (is_err(dataurl_decode(slice_of_str(url), &out, &e)))
        fail_msg("%s: %s", url, e.text);
    assert_string_equal(expected, buf_str(&out));
}

static void test_what_is_one(void **state)
{
    (void)state;
    assert_true(dataurl_is(SLICE_LIT("data:,x")));
    assert_true(dataurl_is(SLICE_LIT("DATA:,x")));
    assert_false(dataurl_is(SLICE_LIT("https://a/data:,x")));
    assert_false(dataurl_is(SLICE_EMPTY));
}

static void test_decode(void **state)
{
    (void)state;
    check("data:,a", "a");
    check("data:,A%20brief%20note", "A brief note"); /* RFC 2397 section 4 */
    check("Data:text/plain;charset=utf-8,100%25", "100%");
    check("data:,a+b c", "a+b c"); /* no blank is written as + here */
    check("data:,a,b", "a,b");
    check("data:;base64,aGVsbG8=", "hello");
    check("data:;base64,aGVsbG8", "hello");
    check("data:;base64,aGVsbG8%3D", "hello");
    check("data:application/x-pem-file;BASE64,aGVs bG8=", "hello");
    check("data:;base64x,aGVs", "aGVs");
}

static void check_name(const char *url, const char *expected)
{
    char name[16];

    assert_int_equal(expected[0] != '\0', dataurl_name(slice_of_str(url), name, sizeof name));
    assert_string_equal(expected, name);
}

static void test_name(void **state)
{
    (void)state;
    check_name("data:application/pkix-cert;name=corp.pem;base64,aGVs", "corp.pem");
    check_name("DATA:;NAME=Corp%20Root.crt,x", "Corp Root.crt");
    check_name("data:;charset=utf-8;name=a,;name=b", "a");
    check_name("data:,x", "");
    check_name("data:", "");
    check_name("data:;base64,name=a", "");
    check_name("data:;name=,x", "");
    check_name("data:;name=%2e%2e%2fa,x", ""); /* no path, */
    check_name("data:;name=..%5ca,x", "");
    check_name("data:;name=a%0ab,x", "");            /* no second line, */
    check_name("data:;name=a%00b,x", "");            /* no end within, */
    check_name("data:;name=%zz,x", "");              /* no slip, */
    check_name("data:;name=1234567890123456,x", ""); /* and none that was cut */
    check_name("data:;name=123456789012345,x", "123456789012345");
}

static void test_bytes(void **state)
{
    (void)state;
    assert_true(is_ok(dataurl_decode(SLICE_LIT("data:;base64,AP8K"), &out, NULL)));
    assert_true(slice_eq(buf_slice(&out), SLICE_LIT("\0\xff\n")));
    assert_true(is_ok(dataurl_decode(SLICE_LIT("data:,%00%fF"), &out, NULL)));
    assert_true(slice_eq(buf_slice(&out), SLICE_LIT("\0\xff\n\0\xff")));
}

static void test_what_is_none(void **state)
{
    static const struct {
        const char *url, *says;
    } cases[] = {
        {"data:", "comma"},
        {"data:;base64", "comma"},
        {"https://a.example/,", "comma"},
        {"data:,", "there is nothing"},
        {"data:;base64,", "there is nothing"},
        {"data:;base64,====", "there is nothing"},
        {"data:;base64,a", "Base64"},
        {"data:;base64,aG!sbG8=", "Base64"},
        {"data:,50%", "two hex digits"},
        {"data:,50%2", "two hex digits"},
        {"data:,50%zz", "two hex digits"},
        {"data:;base64,aGVs%", "two hex digits"},
    };

    (void)state;
    assert_true(is_ok(buf_append_str(&out, "kept")));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct errinfo e = ERRINFO_INIT;
        if (dataurl_decode(slice_of_str(cases[i].url), &out, &e).code != ERR_PARSE)
            fail_msg("%s: %s", cases[i].url, e.text);
        if (strstr(e.text, cases[i].says) == NULL)
            fail_msg("%s: %s", cases[i].url, e.text);
        assert_string_equal("kept", buf_str(&out));
    }
}

static void test_no_secret_is_told(void **state)
{
    struct errinfo e = ERRINFO_INIT;

    (void)state;
    assert_int_equal(ERR_PARSE, dataurl_decode(SLICE_LIT("data:;base64,s3cr3t!"), &out, &e).code);
    assert_null(strstr(e.text, "s3cr3t"));
}

static void test_the_cap_holds(void **state)
{
    char url[512] = "data:,";
    struct errinfo e = ERRINFO_INIT;

    (void)state;
    memset(url + strlen(url), 'a', 64);
    check(url, url + strlen("data:,"));
    url[strlen("data:,") + 64] = 'b';
    buf_clear(&out);
    assert_int_equal(ERR_LIMIT, dataurl_decode(slice_of_str(url), &out, &e).code);
    assert_string_equal("what is in the data: URL is larger than 64 bytes", e.text);
    assert_int_equal(0, buf_len(&out));
    errinfo_clear(&e);
    memset(url, 'a', 400);
    memcpy(url, "data:;base64,", strlen("data:;base64,"));
    assert_int_equal(ERR_LIMIT, dataurl_decode(slice_of_str(url), &out, &e).code);
    assert_int_equal(0, buf_len(&out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_decode, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_secret_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_cap_holds, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
