#include "base/mac.h"

#include "tools/unit.h"

static void test_forms(void **state)
{
    static const char *const good[] = {"00:15:65:aB:cD:eF", "00-15-65-ab-cd-ef", "0015.65AB.cdef",
                                       "001565ABCDEF"};
    char digits[MAC_DIGITS_SIZE];
    (void)state;

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        if (!mac_digits(slice_of_str(good[i]), digits))
            fail_msg("%s is not read", good[i]);
        assert_string_equal("001565ABCDEF", digits);
    }
}

static void test_what_is_none(void **state)
{
    static const char *const bad[] = {"",
                                      "001565ABCDE",
                                      "001565ABCDEF0",
                                      "00:15:65:AB:CD:E",
                                      "00:15:65:AB:CD:EF:00",
                                      "00:15-65:AB:CD:EF",
                                      "00.15.65.AB.CD.EF",
                                      "00:15:65:AB:CD:EG",
                                      "0015:65AB:CDEF:00",
                                      "0015-65AB-CDEF",
                                      "0015.65AB.CDE.F",
                                      " 001565ABCDEF",
                                      ":01565ABCDEF0:567"};
    char digits[MAC_DIGITS_SIZE];
    (void)state;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        digits[0] = 'x';
        if (mac_digits(slice_of_str(bad[i]), digits))
            fail_msg("'%s' is taken for %s", bad[i], digits);
        assert_string_equal("", digits);
    }
    assert_false(mac_digits(SLICE_EMPTY, digits));
    assert_false(mac_digits(SLICE_LIT("001565ABCD\0F"), digits));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
