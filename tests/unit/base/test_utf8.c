#include "base/utf8.h"
#include "tools/unit.h"

/* What each string begins with; the rows are the edges of RFC 3629 section 4. */
static void test_char(void **state)
{
    static const struct {
        const char *text;
        size_t bytes;
    } cases[] = {
        {"", 0},
        {"a", 1},
        {"\x7f", 1},
        {"\x80", 0},
        {"\xbf", 0},
        {"\xc0\x80", 0},
        {"\xc1\xbf", 0},
        {"\xc2\x80", 2},
        {"\xdf\xbf", 2},
        {"\xdf", 0},
        {"\xdf\xc0", 0},
        {"\xe0\x9f\xbf", 0},
        {"\xe0\xa0\x80", 3},
        {"\xed\x9f\xbf", 3},
        {"\xed\xa0\x80", 0},
        {"\xee\x80\x80", 3},
        {"\xef\xbf\xbf", 3},
        {"\xef\xbf", 0},
        {"\xef\xbf\x7f", 0},
        {"\xf0\x8f\xbf\xbf", 0},
        {"\xf0\x90\x80\x80", 4},
        {"\xf4\x8f\xbf\xbf", 4},
        {"\xf4\x90\x80\x80", 0},
        {"\xf4\x8f\xbf", 0},
        {"\xf5\x80\x80\x80", 0},
        {"\xff", 0},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(cases[i].bytes, utf8_char(slice_of_str(cases[i].text)));
}

static void test_text_has_no_controls(void **state)
{
    (void)state;
    assert_true(utf8_is_text(SLICE_EMPTY));
    assert_true(utf8_is_text(SLICE_LIT("Empfang \xc3\xa4\xf0\x9f\x94\x92")));
    assert_false(utf8_is_text(SLICE_LIT("a\nb")));
    assert_false(utf8_is_text(SLICE_LIT("a\0b")));
    assert_false(utf8_is_text(SLICE_LIT("\x7f")));
    assert_false(utf8_is_text(SLICE_LIT("\xc2\x9b"))); /* CSI */
    assert_true(utf8_is_text(SLICE_LIT("\xc2\xa0")));
    assert_false(utf8_is_text(SLICE_LIT("\xe9")));
}

static void test_clean_replaces_byte_by_byte(void **state)
{
    char out[32];
    (void)state;

    utf8_clean(SLICE_LIT("a\x1b[2J\xe9\xc3\xa9\xc2\x9b"), out, sizeof out);
    assert_string_equal("a?[2J?\xc3\xa9??", out);
}

static void test_clean_cuts_between_characters(void **state)
{
    char out[6];
    (void)state;

    utf8_clean(SLICE_LIT("abc\xf0\x9f\x94\x92"), out, sizeof out);
    assert_string_equal("abc", out);
    utf8_clean(SLICE_LIT("a\xf0\x9f\x94\x92z"), out, sizeof out);
    assert_string_equal("a\xf0\x9f\x94\x92", out);
    utf8_clean(SLICE_LIT("abc"), out, 1);
    assert_string_equal("", out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_char),
        cmocka_unit_test(test_text_has_no_controls),
        cmocka_unit_test(test_clean_replaces_byte_by_byte),
        cmocka_unit_test(test_clean_cuts_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
