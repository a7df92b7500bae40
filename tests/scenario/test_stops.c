/* The end, in every state: in order with account_stop(), at once with account_free(). */
#include "tools/unit.h"

#include "base/limits.h"
#include "scenario/lab.h"

#define SECONDS(n) ((n)*UINT64_C(1000))

static bool is_resolving(const struct account_status *s)
{
    return s->state == ACCOUNT_RESOLVING;
}

static bool is_connecting(const struct account_status *s)
{
    return s->state == ACCOUNT_CONNECTING;
}

static bool is_in_handshake(const struct account_status *s)
{
    return s->state == ACCOUNT_HANDSHAKE;
}

static bool is_registering(const struct account_status *s)
{
    return s->registration == REGISTRATION_TRYING;
}

static bool is_refreshing(const struct account_status *s)
{
    return s->registration == REGISTRATION_REFRESHING;
}

static bool is_refused(const struct account_status *s)
{
    return s->registration == REGISTRATION_WAITING;
}

/* Where an account can be, and how it gets there. */
static const struct place {
    const char *name;
    lab_condition *condition;
    bool no_server;
    enum registrar_fault fault;
} places[] = {
    {"resolving", is_resolving, false, REGISTRAR_WELL},
    {"connecting", is_connecting, false, REGISTRAR_WELL},
    {"handshake", is_in_handshake, false, REGISTRAR_WELL},
    {"registering", is_registering, false, REGISTRAR_WELL},
    {"registered", lab_is_locked, false, REGISTRAR_WELL},
    {"refreshing", is_refreshing, false, REGISTRAR_WELL},
    {"refused", is_refused, false, REGISTRAR_FORBIDDEN},
    {"waiting", lab_is_waiting, true, REGISTRAR_WELL},
};

static struct lab *go_to(const struct place *p)
{
    struct lab *lab = lab_new();
    print_message("%s\n", p->name);
    registrar_set_fault(lab->core, p->fault);
    if (!p->no_server)
        lab_serve(lab, LAB_IP, lab_good(lab));
    lab_account(lab, NULL);
    account_start(lab->account);
    assert_true(lab_until(lab, p->condition, SECONDS(600)));
    return lab;
}

static void test_stop(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct lab *lab = go_to(&places[i]);
        account_stop(lab->account);
        assert_true(lab_until(lab, lab_is_idle, LIMIT_CLOSE_MS));
        assert_false(lab_status(lab).encrypted);
        sim_advance(lab->sim, SECONDS(3600));
        assert_int_equal(lab_status(lab).state, ACCOUNT_IDLE); /* and stays so */
        struct registrar_binding b;
        assert_false(registrar_binding(lab->core, 0, loop_now_ms(sim_loop(lab->sim)), &b));
        lab_free(lab);
    }
}

static void test_free_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(places); i++)
        lab_free(go_to(&places[i]));
}

static bool is_stopping(const struct account_status *s)
{
    return s->state == ACCOUNT_STOPPING;
}

static void test_free_while_stopping(void **state)
{
    (void)state;
    struct lab *lab = go_to(&places[4]);
    account_stop(lab->account);
    assert_true(lab_until(lab, is_stopping, 0));
    lab_free(lab);
}

static void test_reconnect(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct lab *lab = go_to(&places[i]);
        registrar_set_fault(lab->core, REGISTRAR_WELL);
        if (places[i].no_server)
            lab_serve(lab, LAB_IP, lab_good(lab));
        account_reconnect(lab->account);
        assert_int_equal(lab_status(lab).state, ACCOUNT_RESOLVING);
        assert_true(lab_until(lab, lab_is_locked, SECONDS(1)));
        lab_free(lab);
    }
}

/* A server that does not answer the un-REGISTER does not hold us. */
static void test_stop_has_a_deadline(void **state)
{
    (void)state;
    struct lab *lab = go_to(&places[4]);
    registrar_set_fault(lab->core, REGISTRAR_SILENT);
    account_stop(lab->account);
    assert_false(lab_until(lab, lab_is_idle, LIMIT_CLOSE_MS - 1));
    assert_true(lab_until(lab, lab_is_idle, 2));
    lab_free(lab);
}

static void test_stop_while_the_server_dies(void **state)
{
    (void)state;
    struct lab *lab = go_to(&places[4]);
    account_stop(lab->account);
    sim_link_cut(sim_link_last(lab->sim), SIM_CUT_RESET);
    assert_true(lab_until(lab, lab_is_idle, 10));
    lab_free(lab);
}

static void disabled(struct account_config *cfg)
{
    cfg->enabled = false;
}

static void test_a_disabled_account_does_nothing(void **state)
{
    (void)state;
    struct lab *lab = lab_new();
    lab_account(lab, disabled);
    account_start(lab->account);
    account_reconnect(lab->account);
    account_stop(lab->account);
    sim_settle(lab->sim);
    assert_int_equal(lab_status(lab).state, ACCOUNT_IDLE);
    assert_int_equal(lab->views_count, 0);
    lab_free(lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_free_anywhere),
        cmocka_unit_test(test_free_while_stopping),
        cmocka_unit_test(test_reconnect),
        cmocka_unit_test(test_stop_has_a_deadline),
        cmocka_unit_test(test_stop_while_the_server_dies),
        cmocka_unit_test(test_a_disabled_account_does_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
