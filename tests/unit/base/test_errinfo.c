/* errinfo: filled once, at the deepest place, with text that may be shown anywhere. */
#include <errno.h>
#include <string.h>

#include "base/errinfo.h"
#include "base/utf8.h"
#include "tools/unit.h"

static void the_first_fill_stays(void **state)
{
    (void)state;
    struct errinfo e = ERRINFO_INIT;
    assert_int_equal(fail(&e, ERR_PARSE, "line %d has no '='", 7).code, ERR_PARSE);
    assert_int_equal(fail_native(&e, ERR_DNS, 9, "later").code,
                     ERR_DNS); /* the result is its own */
    assert_int_equal(fail_errno(&e, EIO, "later").code, ERR_SYSTEM);
    assert_int_equal(e.code, ERR_PARSE);
    assert_int_equal(e.native, 0);
    assert_int_equal(e.depth, -1);
    assert_string_equal(e.text, "line 7 has no '='");
}

static void nobody_needs_to_read_it(void **state)
{
    (void)state;
    assert_int_equal(fail(NULL, ERR_PARSE, "x").code, ERR_PARSE);
    assert_int_equal(fail_native(NULL, ERR_DNS, 9, "x").code, ERR_DNS);
    assert_int_equal(fail_errno(NULL, EIO, "x").code, ERR_SYSTEM);
    errinfo_context(NULL, "x");
    errinfo_clear(NULL);
}

static void native_codes_are_kept(void **state)
{
    (void)state;
    struct errinfo e = ERRINFO_INIT;
    IGNORE(fail_native(&e, ERR_TLS, -0x2700, "the handshake failed"));
    assert_int_equal(e.native, -0x2700);
    errinfo_clear(&e);
    assert_int_equal(e.code, ERR_OK);
    assert_int_equal(e.native, 0);
    IGNORE(fail_errno(&e, ENOENT, "cannot open %s", "/a"));
    assert_int_equal(e.native, ENOENT);
    assert_string_equal(e.text, "cannot open /a: No such file or directory");
}

static void context_goes_before_the_sentence(void **state)
{
    (void)state;
    struct errinfo e = ERRINFO_INIT;
    errinfo_context(&e, "nothing to put it before");
    assert_int_equal(e.code, ERR_OK);
    IGNORE(fail(&e, ERR_PARSE, "not a number"));
    errinfo_context(&e, "line %d", 3);
    errinfo_context(&e, "sipsd.cfg");
    assert_string_equal(e.text, "sipsd.cfg: line 3: not a number");
}

static void what_is_not_printable_is_replaced(void **state)
{
    (void)state;
    struct errinfo e = ERRINFO_INIT;
    IGNORE(fail(&e, ERR_CERT, "name is '%s'", "a\nb\x1b[31m\x7f\xff\xc2\x9b \xc3\xa4"));
    assert_string_equal(e.text, "name is 'a?b?[31m???? \xc3\xa4'");
    errinfo_context(&e, "%s", "\r\n\xed\xa0\x80");
    assert_string_equal(e.text, "?????: name is 'a?b?[31m???? \xc3\xa4'");
}

/* Text of N characters of three bytes each, behind SHIFT of one byte. */
static const char *wide_text(size_t shift, size_t n)
{
    static char text[3 * ERRINFO_TEXT_MAX + 3];
    memset(text, 'x', shift);
    for (size_t i = 0; i < n; i++)
        memcpy(text + shift + 3 * i, "\xe2\x82\xac", 3);
    text[shift + 3 * n] = '\0';
    return text;
}

static void what_is_too_long_is_cut_between_characters(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 3; shift++) {
        struct errinfo e = ERRINFO_INIT;
        const char *text = wide_text(shift, ERRINFO_TEXT_MAX);
        IGNORE(fail(&e, ERR_CERT, "%s", text));
        const size_t n = strlen(e.text);
        assert_true(n >= ERRINFO_TEXT_MAX - 3 && n < ERRINFO_TEXT_MAX);
        assert_memory_equal(e.text, text, n);
        assert_int_equal((n - shift) % 3, 0);
        errinfo_context(&e, "certificate %d", 1);
        assert_true(utf8_is_text(slice_of_str(e.text)));
        assert_null(strchr(e.text, '?'));
        assert_memory_equal(e.text, "certificate 1: ", 15);
        assert_memory_equal(e.text + 15, text, strlen(e.text) - 15);
    }
}

static void a_context_that_fills_it_all_leaves_no_room(void **state)
{
    (void)state;
    struct errinfo e = ERRINFO_INIT;
    char context[2 * ERRINFO_TEXT_MAX] = "";
    memset(context, 'c', sizeof context - 1);
    IGNORE(fail(&e, ERR_CERT, "sentence"));
    errinfo_context(&e, "%s", context);
    assert_int_equal(strlen(e.text), ERRINFO_TEXT_MAX - 1);
    assert_null(strstr(e.text, "sentence"));
}

static void the_codes_text_serves_where_nobody_filled(void **state)
{
    (void)state;
    struct errinfo e = ERRINFO_INIT;
    assert_string_equal(errinfo_text(&e, err(ERR_TIMEOUT)), "timed out");
    assert_string_equal(errinfo_text(NULL, err(ERR_TIMEOUT)), "timed out");
    IGNORE(fail(&e, ERR_DNS, "no address"));
    assert_string_equal(errinfo_text(&e, err(ERR_TIMEOUT)), "no address");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_fill_stays),
        cmocka_unit_test(nobody_needs_to_read_it),
        cmocka_unit_test(native_codes_are_kept),
        cmocka_unit_test(context_goes_before_the_sentence),
        cmocka_unit_test(what_is_not_printable_is_replaced),
        cmocka_unit_test(what_is_too_long_is_cut_between_characters),
        cmocka_unit_test(a_context_that_fills_it_all_leaves_no_room),
        cmocka_unit_test(the_codes_text_serves_where_nobody_filled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
