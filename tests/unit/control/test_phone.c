#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "control/keys.h"
#include "control/phone.h"
#include "tools/unit.h"

#define COMPLETE                                  \
    "#!version:1.0.0.1\n"                         \
    "account.2.enable = 1\n"                      \
    "account.2.user_name = alice\n"               \
    "account.2.sip_server.1.address = sip.test\n" \
    "account.2.sip_server.1.transport_type = 2\n"

static struct settings *settings_with(const char *lines)
{
    struct settings *s;
    char content[2048];

    (void)snprintf(content, sizeof content, COMPLETE "%s", lines);
    assert_true(is_ok(settings_new(&s)));
    assert_true(is_ok(settings_apply(s, "t", slice_of_str(content), NULL, NULL, NULL, NULL)));
    return s;
}

static void test_a_plain_account(void **state)
{
    struct settings *s = settings_with("");
    struct account_config a;
    (void)state;

    assert_true(is_ok(phone_account(s, 2, &a, NULL)));
    assert_int_equal(2, a.number);
    assert_true(a.enabled);
    assert_string_equal("alice", a.label);
    assert_string_equal("alice", a.user);
    assert_string_equal("alice", a.auth_user);
    assert_string_equal("", a.password);
    assert_null(a.display_name);
    assert_string_equal("sip.test", a.domain);
    assert_null(a.proxy_host);
    assert_int_equal(5061, a.port);
    assert_int_equal(3600, a.expires_s);
    assert_true(a.policy.check_trust);
    assert_true(a.check_name);
    assert_int_equal(PEERNAME_RFC2818, a.policy.rules);
    assert_int_equal(VERIFY_CLOCK_WAIT, a.policy.clock);
    assert_int_equal(TRUST_ALL, a.filter);
    assert_int_equal(TLS_1_2_AND_1_3, a.versions);
    settings_free(s);
}

static void test_everything_is_set(void **state)
{
    struct settings *s = settings_with("account.2.label = Desk\n"
                                       "account.2.display_name = Alice A.\n"
                                       "account.2.auth_name = auth\n"
                                       "account.2.password = pw\n"
                                       "account.2.sip_server.1.port = 5071\n"
                                       "account.2.sip_server.1.expires = 60\n"
                                       "account.2.security.trust_certificates = 0\n"
                                       "static.security.sip.cn_validation = 0\n"
                                       "static.security.cn_rules = rfc5922\n"
                                       "static.security.unset_clock = provisional\n"
                                       "static.security.sip.certificate_profile = compatible\n"
                                       "account.2.security.ca_cert = 1\n"
                                       "static.security.default_ssl_method = 6\n");
    struct account_config a;
    (void)state;

    assert_true(is_ok(phone_account(s, 2, &a, NULL)));
    assert_string_equal("Desk", a.label);
    assert_string_equal("Alice A.", a.display_name);
    assert_string_equal("auth", a.auth_user);
    assert_string_equal("pw", a.password);
    assert_int_equal(5071, a.port);
    assert_int_equal(60, a.expires_s);
    assert_false(a.policy.check_trust);
    assert_false(a.check_name);
    assert_int_equal(PEERNAME_RFC5922, a.policy.rules);
    assert_int_equal(VERIFY_CLOCK_PROVISIONAL, a.policy.clock);
    assert_int_equal(VERIFY_PROFILE_COMPATIBLE, a.policy.profile);
    assert_int_equal(TRUST_CUSTOM, a.filter);
    assert_int_equal(TLS_1_3_ONLY, a.versions);
    settings_free(s);
}

/* Each value of a key that names an enum's value, whose order is elsewhere. */
static void test_names_and_enums_agree(void **state)
{
    static const struct {
        const char *rules, *clock;
        enum peername_rules want_rules;
        enum verify_clock_policy want_clock;
    } cases[] = {
        {"rfc2818", "wait", PEERNAME_RFC2818, VERIFY_CLOCK_WAIT},
        {"rfc9525", "provisional", PEERNAME_RFC9525, VERIFY_CLOCK_PROVISIONAL},
        {"rfc5922", "refuse", PEERNAME_RFC5922, VERIFY_CLOCK_REFUSE},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct settings *s = settings_with("");
        struct account_config a;
        assert_true(
            is_ok(settings_set(s, "static.security.cn_rules", slice_of_str(cases[i].rules), NULL)));
        assert_true(is_ok(
            settings_set(s, "static.security.unset_clock", slice_of_str(cases[i].clock), NULL)));
        assert_true(is_ok(phone_account(s, 2, &a, NULL)));
        assert_int_equal(cases[i].want_rules, a.policy.rules);
        assert_int_equal(cases[i].want_clock, a.policy.clock);
        settings_free(s);
    }
}

