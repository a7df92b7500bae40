#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "link/door_calls.h"
#include "tools/unit.h"

enum { STACK = 1, OTHER_STACK = 2, LINE = 10, OTHER_LINE = 11 };

static struct door_calls *calls;

static int set_up(void **state)
{
    (void)state;
    return is_ok(door_calls_new(&calls)) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    door_calls_free(calls);
    return 0;
}

/* STATUS 0: a request. FROM and TO are tags, "" for none. */
static struct sip_message *message(int status, const char *method, const char *id, const char *from,
                                   const char *to)
{
    char text[1024], start[64];
    struct sip_message *m;
    struct errinfo e = ERRINFO_INIT;
    if (status == 0)
        (void)snprintf(start, sizeof start, "%s sip:b@c SIP/2.0", method);
    else
        (void)snprintf(start, sizeof start, "SIP/2.0 %d x", status);
    (void)snprintf(text, sizeof text,
                   "%s\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=%s\r\n"
                   "To: <sip:b@c>%s%s\r\nCall-ID: %s\r\nCSeq: 1 %s\r\nMax-Forwards: 9\r\n"
                   "Content-Length: 0\r\n\r\n",
                   start, from, to[0] != '\0' ? ";tag=" : "", to, id, method);
    if (is_err(sip_message_parse(slice_of_str(text), &m, &e)))
        fail_msg("%s", e.text);
    return m;
}

static void passes_over(const struct door_way *w, bool outward, int status, const char *method,
                        const char *from, const char *to, uint64_t now)
{
    struct sip_message *m = message(status, method, "c1", from, to);
    door_calls_note(calls, m, outward, w, now);
    sip_message_free(m);
}

static void passes(bool outward, int status, const char *method, const char *from, const char *to)
{
    const struct door_way w = {.stack = STACK, .line = LINE};
    passes_over(&w, outward, status, method, from, to, 0);
}

/* The stack that a request of the server's would go to; 0: nobody knows. */
static uint64_t goes_to(const char *method, const char *from, const char *to)
{
    struct sip_message *m = message(0, method, "c1", from, to);
    const struct door_way *w = door_calls_find(calls, m, false);
    sip_message_free(m);
    return w == NULL ? 0 : w->stack;
}

static void test_outward(void **state)
{
    (void)state;
    passes(true, 0, "MESSAGE", "me", ""); /* is no call */
    assert_int_equal(door_calls_on_line(calls, LINE), 0);
    passes(true, 0, "INVITE", "me", "");
    assert_int_equal(door_calls_on_line(calls, LINE), 1);
    passes(false, 407, "INVITE", "me", "p"); /* asks for a password */
    assert_int_equal(door_calls_on_line(calls, LINE), 0);
    passes(true, 0, "INVITE", "me", "");
    passes(false, 180, "INVITE", "me", "you");
    passes(false, 200, "INVITE", "me", "you");
    passes(true, 0, "ACK", "me", "you");
    assert_int_equal(door_calls_on_line(calls, LINE), 1);
    assert_int_equal(door_calls_on_line(calls, OTHER_LINE), 0);
    assert_true(door_calls_on_stack(calls, STACK));
    assert_int_equal(goes_to("BYE", "you", "me"), STACK);
    assert_int_equal(goes_to("BYE", "you", "else"), 0);
    passes(true, 0, "BYE", "me", "you");
    passes(false, 407, "BYE", "me", "you");
    assert_int_equal(door_calls_on_line(calls, LINE), 1);
    passes(false, 200, "BYE", "me", "you");
    assert_int_equal(door_calls_on_line(calls, LINE), 0);
    assert_false(door_calls_on_stack(calls, STACK));
}

