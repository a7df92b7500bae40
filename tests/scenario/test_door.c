/* The local port of an account: what a SIP stack may say there, what becomes of its Contact, and
 * who is called when a call comes in. */
#include "scenario/doorlab.h"
#include "tools/unit.h"

#include <stdio.h>
#include <string.h>

/* --- what a stack may say --- */

static void test_is_it_there(void **state)
{
    (void)state;
    doorlab_open(doorlab_config());
    struct stack *s = doorlab_connect();
    doorlab_says(s, STACK_SAYS("OPTIONS", "sip:127.0.0.1:5070", BOB, OUR, ""));
    assert_true(doorlab_got(s, "SIP/2.0 200 OK\r\n"));
    doorlab_says(s, "\r\n\r\n");
    assert_string_equal(s->got, "\r\n");
}

static void test_the_account_is_not_up(void **state)
{
    (void)state;
    doorlab_open(doorlab_config());
    struct stack *s = doorlab_connect();
    doorlab_says(s, INVITE);
    assert_true(doorlab_got(s, "SIP/2.0 503 ") && doorlab_got(s, "\r\nRetry-After: "));
    doorlab_says(s, REGISTER(STACK));
    assert_true(doorlab_got(s, "SIP/2.0 503 ") && doorlab_got(s, "\r\nRetry-After: "));
    doorlab_open_line(false);
    doorlab_says(s, REGISTER(STACK));
    assert_true(doorlab_got(s, "SIP/2.0 503 "));
    doorlab_says(
        s, STACK_SAYS("ACK", BOB, OUR, BOB, "")); /* has no response, whatever becomes of it */
    assert_string_equal(s->got, "");
    assert_int_equal(doorlab.sends, 1);
}

static void test_only_the_account_may_call(void **state)
{
    (void)state;
    doorlab_open(doorlab_config());
    doorlab_open_line(true);
    struct stack *s = doorlab_connect();
    doorlab_says(s, STACK_SAYS("INVITE", BOB, "sip:mallory@example.com", BOB, STACK));
    assert_true(doorlab_got(s, "SIP/2.0 403 "));
    doorlab_says(s, STACK_SAYS("INVITE", BOB, "sip:alice@example.org", BOB, STACK));
    assert_true(doorlab_got(s, "SIP/2.0 403 "));
    doorlab_says(s, STACK_SAYS("REGISTER", "sip:example.com", OUR, BOB, STACK));
    assert_true(doorlab_got(s, "SIP/2.0 403 "));
    doorlab_says(s,
                 "nonsense\r\nContent-Length: 0\r\n\r\n"); /* has boundaries: it is only dropped */
    assert_non_null(s->stream);
    assert_int_equal(doorlab.sends, 0);
    doorlab_says(s, STACK_SAYS("INVITE", BOB, "sips:alice@EXAMPLE.com", BOB, STACK));
    assert_int_equal(doorlab.sends, 1);
}

static void test_a_call_goes_out(void **state)
{
    (void)state;
    doorlab_open(doorlab_config());
    doorlab_open_line(true);
    struct stack *s = doorlab_connect();
    doorlab_says(s, INVITE);
    assert_true(doorlab_sent("INVITE " BOB " SIP/2.0\r\n"));
    assert_true(doorlab_sent("Via: SIP/2.0/TLS 192.0.2.7:40312;branch="));
    assert_true(doorlab_sent("\r\nContact: <sip:alice@192.0.2.7:40312;transport=tls>\r\n"));
    assert_int_equal(carrier_line_calls(doorlab.line), 1);
    doorlab_server_answers(200, "Record-Route: <sip:p@198.51.100.1;lr>\r\n");
    assert_true(doorlab_got(s, "SIP/2.0 200 OK\r\n"));
    assert_true(doorlab_got(s, "Via: SIP/2.0/TCP 127.0.0.1:5080;branch=z9hG4bKINVITEs;rport="));
    doorlab_says(s, "BYE " BOB " SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:5080;branch=z9hG4bKb\r\n"
                    "From: <" OUR ">;tag=s\r\nTo: <" BOB ">;tag=v\r\nCall-ID: out@stack\r\n"
                    "CSeq: 2 BYE\r\n" END);
    assert_int_equal(carrier_line_calls(doorlab.line), 1);
    doorlab_server_answers(200, NULL);
    assert_true(doorlab_got(s, "SIP/2.0 200 OK\r\n"));
    assert_int_equal(carrier_line_calls(doorlab.line), 0);
}