static void test_the_proxy_only_if_enabled(void **state)
{
    struct settings *s = settings_with("account.2.outbound_proxy.1.address = proxy.test\n"
                                       "account.2.outbound_proxy.1.port = 5099\n");
    struct account_config a;
    (void)state;

    assert_true(is_ok(phone_account(s, 2, &a, NULL)));
    assert_null(a.proxy_host);
    assert_int_equal(5061, a.port);
    assert_true(is_ok(settings_set(s, "account.2.outbound_proxy_enable", SLICE_LIT("1"), NULL)));
    assert_true(is_ok(phone_account(s, 2, &a, NULL)));
    assert_string_equal("proxy.test", a.proxy_host);
    assert_string_equal("sip.test", a.domain);
    assert_int_equal(5099, a.port);
    settings_free(s);
}

static void test_what_cannot_work(void **state)
{
    static const struct {
        const char *lines;
        enum err code;
        const char *sentence;
    } cases[] = {
        {"account.2.sip_server.1.transport_type =\n", ERR_UNSUPPORTED,
         "account 2 uses UDP and is left alone: sipsd handles accounts with "
         "account.2.sip_server.1.transport_type = 2 (TLS)"},
        {"account.2.sip_server.1.transport_type = 1\n", ERR_UNSUPPORTED,
         "account 2 uses TCP and is left alone: sipsd handles accounts with "
         "account.2.sip_server.1.transport_type = 2 (TLS)"},
        {"account.2.user_name =\n", ERR_INVALID,
         "account 2 has no user name: set account.2.user_name"},
        {"account.2.sip_server.1.address =\n", ERR_INVALID,
         "account 2 has no server: set account.2.sip_server.1.address"},
        {"account.2.outbound_proxy_enable = 1\n", ERR_INVALID,
         "account 2 has no outbound proxy: set account.2.outbound_proxy.1.address, or "
         "account.2.outbound_proxy_enable = 0"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct settings *s = settings_with(cases[i].lines);
        struct account_config a;
        struct errinfo e = ERRINFO_INIT;
        assert_int_equal(cases[i].code, phone_account(s, 2, &a, &e).code);
        assert_string_equal(cases[i].sentence, e.text);
        assert_true(is_ok(settings_set(s, "account.2.enable", SLICE_LIT("0"), NULL)));
        assert_true(is_ok(phone_account(s, 2, &a, NULL))); /* what is off may be incomplete */
        assert_false(a.enabled);
        settings_free(s);
    }
}

static void test_local_port(void **state)
{
    static const char *const none[] = {
        "", "account.2.local_port = 5070\naccount.2.enable = 0\n",
        "account.2.local_port = 5070\naccount.2.sip_server.1.transport_type = 1\n",
        "account.2.local_port = 5070\naccount.2.user_name = \n"};
    struct settings *s = settings_with("account.2.local_port = 5070\naccount.2.local_register = 1\n"
                                       "account.2.local_peer = 127.0.0.1:5080\n");
    struct door_config d;
    struct account_config a;
    struct errinfo e = ERRINFO_INIT;
    (void)state;

    assert_true(phone_door(s, 2, &d));
    assert_int_equal(2, d.account);
    assert_int_equal(5070, d.port);
    assert_true(d.stack_registers);
    assert_string_equal("alice", d.user);
    assert_string_equal("sip.test", d.domain);
    assert_string_equal("127.0.0.1:5080", d.peer);
    assert_int_equal(ERR_INVALID,
                     settings_set(s, "account.2.local_peer", SLICE_LIT("192.0.2.1:5080"), &e).code);
    settings_free(s);
    for (size_t i = 0; i < COUNT_OF(none); i++) {
        s = settings_with(none[i]);
        assert_false(phone_door(s, 2, &d));
        settings_free(s);
    }
    errinfo_clear(&e);
    s = settings_with("account.2.local_register = 1\n");
    assert_int_equal(ERR_INVALID, phone_account(s, 2, &a, &e).code);
    assert_non_null(strstr(e.text, "account.2.local_port"));
    settings_free(s);
}

static void test_any_difference_counts(void **state)
{
    static const char *const lines[] = {
        "account.2.enable = 0\n",
        "account.2.label = x\n",
        "account.2.display_name = x\n",
        "account.2.user_name = x\n",
        "account.2.auth_name = x\n",
        "account.2.password = x\n",
        "account.2.sip_server.1.address = x.test\n",
        "account.2.sip_server.1.port = 5071\n",
        "account.2.sip_server.1.expires = 60\n",
        "account.2.local_port = 5070\naccount.2.local_register = 1\n",
        "account.2.outbound_proxy_enable = 1\naccount.2.outbound_proxy.1.address = x.test\n",
        "static.security.trust_certificates = 0\n",
        "static.security.cn_validation = 0\n",
        "static.security.cn_rules = rfc9525\n",
        "static.security.certificate_profile = compatible\n",
        "static.security.unset_clock = refuse\n",
        "static.security.ca_cert = 0\n",
        "static.security.default_ssl_method = 5\n",
    };
    struct settings *plain = settings_with(""), *twin = settings_with("");
    struct account_config a, b;
    (void)state;

    assert_true(is_ok(phone_account(plain, 2, &a, NULL)));
    assert_true(is_ok(phone_account(twin, 2, &b, NULL)));
    assert_false(phone_account_differs(&a, &b));
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct settings *s = settings_with(lines[i]);
        assert_true(is_ok(phone_account(s, 2, &b, NULL)));
        if (!phone_account_differs(&a, &b) || !phone_account_differs(&b, &a))
            fail_msg("no difference: %s", lines[i]);
        settings_free(s);
    }
    settings_free(plain);
    settings_free(twin);
}

