#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "control/keys.h"
#include "tools/unit.h"

static void test_every_row_is_sound(void **state)
{
    size_t n;
    const struct key *table = keys_table(&n);
    (void)state;

    assert_true(n > 20);
    for (size_t i = 0; i < n; i++) {
        const struct key *k = &table[i];
        print_message("%s\n", k->name);
        assert_ptr_equal(k, keys_row(k->name)); /* no name is there twice */
        assert_true(strlen(k->help) > 10);
        assert_true(k->min <= k->max);
        assert_true((k->type == KEY_CHOICE) == (k->choices != NULL));
        if (k->initial[0] != '\0')
            assert_true(is_ok(key_check(k, slice_of_str(k->initial), NULL)));
        if (k->fallback != NULL) {
            const struct key *f = keys_row(k->fallback);
            assert_non_null(f);
            assert_int_equal(k->type, f->type);
            assert_true(key_xs(f) <= key_xs(k) && key_ys(f) <= key_ys(k));
            assert_string_equal("", k->initial); /* it would never count */
        } else if (k->type == KEY_BOOL || k->type == KEY_INT || k->type == KEY_CHOICE) {
            assert_string_not_equal("", k->initial);
        }
        for (size_t j = 0; j < key_xs(k) * key_ys(k); j++) {
            char name[KEY_NAME_SIZE];
            struct key_ref at = key_at(k, j), found;
            key_name(k, at.x, at.y, name);
            assert_true(is_ok(key_find(slice_of_str(name), &found, NULL)));
            assert_memory_equal(&at, &found, sizeof at);
        }
    }
}

static void test_find(void **state)
{
    static const struct {
        const char *text, *row;
        unsigned x, y;
    } cases[] = {
        {"account.1.label", "account.X.label", 1, 0},
        {"account.16.password", "account.X.password", 16, 0},
        {"account.3.sip_server.1.port", "account.X.sip_server.Y.port", 3, 1},
        {"static.security.ca_cert", "static.security.ca_cert", 0, 0},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct key_ref ref;
        assert_true(is_ok(key_find(slice_of_str(cases[i].text), &ref, NULL)));
        assert_string_equal(cases[i].row, ref.key->name);
        assert_int_equal(cases[i].x, ref.x);
        assert_int_equal(cases[i].y, ref.y);
    }
}

static void test_find_nothing(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"", "there is no key ''"},
        {".", "there is no key '.'"},
        {"account", "there is no key 'account'"},
        {"account.1.nickname", "there is no key 'account.1.nickname'"},
        {"account.1.label.", "there is no key 'account.1.label.'"},
        {"account..label", "there is no key 'account..label'"},
        {"account.label", "there is no key 'account.label'"},
        {"account.X.label", "there is no key 'account.X.label'"},
        {"account.1.sip_server.Y.port", "there is no key 'account.1.sip_server.Y.port'"},
        {"account.X.sip_server.1.port", "there is no key 'account.X.sip_server.1.port'"},
        {"Account.1.label", "there is no key 'Account.1.label'"},
        {"account.01.label", "there is no key 'account.01.label'"},
        {"account.0.label", "there is no key 'account.0.label'"},
        {"account.-1.label", "there is no key 'account.-1.label'"},
        {"account.4294967297.label", "there is no key 'account.4294967297.label'"},
        {"account.17.label", "'account.17.label': accounts are numbered from 1 to 16"},
        {"account.1.sip_server.2.port",
         "'account.1.sip_server.2.port': servers and proxies are numbered from 1 to 1"},
        {"a\x1b[2Jb", "there is no key 'a?[2Jb'"},
        {"account.1.label.of.a.name.that.is.much.longer.than.any.key.of.the.table.is",
         "there is no key 'account.1.label.of.a.name.that.is.much.longer.than.any.key.of.t'"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct key_ref ref;
        struct errinfo e = ERRINFO_INIT;
        assert_int_equal(ERR_NOT_FOUND, key_find(slice_of_str(cases[i].text), &ref, &e).code);
        assert_string_equal(cases[i].sentence, e.text);
    }
}

static void test_a_nul_ends_no_key(void **state)
{
    struct key_ref ref;
    (void)state;
    assert_true(is_err(key_find(SLICE_LIT("account.1.label\0x"), &ref, NULL)));
}