static void test_inward(void **state)
{
    (void)state;
    passes(false, 0, "INVITE", "you", "");
    assert_int_equal(goes_to("CANCEL", "you", ""), STACK);
    passes(true, 180, "INVITE", "you", "me");
    assert_int_equal(goes_to("PRACK", "you", "me"), STACK);
    passes(true, 200, "INVITE", "you", "me");
    assert_int_equal(goes_to("ACK", "you", "me"), STACK);
    passes(true, 0, "INVITE", "me", "you"); /* a re-INVITE, that is refused */
    passes(false, 488, "INVITE", "me", "you");
    assert_int_equal(door_calls_on_line(calls, LINE), 1);
    passes(false, 0, "BYE", "you", "me");
    passes(true, 200, "BYE", "you", "me");
    assert_int_equal(door_calls_on_line(calls, LINE), 0);
}

static void test_refused(void **state)
{
    (void)state;
    passes(false, 0, "INVITE", "you", "");
    passes(true, 486, "INVITE", "you", "me");
    assert_int_equal(door_calls_on_line(calls, LINE), 0);
    assert_int_equal(goes_to("ACK", "you", "me"), STACK);
    assert_int_equal(door_calls_expire(calls, LIMIT_SIP_TIMER_F_MS), UINT64_MAX);
    assert_int_equal(goes_to("ACK", "you", "me"), 0);
}

static void test_calls_itself(void **state)
{
    const struct door_way second = {.stack = OTHER_STACK, .line = LINE};
    (void)state;
    passes(true, 0, "INVITE", "x", "");
    passes_over(&second, false, 0, "INVITE", "x", "", 0);
    assert_int_equal(door_calls_on_line(calls, LINE), 2);
    passes_over(&second, true, 200, "INVITE", "x", "y", 0);
    passes(false, 200, "INVITE", "x", "y");
    assert_int_equal(goes_to("BYE", "x", "y"), OTHER_STACK);
    assert_int_equal(goes_to("BYE", "y", "x"), STACK);
}

static void test_moves(void **state)
{
    const struct door_way later = {.stack = OTHER_STACK, .line = OTHER_LINE, .inbound = true};
    (void)state;
    passes(true, 0, "INVITE", "me", "");
    passes(false, 200, "INVITE", "me", "you");
    door_calls_stack_gone(calls, STACK, 0);
    assert_int_equal(goes_to("BYE", "you", "me"), 0);
    assert_int_equal(door_calls_on_line(calls, LINE), 1);
    passes_over(&later, true, 0, "INFO", "me", "you", 1000); /* it is back */
    assert_int_equal(goes_to("BYE", "you", "me"), OTHER_STACK);
    assert_int_equal(door_calls_on_line(calls, LINE), 0);
    assert_int_equal(door_calls_expire(calls, 1000), 1000 + LIMIT_DOOR_CALL_MS);
    door_calls_stack_gone(calls, OTHER_STACK, 2000);
    assert_int_equal(door_calls_expire(calls, 2000), 2000 + LIMIT_DOOR_GONE_MS);
    (void)door_calls_expire(calls, 2000 + LIMIT_DOOR_GONE_MS);
    assert_int_equal(door_calls_on_line(calls, OTHER_LINE), 0);
}

static void begin_many(int from, int count)
{
    const struct door_way w = {.stack = STACK, .line = LINE};
    for (int i = from; i < from + count; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "m%d", i);
        struct sip_message *m = message(0, "INVITE", id, "me", "");
        door_calls_note(calls, m, true, &w, 0);
        sip_message_free(m);
    }
}

static void test_bounded(void **state)
{
    (void)state;
    passes(true, 0, "INVITE", "me", "");
    passes(false, 486, "INVITE", "me", "you"); /* has ended: makes room */
    begin_many(0, LIMIT_DOOR_CALLS);
    assert_int_equal(door_calls_on_line(calls, LINE), LIMIT_DOOR_CALLS);
    begin_many(LIMIT_DOOR_CALLS, 9); /* are not counted */
    assert_int_equal(door_calls_on_line(calls, LINE), LIMIT_DOOR_CALLS);
    (void)door_calls_expire(calls, LIMIT_DOOR_RING_MS);
    assert_int_equal(door_calls_on_line(calls, LINE), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_outward), TEST(test_inward),
                                       TEST(test_refused), TEST(test_calls_itself),
                                       TEST(test_moves),   TEST(test_bounded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
