/* slice: bytes of somebody else's, also none, also with a NUL inside. */
#include <string.h>

#include "base/ascii.h"
#include "base/slice.h"
#include "tools/unit.h"

#define S(text) slice_of_str(text)

static void equality(void **state)
{
    (void)state;
    assert_true(slice_eq(S("abc"), S("abc")));
    assert_false(slice_eq(S("abc"), S("abC")));
    assert_false(slice_eq(S("abc"), S("ab")));
    assert_true(slice_eq(SLICE_EMPTY, S("")));
    assert_true(slice_eq(slice_of_str(NULL), SLICE_EMPTY));
    assert_true(slice_eq(SLICE_LIT("a\0b"), slice_of("a\0b", 3)));
    assert_false(slice_eq(SLICE_LIT("a\0b"), SLICE_LIT("a\0c")));
    assert_true(slice_eq_str(S("abc"), "abc"));
    assert_false(slice_eq_str(SLICE_LIT("abc\0"), "abc"));
}

static void equality_without_case_is_of_ascii_alone(void **state)
{
    (void)state;
    assert_true(slice_eq_nocase(S("SIP.Example"), S("sip.eXAMPLE")));
    assert_true(slice_eq_nocase(SLICE_EMPTY, S("")));
    assert_true(slice_eq_nocase_str(S("ABC"), "abc"));
    assert_false(slice_eq_nocase(S("@["), S("`{"))); /* beside the letters */
    assert_false(slice_eq_nocase(S("\xc4"), S("\xe4")));
    assert_false(slice_eq_nocase(S("a"), S("ab")));
}

static void starts_and_ends(void **state)
{
    (void)state;
    assert_true(slice_starts(S("sips:a"), S("sips:")));
    assert_true(slice_starts(S("sips:a"), SLICE_EMPTY));
    assert_true(slice_starts(SLICE_EMPTY, SLICE_EMPTY));
    assert_false(slice_starts(S("sip"), S("sips")));
    assert_false(slice_starts(S("SIPS:"), S("sips:")));
    assert_true(slice_starts_nocase(S("SIPS:a"), S("sips:")));
    assert_false(slice_starts_nocase(S("SI"), S("sips:")));
    assert_true(slice_ends(S("a.pem"), S(".pem")));
    assert_true(slice_ends(S(".pem"), S(".pem")));
    assert_true(slice_ends(S("x"), SLICE_EMPTY));
    assert_true(slice_ends(SLICE_EMPTY, SLICE_EMPTY));
    assert_false(slice_ends(S("pem"), S(".pem")));
}

static void parts_never_leave_the_slice(void **state)
{
    (void)state;
    const struct slice s = S("abc");
    assert_true(slice_eq_str(slice_from(s, 0), "abc"));
    assert_true(slice_eq_str(slice_from(s, 2), "c"));
    assert_int_equal(slice_from(s, 3).n, 0);
    assert_int_equal(slice_from(s, SIZE_MAX).n, 0);
    assert_int_equal(slice_from(SLICE_EMPTY, 0).n, 0);
    assert_true(slice_eq_str(slice_first(s, 2), "ab"));
    assert_true(slice_eq_str(slice_first(s, SIZE_MAX), "abc"));
    assert_int_equal(slice_first(s, 0).n, 0);
}

static void trimming(void **state)
{
    (void)state;
    assert_true(slice_eq_str(slice_trim(S(" \t\r\na b\n ")), "a b"));
    assert_true(slice_eq_str(slice_trim(S("a")), "a"));
    assert_int_equal(slice_trim(S(" \r\n")).n, 0);
    assert_int_equal(slice_trim(SLICE_EMPTY).n, 0);
    assert_true(slice_eq(slice_trim(SLICE_LIT("\0 ")), SLICE_LIT("\0"))); /* NUL is no blank */
}