static void test_values(void **state)
{
    static const struct {
        const char *key, *value, *sentence; /* NULL: it is fine */
    } cases[] = {
        {"account.X.enable", "0", NULL},
        {"account.X.enable", "1", NULL},
        {"account.X.enable", "2", "it has to be 0 or 1"},
        {"account.X.enable", "on", "it has to be 0 or 1"},
        {"account.X.enable", "01", "it has to be 0 or 1"},
        {"account.X.sip_server.Y.port", "0", NULL},
        {"account.X.sip_server.Y.port", "65535", NULL},
        {"account.X.sip_server.Y.port", "65536", "it has to be a number from 0 to 65535"},
        {"account.X.sip_server.Y.port", "-1", "it has to be a number from 0 to 65535"},
        {"account.X.sip_server.Y.port", "5061 ", "it has to be a number from 0 to 65535"},
        {"account.X.sip_server.Y.port", "0x10", "it has to be a number from 0 to 65535"},
        {"account.X.sip_server.Y.port", "99999999999999999999",
         "it has to be a number from 0 to 65535"},
        {"account.X.sip_server.Y.expires", "30", NULL},
        {"account.X.sip_server.Y.expires", "29", "it has to be a number from 30 to 86400"},
        {"account.X.label", "Empfang \xc3\xa4 # = \xf0\x9f\x94\x92", NULL},
        {"account.X.label", "a\tb", "it has control characters in it, or is not UTF-8"},
        {"account.X.label", "\xe4", "it has control characters in it, or is not UTF-8"},
        {"account.X.password", "p\x7f", "it has control characters in it, or is not UTF-8"},
        {"account.X.user_name", "alice", NULL},
        {"account.X.user_name", "+49;x=1&a=(b)~%40", NULL},
        {"account.X.user_name", "alice@example.com",
         "a user name is only the part before the @; write other characters as %XX (here %40)"},
        {"account.X.user_name", "a>",
         "a user name is only the part before the @; write other characters as %XX (here %3E)"},
        {"account.X.user_name", "50%", "a % in a user name is followed by two hex digits"},
        {"account.X.user_name", "50%4", "a % in a user name is followed by two hex digits"},
        {"account.X.user_name", "50%4g", "a % in a user name is followed by two hex digits"},
        {"account.X.sip_server.Y.address", "sip.example.com", NULL},
        {"account.X.sip_server.Y.address", "192.0.2.1", NULL},
        {"account.X.sip_server.Y.address", "2001:db8::1", NULL},
        {"static.security.cn_rules", "rfc9525", NULL},
        {"static.security.cn_rules", "1", "it has to be one of rfc2818, rfc9525, rfc5922"},
        {"static.security.certificate_profile", "compatible", NULL},
        {"static.security.certificate_profile", "1", "it has to be one of public, compatible"},
        {"static.security.unset_clock", "refuse", NULL},
        {"static.security.default_ssl_method", "3", NULL},
        {"static.security.default_ssl_method", "5", NULL},
        {"static.security.default_ssl_method", "6", NULL},
        {"static.security.default_ssl_method", "0",
         "TLS 1.0 and 1.1 are broken and never used (RFC 8996); use 3, the best that the server "
         "has"},
        {"static.security.default_ssl_method", "4",
         "TLS 1.0 and 1.1 are broken and never used (RFC 8996); use 3, the best that the server "
         "has"},
        {"static.security.default_ssl_method", "1",
         "use 3 (TLS 1.3 or 1.2), 5 (TLS 1.2 only) or 6 (TLS 1.3 only)"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct errinfo e = ERRINFO_INIT;
        const struct result r = key_check(keys_row(cases[i].key), slice_of_str(cases[i].value), &e);
        print_message("%s = %s\n", cases[i].key, cases[i].value);
        assert_int_equal(cases[i].sentence == NULL ? ERR_OK : ERR_INVALID, r.code);
        assert_string_equal(cases[i].sentence == NULL ? "" : cases[i].sentence, e.text);
    }
}

static void test_a_host_is_a_host(void **state)
{
    static const char *const cases[] = {"sip example",
                                        "sip:example.com",
                                        "a/b",
                                        "*.example.com",
                                        "b\xc3\xbc"
                                        "cher.example",
                                        "a\"b"};
    const struct key *k = keys_row("account.X.outbound_proxy.Y.address");
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(ERR_INVALID, key_check(k, slice_of_str(cases[i]), NULL).code);
}

static void test_text_is_bounded(void **state)
{
    const struct key *k = keys_row("account.X.label");
    char text[100];
    (void)state;

    memset(text, 'a', sizeof text);
    assert_true(is_ok(key_check(k, slice_of(text, 99), NULL)));
    assert_true(is_err(key_check(k, slice_of(text, 100), NULL)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_is_sound),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_find_nothing),
        cmocka_unit_test(test_a_nul_ends_no_key),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_a_host_is_a_host),
        cmocka_unit_test(test_text_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
