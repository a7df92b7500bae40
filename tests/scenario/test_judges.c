/* Whom an account trusts: refused certificates, and what a new trust store or clock does to live
 * ones. */
#include "tools/unit.h"

#include <string.h>

#include "base/limits.h"
#include "scenario/lab.h"

#define SECONDS(n) ((n)*UINT64_C(1000))
#define DAYS(n)    ((n)*INT64_C(86400))

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

/* --- refused --- */

static const struct testpki_cert *leaf(const struct lab *lab, const struct testpki_spec *spec)
{
    struct testpki_spec s = *spec;
    s.subject = "CN=" LAB_HOST;
    if (s.issuer == NULL)
        s.issuer = lab->ca;
    if (s.san == NULL)
        s.san = "DNS:" LAB_HOST;
    return testpki_make(&s);
}

static const struct testpki_cert *wrong_name(const struct lab *lab)
{
    return leaf(lab, &(struct testpki_spec){.san = "DNS:other.example.net"});
}

static const struct testpki_cert *expired(const struct lab *lab)
{
    return leaf(lab, &(struct testpki_spec){.not_after = SIM_EPOCH_S - DAYS(1)});
}

static const struct testpki_cert *not_yet_valid(const struct lab *lab)
{
    return leaf(lab, &(struct testpki_spec){.not_before = SIM_EPOCH_S + DAYS(1)});
}

static const struct testpki_cert *unknown_ca(const struct lab *lab)
{
    return leaf(lab, &(struct testpki_spec){.issuer = testpki_make(&(struct testpki_spec){
                                                .subject = "CN=Elsewhere Root", .ca = true})});
}

static const struct testpki_cert *self_signed(const struct lab *lab)
{
    (void)lab;
    return testpki_make(&(struct testpki_spec){.subject = "CN=" LAB_HOST, .san = "DNS:" LAB_HOST});
}

static const struct refusal {
    const char *name;
    const struct testpki_cert *(*make)(const struct lab *lab);
    enum reason_code reason;
    int alert;
} refusals[] = {
    {"wrong name", wrong_name, REASON_NAME_MISMATCH, 42},
    {"expired", expired, REASON_EXPIRED, 45},
    {"not yet valid", not_yet_valid, REASON_NOT_YET_VALID, 45},
    {"unknown CA", unknown_ca, REASON_UNKNOWN_CA, 48},
    {"self-signed", self_signed, REASON_SELF_SIGNED, 48},
};

static bool never_locked(const struct account_status *s)
{
    assert_false(s->encrypted);
    return s->state == ACCOUNT_WAITING;
}

static void refuse(struct lab *lab, const struct refusal *r, enum tls_versions v)
{
    struct registrar_endpoint *server =
        lab_serve_as(lab, LAB_IP, r->make(lab), (struct registrar_endpoint_params){.versions = v});
    start(lab, NULL);
    assert_true(lab_until(lab, never_locked, SECONDS(1)));
    sim_settle(lab->sim);
    const struct account_status s = lab_status(lab);
    assert_int_equal(s.verdict->class, VERDICT_REJECTED);
    assert_int_equal(s.verdict->reasons[0].code, r->reason);
    assert_int_equal(s.error->code, ERR_CERT);
    assert_string_equal(s.error->text, verdict_sentence(s.verdict));
    /* The server: one handshake that failed with the alert that says why, and not a byte of SIP. */
    const struct registrar_endpoint_facts f = registrar_endpoint_facts(server);
    assert_int_equal(f.accepted, 1);
    assert_int_equal(f.opened, 0);
    assert_int_equal(f.messages, 0);
    assert_int_equal(f.alert_received, r->alert);
}

static void test_refuses_with_the_right_alert(void **state)
{
    (void)state;
    static const enum tls_versions versions[] = {TLS_1_2_ONLY, TLS_1_3_ONLY};
    for (size_t v = 0; v < COUNT_OF(versions); v++)
        for (size_t i = 0; i < COUNT_OF(refusals); i++) {
            struct lab *lab = lab_new();
            print_message("%s, version %zu\n", refusals[i].name, v);
            refuse(lab, &refusals[i], versions[v]);
            lab_free(lab);
        }
}

