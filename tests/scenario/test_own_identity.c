/* The phone's own certificate: servers that refuse it, and what it does to accounts when it is
 * replaced. */
#include "tools/unit.h"

#include <string.h>

#include "base/limits.h"
#include "scenario/lab.h"
#include "tools/tlswire.h"

#define SECONDS(n) ((n)*UINT64_C(1000))

/* A server that takes one certificate, and remembers who came. */
struct gate {
    const struct testpki_cert *good;
    struct slice last; /* the leaf that came last, among those of the world; or empty */
    unsigned came;
    struct registrar_endpoint *server;
};

struct world {
    struct lab *lab;
    const struct testpki_cert *old_cert, *new_cert;
    struct identity *old, *new;
    struct gate gate;
};

static void judge(void *arg, const struct slice *chain, size_t n, struct verdict *out)
{
    struct world *w = arg;
    const struct testpki_cert *const known[] = {w->old_cert, w->new_cert};
    w->gate.came++;
    w->gate.last = SLICE_EMPTY;
    for (size_t i = 0; n > 0 && i < COUNT_OF(known); i++)
        if (slice_eq(chain[0], testpki_der(known[i])))
            w->gate.last = testpki_der(known[i]);
    out->class = VERDICT_REJECTED;
    if (w->gate.good != NULL && n > 0 && slice_eq(chain[0], testpki_der(w->gate.good)))
        out->class = VERDICT_VERIFIED;
    else
        verdict_add(out, REASON_UNKNOWN_CA, 0, "", "its issuer is not known here");
}

static int set_up(void **state)
{
    static struct world w;
    w = (struct world){.lab = lab_new()};
    w.old_cert = testpki_make(&(struct testpki_spec){.subject = "CN=old"});
    w.new_cert = testpki_make(&(struct testpki_spec){.subject = "CN=new"});
    w.old = tlswire_identity(&w.old_cert, 1);
    w.new = tlswire_identity(&w.new_cert, 1);
    w.lab->shared.identity = identity_ref(w.old); /* lab_free() gives it back */
    w.lab->shared.identity_source = IDENTITY_UNIQUE;
    w.gate.good = w.new_cert;
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    lab_free(w->lab);
    identity_unref(w->old);
    identity_unref(w->new);
    return 0;
}

static void serve(struct world *w, enum tls_versions versions)
{
    w->gate.server = lab_serve_as(w->lab, LAB_IP, lab_good(w->lab),
                                  (struct registrar_endpoint_params){
                                      .versions = versions,
                                      .client_auth = TLS_CLIENT_AUTH_REQUIRE,
                                      .judge = judge,
                                      .judge_arg = w,
                                  });
}

static void start(struct world *w)
{
    lab_account(w->lab, NULL);
    account_start(w->lab->account);
}

static void show(struct world *w, struct identity *id)
{
    struct errinfo e = ERRINFO_INIT;
    if (is_err(account_set_identity(w->lab->account, id, IDENTITY_CUSTOM, &e)))
        fail_msg("%s", e.text);
}

static uint64_t now_ms(const struct world *w)
{
    return loop_now_ms(w->lab->shared.loop);
}

static bool never_locked(const struct account_status *s)
{
    assert_false(s->encrypted);
    return lab_is_waiting(s);
}

static bool is_in_handshake(const struct account_status *s)
{
    return s->state == ACCOUNT_HANDSHAKE;
}

#define assert_showed(w, cert) assert_true(slice_eq((w)->gate.last, testpki_der(cert)))

/* --- refused --- */

/* The sentence says which certificate it was; a better one helps at once. */
static void refused(struct world *w, enum tls_versions versions)
{
    serve(w, versions);
    start(w);
    assert_true(lab_until(w->lab, never_locked, SECONDS(1)));
    lab_assert_error(w->lab, ERR_IDENTITY,
                     LAB_HOST " (" LAB_IP ":5061): the server did not accept the phone's "
                              "certificate: it does not trust its issuer (alert unknown_ca, 48); "
                              "it was shown the unique one, 'old'");
    const uint64_t then = now_ms(w);
    assert_true(lab_status(w->lab).retry_in_ms > 0);
    show(w, w->new);
    assert_true(lab_until(w->lab, lab_is_locked, SECONDS(1)));
    assert_in_range(now_ms(w) - then, 1, 100); /* no wait, only the network's own time */
    assert_showed(w, w->new_cert);
    assert_int_equal(lab_status(w->lab).error->code, ERR_OK);
}

