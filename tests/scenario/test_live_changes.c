/* Trust and clock change while calls go on: who is dropped, when, and that nobody else notices. */
#include <string.h>

#include "base/limits.h"
#include "control/lock.h"
#include "control/rejected.h"
#include "scenario/lab.h"
#include "tools/heap.h"
#include "tools/unit.h"

#define SECONDS(n) ((n)*UINT64_C(1000))
#define DAYS(n)    ((n)*INT64_C(86400))
#define PEERS      4

/* A phone with several accounts, beside the lab's own. */
struct world {
    struct lab *lab;
    struct registrar_endpoint *server;
    struct account *accounts[PEERS];
    unsigned changes[PEERS]; /* that were told */
    struct lock_entry lock;  /* of the account that changed last */
    unsigned refusals;
};

static void on_refused(void *arg, const struct refused_chain *c)
{
    struct world *w = arg;
    assert_int_equal(c->verdict->class, VERDICT_REJECTED);
    assert_string_equal(c->host, LAB_HOST);
    w->refusals++;
}

static int set_up(void **state)
{
    static struct world w;
    memset(&w, 0, sizeof w);
    w.lab = lab_new();
    w.lab->shared.on_refused = on_refused;
    w.lab->shared.on_refused_arg = &w;
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < PEERS; i++)
        account_free(w->accounts[i]);
    lab_free(w->lab);
    return 0;
}

static void on_changed(void *arg, struct account *a)
{
    struct world *w = arg;
    const struct account_status s = account_status(a);
    w->changes[s.number - 1]++;
    lock_reduce(&s, &w->lock);
}

static enum verify_clock_policy clock_policy = VERIFY_CLOCK_WAIT;

static void start(struct world *w, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct account_config cfg = {
            .number = (int)i + 1,
            .enabled = true,
            .user = "alice",
            .password = "wonderland",
            .domain = LAB_HOST,
            .port = LAB_PORT,
            .expires_s = 600,
            .policy = {.check_trust = true, .clock = clock_policy},
            .check_name = true,
            .filter = TRUST_ALL,
        };
        assert_true(is_ok(account_new(&w->lab->shared, &cfg, w->lab->trust, on_changed, w,
                                      &w->accounts[i], NULL)));
        account_start(w->accounts[i]);
    }
}

/* So many accounts, all of them locked on the lab's server. */
static void go_up(struct world *w, const struct testpki_cert *cert, size_t count)
{
    w->server = lab_serve(w->lab, LAB_IP, cert);
    start(w, count);
    sim_advance(w->lab->sim, SECONDS(5));
    for (size_t i = 0; i < count; i++) {
        const struct account_status s = account_status(w->accounts[i]);
        assert_true(lab_is_locked(&s));
    }
}

static void give(struct world *w, struct trust *trust)
{
    tls_tickets_clear(w->lab->shared.tickets); /* as the daemon does */
    for (size_t i = 0; i < PEERS; i++)
        if (w->accounts[i] != NULL)
            account_set_trust(w->accounts[i], trust);
}

static void trust_only(struct world *w, const struct testpki_cert *const *certs, size_t n)
{
    struct trust *trust = lab_trust(certs, n);
    give(w, trust);
    trust_unref(trust);
}

static const struct testpki_cert *leaf(const struct world *w, int64_t not_before, int64_t not_after)
{
    return testpki_make(&(struct testpki_spec){.subject = "CN=" LAB_HOST,
                                               .issuer = w->lab->ca,
                                               .san = "DNS:" LAB_HOST,
                                               .not_before = not_before,
                                               .not_after = not_after});
}

static struct account_status first(const struct world *w)
{
    return account_status(w->accounts[0]);
}

static bool first_is_locked(void *arg)
{
    const struct account_status s = first(arg);
    return lab_is_locked(&s);
}

static bool first_is_down(void *arg)
{
    return !first(arg).encrypted;
}

static bool locks_within(struct world *w, uint64_t ms)
{
    return sim_run_until(w->lab->sim, first_is_locked, w, ms);
}

/* --- the CA goes, and comes back --- */

