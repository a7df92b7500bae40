/* A registration that is refused, or not answered, in simulated time. */
#include "tools/unit.h"

#include "base/limits.h"
#include "tools/regworld.h"

#define HOUR_MS 3600000U

/* --- refusals --- */

static void waits_long_after_a_wrong_password(void **state)
{
    static const struct {
        bool again;
        const char *sentence;
    } cases[] = {
        {false, "the server refused the user name or password (403 Forbidden)"},
        {true, "the server refused the user name or password (401 Unauthorized)"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct registrar_config cfg = regworld_both;
        struct registration_params p = regworld_alice;
        struct regworld w;
        cfg.challenge_again = cases[i].again;
        p.password = "wrong";
        regworld_make(&w, &cfg, &p, i);
        regworld_connect(&w, "192.0.2.7:40312");
        assert_state(&w, "waiting");
        assert_int_equal(registration_error(w.phone)->code, ERR_AUTH);
        assert_error(&w, cases[i].sentence);
        assert_int_equal(w.requests, 2);
        assert_true(registration_deadline(w.phone) - w.now_ms >= LIMIT_AUTH_RETRY_MS / 2);
        regworld_run_for(&w, 24 * HOUR_MS);
        assert_in_range(w.requests, 2 * 24, 2 * 120); /* it neither gives up nor hammers */
        assert_true(is_ok(registrar_add_user(w.server, "alice", NULL, "wrong")));
        regworld_run_for(&w, LIMIT_RECONNECT_MAX_MS);
        assert_state(&w, "registered");
        assert_int_equal(registration_error(w.phone)->code, ERR_OK);
        /* and what was is forgotten: the next wait is a first one again */
        assert_true(is_ok(registrar_add_user(w.server, "alice", NULL, "changed")));
        regworld_run_until(&w, registration_deadline(w.phone));
        assert_state(&w, "waiting");
        assert_true(registration_deadline(w.phone) - w.now_ms <= LIMIT_AUTH_RETRY_MS);
        regworld_end(&w);
    }
}

static void wait_holds_over_reconnections(void **state)
{
    struct registration_params p = regworld_alice;
    struct regworld w;
    (void)state;
    p.password = "wrong";
    regworld_make(&w, &regworld_both, &p, 9);
    regworld_connect(&w, "192.0.2.7:40312");
    const uint64_t again = registration_deadline(w.phone);
    registration_disconnected(w.phone);
    registration_disconnected(w.phone);
    assert_true(registration_deadline(w.phone) == UINT64_MAX);
    w.now_ms += 2000;
    regworld_connect(&w, "192.0.2.7:40313");
    assert_state(&w, "waiting");
    assert_int_equal(w.requests, 2);
    assert_true(registration_deadline(w.phone) == again);
    registration_disconnected(w.phone);
    registration_forget_refusals(w.phone);
    regworld_connect(&w, "192.0.2.7:40314");
    assert_int_equal(w.requests, 4);
    regworld_end(&w);
}

static void says_what_the_server_means(void **state)
{
    static const struct {
        enum registrar_fault fault;
        const char *user;
        const char *password;
        const char *sentence;
    } cases[] = {
        {REGISTRAR_FORBIDDEN, "alice", "secret",
         "the server does not let this account register (403 Forbidden)"},
        {REGISTRAR_WELL, "nobody", "secret",
         "the server does not know this account (404 Not Found)"},
        {REGISTRAR_WELL, "alice", NULL, "the server asks for a password, and the account has none"},
        {REGISTRAR_WELL, "alice", "", "the server asks for a password, and the account has none"},
        {REGISTRAR_UNAVAILABLE, "alice", "secret",
         "the server cannot register the account now (503 Service Unavailable)"},
        {REGISTRAR_INSATIABLE, "alice", "secret",
         "the server is content with no length of a registration (423 Interval Too Brief)"},
        {REGISTRAR_NO_CONTACT, "alice", "secret",
         "the server says that it registered, but not this phone"},
        {REGISTRAR_STALE, "alice", "secret", "the server asks for the password again and again"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct registrar_config cfg = regworld_both;
        struct registration_params p = regworld_alice;
        struct regworld w;
        cfg.fault = cases[i].fault;
        p.user = cases[i].user;
        p.password = cases[i].password;
        regworld_make(&w, &cfg, &p, i);
        regworld_connect(&w, "192.0.2.7:40312");
        assert_state(&w, "waiting");
        assert_error(&w, cases[i].sentence);
        assert_true(w.changes > 0);
        assert_true(w.requests <= 1 + LIMIT_AUTH_ROUNDS);
        const int before = w.requests;
        regworld_run_for(&w, HOUR_MS);
        assert_in_range(w.requests, before, before + 40);
        regworld_end(&w);
    }
}

static void recovers_when_the_server_does(void **state)
{
    struct registrar_config cfg = regworld_both;
    struct regworld w;
    (void)state;
    cfg.fault = REGISTRAR_UNAVAILABLE;
    regworld_make(&w, &cfg, &regworld_alice, 10);
    regworld_connect(&w, "192.0.2.7:40312");
    registrar_set_fault(w.server, REGISTRAR_WELL);
    regworld_run_for(&w, LIMIT_REGISTER_RETRY_MS);
    assert_state(&w, "registered");
    assert_int_equal(registration_error(w.phone)->code, ERR_OK);
    regworld_end(&w);
}

static void honours_retry_after(void **state)
{
    static const struct {
        uint32_t asked_s;
        uint64_t from_ms;
        uint64_t to_ms;
    } cases[] = {
        {1, LIMIT_REGISTER_RETRY_MS / 2, LIMIT_REGISTER_RETRY_MS}, /* ours is longer */
        {600, 600000, 660000},
        {4000000000U, LIMIT_RETRY_AFTER_S * 1000U, LIMIT_RETRY_AFTER_S * 1100U},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct registrar_config cfg = regworld_both;
        struct regworld w;
        cfg.fault = REGISTRAR_UNAVAILABLE;
        cfg.retry_after_s = cases[i].asked_s;
        regworld_make(&w, &cfg, &regworld_alice, i);
        regworld_connect(&w, "192.0.2.7:40312");
        assert_in_range(registration_deadline(w.phone) - w.now_ms, cases[i].from_ms,
                        cases[i].to_ms);
        regworld_end(&w);
    }
}

static void lengthens_for_423(void **state)
{
    struct registrar_config cfg = regworld_both;
    struct regworld w;
    struct registration_params p = regworld_alice;
    (void)state;
    cfg.min_expires_s = 900;
    p.expires_s = 60;
    regworld_make(&w, &cfg, &p, 11);
    regworld_connect(&w, "192.0.2.7:40312");
    assert_state(&w, "registered");
    assert_int_equal(registration_granted_s(w.phone), 900);
    assert_int_equal(w.requests, 3);
    regworld_run_until(&w, registration_deadline(w.phone)); /* it is remembered */
    assert_int_equal(w.requests, 4);
    regworld_end(&w);
}

static void refuses_to_register_for_too_long(void **state)
{
    struct registrar_config cfg = regworld_both;
    struct regworld w;
    (void)state;
    cfg.min_expires_s = 86401;
    regworld_make(&w, &cfg, &regworld_alice, 12);
    regworld_connect(&w, "192.0.2.7:40312");
    assert_state(&w, "waiting");
    assert_error(&w, "the server wants registrations to last 86401 s: more than 86400");
    regworld_end(&w);
}

static void drops_what_the_server_does_not_know(void **state)
{
    static const struct {
        enum registrar_fault fault;
        const char *has;
        const char *has_not;
    } cases[] = {
        {REGISTRAR_NO_SIPS, "Contact: <sip:alice@192.0.2.7:40312;transport=tls>", "sips:"},
        {REGISTRAR_NO_OUTBOUND, "Supported: path\r\n", "reg-id"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct registrar_config cfg = regworld_both;
        struct regworld w;
        cfg.fault = cases[i].fault;
        regworld_make(&w, &cfg, &regworld_alice, i);
        regworld_connect(&w, "192.0.2.7:40312");
        assert_state(&w, "registered");
        assert_true(regworld_said(&w, cases[i].has));
        assert_false(regworld_said(&w, cases[i].has_not));
        registration_disconnected(w.phone); /* and remembers it */
        const int before = w.requests;
        regworld_connect(&w, "192.0.2.7:40312");
        assert_state(&w, "registered");
        assert_int_equal(w.requests, before + 1);
        regworld_end(&w);
    }
}

/* --- no answers --- */

static void gives_the_connection_up_without_an_answer(void **state)
{
    static const enum registrar_fault faults[] = {REGISTRAR_SILENT, REGISTRAR_TRYING,
                                                  REGISTRAR_WRONG_CSEQ};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        struct registrar_config cfg = regworld_both;
        struct regworld w;
        cfg.fault = faults[i];
        regworld_make(&w, &cfg, &regworld_alice, i);
        regworld_connect(&w, "192.0.2.7:40312");
        const uint64_t start = w.now_ms;
        assert_state(&w, "trying");
        regworld_run_until(&w, start + LIMIT_SIP_TIMER_F_MS - 1);
        assert_int_equal(w.given_up, 0);
        regworld_run_until(&w, start + LIMIT_SIP_TIMER_F_MS);
        assert_int_equal(w.given_up, 1);
        assert_state(&w, "off");
        assert_error(&w, "the server did not answer the REGISTER within 32 s");
        assert_true(registration_deadline(w.phone) == UINT64_MAX);
        regworld_end(&w);
    }
}

static void leaves_responses_to_others_alone(void **state)
{
    static const char response[] = "SIP/2.0 200 OK\r\n"
                                   "Via: SIP/2.0/TLS 192.0.2.7:40312;branch=z9hG4bKother\r\n"
                                   "From: <sips:alice@example.com>;tag=a\r\n"
                                   "To: <sips:alice@example.com>;tag=b\r\n"
                                   "Call-ID: other\r\n"
                                   "CSeq: 1 REGISTER\r\n"
                                   "Content-Length: 0\r\n\r\n";
    struct regworld w;
    struct sip_message *m;
    (void)state;
    regworld_make(&w, &regworld_both, &regworld_alice, 13);
    registration_connected(w.phone, "192.0.2.7:40312", w.now_ms);
    assert_true(is_ok(sip_message_parse(slice_of_str(response), &m, NULL)));
    assert_false(registration_receive(w.phone, m, w.now_ms));
    assert_state(&w, "trying");
    sip_message_free(m);
    regworld_end(&w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_long_after_a_wrong_password),
        cmocka_unit_test(wait_holds_over_reconnections),
        cmocka_unit_test(says_what_the_server_means),
        cmocka_unit_test(recovers_when_the_server_does),
        cmocka_unit_test(honours_retry_after),
        cmocka_unit_test(lengthens_for_423),
        cmocka_unit_test(refuses_to_register_for_too_long),
        cmocka_unit_test(drops_what_the_server_does_not_know),
        cmocka_unit_test(gives_the_connection_up_without_an_answer),
        cmocka_unit_test(leaves_responses_to_others_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