static void finding(void **state)
{
    (void)state;
    static const struct {
        const char *text, *needle;
        size_t at;
    } cases[] = {
        {"abcabc", "abc", 0},
        {"abcabc", "c", 2},
        {"abcabc", "ca", 2},
        {"abcabc", "cb", 6},
        {"aab", "ab", 1},
        {"aaab", "aab", 1},
        {"ab", "abc", 2},
        {"ab", "", 0},
        {"", "", 0},
        {"", "a", 0},
        {"abcab", "bca", 1},
        {"ababac", "abac", 2},
        {"xx\r\n\r\n", "\r\n\r\n", 2},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(slice_find_slice(S(cases[i].text), S(cases[i].needle)), cases[i].at);
    assert_int_equal(slice_find(S("abc"), 'c'), 2);
    assert_int_equal(slice_find(S("abc"), 'x'), 3);
    assert_int_equal(slice_find(S("abc"), '\0'), 3);
    assert_int_equal(slice_find(SLICE_EMPTY, 'x'), 0);
}

static void cutting(void **state)
{
    (void)state;
    struct slice rest = S("a,,b");
    assert_true(slice_eq_str(slice_cut(&rest, ','), "a"));
    assert_true(slice_eq_str(slice_cut(&rest, ','), ""));
    assert_non_null(rest.p);
    assert_true(slice_eq_str(slice_cut(&rest, ','), "b"));
    assert_null(rest.p);

    rest = S("a,");
    assert_true(slice_eq_str(slice_cut(&rest, ','), "a"));
    assert_non_null(rest.p); /* the empty part behind the comma is still to come */
    assert_int_equal(slice_cut(&rest, ',').n, 0);
    assert_null(rest.p);
    assert_int_equal(slice_cut(&rest, ',').n, 0);
}

static void numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t max;
        bool good;
        uint64_t value;
    } cases[] = {
        {"0", 0, true, 0},
        {"1", 0, false, 0},
        {"007", 7, true, 7},
        {"65535", 65535, true, 65535},
        {"65536", 65535, false, 0},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},
        {"99999999999999999999999", UINT64_MAX, false, 0},
        {"9", 8, false, 0},
        {"10", 9, false, 0},
        {"", 9, false, 0},
        {"+1", 9, false, 0},
        {"-1", 9, false, 0},
        {" 1", 9, false, 0},
        {"1 ", 9, false, 0},
        {"0x1", 99, false, 0},
        {"1a", 99, false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t v = 77;
        assert_int_equal(slice_to_u64(S(cases[i].text), cases[i].max, &v), cases[i].good);
        assert_int_equal(v, cases[i].good ? cases[i].value : 77);
    }
    uint64_t v;
    assert_false(slice_to_u64(SLICE_LIT("1\0"), 9, &v));
}

static void to_strings(void **state)
{
    (void)state;
    char dst[4] = "xxx";
    assert_true(slice_to_str(S("abc"), dst, sizeof dst));
    assert_string_equal(dst, "abc");
    assert_false(slice_to_str(S("abcd"), dst, sizeof dst));
    assert_string_equal(dst, "");
    assert_true(slice_to_str(SLICE_EMPTY, dst, 1));
    assert_false(slice_to_str(SLICE_LIT("a\0"), dst, sizeof dst));
    assert_string_equal(dst, "");
    dst[0] = 'x';
    assert_false(slice_to_str(SLICE_EMPTY, dst, 0));
    assert_int_equal(dst[0], 'x');
}

static void copies(void **state)
{
    (void)state;
    uint8_t *copy = slice_dup(SLICE_LIT("a\0b"));
    assert_memory_equal(copy, "a\0b", 4);
    free(copy);
    char *empty = slice_dup(SLICE_EMPTY);
    assert_string_equal(empty, "");
    free(empty);
}

static void classes_of_characters(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        const uint8_t b = (uint8_t)c;
        const bool digit = c >= '0' && c <= '9';
        const bool upper = c >= 'A' && c <= 'Z';
        const bool lower = c >= 'a' && c <= 'z';
        assert_int_equal(ascii_is_digit(b), digit);
        assert_int_equal(ascii_is_alpha(b), upper || lower);
        assert_int_equal(ascii_is_alnum(b), digit || upper || lower);
        assert_int_equal(ascii_is_print(b), c >= ' ' && c <= '~');
        assert_int_equal(ascii_lower(b), upper ? c + 32 : c);
    }
}

static void hexadecimal_digits(void **state)
{
    (void)state;
    static const char digits[] = "0123456789abcdef";
    unsigned good = 0;
    for (int i = 0; i < 16; i++)
        assert_int_equal(ascii_hex((uint8_t)digits[i]), i);
    assert_int_equal(ascii_hex('F'), 15);
    for (unsigned c = 0; c < 256; c++)
        good += ascii_hex((uint8_t)c) >= 0;
    assert_int_equal(good, 22);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality),
        cmocka_unit_test(equality_without_case_is_of_ascii_alone),
        cmocka_unit_test(starts_and_ends),
        cmocka_unit_test(parts_never_leave_the_slice),
        cmocka_unit_test(trimming),
        cmocka_unit_test(finding),
        cmocka_unit_test(cutting),
        cmocka_unit_test(numbers),
        cmocka_unit_test(to_strings),
        cmocka_unit_test(copies),
        cmocka_unit_test(classes_of_characters),
        cmocka_unit_test(hexadecimal_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
