/* Reports of provisioning that are sent away: in simulated time, to a server that is a function. */
#include "tools/unit.h"

#include <string.h>

#include "base/limits.h"
#include "control/report_post.h"
#include "sim/sim.h"
#include "sys/entropy.h"

#define SECONDS(n) ((n)*UINT64_C(1000))

struct world {
    struct sim *sim;
    struct report_post *post;
    enum err begin; /* what comes of beginning */
    bool nowhere;
    unsigned begun, cancelled;
    char body[64]; /* the last that was sent */
    fetch_fn *fn;  /* NULL: nothing is under way */
    void *fn_arg;
    uint64_t at;
};

static struct fetch *const the_fetch = (struct fetch *)&"only its address counts";

static struct result post(void *arg, struct slice json, fetch_fn *fn, void *fn_arg,
                          struct fetch **out, struct errinfo *e)
{
    struct world *w = arg;
    *out = NULL;
    if (w->nowhere)
        return OK;
    assert_null(w->fn); /* one at a time */
    w->begun++;
    w->at = loop_now_ms(sim_loop(w->sim));
    assert_true(slice_to_str(json, w->body, sizeof w->body));
    if (w->begin != ERR_OK)
        return fail(e, w->begin, "it cannot begin");
    w->fn = fn;
    w->fn_arg = fn_arg;
    *out = the_fetch;
    return OK;
}

static void cancel(void *arg, struct fetch *f)
{
    struct world *w = arg;
    assert_ptr_equal(f, the_fetch);
    w->cancelled++;
    w->fn = NULL;
}

static int set_up(void **state)
{
    static struct world w;
    w = (struct world){.sim = sim_new()};
    const struct report_post_ops ops = {post, cancel, &w};
    assert_true(is_ok(report_post_new(sim_loop(w.sim), &entropy_system, &ops, &w.post)));
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    report_post_free(w->post);
    assert_null(w->fn);
    sim_free(w->sim);
    return 0;
}

static void send(struct world *w, const char *json)
{
    const unsigned before = w->begun;
    report_post_send(w->post, slice_of_str(json));
    assert_int_equal(w->begun, before); /* never from inside */
    sim_advance(w->sim, 0);
}

static void answer(struct world *w, enum fetch_outcome outcome, uint32_t retry_after_s)
{
    struct fetch_result r = {
        .outcome = outcome, .host = "collect.example.com", .retry_after_s = retry_after_s};
    fetch_fn *fn = w->fn;
    assert_non_null(fn);
    if (outcome == FETCH_FAILED)
        IGNORE(fail(&r.error, ERR_PEER, "collect.example.com answered with the status 503"));
    w->fn = NULL;
    if (fn != NULL)
        fn(w->fn_arg, &r);
    sim_advance(w->sim, 0);
}

static void test_it_is_sent(void **state)
{
    struct world *w = *state;
    send(w, "{1}");
    assert_string_equal(w->body, "{1}");
    answer(w, FETCH_DONE, 0);
    send(w, "{2}");
    assert_string_equal(w->body, "{2}");
    answer(w, FETCH_DONE, 0);
    sim_advance(w->sim, SECONDS(100000));
    assert_int_equal(w->begun, 2);
}

static void test_nowhere_to_send_it(void **state)
{
    struct world *w = *state;
    w->nowhere = true;
    send(w, "{1}");
    w->nowhere = false; /* what was before is not for that one */
    sim_advance(w->sim, SECONDS(100000));
    assert_int_equal(w->begun, 0);
}

static void test_a_few_tries(void **state)
{
    struct world *w = *state;
    send(w, "{1}");
    for (unsigned i = 1; i < LIMIT_REPORT_TRIES; i++) {
        const uint64_t before = w->at;
        answer(w, FETCH_FAILED, 0);
        assert_int_equal(w->begun, i); /* not at once */
        sim_advance(w->sim, LIMIT_REPORT_RETRY_MAX_MS);
        assert_int_equal(w->begun, i + 1);
        assert_string_equal(w->body, "{1}");
        assert_true(w->at - before >= LIMIT_REPORT_RETRY_BASE_MS / 2);
    }
    answer(w, FETCH_FAILED, 0);
    sim_advance(w->sim, SECONDS(100000));
    assert_int_equal(w->begun, LIMIT_REPORT_TRIES);
    w->begin = ERR_NOMEM; /* the same where it does not even begin */
    send(w, "{2}");
    sim_advance(w->sim, SECONDS(100000));
    assert_int_equal(w->begun, 2 * LIMIT_REPORT_TRIES);
}

static void test_retry_after(void **state)
{
    struct world *w = *state;
    send(w, "{1}");
    answer(w, FETCH_FAILED, 120);
    sim_advance(w->sim, SECONDS(119));
    assert_int_equal(w->begun, 1);
    sim_advance(w->sim, SECONDS(1));
    assert_int_equal(w->begun, 2);
    answer(w, FETCH_FAILED, 3600); /* at most so long is waited with a report */
    sim_advance(w->sim, LIMIT_REPORT_RETRY_MAX_MS);
    assert_int_equal(w->begun, 3);
    answer(w, FETCH_DONE, 0);
}

static void test_the_newest_wins(void **state)
{
    struct world *w = *state;
    send(w, "{1}");
    send(w, "{2}");
    send(w, "{3}");
    assert_int_equal(w->begun, 1);
    answer(w, FETCH_FAILED, 600); /* of an old one, nobody cares */
    assert_int_equal(w->begun, 2);
    assert_string_equal(w->body, "{3}");
    answer(w, FETCH_FAILED, 600);
    send(w, "{4}"); /* in place of the one that waits */
    assert_int_equal(w->begun, 3);
    assert_string_equal(w->body, "{4}");
    answer(w, FETCH_DONE, 0);
    sim_advance(w->sim, SECONDS(100000));
    assert_int_equal(w->begun, 3);
}

static void test_it_goes_meanwhile(void **state)
{
    struct world *w = *state;
    send(w, "{1}");
    report_post_free(w->post);
    w->post = NULL;
    assert_int_equal(w->cancelled, 1);
}

#define SCENARIO(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_it_is_sent),      SCENARIO(test_nowhere_to_send_it),
        SCENARIO(test_a_few_tries),     SCENARIO(test_retry_after),
        SCENARIO(test_the_newest_wins), SCENARIO(test_it_goes_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