static void test_a_ca_that_goes_takes_its_locks_along(void **state)
{
    struct world *w = *state;
    go_up(w, lab_good(w->lab), PEERS);
    assert_int_not_equal(tls_tickets_count(w->lab->shared.tickets), 0);
    trust_only(w, NULL, 0);
    /* Before anything else happens in the world: */
    for (size_t i = 0; i < PEERS; i++) {
        const struct account_status s = account_status(w->accounts[i]);
        assert_int_equal(s.state, ACCOUNT_WAITING);
        assert_false(s.encrypted);
        assert_int_equal(s.verdict->reasons[0].code, REASON_UNKNOWN_CA);
    }
    assert_false(w->lock.lock); /* and was told */
    assert_string_equal(w->lock.code, "unknown_ca");
    assert_non_null(strstr(w->lock.sentence, "Lab Root"));
    assert_int_equal(w->refusals, PEERS);
    assert_int_equal(tls_tickets_count(w->lab->shared.tickets), 0);
    sim_advance(w->lab->sim, 10);
    assert_int_equal(registrar_endpoint_facts(w->server).closed_cleanly, PEERS);
    assert_int_equal(registrar_endpoint_facts(w->server).open_now, 0);
    /* It is tried again, in full, and refused with the right alert. */
    sim_advance(w->lab->sim, SECONDS(60));
    const struct registrar_endpoint_facts f = registrar_endpoint_facts(w->server);
    assert_true(f.accepted > PEERS);
    assert_int_equal(f.opened, PEERS);
    assert_int_equal(f.resumed, 0);
    assert_int_equal(f.alert_received, 48);
}

static void test_a_ca_that_comes_back_locks_at_once(void **state)
{
    struct world *w = *state;
    go_up(w, lab_good(w->lab), 1);
    trust_only(w, NULL, 0);
    sim_advance(w->lab->sim, SECONDS(3600)); /* the back-off is long by now */
    assert_true(first(w).retry_in_ms > 60000 || first(w).failures > 5);
    trust_only(w, &w->lab->ca, 1);
    assert_true(locks_within(w, 50));
    assert_int_equal(first(w).verdict->class, VERDICT_VERIFIED);
}

/* Refused by one address, then the CA comes while the next one is silent. */
static void test_a_ca_that_comes_while_another_address_is_tried(void **state)
{
    struct world *w = *state;
    w->server = lab_serve(w->lab, LAB_IP, lab_good(w->lab));
    sim_host_add(w->lab->sim, LAB_HOST, "192.0.2.9");
    sim_net_reach(w->lab->sim, "192.0.2.9", SIM_REACH_SILENT);
    trust_unref(w->lab->trust);
    w->lab->trust = lab_trust(NULL, 0);
    start(w, 1);
    sim_advance(w->lab->sim, SECONDS(1));
    assert_int_equal(first(w).state, ACCOUNT_CONNECTING);
    assert_int_equal(w->refusals, 1);
    trust_only(w, &w->lab->ca, 1);
    assert_true(locks_within(w, LIMIT_CONNECT_MS)); /* as soon as that has failed: no back-off */
}

/* A refused server is noted, and what is offered to be trusted does make it lock, at once. */
static void test_what_was_rejected_can_be_trusted(void **state)
{
    struct world *w = *state;
    struct rejected *kept;
    struct rejected_candidate c;
    assert_true(is_ok(rejected_new(&kept)));
    w->lab->shared.on_refused = rejected_note;
    w->lab->shared.on_refused_arg = kept;
    w->server = lab_serve(
        w->lab, LAB_IP,
        testpki_make(&(struct testpki_spec){.subject = "CN=" LAB_HOST, .san = "DNS:" LAB_HOST}));
    start(w, 1);
    sim_advance(w->lab->sim, SECONDS(3600));
    assert_int_equal(rejected_count(kept), 1);
    const struct rejected_entry x = rejected_at(kept, 0);
    assert_int_equal(x.account, 1);
    assert_string_equal(x.host, LAB_HOST);
    assert_int_equal(x.count, sim_link_count(w->lab->sim)); /* each try */
    const struct wallclock now = wallclock_now(w->lab->shared.clock);
    assert_true(is_ok(rejected_candidate(kept, x.id, w->lab->trust, now, &c, NULL)));
    assert_int_equal(c.remedy, REJECTED_TRUST_LEAF);
    const struct trust_custom pin = {.name = "pin.pem", .der = cert_der(c.cert)};
    struct trust *trust;
    assert_true(is_ok(trust_new(&pin, 1, NULL, NULL, &trust, NULL)));
    give(w, trust);
    assert_true(locks_within(w, 50));
    assert_true(first(w).verdict->pinned);
    trust_unref(trust);
    rejected_candidate_clear(&c);
    w->lab->shared.on_refused = NULL;
    rejected_free(kept);
}

