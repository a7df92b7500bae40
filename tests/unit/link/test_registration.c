/* A registration whose server is well, in simulated time. */
#include "tools/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "tools/regworld.h"
#include "tools/rigged_rng.h"

#define MINUTE_MS 60000U
#define HOUR_MS   3600000U

/* The number behind NAME in the last request. */
static unsigned long number(const struct regworld *w, const char *name)
{
    const char *at = strstr(w->last, name);
    assert_non_null(at);
    return strtoul(at + strlen(name), NULL, 10);
}

/* The text between FROM and the next double quote or line end in the last request. */
static void copy_after(const struct regworld *w, const char *from, char *out, size_t size)
{
    const char *at = strstr(w->last, from);
    assert_non_null(at);
    at += strlen(from);
    assert_true(slice_to_str(slice_of(at, strcspn(at, "\"\r")), out, size));
}

/* --- registering --- */

static void answers_every_kind_of_challenge(void **state)
{
    static const struct {
        struct registrar_config cfg;
        int requests;
        const char *algorithm; /* "": no credentials at all */
    } cases[] = {
        {{.realm = NULL}, 1, ""},
        {{.realm = "r", .md5 = true}, 2, "algorithm=MD5"},
        {{.realm = "r", .sha256 = true}, 2, "algorithm=SHA-256"},
        {{.realm = "r", .md5 = true, .sha256 = true}, 2, "algorithm=SHA-256"},
        {{.realm = "r", .md5 = true, .sha256 = true, .one_field = true}, 2, "algorithm=SHA-256"},
        {{.realm = "r", .md5 = true, .as_proxy = true}, 2, "algorithm=MD5"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct regworld w;
        regworld_make(&w, &cases[i].cfg, &regworld_alice, i);
        regworld_connect(&w, "192.0.2.7:40312");
        assert_state(&w, "registered");
        assert_true(registration_is_up(w.phone));
        assert_int_equal(registration_granted_s(w.phone), 3600);
        assert_int_equal(registration_last_status(w.phone), 200);
        assert_int_equal(registration_error(w.phone)->code, ERR_OK);
        assert_int_equal(w.requests, cases[i].requests);
        assert_int_equal(regworld_bindings(&w), 1);
        assert_int_equal(regworld_said(&w, "uthorization: Digest"), cases[i].algorithm[0] != '\0');
        assert_true(regworld_said(&w, cases[i].algorithm));
        regworld_end(&w);
    }
}

static void says_who_and_where_it_is(void **state)
{
    struct regworld w;
    (void)state;
    regworld_make(&w, &regworld_both, &regworld_alice, 1);
    registration_connected(w.phone, "192.0.2.7:40312", w.now_ms);
    assert_state(&w, "trying");
    assert_true(strncmp(w.last, "REGISTER sips:example.com SIP/2.0\r\n", 35) == 0);
    assert_true(regworld_said(&w, "\r\nVia: SIP/2.0/TLS 192.0.2.7:40312;branch=z9hG4bK"));
    assert_true(regworld_said(&w, "\r\nFrom: \"Alice\" <sips:alice@example.com>;tag="));
    assert_true(regworld_said(&w, "\r\nTo: <sips:alice@example.com>\r\n"));
    assert_true(regworld_said(&w,
                              "\r\nContact: <sips:alice@192.0.2.7:40312>;+sip.instance=\"<urn:uuid:"
                              "00000000-0000-1000-8000-001565123456>\";reg-id=1\r\n"));
    assert_true(regworld_said(&w, "\r\nExpires: 3600\r\n"));
    assert_true(regworld_said(&w, "\r\nSupported: path, outbound\r\n"));
    assert_false(regworld_said(&w, "uthorization:"));
    regworld_end(&w);
}

static void keeps_call_id_and_counts_cseq_over_connections(void **state)
{
    struct regworld w;
    char first[64], second[64];
    struct registrar_binding b;
    (void)state;
    regworld_make(&w, &regworld_both, &regworld_alice, 2);
    regworld_connect(&w, "192.0.2.7:40312");
    copy_after(&w, "Call-ID: ", first, sizeof first);
    const unsigned long cseq = number(&w, "CSeq: ");
    registration_disconnected(w.phone);
    assert_state(&w, "off");
    assert_int_equal(registration_granted_s(w.phone), 0);
    regworld_connect(&w, "[2001:db8::7]:4");
    assert_state(&w, "registered");
    copy_after(&w, "Call-ID: ", second, sizeof second);
    assert_string_equal(first, second);
    assert_true(number(&w, "CSeq: ") > cseq);
    assert_int_equal(regworld_bindings(&w), 1); /* the same phone, by its instance */
    assert_true(registrar_binding(w.server, 0, w.now_ms, &b));
    assert_string_equal(b.contact, "sips:alice@[2001:db8::7]:4");
    regworld_end(&w);
}

static void uses_the_authentication_name(void **state)
{
    struct regworld w;
    struct registration_params p = regworld_alice;
    (void)state;
    p.auth_user = "auth\"name";
    regworld_make(&w, &regworld_both, &p, 3);
    assert_true(is_ok(registrar_add_user(w.server, "bob", "auth\"name", "secret")));
    p.user = "bob";
    registration_free(w.phone);
    assert_true(is_ok(registration_new(&p, &regworld_handlers, &w, &w.rng, &w.phone, NULL)));
    regworld_connect(&w, "192.0.2.7:40312");
    assert_state(&w, "registered");
    assert_true(regworld_said(&w, "username=\"auth\\\"name\""));
    regworld_end(&w);
}

static void escapes_odd_user_names(void **state)
{
    static const char *const names[] = {"alice@home", "100%", "sales team", "J\xc3\xbcrg", "a:b"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct regworld w;
        struct registration_params p = regworld_alice;
        p.user = names[i];
        regworld_make(&w, &regworld_both, &p, i);
        assert_true(is_ok(registrar_add_user(w.server, names[i], NULL, "secret")));
        regworld_connect(&w, "192.0.2.7:40312");
        assert_state(&w, "registered");
        regworld_end(&w);
    }
}

static void refuses_what_makes_no_register(void **state)
{
    static const struct {
        size_t offset;
        const char *value;
        const char *sentence;
    } cases[] = {
        {offsetof(struct registration_params, user), "", "the account has no user name"},
        {offsetof(struct registration_params, domain), "exa mple.com",
         "\"exa mple.com\" is no name or address of a server"},
        {offsetof(struct registration_params, domain), "2001:db8::zz",
         "\"2001:db8::zz\" is no name or address of a server"},
        {offsetof(struct registration_params, display_name), "A\r\nRoute: <sip:evil>",
         "the display name has a character that cannot stand in a SIP message"},
        {offsetof(struct registration_params, user_agent), "x\ny",
         "the User-Agent has a character that cannot stand in a SIP message"},
        {offsetof(struct registration_params, instance_id), "urn:uuid:\"><",
         "the instance id is no URN"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct registration_params p = regworld_alice;
        struct registration *r;
        struct errinfo e = ERRINFO_INIT;
        uint64_t seed = 1;
        const struct rng rng = rigged_rng(&seed);
        memcpy((char *)&p + cases[i].offset, &cases[i].value, sizeof cases[i].value);
        assert_int_equal(registration_new(&p, &regworld_handlers, NULL, &rng, &r, &e).code,
                         ERR_INVALID);
        assert_string_equal(e.text, cases[i].sentence);
    }
}

/* --- refreshing --- */

static void refreshes_between_80_and_90_percent(void **state)
{
    uint64_t earliest = UINT64_MAX, latest = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct regworld w;
        regworld_make(&w, &regworld_both, &regworld_alice, seed);
        regworld_connect(&w, "192.0.2.7:40312");
        const uint64_t after = registration_deadline(w.phone) - w.now_ms;
        assert_in_range(after, 2880000, 3240000);
        earliest = after < earliest ? after : earliest;
        latest = after > latest ? after : latest;
        regworld_end(&w);
    }
    assert_true(earliest < 2900000 && latest > 3220000); /* it does spread */
}

static void refreshes_in_one_round_trip(void **state)
{
    struct regworld w;
    (void)state;
    regworld_make(&w, &regworld_both, &regworld_alice, 4);
    regworld_connect(&w, "192.0.2.7:40312");
    assert_true(regworld_said(&w, "nc=00000001"));
    for (int i = 2; i <= 4; i++) {
        char count[16];
        (void)snprintf(count, sizeof count, "nc=%08x", (unsigned)i);
        regworld_run_until(&w, registration_deadline(w.phone));
        assert_state(&w, "registered");
        assert_true(regworld_said(&w, count));
    }
    assert_int_equal(w.requests, 5);
    assert_string_equal(w.log, "challenged registered refreshed refreshed refreshed");
    regworld_end(&w);
}

static void is_registered_without_a_gap(void **state)
{
    static const uint32_t grants[] = {20, 60, 600, 3600};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(grants); i++) {
        struct registrar_config cfg = regworld_both;
        struct regworld w;
        cfg.max_expires_s = grants[i];
        cfg.nonce_lifetime_ms = 5 * MINUTE_MS;
        regworld_make(&w, &cfg, &regworld_alice, i);
        regworld_connect(&w, "192.0.2.7:40312");
        for (int step = 0; step < 1000; step++) {
            regworld_run_for(&w, grants[i] * 100U);
            assert_true(registration_is_up(w.phone));
            assert_int_equal(regworld_bindings(&w), 1);
        }
        regworld_end(&w);
    }
}

