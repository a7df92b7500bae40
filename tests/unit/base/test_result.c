/* result: the table of codes, and the macros that hand failures on. */
#include <string.h>

#include "base/result.h"
#include "tools/unit.h"

static void every_code_has_a_name_and_a_text_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ERR_COUNT; i++) {
        assert_true(strlen(err_name((enum err)i)) > 0);
        assert_true(strlen(err_text((enum err)i)) > 0);
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(err_name((enum err)i), err_name((enum err)j));
    }
    assert_string_equal(err_name(ERR_NOT_FOUND), "NOT_FOUND");
    assert_string_equal(err_text(ERR_NOT_FOUND), "not found");
}

static void what_is_no_code_is_unknown(void **state)
{
    (void)state;
    assert_string_equal(err_name(ERR_COUNT), "unknown");
    assert_string_equal(err_text((enum err) - 1), "unknown");
}

static struct result goes_on(struct result r, int *reached)
{
    TRY(r);
    (*reached)++;
    return err(ERR_BUSY);
}

static void try_hands_a_failure_on_and_goes_on_otherwise(void **state)
{
    (void)state;
    int reached = 0;
    assert_int_equal(goes_on(err(ERR_PARSE), &reached).code, ERR_PARSE);
    assert_int_equal(reached, 0);
    assert_int_equal(goes_on(OK, &reached).code, ERR_BUSY);
    assert_int_equal(reached, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_name_and_a_text_of_its_own),
        cmocka_unit_test(what_is_no_code_is_unknown),
        cmocka_unit_test(try_hands_a_failure_on_and_goes_on_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