/* --- again and again --- */

/* What all live connections wrote, both ways. */
static size_t bytes_on_the_wire(const struct world *w)
{
    size_t n = 0;
    for (size_t i = 0; i < sim_link_count(w->lab->sim); i++) {
        struct sim_link *k = sim_link_at(w->lab->sim, i);
        n += sim_link_sent(k, SIM_CLIENT).n + sim_link_sent(k, SIM_SERVER).n;
    }
    return n;
}

/* RSA: its signatures are checked in a tenth of the time, and here are thousands. */
static void have_fast_ca(struct world *w)
{
    w->lab->ca = testpki_make(&(struct testpki_spec){
        .subject = "CN=Fast Root", .ca = true, .key_type = TESTPKI_RSA_2048, .key = 1});
    trust_unref(w->lab->trust);
    w->lab->trust = lab_trust(&w->lab->ca, 1);
}

static void change_a_hundred_times(struct world *w, const struct testpki_cert *const *others)
{
    for (size_t i = 0; i < 100; i++) {
        const struct testpki_cert *now[3] = {others[i % 3], w->lab->ca, others[(i + 1) % 3]};
        trust_only(w, i % 2 == 0 ? now : &now[1], i % 2 == 0 ? 2 : 1 + i % 3 % 2);
        if (i % 10 == 0)
            sim_settle(w->lab->sim);
    }
}

static void test_a_thousand_changes(void **state)
{
    struct world *w = *state;
    const struct testpki_cert *others[3];
    for (size_t i = 0; i < 3; i++)
        others[i] = testpki_make(&(struct testpki_spec){.subject = "CN=Another Root", .ca = true});
    have_fast_ca(w);
    go_up(w, lab_good(w->lab), PEERS);
    const size_t links = sim_link_count(w->lab->sim), bytes = bytes_on_the_wire(w);
    unsigned told[PEERS];
    memcpy(told, w->changes, sizeof told);
    change_a_hundred_times(w, others); /* whatever is made once is made now */
    const size_t before = heap_bytes();
    for (int i = 0; i < 10; i++)
        change_a_hundred_times(w, others);
    print_message("the heap: %zu bytes, then %zu\n", before, heap_bytes());
    assert_int_equal(heap_bytes(), before);
    assert_int_equal(sim_link_count(w->lab->sim), links);
    assert_int_equal(bytes_on_the_wire(w), bytes); /* not one */
    assert_memory_equal(w->changes, told, sizeof told);
    assert_int_equal(registrar_endpoint_facts(w->server).open_now, PEERS);
    for (size_t i = 0; i < PEERS; i++) {
        const struct account_status s = account_status(w->accounts[i]);
        assert_true(lab_is_locked(&s));
    }
    assert_int_equal(w->refusals, 0);
    sim_advance(w->lab->sim, SECONDS(700)); /* and they go on: all have registered anew */
    assert_int_equal(sim_link_count(w->lab->sim), links);
    assert_true(bytes_on_the_wire(w) > bytes);
}

