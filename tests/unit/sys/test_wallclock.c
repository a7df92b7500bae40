/*
 * wallclock: with a kernel of the test's own. The functions below take the place of the C
 * library's: the real ones cannot be told what time it is without setting the machine's clock.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "sys/store.h"
#include "sys/wallclock.h"
#include "tools/looprun.h"
#include "tools/unit.h"

#define NOW (wallclock_build_time() + 1000000)

static struct {
    int64_t time_s;
    bool synchronised;
    bool forbids_adjtimex;
    int timer;      /* stands for the timerfd: readable when the clock was set */
    int timer_arms; /* and how often it was armed */
} kernel;

time_t time(time_t *out)
{
    if (out != NULL)
        *out = kernel.time_s;
    return kernel.time_s;
}

int adjtimex(struct timex *query)
{
    assert_int_equal(query->modes, 0);
    if (kernel.forbids_adjtimex)
        return -1;
    query->status = kernel.synchronised ? STA_PLL : STA_PLL | STA_UNSYNC;
    return kernel.synchronised ? TIME_OK : TIME_ERROR;
}

int timerfd_create(clockid_t clock, int flags)
{
    assert_int_equal(clock, CLOCK_REALTIME);
    assert_int_equal(flags, TFD_NONBLOCK | TFD_CLOEXEC);
    kernel.timer = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return kernel.timer;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
    assert_int_equal(fd, kernel.timer);
    assert_int_equal(flags, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET);
    assert_true(value->it_value.tv_sec > NOW);
    assert_null(old);
    kernel.timer_arms++;
    return 0;
}

static struct {
    struct loop *loop;
    struct wallclock_source *clock;
    char dir[64];
    char path[96];
    int changes;
} t;

static void on_changed(void *arg)
{
    assert_ptr_equal(arg, &t);
    t.changes++;
}

static int set_up(void **state)
{
    (void)state;
    memset(&kernel, 0, sizeof kernel);
    memset(&t, 0, sizeof t);
    kernel.time_s = NOW;
    assert_true(is_ok(loop_new(&t.loop, NULL)));
    (void)snprintf(t.dir, sizeof t.dir, "/tmp/test_wallclock.XXXXXX");
    assert_non_null(mkdtemp(t.dir));
    (void)snprintf(t.path, sizeof t.path, "%s/clock", t.dir);
    log_open(LOG_SINK_NONE, LOG_LEVEL_ERROR, "test");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    wallclock_close(t.clock);
    loop_free(t.loop);
    (void)unlink(t.path);
    return rmdir(t.dir);
}

static void open_clock(void)
{
    assert_true(is_ok(wallclock_open(t.loop, t.dir, on_changed, &t, &t.clock, NULL)));
}

static void reopen_clock(void)
{
    wallclock_close(t.clock);
    open_clock();
}

static void set_by_somebody(int64_t time_s)
{
    const uint64_t one = 1;
    kernel.time_s = time_s;
    assert_int_equal(write(kernel.timer, &one, sizeof one), sizeof one);
    looprun_for(t.loop, 5);
}

static void assert_now(enum clock_state state, int64_t epoch_s)
{
    const struct wallclock now = wallclock_now(t.clock);
    assert_int_equal(now.state, state);
    assert_int_equal(now.epoch_s, epoch_s);
}

static void put_file(const char *content)
{
    assert_true(is_ok(store_write(t.path, 0644, slice_of_str(content), NULL)));
}

static void assert_file(int64_t expected_s)
{
    struct buf content;
    char expected[CLOCK_ISO_SIZE];
    buf_init(&content, 100);
    assert_true(is_ok(store_read(t.path, &content, NULL)));
    clock_to_iso(expected_s, expected);
    assert_true(slice_eq_str(slice_trim(buf_slice(&content)), expected));
    buf_free(&content);
}