static void does_not_hammer_who_grants_next_to_nothing(void **state)
{
    struct registrar_config cfg = regworld_both;
    struct regworld w;
    (void)state;
    cfg.max_expires_s = 1;
    regworld_make(&w, &cfg, &regworld_alice, 5);
    regworld_connect(&w, "192.0.2.7:40312");
    regworld_run_for(&w, HOUR_MS);
    assert_true(w.requests < 750);
    regworld_end(&w);
}

static void takes_a_new_nonce_for_a_stale_one(void **state)
{
    static const bool silent[] = {false, true};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(silent); i++) {
        struct registrar_config cfg = regworld_both;
        struct regworld w;
        cfg.nonce_lifetime_ms = MINUTE_MS;
        cfg.silent_about_stale = silent[i];
        regworld_make(&w, &cfg, &regworld_alice, 6);
        regworld_connect(&w, "192.0.2.7:40312");
        regworld_run_until(&w, registration_deadline(w.phone));
        assert_state(&w, "registered");
        assert_string_equal(w.log, "challenged registered challenged refreshed");
        assert_int_equal(registration_error(w.phone)->code, ERR_OK);
        regworld_end(&w);
    }
}

static void uses_the_next_nonce(void **state)
{
    struct registrar_config cfg = regworld_both;
    struct regworld w;
    char first[64], second[64];
    (void)state;
    cfg.next_nonce = true;
    regworld_make(&w, &cfg, &regworld_alice, 7);
    regworld_connect(&w, "192.0.2.7:40312");
    copy_after(&w, " nonce=\"", first, sizeof first);
    regworld_run_until(&w, registration_deadline(w.phone));
    copy_after(&w, " nonce=\"", second, sizeof second);
    assert_string_not_equal(first, second);
    assert_true(regworld_said(&w, "nc=00000001"));
    assert_string_equal(w.log, "challenged registered refreshed");
    regworld_end(&w);
}

