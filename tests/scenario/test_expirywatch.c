/* The watch over the certificates of a running phone: what it gathers, and when it wakes. */
#include "control/expirywatch.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "scenario/lab.h"
#include "tools/tlswire.h"
#include "tools/unit.h"

#define SECONDS(n) ((n)*UINT64_C(1000))
#define DAYS(n)    ((n)*INT64_C(86400))
#define DAYS_MS(n) SECONDS(DAYS(n))

struct world {
    struct lab *lab;
    struct trust *trust; /* of the phone now */
    struct identity *own;
    struct expirywatch *watch;
    char told[4096]; /* one a line: "day role name state" */
    unsigned looks;
};

static size_t count(void *arg)
{
    const struct world *w = arg;
    return w->lab->account != NULL;
}

static struct account *at(void *arg, size_t i)
{
    const struct world *w = arg;
    (void)i;
    return w->lab->account;
}

static struct trust *trust(void *arg)
{
    struct world *w = arg;
    w->looks++;
    return w->trust;
}

static struct identity *identity_at(void *arg, size_t i)
{
    const struct world *w = arg;
    return i == 0 ? w->own : NULL;
}

static struct wallclock now(void *arg)
{
    const struct world *w = arg;
    return wallclock_now(w->lab->shared.clock);
}

static void tell(void *arg, const struct expiry_notice *n)
{
    struct world *w = arg;
    const size_t end = strlen(w->told);
    (void)snprintf(w->told + end, sizeof w->told - end, "%d %s %s %s\n",
                   (int)((now(w).epoch_s - SIM_EPOCH_S) / DAYS(1)), expiry_role_name(n->item->role),
                   n->item->name, expiry_state_name(n));
}

static int set_up(void **state)
{
    static struct world w;
    memset(&w, 0, sizeof w);
    w.lab = lab_new();
    w.trust = trust_ref(w.lab->trust);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    expirywatch_free(w->watch);
    identity_unref(w->own);
    trust_unref(w->trust);
    lab_free(w->lab);
    return 0;
}

static void begin(struct world *w)
{
    const struct expirywatch_source source = {.account_count = count,
                                              .account_at = at,
                                              .trust = trust,
                                              .identity_at = identity_at,
                                              .now = now,
                                              .tell = tell,
                                              .arg = w};
    assert_true(is_ok(expirywatch_new(w->lab->shared.loop, &source, &w->watch, NULL)));
    sim_settle(w->lab->sim);
}

static void check(struct world *w, const char *expected)
{
    assert_string_equal(w->told, expected);
    w->told[0] = '\0';
}

static const struct testpki_cert *ending(const char *subject, const struct testpki_cert *issuer,
                                         int64_t not_after)
{
    return testpki_make(&(struct testpki_spec){.subject = subject,
                                               .ca = issuer == NULL,
                                               .issuer = issuer,
                                               .san = issuer != NULL ? "DNS:" LAB_HOST : NULL,
                                               .not_after = not_after});
}

static void trust_ca(struct world *w, const struct testpki_cert *ca)
{
    trust_unref(w->trust);
    w->trust = lab_trust(&ca, 1);
}

static void test_a_trusted_ca_over_its_last_days(void **state)
{
    struct world *w = *state;
    trust_ca(w, ending("CN=Office CA", NULL, SIM_EPOCH_S + DAYS(100)));
    begin(w);
    check(w, "");
    sim_advance(w->lab->sim, DAYS_MS(120));
    check(w, "70 trusted Office CA expiring\n93 trusted Office CA expiring\n"
             "99 trusted Office CA expiring\n100 trusted Office CA expired\n");
    const unsigned looks = w->looks;
    sim_advance(w->lab->sim, DAYS_MS(100)); /* nothing is left to wait for */
    assert_int_equal(w->looks, looks);
}

/* An idle phone is not woken more often than needed. */
static void test_sleeps_are_long(void **state)
{
    struct world *w = *state;
    trust_ca(w, ending("CN=Office CA", NULL, SIM_EPOCH_S + DAYS(100)));
    begin(w);
    const unsigned looks = w->looks;
    sim_advance(w->lab->sim, DAYS_MS(10));
    assert_in_range(w->looks - looks, 0, (unsigned)(DAYS(10) / LIMIT_RECHECK_S) + 1);
}

static void test_our_own(void **state)
{
    struct world *w = *state;
    const struct testpki_cert *own = ending("CN=001565123456", w->lab->ca, SIM_EPOCH_S + DAYS(3));
    const struct testpki_cert *renewed =
        ending("CN=001565123456", w->lab->ca, SIM_EPOCH_S + DAYS(900));
    w->own = tlswire_identity(&own, 1);
    begin(w);
    check(w, "0 own 001565123456 expiring\n");
    identity_unref(w->own);
    w->own = tlswire_identity(&renewed, 1);
    expirywatch_look(w->watch);
    check(w, ""); /* in the next turn of the loop */
    sim_settle(w->lab->sim);
    check(w, "0 own 001565123456 replaced\n");
}