/* A good one beside one whose CA comes and goes. */
static void test_only_the_bad_one_is_dropped(void **state)
{
    struct world *w = *state;
    const struct testpki_cert *other =
        testpki_make(&(struct testpki_spec){.subject = "CN=Other Root", .ca = true});
    const struct testpki_cert *both[] = {w->lab->ca, other};
    const struct testpki_cert *others_leaf = testpki_make(
        &(struct testpki_spec){.subject = "CN=" LAB_HOST, .issuer = other, .san = "DNS:" LAB_HOST});
    go_up(w, lab_good(w->lab), 1);
    struct sim_link *good = sim_link_last(w->lab->sim);
    const size_t bytes = sim_link_sent(good, SIM_CLIENT).n;
    trust_only(w, both, 2);
    sim_host_clear(w->lab->sim, LAB_HOST);
    sim_host_add(w->lab->sim, LAB_HOST, "192.0.2.2");
    struct registrar_endpoint *second = lab_serve(w->lab, "192.0.2.2", others_leaf);
    lab_account(w->lab, NULL);
    for (int i = 0; i < 20; i++) {
        struct trust *trust = lab_trust(both, 2);
        account_set_trust(w->lab->account, trust);
        account_start(w->lab->account);
        trust_unref(trust);
        trust_only(w, both, 2);
        assert_true(lab_until(w->lab, lab_is_locked, 50));
        trust = lab_trust(both, 1);
        account_set_trust(w->lab->account, trust);
        trust_unref(trust);
        trust_only(w, both, 1);
        assert_false(lab_status(w->lab).encrypted);
        sim_settle(w->lab->sim);
    }
    assert_int_equal(sim_link_sent(good, SIM_CLIENT).n, bytes);
    assert_true(sim_link_is_open(good));
    assert_int_equal(registrar_endpoint_facts(second).closed_cleanly, 20);
}

/* --- the clock --- */

static void lose_clock(struct world *w)
{
    sim_clock_set(w->lab->sim, SIM_BUILD_S, CLOCK_UNSET);
    sim_settle(w->lab->sim);
}

static void set_clock(struct world *w, int64_t epoch_s)
{
    sim_clock_set(w->lab->sim, epoch_s, CLOCK_SET);
    sim_settle(w->lab->sim); /* the change is told */
    for (size_t i = 0; i < PEERS; i++)
        if (w->accounts[i] != NULL)
            account_clock_changed(w->accounts[i]);
}

/* For each policy: what an unset clock makes of a certificate that began after the build, and what
 * the set clock makes of it then. */
static void test_every_clock_policy(void **state)
{
    static const struct {
        enum verify_clock_policy policy;
        enum verdict_class unset;
    } rows[] = {{VERIFY_CLOCK_WAIT, VERDICT_REJECTED},
                {VERIFY_CLOCK_PROVISIONAL, VERDICT_PROVISIONAL},
                {VERIFY_CLOCK_REFUSE, VERDICT_REJECTED}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        void *fresh;
        (void)set_up(&fresh);
        struct world *w = fresh;
        lose_clock(w);
        w->server = lab_serve(w->lab, LAB_IP, leaf(w, SIM_BUILD_S + DAYS(10), 0));
        clock_policy = rows[i].policy;
        start(w, 1);
        sim_advance(w->lab->sim, SECONDS(1));
        assert_int_equal(first(w).verdict->class, rows[i].unset);
        assert_int_equal(first(w).encrypted, rows[i].unset == VERDICT_PROVISIONAL);
        if (rows[i].unset == VERDICT_REJECTED)
            assert_int_equal(first(w).verdict->reasons[0].code, REASON_CLOCK_UNSET);
        const size_t links = sim_link_count(w->lab->sim);
        set_clock(w, SIM_EPOCH_S);
        assert_true(locks_within(w, 50));
        assert_int_equal(first(w).verdict->class, VERDICT_VERIFIED);
        assert_int_equal(sim_link_count(w->lab->sim),
                         links + (rows[i].unset == VERDICT_REJECTED)); /* or not touched */
        (void)tear_down(&fresh);
        clock_policy = VERIFY_CLOCK_WAIT;
    }
}

static bool in_state(const struct world *w, enum account_state s)
{
    return first(w).state == s;
}

/* The clock is set while the account is in STATE, and shows that the certificate has ended. */
static void clock_set_in(enum account_state at)
{
    void *fresh;
    (void)set_up(&fresh);
    struct world *w = fresh;
    lose_clock(w);
    w->server = lab_serve(w->lab, LAB_IP, leaf(w, 0, SIM_EPOCH_S - DAYS(1)));
    sim_net_latency(w->lab->sim, 10);
    clock_policy = VERIFY_CLOCK_PROVISIONAL;
    start(w, 1);
    for (int ms = 0; ms < 1000 && !in_state(w, at); ms++)
        sim_advance(w->lab->sim, 1);
    assert_true(in_state(w, at));
    if (at == ACCOUNT_HANDSHAKE)
        sim_advance(w->lab->sim, 15); /* in the midst of it */
    set_clock(w, SIM_EPOCH_S);
    sim_advance(w->lab->sim, 500);
    assert_int_equal(first(w).state, ACCOUNT_WAITING);
    assert_int_equal(first(w).verdict->reasons[0].code, REASON_EXPIRED);
    assert_false(w->lock.lock);
    const unsigned opened = registrar_endpoint_facts(w->server).opened;
    sim_advance(w->lab->sim, SECONDS(600));
    assert_int_equal(registrar_endpoint_facts(w->server).opened, opened);
    (void)tear_down(&fresh);
    clock_policy = VERIFY_CLOCK_WAIT;
}