static void test_refused_by_tls_1_2(void **state)
{
    refused(*state, TLS_1_2_ONLY);
}

static void test_refused_by_tls_1_3(void **state)
{
    refused(*state, TLS_1_3_ONLY);
}

static void wanted(struct world *w, enum tls_versions versions)
{
    identity_unref(w->lab->shared.identity);
    w->lab->shared.identity = NULL;
    serve(w, versions);
    start(w);
    assert_true(lab_until(w->lab, never_locked, SECONDS(1)));
    lab_assert_error(w->lab, ERR_IDENTITY,
                     "the server wants a certificate of the phone's and got none");
    lab_assert_error(w->lab, ERR_IDENTITY, "; the phone has none to show");
    show(w, w->new);
    assert_true(lab_until(w->lab, lab_is_locked, SECONDS(1)));
}

static void test_wanted_by_tls_1_2(void **state)
{
    wanted(*state, TLS_1_2_ONLY);
}

static void test_wanted_by_tls_1_3(void **state)
{
    wanted(*state, TLS_1_3_ONLY);
}

/* It is tried again like anything that fails, and as rarely; and one that does not help is tried
 * once. */
static void test_one_that_is_refused_too(void **state)
{
    struct world *w = *state;
    w->gate.good = NULL;
    serve(w, TLS_1_2_AND_1_3);
    start(w);
    assert_true(lab_until(w->lab, never_locked, SECONDS(1)));
    assert_int_equal(w->gate.came, 1);
    show(w, w->new);
    sim_advance(w->lab->sim, 100);
    assert_int_equal(w->gate.came, 2);
    assert_showed(w, w->new_cert);
    lab_assert_error(w->lab, ERR_IDENTITY, "it was shown the uploaded one, 'new'");
    sim_advance(w->lab->sim, 3600 * SECONDS(1));
    assert_in_range(w->gate.came, 6, 20);
}

/* Another reason for waiting than the certificate is none to try at once. */
static void test_waits_for_something_else(void **state)
{
    struct world *w = *state;
    serve(w, TLS_1_2_AND_1_3);
    sim_net_reach(w->lab->sim, LAB_IP, SIM_REACH_REFUSED);
    start(w);
    assert_true(lab_until(w->lab, never_locked, SECONDS(1)));
    const size_t tries = sim_link_count(w->lab->sim);
    show(w, w->new);
    sim_advance(w->lab->sim, 100);
    assert_int_equal(sim_link_count(w->lab->sim), tries);
    sim_net_reach(w->lab->sim, LAB_IP, SIM_REACH_OK);
    assert_true(lab_until(w->lab, lab_is_locked, SECONDS(60)));
    assert_showed(w, w->new_cert);
}

/* --- a server that says nothing, or whose alert is lost --- */

static bool is_open(const struct account_status *s)
{
    return s->state == ACCOUNT_OPEN;
}

static void test_closed_without_a_word(void **state)
{
    struct world *w = *state;
    w->gate.good = w->old_cert;
    registrar_set_fault(w->lab->core, REGISTRAR_CLOSES);
    serve(w, TLS_1_3_ONLY);
    start(w);
    assert_true(lab_until(w->lab, never_locked, SECONDS(1)));
    lab_assert_error(w->lab, ERR_IDENTITY,
                     "without saying so in TLS: perhaps because of the phone's certificate; it was "
                     "shown the unique one, 'old'");
    registrar_set_fault(w->lab->core, REGISTRAR_WELL);
    w->gate.good = w->new_cert;
    show(w, w->new);
    assert_true(lab_until(w->lab, lab_is_locked, SECONDS(1)));
}

static void test_reset_before_a_word(void **state)
{
    struct world *w = *state;
    serve(w, TLS_1_3_ONLY);
    start(w);
    sim_net_latency(w->lab->sim, 50);
    assert_true(lab_until(w->lab, is_open, SECONDS(1)));
    sim_link_cut(sim_link_last(w->lab->sim), SIM_CUT_RESET);
    assert_true(lab_until(w->lab, never_locked, SECONDS(1)));
    lab_assert_error(w->lab, ERR_IDENTITY, ": perhaps because of the phone's certificate; it was");
}

