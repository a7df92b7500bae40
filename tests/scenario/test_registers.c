/* The way up: an account connects, is locked and registered, and stays so. */
#include "tools/unit.h"

#include <string.h>

#include "scenario/lab.h"
#include "tools/tlswire.h"

static int set_up(void **state)
{
    *state = lab_new();
    return 0;
}

static int tear_down(void **state)
{
    lab_free(*state);
    return 0;
}

static void start(struct lab *lab, lab_change_fn *change)
{
    lab_account(lab, change);
    account_start(lab->account);
}

/* --- the main line --- */

static void test_is_locked_and_registered(void **state)
{
    struct lab *lab = *state;
    struct registrar_endpoint *server = lab_serve(lab, LAB_IP, lab_good(lab));
    start(lab, NULL);
    assert_true(lab_until(lab, lab_is_locked, 1000));
    const struct account_status s = lab_status(lab);
    assert_int_equal(s.state, ACCOUNT_OPEN);
    assert_int_equal(s.verdict->class, VERDICT_VERIFIED);
    assert_true(s.name_checked);
    assert_string_equal(s.aor, "sips:alice@" LAB_HOST);
    assert_string_equal(s.host, LAB_HOST);
    assert_string_equal(s.tls.version, "TLSv1.3");
    assert_int_equal(s.granted_s, 600);
    assert_int_equal(s.registration_status, 200);
    assert_int_equal(s.error->code, ERR_OK);
    assert_int_equal(s.failures, 0);
    const struct addr at = registrar_endpoint_facts(server).at;
    assert_true(addr_eq(&s.remote, &at));
    assert_int_equal(lab->events[REGISTRAR_REGISTERED], 1);
}

static void test_tells_each_change_once(void **state)
{
    struct lab *lab = *state;
    static const struct lab_view expected[] = {
        {ACCOUNT_RESOLVING, REGISTRATION_OFF, false},
        {ACCOUNT_CONNECTING, REGISTRATION_OFF, false},
        {ACCOUNT_HANDSHAKE, REGISTRATION_OFF, false},
        {ACCOUNT_OPEN, REGISTRATION_TRYING, true},
        {ACCOUNT_OPEN, REGISTRATION_TRYING, true}, /* the challenge: another last status */
        {ACCOUNT_OPEN, REGISTRATION_REGISTERED, true},
    };
    lab_serve(lab, LAB_IP, lab_good(lab));
    start(lab, NULL);
    assert_true(lab_until(lab, lab_is_locked, 1000));
    sim_advance(lab->sim, 10000);
    assert_int_equal(lab->views_count, COUNT_OF(expected));
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_int_equal(lab->views[i].state, expected[i].state);
        assert_int_equal(lab->views[i].registration, expected[i].registration);
        assert_int_equal(lab->views[i].encrypted, expected[i].encrypted);
    }
}

static void byte_by_byte(struct lab *lab, struct registrar_endpoint_params params)
{
    sim_net_chunk(lab->sim, 1);
    lab_serve_as(lab, LAB_IP, lab_good(lab), params);
    start(lab, NULL);
    assert_true(lab_until(lab, lab_is_locked, 5000));
}

static void test_byte_by_byte(void **state)
{
    byte_by_byte(*state, (struct registrar_endpoint_params){.versions = TLS_1_3_ONLY});
}

static void test_byte_by_byte_tls_1_2(void **state)
{
    byte_by_byte(*state, (struct registrar_endpoint_params){.versions = TLS_1_2_ONLY});
}

static void test_tls_1_2_server(void **state)
{
    struct lab *lab = *state;
    lab_serve_as(lab, LAB_IP, lab_good(lab),
                 (struct registrar_endpoint_params){.versions = TLS_1_2_ONLY});
    start(lab, NULL);
    assert_true(lab_until(lab, lab_is_locked, 1000));
    assert_string_equal(lab_status(lab).tls.version, "TLSv1.2");
}

static void only_1_2(struct account_config *cfg)
{
    cfg->versions = TLS_1_2_ONLY;
}

static void test_no_common_version(void **state)
{
    struct lab *lab = *state;
    struct registrar_endpoint *server = lab_serve_as(
        lab, LAB_IP, lab_good(lab), (struct registrar_endpoint_params){.versions = TLS_1_3_ONLY});
    start(lab, only_1_2);
    assert_true(lab_until(lab, lab_is_waiting, 1000));
    lab_assert_error(lab, ERR_TLS, LAB_HOST " (" LAB_IP ":5061)");
    assert_int_equal(registrar_endpoint_facts(server).opened, 0);
}

static void by_proxy(struct account_config *cfg)
{
    cfg->domain = "example.net"; /* which does not even resolve */
    cfg->proxy_host = LAB_HOST;
}

/* The outbound proxy is where it connects to, and whose name is checked. */
static void test_outbound_proxy(void **state)
{
    struct lab *lab = *state;
    lab_serve(lab, LAB_IP, lab_good(lab));
    start(lab, by_proxy);
    assert_true(lab_until(lab, lab_is_locked, 1000));
    assert_string_equal(lab_status(lab).aor, "sips:alice@example.net");
    assert_string_equal(lab_status(lab).host, LAB_HOST);
}