static void test_a_clock_that_is_set_in_every_state(void **state)
{
    (void)state;
    clock_set_in(ACCOUNT_RESOLVING);
    clock_set_in(ACCOUNT_CONNECTING);
    clock_set_in(ACCOUNT_HANDSHAKE);
    clock_set_in(ACCOUNT_OPEN);
}

/* Unset, at its floor, set: judged each time, touched never, while all is well. */
static void test_a_clock_that_changes_does_not_touch_a_good_one(void **state)
{
    struct world *w = *state;
    clock_policy = VERIFY_CLOCK_PROVISIONAL;
    go_up(w, leaf(w, SIM_BUILD_S + DAYS(10), 0), 2);
    clock_policy = VERIFY_CLOCK_WAIT;
    const size_t bytes = bytes_on_the_wire(w);
    lose_clock(w);
    account_clock_changed(w->accounts[0]);
    assert_int_equal(first(w).verdict->class, VERDICT_PROVISIONAL);
    assert_true(first(w).encrypted);
    set_clock(w, SIM_EPOCH_S);
    assert_int_equal(first(w).verdict->class, VERDICT_VERIFIED);
    assert_int_equal(bytes_on_the_wire(w), bytes);
}

/* --- certificates that end under a live connection --- */

static int64_t now_s(const struct world *w)
{
    return wallclock_now(w->lab->shared.clock).epoch_s;
}

static bool goes_down_within(struct world *w, uint64_t ms)
{
    return sim_run_until(w->lab->sim, first_is_down, w, ms);
}

static void test_the_lock_ends_with_the_certificate(void **state)
{
    struct world *w = *state;
    const int64_t end = SIM_EPOCH_S + DAYS(3);
    go_up(w, leaf(w, 0, end), 1);
    const size_t links = sim_link_count(w->lab->sim);
    assert_true(goes_down_within(w, SECONDS(4 * 86400)));
    assert_int_equal(now_s(w), end + 1); /* the last second was still within */
    assert_int_equal(sim_link_count(w->lab->sim), links);
    assert_int_equal(first(w).verdict->reasons[0].code, REASON_EXPIRED);
    assert_string_equal(w->lock.code, "expired");
    assert_int_equal(w->refusals, 1);
    sim_advance(w->lab->sim, 50);
    assert_int_equal(registrar_endpoint_facts(w->server).closed_cleanly, 1);
    sim_advance(w->lab->sim, SECONDS(600));
    assert_int_equal(registrar_endpoint_facts(w->server).opened, 1); /* nor by a kept session */
}

/* The server has a new one by then: back within the first wait. */
static void test_a_renewed_certificate_locks_again(void **state)
{
    struct world *w = *state;
    const int64_t end = SIM_EPOCH_S + DAYS(1);
    go_up(w, leaf(w, 0, end), 1);
    sim_host_clear(w->lab->sim, LAB_HOST);
    sim_host_add(w->lab->sim, LAB_HOST, "192.0.2.2");
    lab_serve(w->lab, "192.0.2.2", lab_good(w->lab));
    assert_true(goes_down_within(w, SECONDS(2 * 86400)));
    assert_true(locks_within(w, LIMIT_RECONNECT_BASE_MS + 100));
    sim_advance(w->lab->sim, SECONDS(86400));
    assert_true(first_is_locked(w));
}