/* Once it has been accepted, what ends the connection has another reason. */
static void test_reset_later(void **state)
{
    struct world *w = *state;
    w->gate.good = w->old_cert;
    serve(w, TLS_1_3_ONLY);
    start(w);
    assert_true(lab_until(w->lab, lab_is_locked, SECONDS(1)));
    sim_link_cut(sim_link_last(w->lab->sim), SIM_CUT_RESET);
    sim_settle(w->lab->sim);
    assert_int_equal(lab_status(w->lab).state, ACCOUNT_WAITING);
    assert_int_not_equal(lab_status(w->lab).error->code, ERR_IDENTITY);
}

/* --- replaced --- */

/* The handshake under way ends with the certificate that it began with. */
static void replaced_in_handshake(struct world *w, enum tls_versions versions)
{
    w->gate.good = w->old_cert;
    serve(w, versions);
    start(w);
    assert_true(lab_until(w->lab, is_in_handshake, SECONDS(1)));
    assert_int_equal(w->gate.came, 0);
    show(w, w->new);
    assert_true(lab_until(w->lab, lab_is_locked, SECONDS(1)));
    assert_showed(w, w->old_cert);
    assert_int_equal(sim_link_count(w->lab->sim), 1);

    w->gate.good = w->new_cert;
    account_reconnect(w->lab->account);
    assert_true(lab_until(w->lab, lab_is_locked, SECONDS(1)));
    assert_showed(w, w->new_cert);
}

static void test_replaced_in_handshake_tls_1_2(void **state)
{
    replaced_in_handshake(*state, TLS_1_2_ONLY);
}

static void test_replaced_in_handshake_tls_1_3(void **state)
{
    replaced_in_handshake(*state, TLS_1_3_ONLY);
}

/* The old one is refused while the new one is there already: no reason to wait. */
static void replaced_and_refused(struct world *w, enum tls_versions versions)
{
    serve(w, versions);
    start(w);
    assert_true(lab_until(w->lab, is_in_handshake, SECONDS(1)));
    show(w, w->new);
    const uint64_t then = now_ms(w);
    assert_true(lab_until(w->lab, lab_is_locked, SECONDS(1)));
    assert_in_range(now_ms(w) - then, 1, 100);
    assert_int_equal(w->gate.came, 2);
    assert_showed(w, w->new_cert);
}

static void test_replaced_and_refused_tls_1_2(void **state)
{
    replaced_and_refused(*state, TLS_1_2_ONLY);
}

static void test_replaced_and_refused_tls_1_3(void **state)
{
    replaced_and_refused(*state, TLS_1_3_ONLY);
}

/* At every step of a handshake, in both versions: it always ends locked, by one or two tries. */
static void test_replaced_at_every_step(void **state)
{
    (void)state;
    for (unsigned step = 0; step < 60; step++) {
        void *again = NULL;
        assert_int_equal(set_up(&again), 0);
        struct world *w = again;
        serve(w, step % 2 != 0 ? TLS_1_2_ONLY : TLS_1_3_ONLY);
        start(w);
        for (unsigned i = 0; i < step / 2 && lab_status(w->lab).state != ACCOUNT_WAITING; i++)
            (void)sim_step(w->lab->sim);
        show(w, w->new);
        assert_true(lab_until(w->lab, lab_is_locked, SECONDS(1)));
        assert_showed(w, w->new_cert);
        assert_in_range(w->gate.came, 1, 2);
        assert_int_equal(tear_down(&again), 0);
    }
}

static void test_live_connection_is_not_touched(void **state)
{
    struct world *w = *state;
    w->gate.good = w->old_cert;
    serve(w, TLS_1_2_AND_1_3);
    start(w);
    assert_true(lab_until(w->lab, lab_is_locked, SECONDS(1)));
    struct sim_link *link = sim_link_last(w->lab->sim);
    const size_t sent = sim_link_sent(link, SIM_CLIENT).n;
    const size_t views = w->lab->views_count;
    for (int i = 0; i < 1000; i++) {
        show(w, i % 3 == 0 ? w->new : i % 3 == 1 ? w->old : NULL);
        sim_advance(w->lab->sim, 1);
    }
    assert_int_equal(sim_link_count(w->lab->sim), 1);
    assert_true(sim_link_is_open(link));
    assert_int_equal(sim_link_sent(link, SIM_CLIENT).n, sent);
    assert_int_equal(w->lab->views_count, views);
    const struct account_status s = lab_status(w->lab);
    assert_true(lab_is_locked(&s));
}