static void by_address(struct account_config *cfg)
{
    cfg->domain = LAB_IP;
}

static void test_ip_address_as_server(void **state)
{
    struct lab *lab = *state;
    lab_serve(lab, LAB_IP,
              testpki_make(&(struct testpki_spec){
                  .subject = "CN=server", .issuer = lab->ca, .san = "IP:" LAB_IP}));
    start(lab, by_address);
    assert_true(lab_until(lab, lab_is_locked, 1000));
}

/* --- staying up --- */

static void test_refreshes_in_time(void **state)
{
    struct lab *lab = *state;
    lab_serve(lab, LAB_IP, lab_good(lab));
    start(lab, NULL);
    assert_true(lab_until(lab, lab_is_locked, 1000));
    sim_advance(lab->sim, 479 * 1000);
    assert_int_equal(lab->events[REGISTRAR_REFRESHED], 0);
    sim_advance(lab->sim, 62 * 1000); /* 90 % of 600 s are over */
    assert_int_equal(lab->events[REGISTRAR_REFRESHED], 1);
    sim_advance(lab->sim, 24 * 3600 * 1000);
    assert_in_range(lab->events[REGISTRAR_REFRESHED], 160, 181);
    assert_int_equal(lab->events[REGISTRAR_EXPIRED], 0);
    assert_int_equal(sim_link_count(lab->sim), 1);
}

/* Nothing wakes the phone between two refreshes. */
static void test_idle_is_idle(void **state)
{
    struct lab *lab = *state;
    lab_serve(lab, LAB_IP, lab_good(lab));
    start(lab, NULL);
    assert_true(lab_until(lab, lab_is_locked, 1000));
    sim_settle(lab->sim);
    assert_in_range(sim_next(lab->sim), 470 * 1000, 540 * 1000);
}

static void test_reconnect_resumes(void **state)
{
    struct lab *lab = *state;
    struct registrar_endpoint *server = lab_serve(lab, LAB_IP, lab_good(lab));
    start(lab, NULL);
    assert_true(lab_until(lab, lab_is_locked, 1000));
    sim_settle(lab->sim);
    account_reconnect(lab->account);
    assert_false(lab_status(lab).encrypted);
    assert_true(lab_until(lab, lab_is_locked, 1000));
    assert_int_equal(registrar_endpoint_facts(server).opened, 2);
    assert_int_equal(registrar_endpoint_facts(server).resumed, 1);
    assert_true(lab_status(lab).tls.resumed);
    assert_int_equal(lab_status(lab).verdict->class, VERDICT_VERIFIED);
    sim_settle(lab->sim);
    assert_int_equal(registrar_endpoint_facts(server).open_now, 1);
}

/* --- our own certificate --- */

static void use_certificate(struct lab *lab)
{
    const struct testpki_cert *cert =
        testpki_make(&(struct testpki_spec){.subject = "CN=00:15:65:12:34:56", .issuer = lab->ca});
    lab->shared.identity = tlswire_identity(&cert, 1);
}

static bool is_open(const struct account_status *s)
{
    return s->state == ACCOUNT_OPEN;
}

/* With TLS 1.3 the server judges our certificate after our handshake is done. */
static void test_no_lock_before_the_server_accepts_us(void **state)
{
    struct lab *lab = *state;
    use_certificate(lab);
    lab_serve_as(lab, LAB_IP, lab_good(lab),
                 (struct registrar_endpoint_params){.versions = TLS_1_3_ONLY,
                                                    .client_auth = TLS_CLIENT_AUTH_REQUIRE});
    start(lab, NULL);
    assert_true(lab_until(lab, is_open, 1000));
    assert_false(lab_status(lab).encrypted);
    assert_true(lab_until(lab, lab_is_locked, 1000));
    assert_true(lab_status(lab).tls.sent_certificate);
}

static void test_tls_1_2_handshake_says_it_all(void **state)
{
    struct lab *lab = *state;
    use_certificate(lab);
    lab_serve_as(lab, LAB_IP, lab_good(lab),
                 (struct registrar_endpoint_params){.versions = TLS_1_2_ONLY,
                                                    .client_auth = TLS_CLIENT_AUTH_REQUIRE});
    start(lab, NULL);
    assert_true(lab_until(lab, is_open, 1000));
    assert_true(lab_status(lab).encrypted);
    assert_true(lab_until(lab, lab_is_locked, 1000));
}

static bool never(const struct account_status *s)
{
    assert_false(s->encrypted);
    return false;
}

static void test_no_lock_where_a_certificate_is_missing(void **state)
{
    struct lab *lab = *state;
    lab_serve_as(lab, LAB_IP, lab_good(lab),
                 (struct registrar_endpoint_params){.versions = TLS_1_3_ONLY,
                                                    .client_auth = TLS_CLIENT_AUTH_REQUIRE});
    start(lab, NULL);
    assert_false(lab_until(lab, never, 1000));
    assert_int_equal(lab_status(lab).state, ACCOUNT_WAITING);
    lab_assert_error(lab, ERR_IDENTITY,
                     "the server wants a certificate of the phone's and got none (alert "
                     "certificate_required, 116); the phone has none to show");
}