static void connect(struct world *w, const struct testpki_cert *cert)
{
    lab_serve(w->lab, LAB_IP, cert);
    lab_account(w->lab, NULL);
    account_start(w->lab->account);
    assert_true(lab_until(w->lab, lab_is_locked, SECONDS(5)));
    expirywatch_look(w->watch);
    sim_settle(w->lab->sim);
}

static void list(void *arg, const struct expiry_notice *n)
{
    struct world *w = arg;
    const size_t end = strlen(w->told);
    (void)snprintf(w->told + end, sizeof w->told - end, "%s %#x\n", n->item->name,
                   (unsigned)n->item->accounts);
}

/* The server's, with the account that has it; and the CA on which it hangs. */
static void test_a_live_peer(void **state)
{
    struct world *w = *state;
    begin(w);
    connect(w, ending("CN=" LAB_HOST, w->lab->ca, SIM_EPOCH_S + DAYS(20)));
    check(w, "0 peer " LAB_HOST " expiring\n");
    expirywatch_each(w->watch, list, w);
    check(w, LAB_HOST " 0x1\n");
    account_reconnect(w->lab->account); /* not live for a moment, and the same again */
    expirywatch_look(w->watch);
    sim_settle(w->lab->sim);
    assert_true(lab_until(w->lab, lab_is_locked, SECONDS(5)));
    expirywatch_look(w->watch);
    sim_settle(w->lab->sim);
    check(w, "");
    account_free(w->lab->account);
    w->lab->account = NULL;
    expirywatch_look(w->watch);
    sim_settle(w->lab->sim);
    check(w, "0 peer " LAB_HOST " replaced\n");
}

/* The watch tells of the end, and the account's lock goes by itself. */
static void test_a_peer_that_ends_while_it_is_live(void **state)
{
    struct world *w = *state;
    begin(w);
    connect(w, ending("CN=" LAB_HOST, w->lab->ca, SIM_EPOCH_S + DAYS(2)));
    check(w, "0 peer " LAB_HOST " expiring\n");
    sim_advance(w->lab->sim, DAYS_MS(2) + SECONDS(5));
    check(w, "1 peer " LAB_HOST " expiring\n2 peer " LAB_HOST " expired\n");
    assert_false(lab_status(w->lab).encrypted);
    expirywatch_look(w->watch); /* refused since: what it had still counts */
    sim_settle(w->lab->sim);
    check(w, "");
}

/* One that was refused is not watched: nothing hangs on it. */
static void test_a_refused_peer_is_nobody(void **state)
{
    struct world *w = *state;
    begin(w);
    lab_serve(w->lab, LAB_IP, ending("CN=" LAB_HOST, NULL, SIM_EPOCH_S + DAYS(2)));
    lab_account(w->lab, NULL);
    account_start(w->lab->account);
    assert_true(lab_until(w->lab, lab_is_waiting, SECONDS(5)));
    expirywatch_look(w->watch);
    sim_settle(w->lab->sim);
    check(w, "");
}

static void test_the_clock(void **state)
{
    struct world *w = *state;
    trust_ca(w, ending("CN=Office CA", NULL, SIM_EPOCH_S + DAYS(3)));
    sim_clock_set(w->lab->sim, SIM_BUILD_S, CLOCK_UNSET);
    begin(w);
    sim_advance(w->lab->sim, DAYS_MS(1));
    check(w, "");
    sim_clock_set(w->lab->sim, SIM_EPOCH_S, CLOCK_SET);
    expirywatch_look(w->watch); /* the daemon says so when the clock is told to be another */
    sim_settle(w->lab->sim);
    check(w, "0 trusted Office CA expiring\n");
    sim_clock_drift(w->lab->sim, SIM_EPOCH_S + DAYS(2)); /* and nobody says so */
    sim_advance(w->lab->sim, SECONDS(LIMIT_RECHECK_S));
    check(w, "2 trusted Office CA expiring\n");
}

/* --- a watch that nobody has --- */

static void test_none(void **state)
{
    struct world *w = *state;
    expirywatch_look(NULL);
    expirywatch_each(NULL, list, w);
    expirywatch_free(NULL);
    check(w, "");
}

#define SCENARIO(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_a_trusted_ca_over_its_last_days),
        SCENARIO(test_sleeps_are_long),
        SCENARIO(test_our_own),
        SCENARIO(test_a_live_peer),
        SCENARIO(test_a_peer_that_ends_while_it_is_live),
        SCENARIO(test_a_refused_peer_is_nobody),
        SCENARIO(test_the_clock),
        SCENARIO(test_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