static void test_sips_stays_sips(void **state)
{
    (void)state;
    doorlab_open(doorlab_config());
    doorlab_open_line(true);
    struct stack *s = doorlab_connect();
    doorlab_says(s,
                 STACK_SAYS("INVITE", "sips:bob@example.net", OUR, "sips:bob@example.net", STACK));
    assert_true(doorlab_sent("\r\nContact: <" CONTACT ">\r\n"));
}

/* --- where calls go --- */

static void test_nobody_is_there(void **state)
{
    (void)state;
    doorlab_open(doorlab_config());
    doorlab_open_line(true);
    doorlab_server_says(SERVER_SAYS("INVITE", ""));
    assert_true(doorlab_sent("SIP/2.0 503 ") && doorlab_sent("\r\nRetry-After: "));
    (void)doorlab_connect(); /* that it is connected says nothing yet */
    doorlab_server_says(SERVER_SAYS("INVITE", ""));
    assert_int_equal(doorlab.sends, 2);
}

static void check_call(struct stack *s, const char *uri, unsigned calls)
{
    char line[128];
    (void)snprintf(line, sizeof line, "INVITE %s SIP/2.0\r\n", uri);
    doorlab_server_says(SERVER_SAYS("INVITE", ""));
    assert_true(doorlab_got(s, line));
    assert_true(doorlab_got(s, "Via: SIP/2.0/TCP " DOOR ";branch=z9hG4bK"));
    assert_true(doorlab_got(s, "\r\nRecord-Route: <sip:is") &&
                doorlab_got(s, "@" DOOR ";transport=tcp;lr>\r\n"));
    doorlab_answers(s, 200, "me");
    assert_true(
        doorlab_sent("SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS 198.51.100.1;branch=z9hG4bKserver\r\n"));
    assert_true(doorlab_sent("\r\nContact: <sip:alice@192.0.2.7:40312;transport=tls>\r\n"));
    assert_int_equal(carrier_line_calls(doorlab.line), calls);
}

static void test_a_call_comes_in(void **state)
{
    (void)state;
    doorlab_open(doorlab_config());
    doorlab_open_line(true);
    struct stack *other = doorlab_connect(), *s = doorlab_connect();
    doorlab_says(other, INVITE);
    doorlab_says(s, REGISTER(STACK));
    assert_true(
        doorlab_got(s, "\r\nContact: <sip:a-1@127.0.0.1:5080;transport=tcp>;expires=3600\r\n"));
    assert_int_equal(doorlab.sends, 1); /* the INVITE: the REGISTER is answered here */
    s->n = 0;
    check_call(s, "sip:a-1@127.0.0.1:5080;transport=tcp", 2); /* the other's rings */
    /* The call stays where it is, whoever registers meanwhile. */
    doorlab_says(other, REGISTER(STACK));
    s->n = other->n = 0;
    doorlab_server_says(SERVER_SAYS("BYE", ";tag=me"));
    assert_true(s->n > 0 && doorlab_got(s, "BYE sip:a-1@"));
    assert_int_equal(other->n, 0);
    doorlab_answers(s, 200, "x");
    assert_int_equal(carrier_line_calls(doorlab.line), 1);
}

static void test_cancelled_where_it_rings(void **state)
{
    (void)state;
    doorlab_open(doorlab_config());
    doorlab_open_line(true);
    struct stack *s = doorlab_connect();
    doorlab_says(s, REGISTER(STACK));
    s->n = 0;
    doorlab_server_says(SERVER_SAYS("INVITE", ""));
    struct stack *newer = doorlab_connect();
    doorlab_says(newer, REGISTER(STACK));
    newer->n = s->n = 0;
    doorlab_server_says(SERVER_SAYS("CANCEL", ""));
    assert_true(doorlab_got(s, "CANCEL sip:a-1@") && newer->n == 0);
    s->n = 0;
    assert_int_equal(carrier_line_calls(doorlab.line), 1);
}

static void test_dialled(void **state)
{
    struct door_config cfg = doorlab_config();
    (void)state;
    cfg.peer = "127.0.0.1:5080";
    doorlab_open(cfg);
    doorlab_open_line(true);
    doorlab_server_says(SERVER_SAYS("INVITE", "")); /* nobody listens there: we answer for it */
    assert_true(doorlab_sent("SIP/2.0 503 ") && doorlab_sent("\r\nRetry-After: "));
    assert_true(doorlab_sent("Via: SIP/2.0/TLS 198.51.100.1;branch=z9hG4bKserver\r\nFrom"));
    doorlab_listen(PEER_PORT);
    doorlab_server_says(SERVER_SAYS("INVITE", ""));
    assert_int_equal(doorlab.count, 1);
    assert_true(doorlab_got(&doorlab.stacks[0],
                            "INVITE sip:alice@127.0.0.1:5080;transport=tcp SIP/2.0\r\n"));
    doorlab_answers(&doorlab.stacks[0], 180, "me");
    assert_true(doorlab_sent("SIP/2.0 180 "));
}

