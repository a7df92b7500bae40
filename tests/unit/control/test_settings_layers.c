/* settings: what they say of keys, laid over each other, compared and written. */
#include <stdio.h>
#include <string.h>

#include "tools/unit.h"
#include "unit/control/settingsfile.h"

static void test_nothing_and_the_default_are_two_things(void **state)
{
    struct settings *s = settingsfile_with("account.1.label = %NULL%\naccount.2.label = b\n");
    (void)state;

    assert_int_equal(SETTINGS_DEFAULT, settings_says(s, "account.X.label", 1, 0));
    assert_int_equal(SETTINGS_VALUE, settings_says(s, "account.X.label", 2, 0));
    assert_int_equal(SETTINGS_NOTHING, settings_says(s, "account.X.label", 3, 0));
    assert_int_equal(SETTINGS_NOTHING, settings_says(s, "sip.trust_ctrl", 0, 0));
    assert_true(is_ok(settings_unset(s, "account.1.label", NULL)));
    assert_true(is_ok(settings_unset(s, "account.4.password", NULL)));
    assert_int_equal(ERR_NOT_FOUND, settings_unset(s, "account.4.passwort", NULL).code);
    assert_int_equal(SETTINGS_NOTHING, settings_says(s, "account.X.label", 1, 0));
    assert_false(settings_is_empty(s));
    settings_clear(s);
    assert_true(settings_is_empty(s));
    assert_string_equal("", settings_text(s, "account.X.label", 2, 0));
    settings_free(s);
}

static void test_one_over_another(void **state)
{
    struct settings *s =
        settingsfile_with("account.1.label = a\naccount.2.label = b\naccount.3.label = c\n");
    struct settings *over =
        settingsfile_with("account.2.label = B\naccount.3.label =\naccount.4.label = D\n");
    (void)state;

    assert_true(is_ok(settings_overlay(s, over)));
    assert_string_equal("account.1.label = a\n"
                        "account.2.label = B\n"
                        "account.3.label = %NULL%\n"
                        "account.4.label = D\n",
                        settingsfile_written(s));
    settings_free(over);
    over = settingsfile_fresh();
    assert_true(is_ok(settings_overlay(s, over)));
    assert_string_equal("B", settings_text(s, "account.X.label", 2, 0));
    assert_true(is_ok(settings_overlay(s, s)));
    assert_string_equal("B", settings_text(s, "account.X.label", 2, 0));
    settings_free(over);
    settings_free(s);
}

static void test_written_in_the_tables_order(void **state)
{
    static const char canonical[] = "account.1.label =\naccount.1.enable = 1\n"
                                    "sip.trust_ctrl = 0\naccount.10.label = ten\n"
                                    "account.2.label = a = b # c\n"
                                    "static.security.cn_rules = rfc9525\n"
                                    "account.3.sip_server.1.port=5061\n";
    struct settings *s = settingsfile_with(canonical), *again;
    (void)state;

    assert_string_equal("account.1.enable = 1\n"
                        "account.1.label = %NULL%\n"
                        "account.2.label = a = b # c\n"
                        "account.10.label = ten\n"
                        "account.3.sip_server.1.port = 5061\n"
                        "static.security.cn_rules = rfc9525\n"
                        "sip.trust_ctrl = 0\n",
                        settingsfile_written(s));
    again = settingsfile_with(settingsfile_written(s));
    assert_true(settings_same(s, again));
    settings_free(again);
    settings_free(s);
}

static void test_blanks_around_a_value_do_not_count(void **state)
{
    struct settings *s = settingsfile_fresh();
    (void)state;

    assert_true(is_ok(settings_set(s, "account.1.label", SLICE_LIT(" \ta b \r\n"), NULL)));
    assert_true(is_ok(settings_set(s, "account.2.label", SLICE_LIT(" %NULL% "), NULL)));
    assert_string_equal("account.1.label = a b\naccount.2.label = %NULL%\n",
                        settingsfile_written(s));
    settings_free(s);
}

