#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "tools/unit.h"
#include "unit/control/settingsfile.h"

static void test_defaults(void **state)
{
    struct settings *s = settingsfile_fresh();
    (void)state;

    assert_false(settings_bool(s, "account.X.enable", 1, 0));
    assert_string_equal("", settings_text(s, "account.X.user_name", 16, 0));
    assert_int_equal(3600, settings_int(s, "account.X.sip_server.Y.expires", 2, 1));
    assert_true(settings_bool(s, "static.security.trust_certificates", 0, 0));
    assert_false(settings_is_set(s, "static.security.trust_certificates", 0, 0));
    settings_free(s);
}

static void test_a_whole_file(void **state)
{
    struct settings *s = settingsfile_fresh();
    (void)state;

    settingsfile_apply(s, "\xef\xbb\xbf#!version:1.0.0.1 \r\n"
                          "\r\n"
                          "# a comment = none\r\n"
                          "  account.1.enable =1\r\n"
                          "account.1.label=  Front desk # 1 = best  \r\n"
                          "account.2.password\t=\t  a b=c#d  \r\n"
                          "account.2.sip_server.1.port = 5071");
    assert_string_equal("", complaints.text);
    assert_true(settings_bool(s, "account.X.enable", 1, 0));
    assert_false(settings_bool(s, "account.X.enable", 2, 0));
    assert_string_equal("Front desk # 1 = best", settings_text(s, "account.X.label", 1, 0));
    assert_string_equal("a b=c#d", settings_text(s, "account.X.password", 2, 0));
    assert_int_equal(5071, settings_int(s, "account.X.sip_server.Y.port", 2, 1));
    settings_free(s);
}

static void test_a_later_line_wins(void **state)
{
    struct settings *s = settingsfile_fresh();
    (void)state;

    settingsfile_apply(s, SETTINGSFILE_HEAD "account.1.label = a\naccount.1.label = b\n");
    assert_string_equal("b", settings_text(s, "account.X.label", 1, 0));
    settingsfile_apply(s, SETTINGSFILE_HEAD "account.1.label = c\n");
    assert_string_equal("c", settings_text(s, "account.X.label", 1, 0));
    settings_free(s);
}

static void test_nothing_is_the_default(void **state)
{
    struct settings *s = settingsfile_fresh();
    (void)state;

    settingsfile_apply(s, SETTINGSFILE_HEAD
                       "account.1.sip_server.1.expires = 60\naccount.2.sip_server.1.expires = 60\n"
                       "account.3.sip_server.1.expires = 60\n");
    settingsfile_apply(
        s, SETTINGSFILE_HEAD
        "account.1.sip_server.1.expires = %NULL%\naccount.2.sip_server.1.expires =\n");
    assert_int_equal(3600, settings_int(s, "account.X.sip_server.Y.expires", 1, 1));
    assert_int_equal(3600, settings_int(s, "account.X.sip_server.Y.expires", 2, 1));
    assert_int_equal(60, settings_int(s, "account.X.sip_server.Y.expires", 3, 1));
    assert_false(settings_is_set(s, "account.X.sip_server.Y.expires", 1, 1));
    assert_true(settings_is_set(s, "account.X.sip_server.Y.expires", 3, 1));
    settings_free(s);
}

static void test_the_narrower_key_counts(void **state)
{
    static const char name[] = "account.X.security.cn_validation";
    struct settings *s = settingsfile_fresh();
    (void)state;

    assert_true(settings_bool(s, name, 1, 0));
    settingsfile_apply(s, SETTINGSFILE_HEAD "static.security.cn_validation = 0\n");
    assert_false(settings_bool(s, name, 1, 0));
    settingsfile_apply(s, SETTINGSFILE_HEAD "static.security.sip.cn_validation = 1\n");
    assert_true(settings_bool(s, name, 1, 0));
    assert_false(settings_bool(s, "static.security.cn_validation", 0, 0));
    settingsfile_apply(s, SETTINGSFILE_HEAD "account.1.security.cn_validation = 0\n");
    assert_false(settings_bool(s, name, 1, 0));
    assert_true(settings_bool(s, name, 2, 0));
    settingsfile_apply(s, SETTINGSFILE_HEAD "account.1.security.cn_validation =\n");
    assert_true(settings_bool(s, name, 1, 0));
    settings_free(s);
}

