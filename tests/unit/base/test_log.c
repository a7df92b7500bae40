/* log: what is written to stderr, read back through a pipe. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utf8.h"
#include "tools/unit.h"

static int pipe_fd[2];
static int real_stderr;
static char got[4096];

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(pipe(pipe_fd), 0);
    real_stderr = dup(STDERR_FILENO);
    assert_true(dup2(pipe_fd[1], STDERR_FILENO) >= 0);
    (void)close(pipe_fd[1]);
    log_open(LOG_SINK_STDERR, LOG_LEVEL_NOTICE, "test");
    return 0;
}

/* What was logged; stderr is itself again. */
static const char *logged(void)
{
    (void)fflush(stderr);
    assert_true(dup2(real_stderr, STDERR_FILENO) >= 0);
    ssize_t n = 0;
    for (ssize_t r; (r = read(pipe_fd[0], got + n, sizeof got - 1 - (size_t)n)) > 0;)
        n += r;
    got[n] = '\0';
    return got;
}

static int tear_down(void **state)
{
    (void)state;
    (void)dup2(real_stderr, STDERR_FILENO);
    (void)close(real_stderr);
    (void)close(pipe_fd[0]);
    log_open(LOG_SINK_STDERR, LOG_LEVEL_NOTICE, "test");
    return 0;
}

static void a_line_has_level_area_and_text(void **state)
{
    (void)state;
    log_warning("account 2", "retry in %d s", 4);
    log_error("x", "y");
    assert_string_equal(logged(), "warning account 2: retry in 4 s\nerror   x: y\n");
}

static void only_what_the_level_allows_is_written(void **state)
{
    (void)state;
    log_set_level(LOG_LEVEL_WARNING);
    log_error("a", "error");
    log_warning("a", "warning");
    log_notice("a", "notice");
    log_info("a", "info");
    log_debug("a", "debug");
    assert_string_equal(logged(), "error   a: error\nwarning a: warning\n");
    assert_true(log_enabled(LOG_LEVEL_WARNING));
    assert_false(log_enabled(LOG_LEVEL_NOTICE));
}

static int evaluated;

static int evaluate(void)
{
    return ++evaluated;
}

static void debug_costs_nothing_when_it_is_off(void **state)
{
    (void)state;
    log_debug("a", "%d", evaluate());
    assert_int_equal(evaluated, 0);
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("a", "%d", evaluate());
    assert_int_equal(evaluated, 1);
    assert_string_equal(logged(), "debug   a: 1\n");
}

static void nobody_outside_writes_lines_of_ours(void **state)
{
    (void)state;
    log_notice("a", "peer '%s'", "x\nerror   a: forged\r\x1b[2J\xff\xc3\xa4");
    assert_string_equal(logged(), "notice  a: peer 'x?error   a: forged??[2J?\xc3\xa4'\n");
}

static void a_long_line_is_cut_between_characters(void **state)
{
    (void)state;
    char text[3 * 1024 + 2] = "x";
    for (size_t i = 0; i < 1024; i++)
        memcpy(text + 1 + 3 * i, "\xe2\x82\xac", 4);
    log_notice("a", "%s", text);
    const char *line = logged();
    const size_t n = strlen(line);
    assert_in_range(n, 1000, 1024 + 16);
    assert_int_equal(line[n - 1], '\n');
    assert_true(utf8_is_text(slice_of(line, n - 1)));
    assert_null(strchr(line, '?'));
}

static void nowhere_is_a_sink_too(void **state)
{
    (void)state;
    log_open(LOG_SINK_NONE, LOG_LEVEL_DEBUG, "test");
    assert_false(log_enabled(LOG_LEVEL_ERROR));
    log_error("a", "lost");
    assert_string_equal(logged(), "");
}

static void levels_have_names(void **state)
{
    (void)state;
    static const char *const names[] = {"error", "warning", "notice", "info", "debug"};
    enum log_level level = LOG_LEVEL_ERROR;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_true(log_level_from_name(names[i], &level));
        assert_int_equal(level, i);
    }
    assert_false(log_level_from_name("Error", &level));
    assert_false(log_level_from_name("", &level));
    assert_int_equal(level, LOG_LEVEL_DEBUG);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_line_has_level_area_and_text),
        TEST(only_what_the_level_allows_is_written),
        TEST(debug_costs_nothing_when_it_is_off),
        TEST(nobody_outside_writes_lines_of_ours),
        TEST(a_long_line_is_cut_between_characters),
        TEST(nowhere_is_a_sink_too),
        TEST(levels_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
