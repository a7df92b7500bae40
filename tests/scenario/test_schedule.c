/* When the phone fetches its settings by itself, in simulated time. */
#include "tools/unit.h"

#include <string.h>

#include "base/limits.h"
#include "control/schedule.h"
#include "sim/sim.h"
#include "sys/entropy.h"

#define SECONDS(n) ((n)*UINT64_C(1000))
#define MINUTES(n) SECONDS(60 * (uint64_t)(n))
#define HOURS(n)   MINUTES(60 * (uint64_t)(n))

struct world {
    struct sim *sim;
    struct schedule *schedule;
    struct phone_schedule cfg;
    unsigned fetches;
    enum provision_cause cause; /* of the last */
    uint64_t at;                /* ... and when */
    enum provision_outcome outcome;
    uint32_t retry_after_s;
    enum err refuse; /* not even begun */
    bool silent;     /* it takes for ever */
};

static void ended(struct world *w, enum provision_cause cause, enum provision_outcome outcome)
{
    const struct provision_report r = {
        .cause = cause, .outcome = outcome, .retry_after_s = w->retry_after_s};
    schedule_ended(w->schedule, &r);
}

static struct result fetch(void *arg, enum provision_cause cause, struct errinfo *e)
{
    struct world *w = arg;
    w->fetches++;
    w->cause = cause;
    w->at = loop_now_ms(sim_loop(w->sim));
    if (w->refuse != ERR_OK)
        return fail(e, w->refuse, "not now");
    if (!w->silent)
        ended(w, cause, w->outcome);
    return OK;
}

static int set_up(void **state)
{
    static struct world w;
    w = (struct world){
        .sim = sim_new(),
        .cfg = {.server = "https://prov.example.com/",
                .power_on = true,
                .check_sync = true,
                .spread_s = 10,
                .report = ""},
        .outcome = PROVISION_APPLIED,
    };
    assert_true(is_ok(schedule_new(sim_loop(w.sim), &entropy_system, fetch, &w, &w.schedule)));
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    schedule_free(w->schedule);
    sim_free(w->sim);
    return 0;
}

static void configure(struct world *w)
{
    schedule_configure(w->schedule, &w->cfg);
}

static uint64_t now(const struct world *w)
{
    return loop_now_ms(sim_loop(w->sim));
}

/* How long it takes until there is one more; it comes within MAX. */
static uint64_t wait_for_one(struct world *w, uint64_t max)
{
    const unsigned before = w->fetches;
    const uint64_t from = now(w);
    const uint64_t next = schedule_next_ms(w->schedule);
    assert_true(next <= max);
    sim_advance(w->sim, next);
    assert_int_equal(w->fetches, before + 1);
    return w->at - from;
}

static void test_nothing_to_do(void **state)
{
    struct world *w = *state;
    w->cfg.server = "";
    w->cfg.period_min = 60;
    configure(w);
    schedule_power_on(w->schedule, false);
    schedule_check_sync(w->schedule);
    schedule_try_again(w->schedule);
    sim_advance(w->sim, HOURS(100));
    assert_int_equal(w->fetches, 0);
    assert_true(schedule_next_ms(w->schedule) == UINT64_MAX);
}

static void test_power_on(void **state)
{
    struct world *w = *state;
    configure(w);
    schedule_power_on(w->schedule, false);
    assert_int_equal(wait_for_one(w, 0), 0);
    assert_int_equal(w->cause, PROVISION_POWER_ON);
    sim_advance(w->sim, HOURS(1000));
    assert_int_equal(w->fetches, 1); /* once, and no period */
}

static void test_power_on_not_wanted(void **state)
{
    struct world *w = *state;
    w->cfg.power_on = false;
    configure(w);
    schedule_power_on(w->schedule, false);
    sim_advance(w->sim, HOURS(1));
    assert_int_equal(w->fetches, 0);
}

/* A street that has its power back: the phones come over all of the spread. */
static void test_a_fleet_spreads(void **state)
{
    struct world *w = *state;
    unsigned early = 0, late = 0;
    w->cfg.spread_s = 60;
    configure(w);
    for (int i = 0; i < 200; i++) {
        schedule_power_on(w->schedule, true);
        const uint64_t took = wait_for_one(w, SECONDS(60));
        early += took < SECONDS(20);
        late += took > SECONDS(40);
    }
    assert_in_range(early, 30, 110);
    assert_in_range(late, 30, 110);
}