/* A bad certificate is as good a reason as any other not to hammer the server. */
static void test_a_refused_server_is_not_hammered(void **state)
{
    struct lab *lab = *state;
    lab_serve(lab, LAB_IP, wrong_name(lab));
    start(lab, NULL);
    sim_advance(lab->sim, SECONDS(24 * 3600));
    assert_in_range(sim_link_count(lab->sim), 48, 110);
}

static void trusting_all(struct account_config *cfg)
{
    cfg->policy.check_trust = false;
}

static void test_trust_checking_off(void **state)
{
    struct lab *lab = *state;
    lab_serve(lab, LAB_IP, expired(lab));
    start(lab, trusting_all);
    assert_true(lab_until(lab, lab_is_locked, SECONDS(1)));
    assert_int_equal(lab_status(lab).verdict->class, VERDICT_UNVERIFIED);
    assert_int_equal(lab_status(lab).verdict->reasons[0].code, REASON_EXPIRED);
}

static void any_name(struct account_config *cfg)
{
    cfg->check_name = false;
}

static void test_name_checking_off(void **state)
{
    struct lab *lab = *state;
    lab_serve(lab, LAB_IP, wrong_name(lab));
    start(lab, any_name);
    assert_true(lab_until(lab, lab_is_locked, SECONDS(1)));
    assert_int_equal(lab_status(lab).verdict->class, VERDICT_VERIFIED);
    assert_false(lab_status(lab).name_checked);
}

/* --- another trust store under a live connection --- */

static void give_trust(struct lab *lab, const struct testpki_cert *const *certs, size_t n)
{
    struct trust *trust = lab_trust(certs, n);
    account_set_trust(lab->account, trust);
    trust_unref(trust);
}

static void test_ca_removed_and_added_back(void **state)
{
    struct lab *lab = *state;
    struct registrar_endpoint *server = lab_serve(lab, LAB_IP, lab_good(lab));
    start(lab, NULL);
    assert_true(lab_until(lab, lab_is_locked, SECONDS(1)));
    sim_settle(lab->sim);
    give_trust(lab, NULL, 0);
    assert_false(lab_status(lab).encrypted); /* at once */
    assert_int_equal(lab_status(lab).state, ACCOUNT_WAITING);
    assert_int_equal(lab_status(lab).verdict->class, VERDICT_REJECTED);
    lab_assert_error(lab, ERR_CERT, "");
    sim_advance(lab->sim, SECONDS(3600));
    assert_int_equal(registrar_endpoint_facts(server).opened, 1); /* nor by a kept session */
    const size_t tries = sim_link_count(lab->sim);
    give_trust(lab, &lab->ca, 1);
    assert_true(lab_until(lab, lab_is_locked, SECONDS(1))); /* without waiting */
    assert_int_equal(sim_link_count(lab->sim), tries + 1);
    assert_int_equal(lab_status(lab).verdict->class, VERDICT_VERIFIED);
}

static void test_a_good_connection_is_not_touched(void **state)
{
    struct lab *lab = *state;
    lab_serve(lab, LAB_IP, lab_good(lab));
    start(lab, NULL);
    assert_true(lab_until(lab, lab_is_locked, SECONDS(1)));
    sim_settle(lab->sim);
    const size_t views = lab->views_count;
    const struct testpki_cert *more[] = {
        testpki_make(&(struct testpki_spec){.subject = "CN=Another Root", .ca = true}), lab->ca};
    give_trust(lab, more, COUNT_OF(more));
    sim_advance(lab->sim, SECONDS(60));
    assert_int_equal(sim_link_count(lab->sim), 1);
    assert_int_equal(lab->views_count, views); /* and nothing is told */
    assert_true(lab_status(lab).encrypted);
}

static bool in_handshake(const struct account_status *s)
{
    return s->state == ACCOUNT_HANDSHAKE;
}

/* The trust store is replaced while a handshake is under way that the old one would have let in. */
static void test_ca_removed_during_the_handshake(void **state)
{
    struct lab *lab = *state;
    lab_serve_as(lab, LAB_IP, lab_good(lab),
                 (struct registrar_endpoint_params){.versions = TLS_1_2_ONLY});
    start(lab, NULL);
    assert_true(lab_until(lab, in_handshake, SECONDS(1)));
    sim_advance(lab->sim, 3); /* the certificates were judged, the server's Finished is missing */
    assert_int_equal(lab_status(lab).state, ACCOUNT_HANDSHAKE);
    give_trust(lab, NULL, 0);
    sim_settle(lab->sim);
    assert_int_equal(lab_status(lab).state, ACCOUNT_WAITING);
    assert_int_equal(lab_status(lab).verdict->class, VERDICT_REJECTED);
    assert_int_equal(lab->events[REGISTRAR_REGISTERED], 0);
}

