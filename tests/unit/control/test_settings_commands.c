/* settings: the commands in a file, and the keys that are about provisioning. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "control/command.h"
#include "tools/unit.h"
#include "unit/control/settingsfile.h"

static void test_commands_are_kept_in_their_order(void **state)
{
    static const char text[] =
        SETTINGSFILE_HEAD "static.trusted_certificates.delete = http://localhost/all\r\n"
                          "static.trusted_certificates.url = https://a.example/one.pem\r\n"
                          "account.1.label = a\r\n"
                          "static.trusted_certificates.url = data:;base64,aGVsbG8=\r\n"
                          "static.server_certificates.url =\r\n"
                          "static.server_certificates.delete = %NULL%\r\n"
                          "static.trusted_certificates.url = https://a.example/one.pem\r\n";
    struct settings *s = settingsfile_fresh();
    struct commands c = {0};
    (void)state;

    assert_true(is_ok(settings_apply(s, "test.cfg", slice_of_str(text), &c, settingsfile_note,
                                     &complaints, NULL)));
    assert_string_equal("", complaints.text);
    assert_int_equal(4, c.count);
    assert_int_equal(COMMAND_TRUST_DELETE, c.list[0].kind);
    assert_int_equal(2, c.list[0].line);
    assert_int_equal(COMMAND_TRUST_URL, c.list[1].kind);
    assert_string_equal("data:;base64,aGVsbG8=", c.list[2].value);
    assert_int_equal(5, c.list[2].line);
    assert_string_equal("test.cfg", c.list[2].file);
    assert_string_equal(c.list[1].value, c.list[3].value);
    assert_string_equal("account.1.label = a\n", settingsfile_written(s));
    commands_clear(&c);
    settings_free(s);
}

static void test_bad_commands(void **state)
{
    static const char text[] =
        SETTINGSFILE_HEAD "static.trusted_certificates.delete = http://example.com/all\n"
                          "static.trusted_certificates.url = ftp://a.example/one.pem\n"
                          "static.trusted_certificates.url = data:;base64,s3cr3t!\n"
                          "static.server_certificates.url = https:///x\n"
                          "static.trusted_certificates.urls = https://a.example/one.pem\n";
    struct settings *s = settingsfile_fresh();
    struct commands c = {0};
    (void)state;

    assert_true(is_ok(settings_apply(s, "test.cfg", slice_of_str(text), &c, settingsfile_note,
                                     &complaints, NULL)));
    assert_int_equal(0, c.count);
    assert_int_equal(5, complaints.count);
    assert_non_null(strstr(complaints.text, "2!: static.trusted_certificates.delete: what is to"));
    assert_non_null(strstr(complaints.text, "3!: static.trusted_certificates.url: the URL begins"));
    assert_non_null(strstr(complaints.text, "4!: static.trusted_certificates.url: what is in"));
    assert_non_null(strstr(complaints.text, "5!: static.server_certificates.url: this is not"));
    assert_non_null(strstr(complaints.text, "6: there is no key"));
    assert_null(strstr(complaints.text, "s3cr3t"));
    memset(&complaints, 0, sizeof complaints);
    settingsfile_apply(s, text); /* they are judged where nobody keeps them, too */
    assert_int_equal(5, complaints.count);
    settings_free(s);
}

static void test_commands_are_bounded(void **state)
{
    struct settings *s = settingsfile_fresh();
    struct commands c = {0};
    char text[4096] = SETTINGSFILE_HEAD;
    (void)state;

    for (int i = 0; i < LIMIT_COMMANDS + 2; i++) {
        const size_t used = strlen(text);
        (void)snprintf(text + used, sizeof text - used,
                       "static.trusted_certificates.url = data:,%d\n", i);
    }
    assert_true(is_ok(settings_apply(s, "test.cfg", slice_of_str(text), &c, settingsfile_note,
                                     &complaints, NULL)));
    assert_int_equal(LIMIT_COMMANDS, c.count);
    assert_int_equal(2, complaints.count);
    assert_non_null(strstr(complaints.text, "34!: static.trusted_certificates.url: there are"));
    commands_clear(&c);
    settings_free(s);
}

static void test_a_command_is_no_setting(void **state)
{
    struct settings *s = settingsfile_fresh();
    struct errinfo e = ERRINFO_INIT;
    (void)state;

    assert_int_equal(
        ERR_INVALID,
        settings_set(s, "static.trusted_certificates.url", SLICE_LIT("data:,x"), &e).code);
    assert_non_null(strstr(e.text, "static.trusted_certificates.url: it is no setting"));
    assert_true(settings_is_empty(s));
    settings_free(s);
}