static void test_period(void **state)
{
    struct world *w = *state;
    uint64_t shortest = UINT64_MAX, longest = 0;
    w->cfg.period_min = 60;
    configure(w);
    for (int i = 0; i < 100; i++) {
        const uint64_t took = wait_for_one(w, MINUTES(66));
        assert_int_equal(w->cause, PROVISION_PERIOD);
        assert_true(took >= MINUTES(54));
        shortest = took < shortest ? took : shortest;
        longest = took > longest ? took : longest;
    }
    assert_true(longest - shortest > MINUTES(6));
}

static void test_the_longest_period(void **state)
{
    struct world *w = *state;
    w->cfg.period_min = LIMIT_PROVISION_REPEAT_MIN;
    configure(w);
    assert_true(wait_for_one(w, MINUTES(11) * 4320) >= MINUTES(9) * 4320);
}

static void test_a_period_changes(void **state)
{
    struct world *w = *state;
    w->cfg.period_min = 1440;
    configure(w);
    sim_advance(w->sim, HOURS(2));
    w->cfg.period_min = 60; /* it is overdue */
    configure(w);
    (void)wait_for_one(w, SECONDS(10));
    sim_advance(w->sim, MINUTES(30));
    configure(w); /* the same: nothing is drawn anew */
    assert_true(wait_for_one(w, MINUTES(36)) >= MINUTES(24));
    w->cfg.period_min = 0;
    configure(w);
    assert_true(schedule_next_ms(w->schedule) == UINT64_MAX);
}

/* A run that an admin started, or another reason, counts as well. */
static void test_a_period_counts_from_the_last_fetch(void **state)
{
    struct world *w = *state;
    w->cfg.period_min = 60;
    configure(w);
    sim_advance(w->sim, MINUTES(50));
    ended(w, PROVISION_PUSH, PROVISION_APPLIED); /* that was no fetch */
    assert_true(schedule_next_ms(w->schedule) <= MINUTES(16));
    ended(w, PROVISION_ASKED, PROVISION_UNCHANGED);
    assert_true(schedule_next_ms(w->schedule) >= MINUTES(54));
}

static void test_check_sync(void **state)
{
    struct world *w = *state;
    configure(w);
    schedule_check_sync(w->schedule);
    (void)wait_for_one(w, SECONDS(10));
    assert_int_equal(w->cause, PROVISION_CHECK_SYNC);
    w->cfg.check_sync = false;
    configure(w);
    schedule_check_sync(w->schedule);
    assert_true(schedule_next_ms(w->schedule) == UINT64_MAX);
}

static void test_a_flood_of_check_sync(void **state)
{
    struct world *w = *state;
    w->cfg.spread_s = 0;
    configure(w);
    for (int i = 0; i < 60000; i++) {
        schedule_check_sync(w->schedule);
        sim_advance(w->sim, 1);
    }
    assert_in_range(w->fetches, 2, 60000 / LIMIT_CHECK_SYNC_MS + 1);
}

static void test_failures(void **state)
{
    struct world *w = *state;
    w->outcome = PROVISION_FAILED;
    configure(w);
    schedule_power_on(w->schedule, false);
    (void)wait_for_one(w, 0);
    uint64_t most = LIMIT_FETCH_RETRY_BASE_MS;
    for (int i = 0; i < 20; i++) { /* it backs off, and never gives up */
        assert_true(wait_for_one(w, most) >= most / 2);
        assert_int_equal(w->cause, PROVISION_POWER_ON);
        most = 2 * most < LIMIT_FETCH_RETRY_MAX_MS ? 2 * most : LIMIT_FETCH_RETRY_MAX_MS;
    }
    w->outcome = PROVISION_UNCHANGED;
    (void)wait_for_one(w, LIMIT_FETCH_RETRY_MAX_MS);
    assert_true(schedule_next_ms(w->schedule) == UINT64_MAX);
    w->outcome = PROVISION_FAILED; /* and the next failure is a first one again */
    schedule_check_sync(w->schedule);
    (void)wait_for_one(w, SECONDS(10));
    (void)wait_for_one(w, LIMIT_FETCH_RETRY_BASE_MS);
    assert_int_equal(w->cause, PROVISION_CHECK_SYNC);
}