static void test_phone_wide(void **state)
{
    struct settings *s = settings_with("");
    (void)state;

    assert_int_equal(TRUST_ALL, phone_trust_filter(s));
    assert_int_equal(IDENTITY_WANT_ANY, phone_identity(s));
    settings_free(s);
    s = settings_with("static.security.ca_cert = 0\nstatic.security.dev_cert = 1\n");
    assert_int_equal(TRUST_DEFAULT, phone_trust_filter(s));
    assert_int_equal(IDENTITY_WANT_CUSTOM, phone_identity(s));
    settings_free(s);
}

static void test_instance_id(void **state)
{
    static const char *const good[] = {"00:15:65:aB:cD:eF", "00-15-65-ab-cd-ef", "001565ABCDEF",
                                       "0015.65AB.cdef"};
    static const char *const bad[] = {"",
                                      "001565ABCDE",
                                      "001565ABCDEF0",
                                      "00:15:65:AB:CD:E",
                                      "00:15:65:AB:CD:EF:00",
                                      "00:15-65:AB:CD:EF",
                                      "00.15.65.AB.CD.EF",
                                      "00:15:65:AB:CD:EG",
                                      "0015:65AB:CDEF:00",
                                      "00:15:65:AB:CD:"};
    char id[PHONE_INSTANCE_SIZE];
    (void)state;

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(is_ok(phone_instance_id(good[i], id, NULL)));
        assert_string_equal("urn:uuid:00000000-0000-1000-8000-001565ABCDEF", id);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(ERR_INVALID, phone_instance_id(bad[i], id, NULL).code);
}

/* --- the files that come with sipsd --- */

static void no_complaint(void *arg, const char *file, size_t line, bool severe, const char *text)
{
    (void)arg;
    (void)severe;
    fail_msg("%s:%zu: %s", file, line, text);
}

static struct settings *settings_of_file(const char *name)
{
    static char content[65536];
    const char *source = getenv("SOURCE_DIR");
    char path[4096];
    struct settings *s;
    struct errinfo e = ERRINFO_INIT;

