/* Who is shown the messages of calls. */
#include "tools/unit.h"

#include <stdio.h>

#include "control/events.h"
#include "sim/local.h"

#define UI    "/run/events.sock"
#define ADMIN "/run/control.sock"

static struct {
    struct sim *w;
    struct events *events;
    struct trust *trust;
} t;

static size_t account_count(void *arg)
{
    (void)arg;
    return 0;
}

static struct trust *trust_now(void *arg)
{
    (void)arg;
    return t.trust;
}

static enum trust_filter filter_now(void *arg)
{
    (void)arg;
    return TRUST_ALL;
}

static struct wallclock time_now(void *arg)
{
    (void)arg;
    return (struct wallclock){.state = CLOCK_SET, .epoch_s = SIM_EPOCH_S};
}

static const struct complaints *complaints_now(void *arg)
{
    static const struct complaints none;
    (void)arg;
    return &none;
}

static int set_up(void **state)
{
    const struct events_params p = {
        .run_dir = "/run",
        .ui_group = (gid_t)-1,
        .admin_group = (gid_t)-1,
        .version = "0",
        .source = {.account_count = account_count,
                   .trust = trust_now,
                   .trust_filter = filter_now,
                   .now = time_now,
                   .complaints = complaints_now},
    };
    struct events_params with_loop = p;
    (void)state;
    t.w = sim_new();
    with_loop.loop = sim_loop(t.w);
    assert_true(is_ok(trust_new(NULL, 0, NULL, NULL, &t.trust, NULL)));
    return is_ok(events_new(&with_loop, &t.events, NULL)) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    events_free(t.events);
    trust_unref(t.trust);
    sim_settle(t.w);
    sim_free(t.w);
    return 0;
}

static void subscribe(struct local *p, const char *path, const char *params)
{
    char line[256];
    local_connect(p, t.w, path);
    (void)snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\"%s}\n",
                   params);
    local_ask(p, line);
    buf_clear(&p->got);
}

/* To those who have asked, and their bodies to those who have asked for them too. */
static void test_topics(void **state)
{
    struct local plain, headers, bodies, ui;
    static const char message[] = "SIP/2.0 200 OK\r\nl: 2\r\n\r\nhi";
    (void)state;

    events_message(t.events, 2, 7, false, slice_of_str(message)); /* nobody listens */
    subscribe(&plain, ADMIN, "");
    subscribe(&headers, ADMIN, ",\"params\":{\"topics\":[\"messages\"]}");
    subscribe(&bodies, ADMIN, ",\"params\":{\"topics\":[\"messages\",\"bodies\"]}");
    subscribe(&ui, UI, ",\"params\":{\"topics\":[\"messages\"]}"); /* is refused there */
    events_message(t.events, 2, 7, false, slice_of_str(message));
#define MESSAGE(body)                                                                             \
    "{\"jsonrpc\":\"2.0\",\"method\":\"message\",\"params\":{\"account\":2,\"connection\":\"7\"," \
    "\"direction\":\"in\",\"first\":\"SIP/2.0 200 OK\",\"headers\":[\"l: 2\"]," body              \
    "\"cut\":false}}\n"
    local_check(&plain, "");
    local_check(&headers, MESSAGE(""));
    local_check(&bodies, MESSAGE("\"body\":[\"hi\"],"));
    local_check(&ui, "");
    local_leave(&plain);
    local_leave(&headers);
    local_leave(&bodies);
    local_leave(&ui);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_topics, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