static void test_what_is_not_tried_again(void **state)
{
    struct world *w = *state;
    configure(w);
    ended(w, PROVISION_ASKED, PROVISION_FAILED);
    ended(w, PROVISION_PUSH, PROVISION_FAILED);
    ended(w, PROVISION_LOCAL, PROVISION_FAILED);
    ended(w, PROVISION_POWER_ON, PROVISION_REFUSED); /* the file is no good: it is no use */
    ended(w, PROVISION_ASKED, PROVISION_ROLLED_BACK);
    assert_true(schedule_next_ms(w->schedule) == UINT64_MAX);
}

static void test_not_even_begun(void **state)
{
    struct world *w = *state;
    w->refuse = ERR_BUSY;
    configure(w);
    schedule_check_sync(w->schedule);
    (void)wait_for_one(w, SECONDS(10));
    w->refuse = ERR_OK;
    (void)wait_for_one(w, LIMIT_FETCH_RETRY_BASE_MS);
    assert_int_equal(w->cause, PROVISION_CHECK_SYNC);
    assert_true(schedule_next_ms(w->schedule) == UINT64_MAX);
}

/* The server said when it wants to be asked again: no reason is good enough to come sooner. */
static void test_retry_after(void **state)
{
    struct world *w = *state;
    w->outcome = PROVISION_FAILED;
    w->retry_after_s = 1800;
    configure(w);
    schedule_power_on(w->schedule, false);
    (void)wait_for_one(w, 0);
    schedule_check_sync(w->schedule);
    schedule_try_again(w->schedule);
    w->outcome = PROVISION_APPLIED;
    assert_true(wait_for_one(w, SECONDS(1800)) >= SECONDS(1800));
    assert_true(schedule_next_ms(w->schedule) == UINT64_MAX); /* for all reasons at once */
}

static void test_the_reason_of_a_failure_goes(void **state)
{
    struct world *w = *state;
    w->outcome = PROVISION_FAILED;
    configure(w);
    schedule_try_again(w->schedule); /* nothing failed yet */
    assert_true(schedule_next_ms(w->schedule) == UINT64_MAX);
    schedule_power_on(w->schedule, false);
    (void)wait_for_one(w, 0);
    w->outcome = PROVISION_APPLIED;
    schedule_try_again(w->schedule); /* the clock was set */
    assert_int_equal(wait_for_one(w, 0), 0);
    w->outcome = PROVISION_FAILED;
    schedule_check_sync(w->schedule);
    (void)wait_for_one(w, SECONDS(10));
    w->cfg.server = "https://new.example.com/";
    configure(w);
    assert_int_equal(wait_for_one(w, 0), 0);
    w->cfg.server = "";
    configure(w);
    assert_true(schedule_next_ms(w->schedule) == UINT64_MAX);
}

static void test_a_fetch_that_hangs_does_not_stop_the_period(void **state)
{
    struct world *w = *state;
    w->silent = true;
    w->cfg.period_min = 60;
    configure(w);
    (void)wait_for_one(w, MINUTES(66));
    (void)wait_for_one(w, MINUTES(66));
}

#define SCENARIO(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_nothing_to_do),
        SCENARIO(test_power_on),
        SCENARIO(test_power_on_not_wanted),
        SCENARIO(test_a_fleet_spreads),
        SCENARIO(test_period),
        SCENARIO(test_the_longest_period),
        SCENARIO(test_a_period_changes),
        SCENARIO(test_a_period_counts_from_the_last_fetch),
        SCENARIO(test_check_sync),
        SCENARIO(test_a_flood_of_check_sync),
        SCENARIO(test_failures),
        SCENARIO(test_what_is_not_tried_again),
        SCENARIO(test_not_even_begun),
        SCENARIO(test_retry_after),
        SCENARIO(test_the_reason_of_a_failure_goes),
        SCENARIO(test_a_fetch_that_hangs_does_not_stop_the_period),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
