/* notify: the sd_notify protocol, with the test as supervisor. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/notify.h"
#include "tools/unit.h"

static char path[64];
static int supervisor;

/* Listens at NAME, '@' for an abstract one, and tells the environment. */
static void supervise(const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const size_t n = strlen(name);
    memcpy(at.sun_path, name, n);
    if (name[0] == '@')
        at.sun_path[0] = '\0';
    supervisor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(supervisor, (struct sockaddr *)&at,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
                     0);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
}

static int set_up(void **state)
{
    (void)state;
    supervisor = -1;
    (void)snprintf(path, sizeof path, "/tmp/test_notify.%ld", (long)getpid());
    log_open(LOG_SINK_NONE, LOG_LEVEL_ERROR, "test");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (supervisor >= 0)
        (void)close(supervisor);
    (void)unlink(path);
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
    return 0;
}

static void assert_received(const char *expected)
{
    char got[64] = "";
    assert_int_equal(recv(supervisor, got, sizeof got - 1, 0), strlen(expected));
    assert_string_equal(got, expected);
}

static void a_message_is_one_datagram(void **state)
{
    (void)state;
    supervise(path);
    notify_send("READY=1");
    notify_send("RELOADING=1\nMONOTONIC_USEC=77");
    assert_received("READY=1");
    assert_received("RELOADING=1\nMONOTONIC_USEC=77");
}

static void abstract_sockets_work_too(void **state)
{
    (void)state;
    char name[64];
    (void)snprintf(name, sizeof name, "@test_notify.%ld", (long)getpid());
    supervise(name);
    notify_send("STOPPING=1");
    assert_received("STOPPING=1");
}

/* It returns: the test would hang, or die of a signal, if it did not. */
static void nobody_to_tell_is_no_harm(void **state)
{
    (void)state;
    static const char *const names[] = {"",  "relative",        "/",
                                        "@", "/no/such/socket", "vsock:2:1234"};
    char long_name[200] = "/";
    memset(long_name + 1, 'x', sizeof long_name - 2);
    notify_send("READY=1");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_int_equal(setenv("NOTIFY_SOCKET", names[i], 1), 0);
        notify_send("READY=1");
    }
    assert_int_equal(setenv("NOTIFY_SOCKET", long_name, 1), 0);
    notify_send("READY=1");
}

static void a_supervisor_that_does_not_read_is_not_waited_for(void **state)
{
    (void)state;
    supervise(path);
    for (int i = 0; i < 10000; i++)
        notify_send("WATCHDOG=1");
    assert_received("WATCHDOG=1");
}

static void the_watchdog_is_for_this_process_only(void **state)
{
    (void)state;
    char self[32];
    (void)snprintf(self, sizeof self, "%ld", (long)getpid());
    const struct {
        const char *usec, *pid;
        uint64_t ms;
    } cases[] = {
        {NULL, NULL, 0},      {"30000000", NULL, 30000}, {"30000000", self, 30000},
        {"30000000", "1", 0}, {"30000000", "x", 0},      {"", NULL, 0},
        {"-5", NULL, 0},      {"soon", self, 0},         {"18446744073709551616", self, 0},
        {NULL, self, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        (void)unsetenv("WATCHDOG_USEC");
        (void)unsetenv("WATCHDOG_PID");
        if (cases[i].usec != NULL)
            assert_int_equal(setenv("WATCHDOG_USEC", cases[i].usec, 1), 0);
        if (cases[i].pid != NULL)
            assert_int_equal(setenv("WATCHDOG_PID", cases[i].pid, 1), 0);
        assert_int_equal(notify_watchdog_ms(), cases[i].ms);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_message_is_one_datagram),
        TEST(abstract_sockets_work_too),
        TEST(nobody_to_tell_is_no_harm),
        TEST(a_supervisor_that_does_not_read_is_not_waited_for),
        TEST(the_watchdog_is_for_this_process_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
