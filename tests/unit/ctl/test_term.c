#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/term.h"
#include "tools/unit.h"

static char *printed;
static size_t printed_size;
static FILE *out;

static int set_up(void **state)
{
    (void)state;
    assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
    out = open_memstream(&printed, &printed_size);
    return out != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    (void)fclose(out);
    free(printed);
    return 0;
}

static void check(const char *expected)
{
    (void)fflush(out);
    assert_string_equal(expected, printed);
    rewind(out);
}

static void test_width(void **state)
{
    (void)state;
    assert_int_equal(0, term_width(""));
    assert_int_equal(4, term_width("Tür\xff"));
    assert_int_equal(4, term_width("電話"));
    assert_int_equal(2, term_width("🔒"));
    assert_int_equal(1, term_width("e\xcc\x81")); /* and a combining accent */
    assert_int_equal(3, term_width("a\x1b\x7f"));
}

static void test_put_cuts_and_pads_by_columns(void **state)
{
    static const struct {
        const char *text;
        size_t width;
        const char *expected;
    } cases[] = {
        {"abc", 5, "abc  "},
        {"abc", 3, "abc"},
        {"abc", 2, "ab"},
        {"abc", 0, ""},
        {"Tür", 4, "Tür "},
        {"Tür", 2, "Tü"},
        {"電話", 5, "電話 "},
        {"電話", 3, "電 "},
        {"a\x1b[2J", 6, "a?[2J "},
        {"\xff", 2, "? "},
        {"\xc2\x9b"
         "1m",
         4, "?1m "},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        term_put(out, cases[i].text, cases[i].width);
        (void)fputc('|', out);
        char expected[64];
        (void)snprintf(expected, sizeof expected, "%s|", cases[i].expected);
        (void)fflush(out);
        assert_int_equal(0, strncmp(expected, printed, strlen(expected)));
        rewind(out);
    }
}

static void test_without_utf8(void **state)
{
    (void)state;
    assert_non_null(setlocale(LC_CTYPE, "C"));
    term_put(out, "Tür", 4);
    check("T?r ");
}

static void test_wrap(void **state)
{
    (void)state;
    assert_int_equal(3, term_wrap(out, "one two three four", 2, 9, 9, "$"));
    check("  one two$  three$  four$");
}

static void test_wrap_cuts_the_last_line(void **state)
{
    (void)state;
    assert_int_equal(2, term_wrap(out, "one two three four", 0, 7, 2, "$"));
    check("one two$thre...$");
}

static void test_wrap_breaks_a_long_word(void **state)
{
    (void)state;
    assert_int_equal(3, term_wrap(out, "abcdefghij", 0, 4, 9, "$"));
    check("abcd$efgh$ij$");
}

static void test_wrap_only_counts(void **state)
{
    (void)state;
    assert_int_equal(3, term_wrap(NULL, "one two three four", 2, 9, 9, "$"));
    assert_int_equal(0, term_wrap(NULL, "one", 2, 9, 0, "$"));
    assert_int_equal(0, term_wrap(NULL, "", 2, 9, 9, "$"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_width),
        TEST(test_put_cuts_and_pads_by_columns),
        TEST(test_without_utf8),
        TEST(test_wrap),
        TEST(test_wrap_cuts_the_last_line),
        TEST(test_wrap_breaks_a_long_word),
        TEST(test_wrap_only_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