static void is_not_up_when_the_binding_has_ended(void **state)
{
    struct registrar_config cfg = regworld_both;
    struct regworld w;
    (void)state;
    cfg.max_expires_s = 60;
    regworld_make(&w, &cfg, &regworld_alice, 8);
    regworld_connect(&w, "192.0.2.7:40312");
    const uint64_t start = w.now_ms;
    w.unplugged = true;
    regworld_run_until(&w, start + 59999);
    assert_state(&w, "refreshing");
    assert_true(registration_is_up(w.phone));
    regworld_run_until(&w, start + 60000);
    assert_state(&w, "trying");
    assert_false(registration_is_up(w.phone));
    assert_int_equal(w.given_up, 0);
    regworld_run_until(&w, start + 60000 + LIMIT_SIP_TIMER_F_MS);
    assert_int_equal(w.given_up, 1);
    regworld_end(&w);
}

/* --- going --- */

static void removes_its_binding(void **state)
{
    static const uint64_t nonce_lifetimes_ms[] = {0, MINUTE_MS}; /* and with a challenge */
    (void)state;
    for (size_t i = 0; i < COUNT_OF(nonce_lifetimes_ms); i++) {
        struct registrar_config cfg = regworld_both;
        struct regworld w;
        cfg.nonce_lifetime_ms = nonce_lifetimes_ms[i];
        regworld_make(&w, &cfg, &regworld_alice, i);
        regworld_connect(&w, "192.0.2.7:40312");
        regworld_run_for(&w, 2 * MINUTE_MS);
        registration_remove(w.phone, w.now_ms);
        assert_state(&w, "removing");
        regworld_exchange(&w);
        assert_state(&w, "off");
        assert_true(regworld_said(&w, "\r\nExpires: 0\r\n"));
        assert_int_equal(regworld_bindings(&w), 0);
        assert_true(registration_deadline(w.phone) == UINT64_MAX);
        regworld_end(&w);
    }
}

