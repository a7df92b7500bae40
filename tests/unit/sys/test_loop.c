/* loop: order and cancelling of timers, signals, descriptors, and how it runs and stops. */
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "sys/loop.h"
#include "tools/unit.h"

struct fixture {
    struct loop *loop;
    struct loop_timer *timers[3];
    struct loop_signal *signal;
    struct loop_poll *poll;
    int pipe[2];
    int calls;
    int order[8];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_true(is_ok(loop_new(&f->loop, NULL)));
    assert_int_equal(pipe(f->pipe), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    loop_free(f->loop);
    (void)close(f->pipe[0]);
    (void)close(f->pipe[1]);
    free(f);
    return 0;
}

static void count(void *arg)
{
    struct fixture *f = arg;
    f->calls++;
}

static void stop(void *arg)
{
    struct fixture *f = arg;
    f->calls++;
    loop_stop(f->loop);
}

/* Runs the loop until everything that is due within MS has been called. */
static void run_for(struct fixture *f, uint64_t ms)
{
    struct loop_timer *end = loop_timer_new(f->loop, stop, f);
    loop_timer_start(end, ms);
    loop_run(f->loop);
    loop_timer_free(end);
    f->calls--; /* its own */
}

static void note_1(void *arg)
{
    struct fixture *f = arg;
    f->order[f->calls++] = 1;
}

static void note_2(void *arg)
{
    struct fixture *f = arg;
    f->order[f->calls++] = 2;
}

static void timers_fire_in_the_order_of_their_times(void **state)
{
    struct fixture *f = *state;
    f->timers[0] = loop_timer_new(f->loop, note_1, f);
    f->timers[1] = loop_timer_new(f->loop, note_2, f);
    loop_timer_start(f->timers[0], 8);
    loop_timer_start(f->timers[1], 2);
    run_for(f, 10);
    assert_int_equal(f->calls, 2);
    assert_int_equal(f->order[0], 2);
    assert_int_equal(f->order[1], 1);
    loop_timer_free(f->timers[0]);
    loop_timer_free(f->timers[1]);
}

static void a_timer_is_one_shot_and_a_new_start_replaces_the_old(void **state)
{
    struct fixture *f = *state;
    f->timers[0] = loop_timer_new(f->loop, count, f);
    loop_timer_start(f->timers[0], 1);
    loop_timer_start(f->timers[0], 3);
    run_for(f, 12);
    assert_int_equal(f->calls, 1);
    loop_timer_free(f->timers[0]);
}

static void a_stopped_timer_does_not_fire(void **state)
{
    struct fixture *f = *state;
    f->timers[0] = loop_timer_new(f->loop, count, f);
    loop_timer_start(f->timers[0], 1);
    loop_timer_stop(f->timers[0]);
    run_for(f, 5);
    assert_int_equal(f->calls, 0);
    loop_timer_free(f->timers[0]);
}

/* Frees itself and the other two, which are due in the same turn. */
static void free_all(void *arg)
{
    struct fixture *f = arg;
    f->calls++;
    for (int i = 0; i < 3; i++)
        loop_timer_free(f->timers[i]);
}

static void a_timer_may_free_itself_and_others_that_are_due(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++) {
        f->timers[i] = loop_timer_new(f->loop, free_all, f);
        loop_timer_start(f->timers[i], 1);
    }
    run_for(f, 5);
    assert_int_equal(f->calls, 1);
}

static void time_goes_on_by_what_a_timer_waited(void **state)
{
    struct fixture *f = *state;
    const uint64_t before = loop_now_ms(f->loop);
    run_for(f, 7);
    assert_true(loop_now_ms(f->loop) >= before + 7);
}

static void a_stop_before_the_run_is_not_lost(void **state)
{
    struct fixture *f = *state;
    loop_stop(f->loop);
    loop_run(f->loop); /* hangs, and so times out, if it is */
}

static void a_signal_calls_back_each_time(void **state)
{
    struct fixture *f = *state;
    assert_true(is_ok(loop_signal_new(f->loop, SIGUSR1, stop, f, &f->signal, NULL)));
    for (int i = 1; i <= 2; i++) {
        (void)raise(SIGUSR1);
        loop_run(f->loop);
        assert_int_equal(f->calls, i);
    }
    loop_signal_free(f->signal);
}

