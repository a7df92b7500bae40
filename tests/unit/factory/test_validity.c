#include "factory/validity.h"

#include "base/clock.h"
#include "pki/issue.h"
#include "tools/unit.h"

#define NOW  1800000000LL /* 2027-01-15T08:00:00Z */
#define DAY  86400LL
#define YEAR 31556952LL

static void test_a_root(void **state)
{
    struct validity v;
    (void)state;

    assert_true(is_ok(validity_make(&(struct validity_wish){NOW, 40, false}, NULL, &v, NULL)));
    assert_int_equal(NOW - DAY, v.not_before_s);
    assert_int_equal(NOW + 40 * YEAR, v.not_after_s);
    assert_false(v.cut);
    assert_true(is_ok(validity_make(&(struct validity_wish){NOW, 40, true}, NULL, &v, NULL)));
    assert_int_equal(ISSUE_NO_END, v.not_after_s);
    assert_int_equal(clock_from_utc(9999, 12, 31, 23, 59, 59), ISSUE_NO_END);
}

static void test_below_an_issuer(void **state)
{
    static const struct {
        int64_t from, until; /* of the issuer */
        unsigned years;
        bool no_end;
        int64_t want_from, want_until;
        bool cut;
    } cases[] = {
        {NOW - 9 * DAY, NOW + 30 * YEAR, 20, false, NOW - DAY, NOW + 20 * YEAR, false},
        {NOW - 9 * DAY, NOW + 20 * YEAR, 20, false, NOW - DAY, NOW + 20 * YEAR, false},
        {NOW - 9 * DAY, NOW + 19 * YEAR, 20, false, NOW - DAY, NOW + 19 * YEAR, true},
        {NOW - 9 * DAY, NOW + 19 * YEAR, 20, true, NOW - DAY, NOW + 19 * YEAR, true},
        {NOW - 9 * DAY, ISSUE_NO_END, 20, true, NOW - DAY, ISSUE_NO_END, false},
        {NOW - 5, NOW + 30 * YEAR, 20, false, NOW - 5, NOW + 20 * YEAR, false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct certfields issuer = {.not_before_s = cases[i].from,
                                          .not_after_s = cases[i].until};
        const struct validity_wish wish = {NOW, cases[i].years, cases[i].no_end};
        struct validity v;
        assert_true(is_ok(validity_make(&wish, &issuer, &v, NULL)));
        assert_int_equal(cases[i].want_from, v.not_before_s);
        assert_int_equal(cases[i].want_until, v.not_after_s);
        assert_int_equal(cases[i].cut, v.cut);
    }
}

static void test_an_issuer_that_is_not_valid(void **state)
{
    const struct certfields over = {.not_before_s = 0, .not_after_s = NOW};
    const struct certfields future = {.not_before_s = NOW + 1, .not_after_s = NOW + YEAR};
    const struct validity_wish wish = {NOW, 20, false};
    struct errinfo e = ERRINFO_INIT;
    struct validity v;
    (void)state;

    assert_int_equal(ERR_INVALID, validity_make(&wish, &over, &v, &e).code);
    assert_string_equal("the CA ended on 2027-01-15T08:00:00Z: make a new one", e.text);
    errinfo_clear(&e);
    assert_int_equal(ERR_INVALID, validity_make(&wish, &future, &v, &e).code);
    assert_non_null(strstr(e.text, "is this machine's clock right?"));
}

/* Shorter than the root's, and never nothing. */
static void test_issuing_years(void **state)
{
    (void)state;
    assert_int_equal(30, validity_issuing_years(40));
    assert_int_equal(1, validity_issuing_years(1));
    for (unsigned years = 2; years <= 100; years++)
        assert_in_range(validity_issuing_years(years), 1, years - 1);
}

static void test_a_clock_that_was_never_set(void **state)
{
    struct errinfo e = ERRINFO_INIT;
    (void)state;

    assert_true(is_ok(validity_check_clock(NOW, NOW, NULL)));
    assert_int_equal(ERR_STATE, validity_check_clock(3600, NOW, &e).code);
    assert_string_equal(
        "this machine's clock says 1970-01-01T01:00:00Z, which is long ago: set it first", e.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_root),
        cmocka_unit_test(test_below_an_issuer),
        cmocka_unit_test(test_an_issuer_that_is_not_valid),
        cmocka_unit_test(test_issuing_years),
        cmocka_unit_test(test_a_clock_that_was_never_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