/* A session speaks for the certificate that it began with. */
static void test_tickets_are_dropped(void **state)
{
    struct world *w = *state;
    struct registrar_endpoint *server = lab_serve(w->lab, LAB_IP, lab_good(w->lab));
    start(w);
    assert_true(lab_until(w->lab, lab_is_locked, SECONDS(1)));
    assert_true(tls_tickets_count(w->lab->shared.tickets) > 0);
    show(w, w->new);
    assert_int_equal(tls_tickets_count(w->lab->shared.tickets), 0);
    account_reconnect(w->lab->account);
    assert_true(lab_until(w->lab, lab_is_locked, SECONDS(1)));
    assert_int_equal(registrar_endpoint_facts(server).resumed, 0);
    account_reconnect(w->lab->account);
    assert_true(lab_until(w->lab, lab_is_locked, SECONDS(1)));
    assert_int_equal(registrar_endpoint_facts(server).resumed, 1);
}

/* Nor is a ticket used that comes in later, from a handshake with the old one. */
static void test_late_tickets_are_not_used(void **state)
{
    struct world *w = *state;
    struct registrar_endpoint *server = lab_serve(w->lab, LAB_IP, lab_good(w->lab));
    start(w);
    assert_true(lab_until(w->lab, is_in_handshake, SECONDS(1)));
    show(w, w->new);
    assert_true(lab_until(w->lab, lab_is_locked, SECONDS(1)));
    account_reconnect(w->lab->account);
    assert_true(lab_until(w->lab, lab_is_locked, SECONDS(1)));
    assert_int_equal(registrar_endpoint_facts(server).resumed, 0);
}

/* What TLS cannot send is refused, and the old one stays. */
static void test_one_that_cannot_be_sent(void **state)
{
    struct world *w = *state;
    static uint8_t filling[9000];
    const struct testpki_ext ext = {"1.2.3.4", false, {filling, sizeof filling}};
    const struct testpki_cert *huge =
        testpki_make(&(struct testpki_spec){.subject = "CN=huge", .exts = &ext, .exts_count = 1});
    struct identity *id = tlswire_identity(&huge, 1);
    struct errinfo e = ERRINFO_INIT;
    w->gate.good = w->old_cert;
    serve(w, TLS_1_2_AND_1_3);
    start(w);
    assert_int_equal(account_set_identity(w->lab->account, id, IDENTITY_CUSTOM, &e).code,
                     ERR_LIMIT);
    assert_non_null(strstr(e.text, "the certificate chain has"));
    assert_true(lab_until(w->lab, lab_is_locked, SECONDS(1)));
    assert_showed(w, w->old_cert);
    identity_unref(id);
}

static void test_in_every_other_state(void **state)
{
    struct world *w = *state;
    serve(w, TLS_1_2_AND_1_3);
    lab_account(w->lab, NULL);
    show(w, w->new); /* IDLE: it stays so */
    sim_advance(w->lab->sim, SECONDS(1));
    assert_int_equal(lab_status(w->lab).state, ACCOUNT_IDLE);
    account_start(w->lab->account);
    show(w, w->new); /* RESOLVING */
    assert_true(lab_until(w->lab, lab_is_locked, SECONDS(1)));
    account_stop(w->lab->account);
    show(w, w->old); /* STOPPING */
    assert_true(lab_until(w->lab, lab_is_idle, SECONDS(5)));
    assert_int_equal(w->lab->events[REGISTRAR_UNREGISTERED], 1);
}

#define SCENARIO(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_refused_by_tls_1_2),
        SCENARIO(test_refused_by_tls_1_3),
        SCENARIO(test_wanted_by_tls_1_2),
        SCENARIO(test_wanted_by_tls_1_3),
        SCENARIO(test_one_that_is_refused_too),
        SCENARIO(test_waits_for_something_else),
        SCENARIO(test_closed_without_a_word),
        SCENARIO(test_reset_before_a_word),
        SCENARIO(test_reset_later),
        SCENARIO(test_replaced_in_handshake_tls_1_2),
        SCENARIO(test_replaced_in_handshake_tls_1_3),
        SCENARIO(test_replaced_and_refused_tls_1_2),
        SCENARIO(test_replaced_and_refused_tls_1_3),
        cmocka_unit_test(test_replaced_at_every_step),
        SCENARIO(test_live_connection_is_not_touched),
        SCENARIO(test_tickets_are_dropped),
        SCENARIO(test_late_tickets_are_not_used),
        SCENARIO(test_one_that_cannot_be_sent),
        SCENARIO(test_in_every_other_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