/* --- the clock --- */

static const struct testpki_cert *issued_later(const struct lab *lab)
{
    return leaf(lab, &(struct testpki_spec){.not_before = SIM_BUILD_S + DAYS(10)});
}

static void lose_clock(struct lab *lab)
{
    sim_clock_set(lab->sim, SIM_BUILD_S, CLOCK_UNSET);
    sim_settle(lab->sim);
}

static void test_waits_for_the_clock(void **state)
{
    struct lab *lab = *state;
    lose_clock(lab);
    lab_serve(lab, LAB_IP, issued_later(lab));
    start(lab, NULL);
    assert_true(lab_until(lab, never_locked, SECONDS(1)));
    assert_int_equal(lab_status(lab).verdict->reasons[0].code, REASON_CLOCK_UNSET);
    sim_clock_set(lab->sim, SIM_EPOCH_S, CLOCK_SET);
    assert_true(lab_until(lab, lab_is_locked, SECONDS(1))); /* at once, whatever the back-off */
    assert_int_equal(lab_status(lab).verdict->class, VERDICT_VERIFIED);
}

static void provisional(struct account_config *cfg)
{
    cfg->policy.clock = VERIFY_CLOCK_PROVISIONAL;
}

static void test_provisional_until_the_clock_is_set(void **state)
{
    struct lab *lab = *state;
    lose_clock(lab);
    lab_serve(lab, LAB_IP, issued_later(lab));
    start(lab, provisional);
    assert_true(lab_until(lab, lab_is_locked, SECONDS(1)));
    assert_int_equal(lab_status(lab).verdict->class, VERDICT_PROVISIONAL);
    const size_t views = lab->views_count;
    sim_clock_set(lab->sim, SIM_EPOCH_S, CLOCK_SET);
    sim_settle(lab->sim);
    assert_int_equal(lab_status(lab).verdict->class, VERDICT_VERIFIED);
    assert_int_equal(lab->views_count, views + 1);
    assert_int_equal(sim_link_count(lab->sim), 1);
}

/* The set clock shows that the certificate has long expired. */
static void test_provisional_turns_out_expired(void **state)
{
    struct lab *lab = *state;
    lose_clock(lab);
    struct registrar_endpoint *server = lab_serve(lab, LAB_IP, expired(lab));
    start(lab, provisional);
    assert_true(lab_until(lab, lab_is_locked, SECONDS(1)));
    sim_settle(lab->sim);
    sim_clock_set(lab->sim, SIM_EPOCH_S, CLOCK_SET);
    assert_true(lab_until(lab, lab_is_waiting, 10));
    assert_int_equal(lab_status(lab).verdict->reasons[0].code, REASON_EXPIRED);
    sim_advance(lab->sim, SECONDS(600));
    assert_int_equal(registrar_endpoint_facts(server).opened, 1); /* nor by a kept session */
}

/* A clock that is set again and again does not make an account hammer its server. */
static void test_clock_changes_do_not_end_the_back_off(void **state)
{
    struct lab *lab = *state;
    lab_serve(lab, LAB_IP, wrong_name(lab));
    start(lab, NULL);
    sim_advance(lab->sim, SECONDS(3600));
    const size_t tries = sim_link_count(lab->sim);
    for (int i = 0; i < 100; i++) {
        sim_clock_set(lab->sim, SIM_EPOCH_S + 3600 + i, CLOCK_SET);
        sim_advance(lab->sim, 100);
    }
    assert_in_range(sim_link_count(lab->sim), tries, tries + 1);
}

#define SCENARIO(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refuses_with_the_right_alert),
        SCENARIO(test_a_refused_server_is_not_hammered),
        SCENARIO(test_trust_checking_off),
        SCENARIO(test_name_checking_off),
        SCENARIO(test_ca_removed_and_added_back),
        SCENARIO(test_a_good_connection_is_not_touched),
        SCENARIO(test_ca_removed_during_the_handshake),
        SCENARIO(test_waits_for_the_clock),
        SCENARIO(test_provisional_until_the_clock_is_set),
        SCENARIO(test_provisional_turns_out_expired),
        SCENARIO(test_clock_changes_do_not_end_the_back_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