/* As an identity of 4096 bits with its chain, in one line. */
static void test_a_certificate_fits_into_a_line(void **state)
{
    struct settings *s = settingsfile_fresh();
    struct commands c = {0};
    char *text = malloc(LIMIT_SETTINGS_LINE + 64);
    size_t n;
    (void)state;

    assert_non_null(text);
    n = (size_t)snprintf(text, 256,
                         SETTINGSFILE_HEAD "static.server_certificates.url = data:;base64,");
    memset(text + n, 'A', 20000);
    assert_true(is_ok(settings_apply(s, "test.cfg", slice_of(text, n + 20000), &c,
                                     settingsfile_note, &complaints, NULL)));
    assert_string_equal("", complaints.text);
    assert_int_equal(1, c.count);
    commands_clear(&c);
    settings_free(s);
    free(text);
}

static void test_keys_of_provisioning(void **state)
{
    static const struct {
        const char *line, *says; /* NULL: it is fine */
    } cases[] = {
        {"static.auto_provision.server.url = https://prov.example.com/phones", NULL},
        {"static.auto_provision.server.url = http://[2001:db8::1]:8080/", NULL},
        {"static.auto_provision.server.url = https://me:s3cr3t@prov.example.com/", ".password"},
        {"static.auto_provision.server.url = https://prov.example.com/?a=b", "directory"},
        {"static.auto_provision.server.url = prov.example.com", "not a URL"},
        {"static.auto_provision.report.url = https://prov.example.com/report?phone=1", NULL},
        {"static.auto_provision.report.url = https://a@prov.example.com/report", ".password"},
        {"static.auto_provision.common_file = models/t4~0.cfg", NULL},
        {"static.auto_provision.common_file = none", NULL},
        {"static.auto_provision.common_file = ../a.cfg", "name of a file"},
        {"static.auto_provision.common_file = /a.cfg", "name of a file"},
        {"static.auto_provision.common_file = a//b.cfg", "name of a file"},
        {"static.auto_provision.common_file = a.cfg?x", "name of a file"},
        {"static.auto_provision.common_file = https://a/b", "name of a file"},
        {"static.auto_provision.repeat.minutes = 43200", NULL},
        {"static.auto_provision.repeat.minutes = 0", "1 to 43200"},
        {"static.auto_provision.spread = 3601", "0 to 3600"},
        {"static.security.auto_provision.default_ssl_method = 0", "RFC 8996"},
        {"static.security.auto_provision.default_ssl_method = 4", "RFC 8996"},
        {"static.security.default_ssl_method = 4", "RFC 8996"},
        {"static.security.auto_provision.dev_cert = 0", NULL},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct settings *s = settingsfile_fresh();
        char text[256];
        print_message("%s\n", cases[i].line);
        (void)snprintf(text, sizeof text, SETTINGSFILE_HEAD "%s\n", cases[i].line);
        settingsfile_apply(s, text);
        assert_int_equal(cases[i].says != NULL, complaints.count);
        if (cases[i].says != NULL)
            assert_non_null(strstr(complaints.text, cases[i].says));
        assert_null(strstr(complaints.text, "s3cr3t"));
        assert_int_equal(cases[i].says != NULL, settings_is_empty(s));
        settings_free(s);
    }
}

static void test_provisioning_has_its_own_trust_settings(void **state)
{
    struct settings *s =
        settingsfile_with("static.security.cn_validation = 0\n"
                          "static.security.sip.ca_cert = 1\n"
                          "static.security.auto_provision.trust_certificates = 0\n");
    (void)state;

    assert_false(settings_bool(s, "static.security.auto_provision.cn_validation", 0, 0));
    assert_int_equal(2, settings_int(s, "static.security.auto_provision.ca_cert", 0, 0));
    assert_false(settings_bool(s, "static.security.auto_provision.trust_certificates", 0, 0));
    assert_true(settings_bool(s, "static.security.sip.trust_certificates", 0, 0));
    settings_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands_are_kept_in_their_order),
        cmocka_unit_test(test_bad_commands),
        cmocka_unit_test(test_commands_are_bounded),
        cmocka_unit_test(test_a_command_is_no_setting),
        cmocka_unit_test(test_a_certificate_fits_into_a_line),
        cmocka_unit_test(test_keys_of_provisioning),
        cmocka_unit_test(test_provisioning_has_its_own_trust_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