static void test_writing_is_bounded(void **state)
{
    struct settings *s = settingsfile_with("account.1.label = a\n");
    struct errinfo e = ERRINFO_INIT;
    struct buf out;
    (void)state;

    buf_init(&out, 24);
    assert_int_equal(ERR_LIMIT, settings_write(s, &out, &e).code);
    assert_string_equal("the settings are larger than 24 bytes", e.text);
    buf_wipe(&out);
    settings_free(s);
}

static void test_same(void **state)
{
    struct settings *a = settingsfile_with("account.1.label = a\n"),
                    *b = settingsfile_with("account.1.label = a\n");
    (void)state;

    assert_true(settings_same(a, b));
    settingsfile_apply(b, SETTINGSFILE_HEAD "account.2.label = b\n");
    assert_false(settings_same(a, b));
    assert_true(is_ok(settings_unset(b, "account.2.label", NULL)));
    assert_true(settings_same(a, b));
    settingsfile_apply(b, SETTINGSFILE_HEAD
                       "sip.trust_ctrl = %NULL%\n"); /* it is said, and hides what is below */
    assert_false(settings_same(a, b));
    assert_false(settings_same(b, a));
    settings_free(a);
    settings_free(b);
}

/* NAMES of what is visited; stops behind STOP of them. */
struct visited {
    char names[512];
    size_t count, stop;
};

static bool visit(void *arg, const struct settings_item *item)
{
    struct visited *v = arg;
    const size_t used = strlen(v->names);
    struct key_ref ref;

    assert_true(is_ok(key_find(slice_of_str(item->name), &ref, NULL)));
    assert_memory_equal(&ref, &item->ref, sizeof ref);
    (void)snprintf(v->names + used, sizeof v->names - used, "%s=%s ", item->name, item->value);
    return ++v->count != v->stop;
}

static void test_what_has_changed(void **state)
{
    struct settings *a =
        settingsfile_with("account.1.label = a\naccount.2.label = b\naccount.3.label = c\n"
                          "account.5.label = %NULL%\n");
    struct settings *b =
        settingsfile_with("account.1.label = a\naccount.2.label = B\naccount.3.label = %NULL%\n"
                          "sip.tls_listen_port = 0\naccount.4.label = %NULL%\n");
    struct visited v = {.stop = SIZE_MAX};
    (void)state;

    settings_each_change(a, b, visit, &v);
    assert_string_equal("account.2.label=B account.3.label= sip.tls_listen_port=0 ", v.names);
    v = (struct visited){.stop = 1};
    settings_each_change(a, b, visit, &v);
    assert_string_equal("account.2.label=B ", v.names);
    v = (struct visited){.stop = 2};
    settings_each(b, visit, &v);
    assert_string_equal("account.1.label=a account.2.label=B ", v.names);
    v = (struct visited){.stop = SIZE_MAX};
    settings_each_change(a, a, visit, &v);
    assert_int_equal(0, v.count);
    settings_free(a);
    settings_free(b);
}

static void test_a_value_as_text(void **state)
{
    struct settings *s = settingsfile_with("static.security.sip.cn_validation = 0\n");
    struct key_ref ref;
    (void)state;

    assert_true(is_ok(key_find(SLICE_LIT("account.7.security.cn_validation"), &ref, NULL)));
    assert_string_equal("0", settings_value(s, &ref));
    assert_true(is_ok(key_find(SLICE_LIT("account.7.sip_server.1.expires"), &ref, NULL)));
    assert_string_equal("3600", settings_value(s, &ref));
    settings_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_and_the_default_are_two_things),
        cmocka_unit_test(test_one_over_another),
        cmocka_unit_test(test_written_in_the_tables_order),
        cmocka_unit_test(test_blanks_around_a_value_do_not_count),
        cmocka_unit_test(test_writing_is_bounded),
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_what_has_changed),
        cmocka_unit_test(test_a_value_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