static void the_state_is_the_kernels_word(void **state)
{
    (void)state;
    open_clock();
    assert_now(CLOCK_FLOOR, NOW);
    kernel.synchronised = true;
    assert_now(CLOCK_SET, NOW);
    kernel.forbids_adjtimex = true; /* a sandbox */
    assert_now(CLOCK_FLOOR, NOW);
    kernel.time_s = 1000;
    assert_now(CLOCK_UNSET, wallclock_build_time());
}

static void a_step_of_the_clock_is_told_each_time(void **state)
{
    (void)state;
    open_clock();
    assert_int_equal(kernel.timer_arms, 1);
    assert_int_equal(t.changes, 0);
    set_by_somebody(NOW + 60);
    assert_int_equal(t.changes, 1);
    set_by_somebody(NOW + 120);
    assert_int_equal(t.changes, 2);
    assert_int_equal(kernel.timer_arms, 3);
}

static void a_synchronised_time_is_kept_for_the_next_start(void **state)
{
    (void)state;
    kernel.synchronised = true;
    open_clock();
    assert_file(NOW);
    kernel.time_s += 500;
    wallclock_close(t.clock);
    assert_file(NOW + 500);

    kernel.synchronised = false;
    kernel.time_s = 1000; /* the battery was empty */
    open_clock();
    assert_now(CLOCK_FLOOR, NOW + 500);
}

static void an_unsynchronised_time_is_not_kept(void **state)
{
    (void)state;
    open_clock();
    wallclock_close(t.clock);
    t.clock = NULL;
    assert_int_equal(access(t.path, F_OK), -1);
}

static void flash_is_not_written_at_every_step(void **state)
{
    (void)state;
    kernel.synchronised = true;
    open_clock();
    set_by_somebody(NOW + 60);
    assert_file(NOW);
    assert_int_equal(t.changes, 1);
}

static void becoming_synchronised_is_kept_at_once(void **state)
{
    (void)state;
    open_clock();
    kernel.synchronised = true;
    set_by_somebody(NOW + 60);
    assert_file(NOW + 60);
}

static void a_mistake_of_the_future_does_not_outlive_synchronisation(void **state)
{
    (void)state;
    put_file("2099-01-01T00:00:00Z\n");
    kernel.synchronised = true;
    open_clock();
    assert_now(CLOCK_SET, NOW);
    reopen_clock();
    kernel.synchronised = false;
    assert_now(CLOCK_FLOOR, NOW);
}

static void a_broken_file_is_as_none(void **state)
{
    (void)state;
    static const char *const contents[] = {
        "", "yesterday", "2099-13-01T00:00:00Z", "-5",
        "2099-01-01T00:00:00Z and so on and so on and so on and so on and so on and so on"};
    for (size_t i = 0; i < COUNT_OF(contents); i++) {
        put_file(contents[i]);
        reopen_clock();
        assert_now(CLOCK_FLOOR, NOW);
    }
}

static void nowhere_to_keep_it_is_allowed(void **state)
{
    (void)state;
    kernel.synchronised = true;
    assert_true(is_ok(wallclock_open(t.loop, NULL, NULL, NULL, &t.clock, NULL)));
    set_by_somebody(NOW + 60);
    assert_now(CLOCK_SET, NOW + 60);
}

static void the_build_time_is_the_start_of_a_day_that_has_been(void **state)
{
    (void)state;
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
    assert_int_equal(wallclock_build_time() % 86400, 0);
    assert_true(wallclock_build_time() <= now.tv_sec);
    assert_true(wallclock_build_time() > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_state_is_the_kernels_word),
        TEST(a_step_of_the_clock_is_told_each_time),
        TEST(a_synchronised_time_is_kept_for_the_next_start),
        TEST(an_unsynchronised_time_is_not_kept),
        TEST(flash_is_not_written_at_every_step),
        TEST(becoming_synchronised_is_kept_at_once),
        TEST(a_mistake_of_the_future_does_not_outlive_synchronisation),
        TEST(a_broken_file_is_as_none),
        TEST(nowhere_to_keep_it_is_allowed),
        TEST(the_build_time_is_the_start_of_a_day_that_has_been),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