static void test_dialled_where_it_said(void **state)
{
    (void)state;
    doorlab_open(doorlab_config());
    doorlab_open_line(true);
    struct stack *s = doorlab_connect();
    doorlab_says(s, REGISTER(STACK));
    stream_close(s->stream);
    s->stream = NULL;
    sim_settle(doorlab.sim);
    doorlab_listen(PEER_PORT);
    doorlab_server_says(SERVER_SAYS("INVITE", ""));
    assert_int_equal(doorlab.count, 2);
    assert_true(
        doorlab_got(&doorlab.stacks[1], "INVITE sip:a-1@127.0.0.1:5080;transport=tcp SIP/2.0\r\n"));
}

static void test_not_silent_about_a_way_out(void **state)
{
    struct door_config cfg = doorlab_config();
    struct door *second;
    (void)state;
    doorlab_open(cfg);
    assert_int_equal(doorlab_try(cfg, &second).code, ERR_EXISTS);
    cfg.account = 2;
    cfg.peer = "192.0.2.9:5060";
    assert_int_equal(doorlab_try(cfg, &second).code, ERR_INVALID);
    assert_false(door_is(doorlab.door, &cfg));
}

/* --- the stack registers --- */

static void test_the_stack_registers(void **state)
{
    struct door_config cfg = doorlab_config();
    (void)state;
    cfg.stack_registers = true;
    doorlab_open(cfg);
    doorlab_open_line(false);
    struct stack *s = doorlab_connect();
    doorlab_says(s, REGISTER(STACK));
    assert_true(doorlab_sent("REGISTER sip:example.com SIP/2.0\r\n"));
    assert_true(doorlab_sent("\r\nContact: <sip:alice@192.0.2.7:40312;transport=tls>\r\n"));
    assert_int_equal(doorlab.registers, 1);
    doorlab_server_answers(401, "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n");
    assert_true(doorlab_got(s, "SIP/2.0 401 ") &&
                doorlab_got(s, "\r\nWWW-Authenticate: Digest realm"));
    doorlab_says(s, REGISTER(STACK));
    doorlab_server_answers(200, "Contact: <sip:x@192.0.2.99>;expires=9, "
                                "<sip:alice@192.0.2.7:40312;transport=tls>;expires=600\r\n");
    assert_true(doorlab_got(s, "\r\nContact: <sip:x@192.0.2.99>;expires=9, "
                               "<sip:a-1@127.0.0.1:5080;transport=tcp>;expires=600\r\n"));
    assert_int_equal(doorlab.registers, 4);
    s->n = 0;
    check_call(s, "sip:a-1@127.0.0.1:5080;transport=tcp", 1);
    doorlab_says(s, REGISTER(STACK STACK));
    assert_true(doorlab_got(s, "SIP/2.0 400 "));
}

/* --- what is shown of it --- */

static void test_what_is_shown(void **state)
{
    (void)state;
    struct door_config cfg = doorlab_config();
    cfg.stack_registers = true;
    doorlab_open(cfg);
    doorlab_open_line(true);
    struct door_status s = door_status(doorlab.door);
    assert_int_equal(s.account, 1);
    assert_int_equal(s.port, DOOR_PORT);
    assert_true(s.open && s.stack_registers);
    assert_true(s.connections == 0 && s.stack.family == 0 && s.calls == 0);
    struct stack *quiet = doorlab_connect(), *caller = doorlab_connect();
    s = door_status(doorlab.door); /* who has said nothing yet may be anybody */
    assert_true(s.connections == 2 && s.stack.family == 0);
    doorlab_says(caller, INVITE);
    s = door_status(doorlab.door);
    const struct addr from = stream_local(caller->stream);
    assert_true(addr_eq(&s.stack, &from));
    assert_int_equal(s.calls, 1);
    stream_close(caller->stream);
    caller->stream = NULL;
    sim_settle(doorlab.sim);
    s = door_status(doorlab.door);
    assert_true(s.connections == 1 && s.stack.family == 0);
    assert_non_null(quiet->stream);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, doorlab_set_up, doorlab_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_is_it_there),
        TEST(test_the_account_is_not_up),
        TEST(test_only_the_account_may_call),
        TEST(test_a_call_goes_out),
        TEST(test_sips_stays_sips),
        TEST(test_nobody_is_there),
        TEST(test_a_call_comes_in),
        TEST(test_cancelled_where_it_rings),
        TEST(test_dialled),
        TEST(test_dialled_where_it_said),
        TEST(test_not_silent_about_a_way_out),
        TEST(test_the_stack_registers),
        TEST(test_what_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
