#include "sys/seal.h"

#include <string.h>

#include "base/buf.h"
#include "tools/unit.h"

static struct buf file;

static int set_up(void **state)
{
    char line[SEAL_LEN + 1];
    (void)state;
    buf_init(&file, 4096);
    seal_make(SLICE_LIT("some content\n"), line);
    return is_ok(buf_append_str(&file, line)) && is_ok(buf_append_str(&file, "some content\n"))
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    buf_free(&file);
    return 0;
}

/* FIPS 180-4's example, so that the line is the same in every version of this program. */
static void the_line_is_a_comment_with_the_hash(void **state)
{
    char line[SEAL_LEN + 1];
    (void)state;
    seal_make(SLICE_LIT("abc"), line);
    assert_string_equal(
        line, "# sha256 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n");
    assert_int_equal(strlen(line), SEAL_LEN);
}

static void what_was_sealed_is_opened(void **state)
{
    struct slice content;
    (void)state;
    assert_true(is_ok(seal_open(buf_slice(&file), &content, NULL)));
    assert_true(slice_eq_str(content, "some content\n"));
}

static void a_file_without_the_line_is_taken_as_it_is(void **state)
{
    struct slice content;
    (void)state;
    assert_true(is_ok(seal_open(SLICE_LIT("# sha25"), &content, NULL)));
    assert_true(slice_eq_str(content, "# sha25"));
    assert_true(is_ok(seal_open(SLICE_LIT("-----BEGIN"), &content, NULL)));
    assert_true(slice_eq_str(content, "-----BEGIN"));
}

/* Of the line's mark, whose loss makes it any other comment, content follows unhurt. */
static void every_flipped_bit_behind_the_mark_is_seen(void **state)
{
    struct slice content;
    (void)state;
    for (size_t bit = 8 * strlen("# sha256 "); bit < 8 * buf_len(&file); bit++) {
        struct errinfo e = ERRINFO_INIT;
        file.mem[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(seal_open(buf_slice(&file), &content, &e).code, ERR_PARSE);
        assert_string_equal(e.text, "its content does not fit the hash in its first line");
        file.mem[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void every_truncation_behind_the_mark_is_seen(void **state)
{
    struct slice content;
    (void)state;
    for (size_t n = strlen("# sha256 "); n < buf_len(&file); n++)
        assert_int_equal(seal_open(slice_first(buf_slice(&file), n), &content, NULL).code,
                         ERR_PARSE);
}

static void what_a_power_cut_leaves_is_seen(void **state)
{
    struct slice content;
    struct errinfo e = ERRINFO_INIT;
    (void)state;
    assert_int_equal(seal_open(SLICE_EMPTY, &content, &e).code, ERR_PARSE);
    assert_non_null(strstr(e.text, "empty"));
    errinfo_clear(&e);
    assert_int_equal(seal_open(SLICE_LIT("\0\0\0\0"), &content, &e).code, ERR_PARSE);
    assert_non_null(strstr(e.text, "zero byte"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_line_is_a_comment_with_the_hash),
        TEST(what_was_sealed_is_opened),
        TEST(a_file_without_the_line_is_taken_as_it_is),
        TEST(every_flipped_bit_behind_the_mark_is_seen),
        TEST(every_truncation_behind_the_mark_is_seen),
        TEST(what_a_power_cut_leaves_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