static void test_a_choice_is_its_number(void **state)
{
    struct settings *s = settingsfile_fresh();
    (void)state;

    assert_int_equal(0, settings_choice(s, "static.security.unset_clock", 0, 0));
    settingsfile_apply(s, SETTINGSFILE_HEAD "static.security.unset_clock = refuse\n");
    assert_int_equal(2, settings_choice(s, "static.security.unset_clock", 0, 0));
    settings_free(s);
}

static void test_faults_are_told_with_their_line(void **state)
{
    struct settings *s = settingsfile_fresh();
    (void)state;

    settingsfile_apply(s, SETTINGSFILE_HEAD "account.1.label = kept\n"
                                            "linekey.1.type = 15\n"
                                            "account.1.enable = yes\n"
                                            "\n"
                                            "account.1.label\n"
                                            "= 5\n"
                                            "account.1.label = a\x01z\n"
                                            "account.2.enable = 1\n");
    assert_string_equal("3: there is no key 'linekey.1.type'\n"
                        "4!: account.1.enable: it has to be 0 or 1\n"
                        "6!: the line has no '='; a setting is written as key = value\n"
                        "7: there is no key ''\n"
                        "8!: account.1.label: it has control characters in it, or is not UTF-8\n",
                        complaints.text);
    assert_string_equal("kept", settings_text(s, "account.X.label", 1, 0));
    assert_true(settings_bool(s, "account.X.enable", 2, 0));
    settings_free(s);
}

static void test_no_complaint_has_a_secret(void **state)
{
    struct settings *s = settingsfile_fresh();
    (void)state;

    settingsfile_apply(s, SETTINGSFILE_HEAD "account.1.password = s3cr3t\x01\n"
                                            "account.1.passwort = s3cr3t\n"
                                            "s3cr3t\n");
    assert_int_equal(3, complaints.count);
    assert_null(strstr(complaints.text, "s3cr3t"));
    settings_free(s);
}

static void test_complaints_are_bounded(void **state)
{
    struct settings *s = settingsfile_fresh();
    char *content = malloc(65536);
    size_t used;
    (void)state;

    assert_non_null(content);
    used = (size_t)snprintf(content, 65536, SETTINGSFILE_HEAD);
    for (int i = 0; i < 1000; i++)
        used += (size_t)snprintf(content + used, 65536 - used, "unknown.%d = 1\n", i);
    (void)snprintf(content + used, 65536 - used, "account.1.enable = 7\n");
    settingsfile_apply(s, content);
    assert_int_equal(LIMIT_SETTINGS_COMPLAINTS + 2, complaints.count);
    assert_non_null(strstr(complaints.text, "1002!: account.1.enable: it has to be 0 or 1\n"));
    assert_non_null(
        strstr(complaints.text, "1002: and 950 more lines with keys that are not sipsd's\n"));
    settings_free(s);
    free(content);
}

static void test_what_is_no_settings_file(void **state)
{
    static const struct {
        const char *content, *sentence;
    } cases[] = {
        {"", "test.cfg: it is no settings file: its first line is not #!version:1.0.0.1"},
        {"account.1.label = new\n",
         "test.cfg: it is no settings file: its first line is not #!version:1.0.0.1"},
        {"#!version:1.0.0.2\naccount.1.label = new\n",
         "test.cfg: it is no settings file: its first line is not #!version:1.0.0.1"},
        {"\n#!version:1.0.0.1\naccount.1.label = new\n",
         "test.cfg: it is no settings file: its first line is not #!version:1.0.0.1"},
        {"\xff\xfe#", "test.cfg: it is written in UTF-16; save it as UTF-8"},
    };
    struct settings *s = settingsfile_fresh();
    (void)state;

    settingsfile_apply(s, SETTINGSFILE_HEAD "account.1.label = old\n");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct errinfo e = ERRINFO_INIT;
        assert_int_equal(ERR_PARSE, settings_apply(s, "test.cfg", slice_of_str(cases[i].content),
                                                   NULL, settingsfile_note, &complaints, &e)
                                        .code);
        assert_string_equal(cases[i].sentence, e.text);
    }
    assert_string_equal("old", settings_text(s, "account.X.label", 1, 0));
    settings_free(s);
}

