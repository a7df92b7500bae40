/* staging: files in pieces. */
#include "tools/unit.h"

#include "base/limits.h"
#include "control/staging.h"
#include "pki/pem.h"

static struct loop *loop;
static struct staging *staging;

static int set_up(void **state)
{
    (void)state;
    assert_true(is_ok(loop_new(&loop, NULL)));
    assert_true(is_ok(staging_new(loop, &staging)));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    staging_free(staging);
    loop_free(loop);
    return 0;
}

/* Puts a piece; its number, or 0 if it is refused with CODE. */
static uint64_t put(uint64_t number, size_t size, size_t offset, const char *base64, enum err code)
{
    const struct staging_piece p = {number, size, offset, slice_of_str(base64)};
    uint64_t got = 0;
    size_t received = 0;
    struct errinfo e = ERRINFO_INIT;
    const struct result r = staging_put(staging, &p, &got, &received, &e);
    assert_int_equal(code, r.code);
    assert_int_equal(code, e.code); /* there is a sentence */
    return got;
}

static void test_pieces_make_the_file(void **state)
{
    struct slice file;
    (void)state;
    const uint64_t n = put(0, 5, 0, "QUJD", ERR_OK);
    assert_int_equal(ERR_STATE, staging_get(staging, n, &file, NULL).code);
    assert_int_equal(n, put(n, 0, 3, "REU=", ERR_OK));
    assert_true(is_ok(staging_get(staging, n, &file, NULL)));
    assert_true(slice_eq_str(file, "ABCDE"));
    staging_drop(staging, n + 1); /* another's */
    assert_true(is_ok(staging_get(staging, n, &file, NULL)));
    staging_drop(staging, n);
    assert_int_equal(ERR_NOT_FOUND, staging_get(staging, n, &file, NULL).code);
}

static void test_what_does_not_fit_ends_it(void **state)
{
    static const struct {
        size_t offset;
        const char *base64;
    } bad[] = {{2, "QUJD"}, {4, "QUJD"}, {3, "QUJDREVG"}, {3, "?"}, {3, ""}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const uint64_t n = put(0, 6, 0, "QUJD", ERR_OK);
        (void)put(n, 0, bad[i].offset, bad[i].base64, ERR_INVALID);
        (void)put(n, 0, 3, "QUJD", ERR_NOT_FOUND);
    }
    (void)put(0, 0, 0, "", ERR_INVALID);
    (void)put(0, LIMIT_CERT_FILE_BYTES + 1, 0, "QUJD", ERR_LIMIT);
}

static void test_a_new_one_takes_the_place(void **state)
{
    (void)state;
    const uint64_t first = put(0, 6, 0, "QUJD", ERR_OK);
    const uint64_t second = put(0, 6, 0, "QUJD", ERR_OK);
    assert_int_not_equal(first, second);
    (void)put(first, 0, 3, "QUJD", ERR_NOT_FOUND);
    assert_int_equal(second, put(second, 0, 3, "QUJD", ERR_OK)); /* whose it is, it did not harm */
}

static void test_the_largest(void **state)
{
    struct buf piece, text;
    struct slice file;
    uint8_t *p;
    uint64_t n = 0;
    (void)state;
    buf_init(&piece, 45000);
    buf_init(&text, 65536);
    assert_true(is_ok(buf_reserve(&piece, 45000, &p)));
    memset(p, 'x', 45000);
    buf_commit(&piece, 45000);
    for (size_t done = 0; done < LIMIT_CERT_FILE_BYTES; done += 45000) {
        buf_clear(&text);
        assert_true(
            is_ok(pem_encode(slice_first(buf_slice(&piece), LIMIT_CERT_FILE_BYTES - done), &text)));
        n = put(n, LIMIT_CERT_FILE_BYTES, done, buf_str(&text), ERR_OK);
    }
    assert_true(is_ok(staging_get(staging, n, &file, NULL)));
    assert_int_equal(LIMIT_CERT_FILE_BYTES, file.n);
    (void)put(n, 0, LIMIT_CERT_FILE_BYTES, "QUJD", ERR_INVALID);
    buf_free(&piece);
    buf_free(&text);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pieces_make_the_file),
        TEST(test_what_does_not_fit_ends_it),
        TEST(test_a_new_one_takes_the_place),
        TEST(test_the_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