/* --- what servers ask --- */

#define OPTIONS                                               \
    "OPTIONS sips:alice@192.0.2.7 SIP/2.0\r\n"                \
    "Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKone\r\n"   \
    "From: <sips:ping@sip.example.com>;tag=1\r\n"             \
    "To: <sips:alice@sip.example.com>\r\n"                    \
    "Call-ID: one\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n" \
    "Content-Length: 0\r\n\r\n"
#define INVITE                                               \
    "INVITE sips:alice@192.0.2.7 SIP/2.0\r\n"                \
    "Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKtwo\r\n"  \
    "From: <sips:bob@sip.example.com>;tag=2\r\n"             \
    "To: <sips:alice@sip.example.com>\r\n"                   \
    "Call-ID: two\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n" \
    "Contact: <sips:bob@192.0.2.9>\r\n"                      \
    "Content-Length: 0\r\n\r\n"

static void test_answers_requests(void **state)
{
    struct lab *lab = *state;
    struct registrar_endpoint *server = lab_serve(lab, LAB_IP, lab_good(lab));
    start(lab, NULL);
    assert_true(lab_until(lab, lab_is_locked, 1000));
    registrar_endpoint_send(server, SLICE_LIT(OPTIONS));
    sim_settle(lab->sim);
    assert_int_equal(registrar_endpoint_facts(server).last_status, 200);
    registrar_endpoint_send(server, SLICE_LIT(INVITE));
    sim_settle(lab->sim);
    assert_int_equal(registrar_endpoint_facts(server).last_status, 503);
    const struct account_status s = lab_status(lab);
    assert_true(lab_is_locked(&s));
}

/* Something that is no SIP message does no harm while its boundaries are known. */
static void test_drops_what_is_no_message(void **state)
{
    struct lab *lab = *state;
    struct registrar_endpoint *server = lab_serve(lab, LAB_IP, lab_good(lab));
    start(lab, NULL);
    assert_true(lab_until(lab, lab_is_locked, 1000));
    registrar_endpoint_send(server, SLICE_LIT("SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
    sim_settle(lab->sim);
    const struct account_status s = lab_status(lab);
    assert_true(lab_is_locked(&s));
}

static void test_closes_what_has_no_boundaries(void **state)
{
    struct lab *lab = *state;
    struct registrar_endpoint *server = lab_serve(lab, LAB_IP, lab_good(lab));
    start(lab, NULL);
    assert_true(lab_until(lab, lab_is_locked, 1000));
    registrar_endpoint_send(server, SLICE_LIT("SIP/2.0 200 OK\r\nContent-Length: -5\r\n\r\n"));
    sim_settle(lab->sim);
    assert_int_equal(lab_status(lab).state, ACCOUNT_WAITING);
    assert_false(lab_status(lab).encrypted);
    lab_assert_error(lab, ERR_PARSE, LAB_HOST);
}

/* --- the end --- */

static void test_stop_takes_the_registration_back(void **state)
{
    struct lab *lab = *state;
    struct registrar_endpoint *server = lab_serve(lab, LAB_IP, lab_good(lab));
    start(lab, NULL);
    assert_true(lab_until(lab, lab_is_locked, 1000));
    account_stop(lab->account);
    assert_int_equal(lab_status(lab).state, ACCOUNT_STOPPING);
    assert_true(lab_until(lab, lab_is_idle, 1000));
    assert_int_equal(lab->events[REGISTRAR_UNREGISTERED], 1);
    assert_false(lab_status(lab).encrypted);
    assert_int_equal(lab_status(lab).verdict->class, VERDICT_NONE);
    sim_settle(lab->sim);
    assert_int_equal(registrar_endpoint_facts(server).open_now, 0);
    assert_int_equal(registrar_endpoint_facts(server).closed_cleanly, 1);
    account_start(lab->account);
    assert_true(lab_until(lab, lab_is_locked, 1000));
}

#define SCENARIO(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_is_locked_and_registered),
        SCENARIO(test_tells_each_change_once),
        SCENARIO(test_byte_by_byte),
        SCENARIO(test_byte_by_byte_tls_1_2),
        SCENARIO(test_tls_1_2_server),
        SCENARIO(test_no_common_version),
        SCENARIO(test_outbound_proxy),
        SCENARIO(test_ip_address_as_server),
        SCENARIO(test_refreshes_in_time),
        SCENARIO(test_idle_is_idle),
        SCENARIO(test_reconnect_resumes),
        SCENARIO(test_no_lock_before_the_server_accepts_us),
        SCENARIO(test_tls_1_2_handshake_says_it_all),
        SCENARIO(test_no_lock_where_a_certificate_is_missing),
        SCENARIO(test_answers_requests),
        SCENARIO(test_drops_what_is_no_message),
        SCENARIO(test_closes_what_has_no_boundaries),
        SCENARIO(test_stop_takes_the_registration_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
