/* The local port of an account, and stacks that are slow, silent or too many, or want too much. */
#include "scenario/doorlab.h"
#include "tools/unit.h"

#include <stdio.h>
#include <string.h>

/* --- too much, too slow, too silent --- */

static void test_too_many(void **state)
{
    (void)state;
    doorlab_open(doorlab_config());
    for (int i = 0; i < LIMIT_DOOR_CONNECTIONS; i++)
        assert_non_null(doorlab_connect()->stream);
    assert_null(doorlab_connect()->stream);
    stream_close(doorlab.stacks[0].stream);
    doorlab.stacks[0].stream = NULL;
    sim_settle(doorlab.sim);
    assert_non_null(doorlab_connect()->stream);
}

static void test_silent(void **state)
{
    (void)state;
    doorlab_open(doorlab_config());
    doorlab_open_line(true);
    struct stack *mute = doorlab_connect(), *slow = doorlab_connect(), *idle = doorlab_connect();
    struct stack *broken = doorlab_connect(), *calls = doorlab_connect();
    doorlab_says(slow, "INVITE ");
    doorlab_says(idle, REGISTER(STACK));
    doorlab_says(calls, INVITE);
    doorlab_server_answers(200, NULL);
    doorlab_says(broken, "GET / HTTP/1.1\n\n");
    assert_null(broken->stream);
    sim_advance(doorlab.sim, LIMIT_DOOR_FIRST_MS + 10);
    assert_null(mute->stream);
    for (int i = 0; i < 40 && slow->stream != NULL; i++) { /* a byte now and then does not help */
        doorlab_says(slow, "x");
        sim_advance(doorlab.sim, 1000);
    }
    assert_null(slow->stream);
    sim_advance(doorlab.sim, LIMIT_DOOR_IDLE_MS + 10);
    assert_null(idle->stream);
    assert_non_null(calls->stream);
    assert_int_equal(carrier_line_calls(doorlab.line), 1);
    sim_advance(doorlab.sim, LIMIT_DOOR_CALL_MS);
    assert_int_equal(carrier_line_calls(doorlab.line), 0);
}

static void test_the_server_is_slow(void **state)
{
    (void)state;
    doorlab_open(doorlab_config());
    doorlab_open_line(true);
    struct stack *s = doorlab_connect();
    doorlab.queued = LIMIT_CARRIER_OUT;
    doorlab_says(s, INVITE);
    doorlab_says(s, STACK_SAYS("MESSAGE", BOB, OUR, BOB, ""));
    assert_int_equal(doorlab.sends, 0); /* both wait, and nothing is answered */
    assert_int_equal(s->n, 0);
    carrier_line_drained(doorlab.line); /* a false hope */
    sim_settle(doorlab.sim);
    assert_int_equal(doorlab.sends, 0);
    doorlab.queued = 0;
    carrier_line_drained(doorlab.line);
    sim_settle(doorlab.sim);
    assert_int_equal(doorlab.sends, 2);
    assert_true(doorlab_sent("MESSAGE "));
    doorlab.queued = LIMIT_CARRIER_OUT;
    doorlab_says(s, STACK_SAYS("INFO", BOB, OUR, BOB, ""));
    doorlab_close_line();
    assert_true(doorlab_got(s, "SIP/2.0 503 "));
}

static void test_the_stack_is_slow(void **state)
{
    static char large[40000];
    (void)state;
    doorlab_open(doorlab_config());
    doorlab_open_line(true);
    struct stack *s = doorlab_connect();
    doorlab_says(s, REGISTER(STACK));
    (void)snprintf(large, sizeof large,
                   "MESSAGE sips:alice@192.0.2.7:40312 SIP/2.0\r\n"
                   "Via: SIP/2.0/TLS 198.51.100.1;branch=z9hG4bKserver\r\n"
                   "From: <sip:bob@example.net>;tag=b\r\nTo: <sip:alice@example.com>\r\n"
                   "Call-ID: in@server\r\nCSeq: 1 MESSAGE\r\nContent-Length: 30000\r\n\r\n%030000d",
                   0);
    stream_pause(s->stream);
    for (int i = 0; i < 20; i++)
        doorlab_server_says(large);
    assert_true(doorlab_sent("SIP/2.0 503 ") && doorlab_sent("\r\nRetry-After: "));
    assert_true(doorlab.sends > 5);
    sim_advance(doorlab.sim, LIMIT_DOOR_STUCK_MS + 10);
    stream_resume(s->stream);
    sim_settle(doorlab.sim);
    assert_null(s->stream);
}

static void test_the_port_is_taken(void **state)
{
    (void)state;
    doorlab_listen(DOOR_PORT);
    assert_true(is_ok(doorlab_try(doorlab_config(), &doorlab.door)));
    assert_false(door_status(doorlab.door).open);
    stream_listener_free(doorlab.peer);
    doorlab.peer = NULL;
    sim_advance(doorlab.sim, LIMIT_LISTEN_RETRY_MS + 10);
    assert_true(door_status(doorlab.door).open);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, doorlab_set_up, doorlab_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_too_many),           TEST(test_silent),
        TEST(test_the_server_is_slow), TEST(test_the_stack_is_slow),
        TEST(test_the_port_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