static void test_a_file_is_bounded(void **state)
{
    struct settings *s = settingsfile_fresh();
    char *content = malloc(LIMIT_SETTINGS_BYTES + 1);
    (void)state;

    assert_non_null(content);
    memset(content, '\n', LIMIT_SETTINGS_BYTES + 1);
    memcpy(content, SETTINGSFILE_HEAD "account.1.label = a", sizeof SETTINGSFILE_HEAD + 18);
    assert_int_equal(ERR_LIMIT,
                     settings_apply(s, "test.cfg", slice_of(content, LIMIT_SETTINGS_BYTES + 1),
                                    NULL, settingsfile_note, &complaints, NULL)
                         .code);
    assert_false(settings_is_set(s, "account.X.label", 1, 0));
    assert_true(is_ok(settings_apply(s, "test.cfg", slice_of(content, LIMIT_SETTINGS_BYTES), NULL,
                                     settingsfile_note, &complaints, NULL)));
    assert_string_equal("a", settings_text(s, "account.X.label", 1, 0));
    settings_free(s);
    free(content);
}

static void test_a_line_is_bounded(void **state)
{
    struct settings *s = settingsfile_fresh();
    char content[LIMIT_SETTINGS_LINE + 64] = SETTINGSFILE_HEAD "account.1.label = ";
    (void)state;

    memset(content + strlen(content), ' ', LIMIT_SETTINGS_LINE);
    content[sizeof SETTINGSFILE_HEAD - 1 + LIMIT_SETTINGS_LINE] = 'a';
    settingsfile_apply(s, content);
    assert_string_equal("2!: the line is too long for a setting\n", complaints.text);
    settings_free(s);
}

static void test_nobody_has_to_listen(void **state)
{
    struct settings *s = settingsfile_fresh();
    (void)state;

    assert_true(is_ok(settings_apply(s, "test.cfg",
                                     SLICE_LIT(SETTINGSFILE_HEAD "nonsense\naccount.1.label = a\n"),
                                     NULL, NULL, NULL, NULL)));
    assert_string_equal("a", settings_text(s, "account.X.label", 1, 0));
    settings_free(s);
}

static void test_set_one(void **state)
{
    struct settings *s = settingsfile_fresh();
    struct errinfo e = ERRINFO_INIT;
    (void)state;

    assert_true(is_ok(settings_set(s, "account.1.label", SLICE_LIT("a"), &e)));
    assert_int_equal(ERR_NOT_FOUND, settings_set(s, "account.1.x", SLICE_LIT("a"), &e).code);
    errinfo_clear(&e);
    assert_int_equal(ERR_INVALID, settings_set(s, "account.1.enable", SLICE_LIT("a"), &e).code);
    assert_string_equal("account.1.enable: it has to be 0 or 1", e.text);
    assert_string_equal("a", settings_text(s, "account.X.label", 1, 0));
    settings_free(s);
}

static void test_a_clone_is_independent(void **state)
{
    struct settings *s = settingsfile_fresh(), *copy;
    (void)state;

    settingsfile_apply(s, SETTINGSFILE_HEAD "account.1.label = a\naccount.16.password = b\n");
    assert_true(is_ok(settings_clone(s, &copy)));
    settingsfile_apply(s, SETTINGSFILE_HEAD "account.1.label = c\n");
    assert_string_equal("a", settings_text(copy, "account.X.label", 1, 0));
    settings_free(s);
    assert_string_equal("b", settings_text(copy, "account.X.password", 16, 0));
    settings_free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_a_whole_file),
        cmocka_unit_test(test_a_later_line_wins),
        cmocka_unit_test(test_nothing_is_the_default),
        cmocka_unit_test(test_the_narrower_key_counts),
        cmocka_unit_test(test_a_choice_is_its_number),
        cmocka_unit_test(test_faults_are_told_with_their_line),
        cmocka_unit_test(test_no_complaint_has_a_secret),
        cmocka_unit_test(test_complaints_are_bounded),
        cmocka_unit_test(test_what_is_no_settings_file),
        cmocka_unit_test(test_a_file_is_bounded),
        cmocka_unit_test(test_a_line_is_bounded),
        cmocka_unit_test(test_nobody_has_to_listen),
        cmocka_unit_test(test_set_one),
        cmocka_unit_test(test_a_clone_is_independent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