static void a_signal_that_cannot_be_caught_is_refused(void **state)
{
    struct fixture *f = *state;
    struct errinfo e = ERRINFO_INIT;
    assert_int_equal(loop_signal_new(f->loop, SIGKILL, count, f, &f->signal, &e).code, ERR_SYSTEM);
    assert_string_equal(e.text, "cannot watch a signal: Invalid argument");
}

static void read_one(void *arg)
{
    struct fixture *f = arg;
    char c;
    assert_int_equal(read(f->pipe[0], &c, 1), 1);
    if (++f->calls == 3)
        loop_stop(f->loop);
}

static void a_poll_calls_back_while_there_is_something_to_read(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(write(f->pipe[1], "abc", 3), 3);
    assert_true(is_ok(loop_poll_new(f->loop, f->pipe[0], read_one, f, &f->poll, NULL)));
    loop_run(f->loop);
    assert_int_equal(f->calls, 3);
    loop_poll_free(f->poll);
}

static void free_poll(void *arg)
{
    struct fixture *f = arg;
    f->calls++;
    loop_poll_free(f->poll);
}

static void a_poll_may_free_itself_and_its_descriptor_be_closed_at_once(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(write(f->pipe[1], "a", 1), 1);
    assert_true(is_ok(loop_poll_new(f->loop, f->pipe[0], free_poll, f, &f->poll, NULL)));
    run_for(f, 5);
    assert_int_equal(f->calls, 1);
}

static void a_poll_tells_that_the_other_end_was_closed(void **state)
{
    struct fixture *f = *state;
    assert_true(is_ok(loop_poll_new(f->loop, f->pipe[0], stop, f, &f->poll, NULL)));
    assert_int_equal(close(f->pipe[1]), 0);
    loop_run(f->loop);
    f->pipe[1] = dup(f->pipe[0]); /* for tear_down */
    assert_int_equal(f->calls, 1);
    loop_poll_free(f->poll);
}

static void a_poll_watches_what_it_is_told_to(void **state)
{
    struct fixture *f = *state;
    assert_true(is_ok(loop_poll_new(f->loop, f->pipe[1], stop, f, &f->poll, NULL)));
    loop_poll_watch(f->poll, LOOP_POLL_WRITABLE); /* an empty pipe is */
    loop_run(f->loop);
    assert_int_equal(f->calls, 1);
    loop_poll_free(f->poll);

    assert_int_equal(write(f->pipe[1], "a", 1), 1);
    assert_true(is_ok(loop_poll_new(f->loop, f->pipe[0], stop, f, &f->poll, NULL)));
    loop_poll_watch(f->poll, LOOP_POLL_WRITABLE);
    run_for(f, 5);
    assert_int_equal(f->calls, 1); /* there is only something to read */
    loop_poll_watch(f->poll, LOOP_POLL_READABLE | LOOP_POLL_WRITABLE);
    loop_run(f->loop);
    assert_int_equal(f->calls, 2);
    loop_poll_free(f->poll);
}

static void writing_to_a_closed_pipe_does_not_kill(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(close(f->pipe[0]), 0);
    assert_int_equal(write(f->pipe[1], "a", 1), -1);
    f->pipe[0] = dup(f->pipe[1]);
}

static void null_may_be_freed(void **state)
{
    (void)state;
    loop_timer_free(NULL);
    loop_signal_free(NULL);
    loop_poll_free(NULL);
    loop_free(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(timers_fire_in_the_order_of_their_times),
        TEST(a_timer_is_one_shot_and_a_new_start_replaces_the_old),
        TEST(a_stopped_timer_does_not_fire),
        TEST(a_timer_may_free_itself_and_others_that_are_due),
        TEST(time_goes_on_by_what_a_timer_waited),
        TEST(a_stop_before_the_run_is_not_lost),
        TEST(a_signal_calls_back_each_time),
        TEST(a_signal_that_cannot_be_caught_is_refused),
        TEST(a_poll_calls_back_while_there_is_something_to_read),
        TEST(a_poll_may_free_itself_and_its_descriptor_be_closed_at_once),
        TEST(a_poll_tells_that_the_other_end_was_closed),
        TEST(a_poll_watches_what_it_is_told_to),
        TEST(writing_to_a_closed_pipe_does_not_kill),
        TEST(null_may_be_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