static void removes_a_binding_that_is_being_made(void **state)
{
    struct registrar_config cfg = {.realm = NULL};
    struct regworld w;
    (void)state;
    regworld_make(&w, &cfg, &regworld_alice, 14);
    registration_connected(w.phone, "192.0.2.7:40312", w.now_ms);
    registration_remove(w.phone, w.now_ms);
    regworld_exchange(&w);
    assert_state(&w, "off");
    assert_int_equal(regworld_bindings(&w), 0);
    regworld_end(&w);
}

static void does_not_wait_for_ever_to_go(void **state)
{
    struct regworld w;
    (void)state;
    regworld_make(&w, &regworld_both, &regworld_alice, 15);
    regworld_connect(&w, "192.0.2.7:40312");
    w.unplugged = true;
    registration_remove(w.phone, w.now_ms);
    registration_remove(w.phone, w.now_ms); /* once is enough */
    const int requests = w.requests;
    regworld_run_for(&w, LIMIT_CLOSE_MS - 1);
    assert_state(&w, "removing");
    regworld_run_for(&w, 1);
    assert_state(&w, "off");
    assert_int_equal(w.requests, requests);
    assert_int_equal(w.given_up, 0);
    regworld_end(&w);
}

static void has_nothing_to_remove_while_it_waits(void **state)
{
    struct registrar_config cfg = regworld_both;
    struct regworld w;
    (void)state;
    cfg.fault = REGISTRAR_FORBIDDEN;
    regworld_make(&w, &cfg, &regworld_alice, 16);
    regworld_connect(&w, "192.0.2.7:40312");
    const int requests = w.requests;
    registration_remove(w.phone, w.now_ms);
    assert_state(&w, "off");
    assert_int_equal(w.requests, requests);
    regworld_end(&w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_every_kind_of_challenge),
        cmocka_unit_test(says_who_and_where_it_is),
        cmocka_unit_test(keeps_call_id_and_counts_cseq_over_connections),
        cmocka_unit_test(uses_the_authentication_name),
        cmocka_unit_test(escapes_odd_user_names),
        cmocka_unit_test(refuses_what_makes_no_register),
        cmocka_unit_test(refreshes_between_80_and_90_percent),
        cmocka_unit_test(refreshes_in_one_round_trip),
        cmocka_unit_test(is_registered_without_a_gap),
        cmocka_unit_test(does_not_hammer_who_grants_next_to_nothing),
        cmocka_unit_test(takes_a_new_nonce_for_a_stale_one),
        cmocka_unit_test(uses_the_next_nonce),
        cmocka_unit_test(is_not_up_when_the_binding_has_ended),
        cmocka_unit_test(removes_its_binding),
        cmocka_unit_test(removes_a_binding_that_is_being_made),
        cmocka_unit_test(does_not_wait_for_ever_to_go),
        cmocka_unit_test(has_nothing_to_remove_while_it_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