/* The CA's certificate ends, but there is another of the same key that does not. */
static void test_another_path_stands(void **state)
{
    struct world *w = *state;
    const struct testpki_spec ends = {
        .subject = "CN=Twin Root", .ca = true, .key = 5, .not_after = SIM_EPOCH_S + DAYS(1)};
    struct testpki_spec stays = ends;
    stays.not_after = 0;
    const struct testpki_cert *twins[] = {testpki_make(&ends), testpki_make(&stays)};
    const struct testpki_cert *server = testpki_make(&(struct testpki_spec){
        .subject = "CN=" LAB_HOST, .issuer = twins[0], .san = "DNS:" LAB_HOST});
    trust_unref(w->lab->trust);
    w->lab->trust = lab_trust(twins, 2);
    go_up(w, server, 1);
    assert_false(goes_down_within(w, SECONDS(3 * 86400)));
    assert_int_equal(sim_link_count(w->lab->sim), 1);
    assert_int_equal(first(w).verdict->class, VERDICT_VERIFIED);
    assert_int_equal(w->refusals, 0);
}

/* The clock jumps, either way: what counts is the time of day. */
static void test_the_end_with_a_clock_that_jumps(void **state)
{
    struct world *w = *state;
    const int64_t end = SIM_EPOCH_S + DAYS(3);
    go_up(w, leaf(w, 0, end), 1);
    set_clock(w, SIM_EPOCH_S - DAYS(2)); /* more time is left than was thought */
    assert_false(goes_down_within(w, SECONDS(4 * 86400)));
    set_clock(w, end - 100); /* less */
    assert_true(goes_down_within(w, SECONDS(102)));
    set_clock(w, SIM_EPOCH_S); /* it was a mistake: the certificate is good again */
    assert_true(locks_within(w, SECONDS(10)));
    set_clock(w, end + 1); /* and over, at once */
    assert_false(first(w).encrypted);
}

/* The clock is slewed and nobody says so: seen within the longest sleep. */
static void test_the_end_with_a_clock_that_drifts(void **state)
{
    struct world *w = *state;
    const int64_t end = SIM_EPOCH_S + DAYS(3);
    go_up(w, leaf(w, 0, end), 1);
    sim_clock_drift(w->lab->sim, end - 7200);
    assert_true(goes_down_within(w, SECONDS(7200 + LIMIT_RECHECK_S)));
    assert_in_range(now_s(w), end + 1, end + 1);
}

static void test_trust_checking_off_does_not_care(void **state)
{
    struct world *w = *state;
    const int64_t end = SIM_EPOCH_S + DAYS(1);
    struct account_config cfg = {.number = 1,
                                 .enabled = true,
                                 .user = "alice",
                                 .password = "wonderland",
                                 .domain = LAB_HOST,
                                 .port = LAB_PORT,
                                 .expires_s = 600,
                                 .filter = TRUST_ALL};
    w->server = lab_serve(w->lab, LAB_IP, leaf(w, 0, end));
    assert_true(is_ok(
        account_new(&w->lab->shared, &cfg, w->lab->trust, on_changed, w, &w->accounts[0], NULL)));
    account_start(w->accounts[0]);
    assert_false(!locks_within(w, SECONDS(5)) || goes_down_within(w, SECONDS(3 * 86400)));
    assert_int_equal(sim_link_count(w->lab->sim), 1);
    assert_int_equal(first(w).verdict->class, VERDICT_UNVERIFIED); /* and says so */
    assert_int_equal(w->lock.assurance, LOCK_ASSURANCE_NONE);
}

#define SCENARIO(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_a_ca_that_goes_takes_its_locks_along),
        SCENARIO(test_a_ca_that_comes_back_locks_at_once),
        SCENARIO(test_a_ca_that_comes_while_another_address_is_tried),
        SCENARIO(test_what_was_rejected_can_be_trusted),
        SCENARIO(test_a_thousand_changes),
        SCENARIO(test_only_the_bad_one_is_dropped),
        cmocka_unit_test(test_every_clock_policy),
        cmocka_unit_test(test_a_clock_that_is_set_in_every_state),
        SCENARIO(test_a_clock_that_changes_does_not_touch_a_good_one),
        SCENARIO(test_the_lock_ends_with_the_certificate),
        SCENARIO(test_a_renewed_certificate_locks_again),
        SCENARIO(test_another_path_stands),
        SCENARIO(test_the_end_with_a_clock_that_jumps),
        SCENARIO(test_the_end_with_a_clock_that_drifts),
        SCENARIO(test_trust_checking_off_does_not_care),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