    (void)snprintf(path, sizeof path, "%s/config/%s", source != NULL ? source : ".", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t n = fread(content, 1, sizeof content, f);
    (void)fclose(f);
    assert_true(is_ok(settings_new(&s)));
    if (is_err(settings_apply(s, name, slice_of(content, n), NULL, no_complaint, NULL, &e)))
        fail_msg("%s", e.text);
    return s;
}

/* defaults.cfg says what holds anyway: all of it, and nothing else. */
static void test_defaults_cfg(void **state)
{
    struct settings *s = settings_of_file("defaults.cfg"), *none;
    size_t rows;
    const struct key *table = keys_table(&rows);
    (void)state;

    assert_true(is_ok(settings_new(&none)));
    for (const struct key *k = table; k != table + rows; k++) {
        const bool global =
            (strncmp(k->name, "static.security.", 16) == 0 && k->fallback == NULL) ||
            (strncmp(k->name, "static.auto_provision.", 22) == 0 && k->initial[0] != '\0') ||
            strncmp(k->name, "sip.", 4) == 0;
        if (settings_is_set(s, k->name, 1, 1) != global)
            fail_msg("%s is %s", k->name, global ? "left out" : "set");
        if (k->type == KEY_BOOL)
            assert_int_equal(settings_bool(none, k->name, 1, 1), settings_bool(s, k->name, 1, 1));
        if (k->type == KEY_INT)
            assert_int_equal(settings_int(none, k->name, 1, 1), settings_int(s, k->name, 1, 1));
        if (k->type == KEY_CHOICE)
            assert_int_equal(settings_choice(none, k->name, 1, 1),
                             settings_choice(s, k->name, 1, 1));
    }
    settings_free(s);
    settings_free(none);
}

static void test_demo_cfg(void **state)
{
    struct settings *s = settings_of_file("demo.cfg");
    int enabled = 0, unchecked = 0;
    (void)state;

    for (int i = 1; i <= LIMIT_ACCOUNTS; i++) {
        struct account_config a;
        struct errinfo e = ERRINFO_INIT;
        if (is_err(phone_account(s, i, &a, &e)))
            fail_msg("%s", e.text);
        enabled += a.enabled;
        unchecked += a.enabled && !a.policy.check_trust;
    }
    assert_true(enabled >= 5);
    assert_int_equal(1, unchecked);
    settings_free(s);
}

static void test_the_listener(void **state)
{
    struct settings *s = settings_with("");
    struct listener_config l;
    (void)state;

    phone_listener(s, &l);
    assert_int_equal(5061, l.port);
    assert_int_equal(TLS_CLIENT_AUTH_OFF, l.client_auth);
    assert_int_equal(TLS_1_2_AND_1_3, l.versions);
    assert_int_equal(TRUST_ALL, l.filter);
    assert_true(l.policy.check_trust);
    assert_false(l.policy.client_eku_required);
    assert_false(l.trust_ctrl);
    settings_free(s);
}

static void test_a_listener_of_the_admins_making(void **state)
{
    struct settings *s = settings_with("sip.tls_listen_port = 0\n"
                                       "sip.tls_client_auth = require\n"
                                       "sip.tls_client_eku = 1\n"
                                       "sip.trust_ctrl = 1\n"
                                       "static.security.sip.ca_cert = 1\n"
                                       "static.security.sip.default_ssl_method = 6\n"
                                       "static.security.sip.trust_certificates = 0\n"
                                       "static.security.sip.cn_rules = rfc9525\n"
                                       "static.security.sip.unset_clock = refuse\n");
    struct listener_config l;
    (void)state;

    phone_listener(s, &l);
    assert_int_equal(0, l.port);
    assert_int_equal(TLS_CLIENT_AUTH_REQUIRE, l.client_auth);
    assert_int_equal(TLS_1_3_ONLY, l.versions);
    assert_int_equal(TRUST_CUSTOM, l.filter);
    assert_false(l.policy.check_trust);
    assert_int_equal(PEERNAME_RFC9525, l.policy.rules);
    assert_int_equal(VERIFY_CLOCK_REFUSE, l.policy.clock);
    assert_true(l.policy.client_eku_required);
    assert_true(l.trust_ctrl);
    settings_free(s);
}

static void test_fetching(void **state)
{
    struct settings *s = settings_with("");
    struct phone_fetch f;
    struct phone_schedule w;
    (void)state;

    phone_fetch(s, &f);
    assert_int_equal(TRUST_ALL, f.filter);
    assert_true(f.check_name && f.policy.check_trust && !f.allow_http);
    assert_int_equal(TLS_1_2_AND_1_3, f.versions);
    assert_int_equal(IDENTITY_WANT_ANY, f.identity);
    assert_string_equal("", f.server);
    assert_string_equal("", f.user);
    phone_schedule(s, &w);
    assert_true(w.power_on && w.check_sync);
    assert_int_equal(0, w.period_min);
    assert_int_equal(10, w.spread_s);
    assert_string_equal("", w.server);
    assert_string_equal("", w.report);
    settings_free(s);
}

static void test_fetching_of_the_admins_making(void **state)
{
    struct settings *s =
        settings_with("static.security.ca_cert = 0\n"
                      "static.security.auto_provision.ca_cert = 1\n"
                      "static.security.auto_provision.cn_validation = 0\n"
                      "static.security.auto_provision.trust_certificates = 0\n"
                      "static.security.auto_provision.cn_rules = rfc9525\n"
                      "static.security.auto_provision.certificate_profile = compatible\n"
                      "static.security.auto_provision.unset_clock = provisional\n"
                      "static.security.auto_provision.default_ssl_method = 6\n"
                      "static.security.auto_provision.dev_cert = 0\n"
                      "static.auto_provision.allow_http = 1\n"
                      "static.auto_provision.server.url = https://a.test/b/\n"
                      "static.auto_provision.server.username = u\n"
                      "static.auto_provision.server.password = p\n"
                      "static.auto_provision.power_on = 0\n"
                      "static.auto_provision.repeat.enable = 1\n"
                      "static.auto_provision.repeat.minutes = 7\n"
                      "static.auto_provision.check_sync = 0\n"
                      "static.auto_provision.spread = 3\n"
                      "static.auto_provision.report.url = https://r.test/\n");
    struct phone_fetch f;
    struct phone_schedule w;
    (void)state;

    phone_fetch(s, &f);
    assert_int_equal(TRUST_CUSTOM, f.filter);
    assert_false(f.check_name || f.policy.check_trust);
    assert_true(f.allow_http);
    assert_int_equal(PEERNAME_RFC9525, f.policy.rules);
    assert_int_equal(VERIFY_PROFILE_COMPATIBLE, f.policy.profile);
    assert_int_equal(VERIFY_CLOCK_PROVISIONAL, f.policy.clock);
    assert_int_equal(TLS_1_3_ONLY, f.versions);
    assert_int_equal(IDENTITY_WANT_DEFAULT, f.identity);
    assert_string_equal("https://a.test/b/", f.server);
    assert_string_equal("u", f.user);
    assert_string_equal("p", f.password);
    phone_schedule(s, &w);
    assert_false(w.power_on || w.check_sync);
    assert_int_equal(7, w.period_min);
    assert_int_equal(3, w.spread_s);
    assert_string_equal("https://a.test/b/", w.server);
    assert_string_equal("https://r.test/", w.report);
    settings_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_plain_account),
        cmocka_unit_test(test_everything_is_set),
        cmocka_unit_test(test_the_listener),
        cmocka_unit_test(test_a_listener_of_the_admins_making),
        cmocka_unit_test(test_names_and_enums_agree),
        cmocka_unit_test(test_fetching),
        cmocka_unit_test(test_fetching_of_the_admins_making),
        cmocka_unit_test(test_the_proxy_only_if_enabled),
        cmocka_unit_test(test_what_cannot_work),
        cmocka_unit_test(test_local_port),
        cmocka_unit_test(test_any_difference_counts),
        cmocka_unit_test(test_phone_wide),
        cmocka_unit_test(test_instance_id),
        cmocka_unit_test(test_defaults_cfg),
        cmocka_unit_test(test_demo_cfg),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
