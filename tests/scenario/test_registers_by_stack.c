/* An account that a SIP stack on the phone registers: the connection and its lock are ours, the
 * registration is only watched. */
#include "tools/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "link/door.h"
#include "scenario/lab.h"
#include "sys/entropy.h"

#define SECONDS(n) ((n)*UINT64_C(1000))

enum { DOOR_PORT = 5070 };

struct world {
    struct lab *lab;
    struct registrar_endpoint *server;
    struct carrier *carrier;
    struct door *door;
    struct stream *stack;
    char got[4096]; /* by the stack, last */
};

static void by_stack(struct account_config *cfg)
{
    cfg->registered_by_stack = true;
}

static void on_open(void *arg)
{
    (void)arg;
}

static void on_data(void *arg, struct slice data)
{
    struct world *w = arg;
    assert_true(slice_to_str(data, w->got, sizeof w->got));
}

static void on_closed(void *arg, struct result why, const struct errinfo *e)
{
    (void)arg;
    (void)why;
    fail_msg("the door closed: %s", e->text);
}

static const struct stream_handlers stack_handlers = {
    .on_open = on_open, .on_data = on_data, .on_closed = on_closed};

static int set_up(void **state)
{
    static struct world w;
    const struct door_config cfg = {.account = 1,
                                    .port = DOOR_PORT,
                                    .stack_registers = true,
                                    .user = "alice",
                                    .domain = LAB_HOST};
    struct addr to;
    w = (struct world){.lab = lab_new()};
    struct loop *const loop = sim_loop(w.lab->sim);
    assert_true(is_ok(carrier_new(&w.lab->shared.rng, &w.carrier, NULL)));
    w.lab->shared.carrier = w.carrier;
    w.server = lab_serve(w.lab, LAB_IP, lab_good(w.lab));
    assert_true(is_ok(door_new(loop, w.carrier, &entropy_system, &cfg, &w.door, NULL)));
    assert_true(addr_parse("127.0.0.1", DOOR_PORT, &to));
    assert_true(is_ok(stream_connect(loop, &to, 65536, &stack_handlers, &w, &w.stack, NULL)));
    lab_account(w.lab, by_stack);
    account_start(w.lab->account);
    sim_advance(w.lab->sim, SECONDS(1));
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    account_free(w->lab->account);
    w->lab->account = NULL;
    door_free(w->door);
    stream_close(w->stack);
    carrier_free(w->carrier);
    lab_free(w->lab);
    return 0;
}

static void registers(struct world *w)
{
    static const char text[] =
        "REGISTER sip:" LAB_HOST " SIP/2.0\r\n"
        "Via: SIP/2.0/TCP 127.0.0.1:5080;branch=z9hG4bKstack\r\n"
        "From: <sip:alice@" LAB_HOST ">;tag=s\r\nTo: <sip:alice@" LAB_HOST ">\r\n"
        "Call-ID: reg@stack\r\nCSeq: 1 REGISTER\r\nMax-Forwards: 70\r\n"
        "Contact: <sip:a@127.0.0.1:5080;transport=tcp>;expires=60\r\nContent-Length: 0\r\n\r\n";
    assert_true(is_ok(stream_write(w->stack, slice_of_str(text))));
    sim_settle(w->lab->sim);
}

static void test_nothing_is_sent(void **state)
{
    struct world *w = *state;
    stream_close(w->stack); /* it would be sent away: it says nothing */
    w->stack = NULL;
    sim_advance(w->lab->sim, SECONDS(600));
    const struct account_status s = lab_status(w->lab);
    assert_int_equal(s.state, ACCOUNT_OPEN);
    assert_true(s.encrypted); /* the lock is on */
    assert_int_equal(s.registration, REGISTRATION_OFF);
    assert_int_equal(registrar_endpoint_facts(w->server).messages, 0);
}

static void test_what_passes_is_shown(void **state)
{
    struct world *w = *state;
    registers(w);
    assert_memory_equal(w->got, "SIP/2.0 401 ", 12); /* the challenge is the stack's to answer */
    assert_non_null(strstr(w->got, "Digest "));
    assert_int_equal(lab_status(w->lab).registration, REGISTRATION_TRYING);
    assert_int_equal(lab_status(w->lab).registration_status, 401);
    sim_advance(w->lab->sim, LIMIT_SIP_TIMER_F_MS + 10);
    const struct account_status s = lab_status(w->lab);
    assert_int_equal(s.registration, REGISTRATION_WAITING);
    assert_int_equal(s.registration_error->code, ERR_TIMEOUT);
    assert_true(s.encrypted);
    registers(w);
    assert_int_equal(lab_status(w->lab).registration, REGISTRATION_TRYING);
}

static void test_the_connection_is_lost(void **state)
{
    struct world *w = *state;
    registers(w);
    sim_link_cut(sim_link_last(w->lab->sim), SIM_CUT_RESET);
    sim_settle(w->lab->sim);
    assert_int_equal(lab_status(w->lab).registration, REGISTRATION_OFF);
    registers(w);
    assert_memory_equal(w->got, "SIP/2.0 503 ", 12);
    sim_advance(w->lab->sim, SECONDS(30));
    registers(w);
    assert_memory_equal(w->got, "SIP/2.0 401 ", 12);
}

static void test_stops(void **state)
{
    struct world *w = *state;
    registers(w);
    account_stop(w->lab->account);
    sim_settle(w->lab->sim);
    assert_int_equal(lab_status(w->lab).state, ACCOUNT_IDLE);
    assert_int_equal(w->lab->events[REGISTRAR_UNREGISTERED], 0);
}

#define SCENARIO(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_nothing_is_sent),
        SCENARIO(test_what_passes_is_shown),
        SCENARIO(test_the_connection_is_lost),
        SCENARIO(test_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
