/* clock: what time it is as far as is known, and the calendar. */
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "tools/unit.h"

static void readings_are_judged(void **state)
{
    (void)state;
    enum { BUILD = 1000000, EARLIER = BUILD - 1, GOOD = BUILD + 500, LATER = BUILD + 900 };
    static const struct {
        struct clock_reading reading;
        enum clock_state state;
        int64_t epoch_s;
    } cases[] = {
        /* system, build, last good, synchronised */
        {{0, BUILD, 0, false}, CLOCK_UNSET, BUILD},
        {{EARLIER, BUILD, 0, false}, CLOCK_UNSET, BUILD},
        {{EARLIER, BUILD, 0, true}, CLOCK_UNSET, BUILD}, /* synchronised with nonsense */
        {{BUILD, BUILD, 0, false}, CLOCK_FLOOR, BUILD},
        {{LATER, BUILD, 0, false}, CLOCK_FLOOR, LATER},
        {{LATER, BUILD, 0, true}, CLOCK_SET, LATER},
        {{0, BUILD, GOOD, false}, CLOCK_FLOOR, GOOD},
        {{0, BUILD, GOOD, true}, CLOCK_FLOOR, GOOD},
        {{BUILD + 1, BUILD, GOOD, false}, CLOCK_FLOOR, GOOD},
        {{LATER, BUILD, GOOD, false}, CLOCK_FLOOR, LATER},
        {{LATER, BUILD, GOOD, true}, CLOCK_SET, LATER},
        {{BUILD + 1, BUILD, GOOD, true}, CLOCK_SET, BUILD + 1}, /* it was wrong when it was kept */
        {{0, BUILD, EARLIER, false}, CLOCK_UNSET, BUILD},       /* kept by an older firmware */
        {{LATER, BUILD, EARLIER, false}, CLOCK_FLOOR, LATER},
        {{-5, BUILD, 0, false}, CLOCK_UNSET, BUILD},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct wallclock now = clock_judge(&cases[i].reading);
        if (now.state != cases[i].state || now.epoch_s != cases[i].epoch_s)
            fail_msg("case %zu is %s at %lld", i, clock_state_name(now.state),
                     (long long)now.epoch_s);
    }
}

static void states_have_names(void **state)
{
    (void)state;
    assert_string_equal(clock_state_name(CLOCK_UNSET), "unset");
    assert_string_equal(clock_state_name(CLOCK_FLOOR), "floor");
    assert_string_equal(clock_state_name(CLOCK_SET), "set");
    assert_string_equal(clock_state_name((enum clock_state)9), "unknown");
}

static void moments_have_a_text(void **state)
{
    (void)state;
    static const struct {
        int64_t epoch_s;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {-1, "1969-12-31T23:59:59Z"},
        {951782399, "2000-02-28T23:59:59Z"},
        {951782400, "2000-02-29T00:00:00Z"},
        {1709251199, "2024-02-29T23:59:59Z"},
        {1709251200, "2024-03-01T00:00:00Z"},
        {2147483648, "2038-01-19T03:14:08Z"},
        {4107542400, "2100-03-01T00:00:00Z"}, /* 2100 has no leap day */
        {253402300799, "9999-12-31T23:59:59Z"},
        {-62167219200, "0000-01-01T00:00:00Z"},
        {253402300800, "after year 9999"},
        {-62167219201, "before year 0"},
        {INT64_MAX, "after year 9999"},
        {INT64_MIN, "before year 0"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[CLOCK_ISO_SIZE];
        clock_to_iso(cases[i].epoch_s, text);
        assert_string_equal(text, cases[i].text);
    }
}

/* Every day of four hundred years, which is one whole round of the calendar, and every second's
 * place in some day. */
static void texts_and_moments_go_and_come(void **state)
{
    (void)state;
    char text[CLOCK_ISO_SIZE];
    int64_t back, step = 86400 - 37;
    for (int64_t s = -946684800; s < -946684800 + 146097 * (int64_t)86400; s += step) {
        clock_to_iso(s, text);
        assert_true(clock_from_iso(text, &back));
        assert_int_equal(back, s);
    }
}

/* Against the C library, which does the same by other means. */
static void the_calendar_is_the_c_librarys(void **state)
{
    (void)state;
    for (int64_t s = -62167219200; s <= 253402300799; s += 86400 * (int64_t)13 + 3607) {
        const time_t t = (time_t)s;
        struct tm tm;
        assert_non_null(gmtime_r(&t, &tm));
        assert_int_equal(clock_from_utc(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                                        tm.tm_min, tm.tm_sec),
                         s);
    }
}

static void other_forms_that_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t epoch_s;
    } cases[] = {
        {"0", 0},
        {"1700000000", 1700000000},
        {"9223372036854775807", INT64_MAX},
        {"2024-02-29", 1709164800},
        {"2016-12-31T23:59:60Z", 1483228800}, /* a leap second is the next one */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t s = -1;
        assert_true(clock_from_iso(cases[i].text, &s));
        assert_int_equal(s, cases[i].epoch_s);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "-1",
        "now",
        "9223372036854775808",
        "2024-02-30",
        "2023-02-29",
        "2100-02-29",
        "2024-00-01",
        "2024-13-01",
        "2024-04-31",
        "2024-01-00",
        "2024-1-01",
        "2024/01/01",
        "2024-01-01T",
        "2024-01-01T00:00:00",
        "2024-01-01 00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z",
        "2024-01-01T00:00:61Z",
        "2024-01-01T00:00:00+00",
        "2024-01-01T00:00:00Zx",
        "2024-01-01T00-00:00Z",
        "-024-01-01T00:00:00Z",
        " 2024-01-01",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        int64_t s = 77;
        if (clock_from_iso(texts[i], &s))
            fail_msg("'%s' is taken for a time", texts[i]);
        assert_int_equal(s, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readings_are_judged),
        cmocka_unit_test(states_have_names),
        cmocka_unit_test(moments_have_a_text),
        cmocka_unit_test(texts_and_moments_go_and_come),
        cmocka_unit_test(the_calendar_is_the_c_librarys),
        cmocka_unit_test(other_forms_that_are_read),
        cmocka_unit_test(what_is_no_time_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
