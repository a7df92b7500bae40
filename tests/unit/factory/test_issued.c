#include "factory/issued.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/store.h"
#include "tools/testpki.h"
#include "tools/unit.h"

static char dir[64], path[128];
static struct buf rows, content;

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "/tmp/test_issued.XXXXXX");
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/" ISSUED_FILE, dir);
    buf_init(&rows, 4096);
    buf_init(&content, 65536);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    (void)rmdir(dir);
    buf_free(&rows);
    buf_free(&content);
    return 0;
}

static void append(const char *text)
{
    buf_clear(&rows);
    assert_true(is_ok(buf_append_str(&rows, text)));
    assert_true(is_ok(issued_append(dir, &rows, NULL)));
}

static void assert_content(const char *text)
{
    buf_clear(&content);
    assert_true(is_ok(store_read(path, &content, NULL)));
    assert_string_equal(text, buf_str(&content));
}

static void test_rows(void **state)
{
    struct cert *c;
    char sha256[HASH_HEX_SIZE(HASH_SHA256_SIZE)], want[512];
    uint8_t digest[HASH_SHA256_SIZE];
    (void)state;

    assert_true(is_ok(cert_parse(
        testpki_der(testpki_make(&(struct testpki_spec){
            .subject = "O=Maker,CN=001565A1B2C3", .serial = SLICE_LIT("\x4a\x00\xff"), .key = 1})),
        &c, NULL)));
    cert_sha256(c, digest);
    hash_hex(slice_of(digest, sizeof digest), sha256);
    assert_true(is_ok(issued_row(c, &rows, NULL)));
    (void)snprintf(want, sizeof want,
                   "4a00ff\t001565A1B2C3\t2020-01-01T00:00:00Z\t2049-12-31T23:59:59Z\t%s\n",
                   sha256);
    assert_string_equal(want, buf_str(&rows));
    cert_unref(c);
}

static void test_appended(void **state)
{
    struct stat st;
    (void)state;

    append("one\n");
    assert_content(ISSUED_HEAD "one\n");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    append("two\nthree\n");
    assert_content(ISSUED_HEAD "one\ntwo\nthree\n");
}

/* What a power cut left does not swallow the next line. */
static void test_behind_a_part_of_a_line(void **state)
{
    (void)state;
    assert_true(is_ok(store_write(path, 0600, SLICE_LIT(ISSUED_HEAD "one\ntw"), NULL)));
    append("three\n");
    assert_content(ISSUED_HEAD "one\ntw\nthree\n");
}

static void test_nowhere(void **state)
{
    struct errinfo e = ERRINFO_INIT;
    (void)state;

    assert_int_equal(ERR_SYSTEM, issued_append("/nonexistent", &rows, &e).code);
    assert_string_equal(
        "cannot write the record /nonexistent/issued.tsv: No such file or directory", e.text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_rows),
        TEST(test_appended),
        TEST(test_behind_a_part_of_a_line),
        TEST(test_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
