/* What a change of the settings does to accounts that are running. */
#include "tools/unit.h"

#include <stdio.h>

#include "app/fleet.h"
#include "base/limits.h"
#include "scenario/lab.h"
#include "tools/tlswire.h"

#define SECONDS(n) ((n)*UINT64_C(1000))

struct world {
    struct lab *lab;
    struct registrar_endpoint *server;
    struct fleet *fleet;
    struct settings *settings;
    unsigned replaced;
    unsigned stopped;
};

static void on_changed(void *arg, struct account *a)
{
    (void)arg;
    (void)a;
}

static void on_replaced(void *arg)
{
    struct world *w = arg;
    w->replaced++;
}

static void on_stopped(void *arg)
{
    struct world *w = arg;
    w->stopped++;
}

static const struct fleet_handlers handlers = {
    .changed = on_changed,
    .replaced = on_replaced,
    .stopped = on_stopped,
};

static int set_up(void **state)
{
    static struct world w;
    w = (struct world){.lab = lab_new()};
    w.server = lab_serve(w.lab, LAB_IP, lab_good(w.lab));
    assert_true(is_ok(registrar_add_user(w.lab->core, "bob", NULL, "builder")));
    assert_true(is_ok(fleet_new(&w.lab->shared, &handlers, &w, &w.fleet)));
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    fleet_free(w->fleet);
    settings_free(w->settings);
    lab_free(w->lab);
    return 0;
}

#define HEAD "#!version:1.0.0.1\n"
#define ALICE                                         \
    "account.1.enable = 1\n"                          \
    "account.1.user_name = alice\n"                   \
    "account.1.password = wonderland\n"               \
    "account.1.sip_server.1.address = " LAB_HOST "\n" \
    "account.1.sip_server.1.transport_type = 2\n"
#define BOB                                           \
    "account.2.enable = 1\n"                          \
    "account.2.user_name = bob\n"                     \
    "account.2.password = builder\n"                  \
    "account.2.sip_server.1.address = " LAB_HOST "\n" \
    "account.2.sip_server.1.transport_type = 2\n"

static void apply(struct world *w, const char *text)
{
    struct settings *now;
    assert_true(is_ok(settings_new(&now)));
    assert_true(
        is_ok(settings_apply(now, "phone.cfg", slice_of_str(text), NULL, NULL, NULL, NULL)));
    fleet_apply(w->fleet, w->settings, now, w->lab->trust);
    settings_free(w->settings);
    w->settings = now;
}

static struct account_status at(const struct world *w, size_t i)
{
    assert_true(i < fleet_count(w->fleet));
    return account_status(fleet_at(w->fleet, i));
}

static bool all_locked(void *arg)
{
    const struct world *w = arg;
    for (size_t i = 0; i < fleet_count(w->fleet); i++) {
        const struct account_status s = at(w, i);
        if (!lab_is_locked(&s))
            return false;
    }
    return true;
}

static void assert_locked(struct world *w, size_t accounts)
{
    assert_true(sim_run_until(w->lab->sim, all_locked, w, SECONDS(5)));
    assert_int_equal(fleet_count(w->fleet), accounts);
    sim_settle(w->lab->sim);
    assert_int_equal(registrar_endpoint_facts(w->server).open_now, accounts);
}

static void test_starts_what_is_enabled(void **state)
{
    struct world *w = *state;
    apply(w, HEAD ALICE BOB "account.3.label = Spare\n");
    assert_locked(w, 2);
    assert_int_equal(at(w, 0).number, 1);
    assert_int_equal(at(w, 1).number, 2);
    assert_int_equal(w->replaced, 1);
}

static void test_leaves_the_same_alone(void **state)
{
    struct world *w = *state;
    apply(w, HEAD ALICE BOB);
    assert_locked(w, 2);
    apply(w, HEAD "# only a comment is new\n" BOB ALICE);
    assert_locked(w, 2);
    assert_int_equal(w->replaced, 1);
    assert_int_equal(sim_link_count(w->lab->sim), 2);
}

/* The one that changed has its old binding taken back before it registers anew. */
static void test_restarts_what_changed(void **state)
{
    struct world *w = *state;
    apply(w, HEAD ALICE BOB);
    assert_locked(w, 2);
    const struct account *alice = fleet_at(w->fleet, 0);
    apply(w, HEAD ALICE BOB "account.2.sip_server.1.expires = 300\n");
    assert_ptr_equal(fleet_at(w->fleet, 0), alice);
    assert_int_equal(at(w, 1).state, ACCOUNT_IDLE); /* not before the old one is gone */
    assert_locked(w, 2);
    assert_int_equal(at(w, 1).granted_s, 300);
    assert_int_equal(w->lab->events[REGISTRAR_UNREGISTERED], 1);
    assert_int_equal(sim_link_count(w->lab->sim), 3);
    struct registrar_binding b;
    assert_true(registrar_binding(w->lab->core, 1, loop_now_ms(sim_loop(w->lab->sim)), &b));
    assert_false(registrar_binding(w->lab->core, 2, loop_now_ms(sim_loop(w->lab->sim)), &b));
}

static void test_stops_what_is_gone(void **state)
{
    struct world *w = *state;
    apply(w, HEAD ALICE BOB);
    assert_locked(w, 2);
    apply(w, HEAD ALICE);
    assert_int_equal(fleet_count(w->fleet), 1);
    assert_locked(w, 1);
    assert_int_equal(w->lab->events[REGISTRAR_UNREGISTERED], 1);
}

/* Changes that come faster than an account can leave: only the last one counts. */
static void test_many_changes_in_a_row(void **state)
{
    struct world *w = *state;
    apply(w, HEAD ALICE);
    assert_locked(w, 1);
    for (int seconds = 100; seconds < 110; seconds++) {
        char text[1024];
        (void)snprintf(text, sizeof text, "%saccount.1.sip_server.1.expires = %d\n", HEAD ALICE,
                       seconds);
        apply(w, text);
    }
    assert_locked(w, 1);
    assert_int_equal(at(w, 0).granted_s, 109);
    assert_int_equal(sim_link_count(w->lab->sim), 2);
}

/* Nobody is restarted for it. */
static void test_identity(void **state)
{
    struct world *w = *state;
    const struct testpki_cert *cert = testpki_make(&(struct testpki_spec){.subject = "CN=phone"});
    w->lab->shared.identity = tlswire_identity(&cert, 1);
    w->lab->shared.identity_source = IDENTITY_UNIQUE;
    apply(w, HEAD ALICE BOB);
    assert_locked(w, 2);
    fleet_set_identity(w->fleet, NULL, IDENTITY_NONE);
    fleet_set_identity(w->fleet, w->lab->shared.identity, IDENTITY_UNIQUE);
    assert_locked(w, 2);
    assert_int_equal(sim_link_count(w->lab->sim), 2);
    assert_int_equal(w->lab->events[REGISTRAR_REGISTERED], 2);
    assert_int_equal(tls_tickets_count(w->lab->shared.tickets), 0);
}

static void test_stop(void **state)
{
    struct world *w = *state;
    apply(w, HEAD ALICE BOB);
    assert_locked(w, 2);
    fleet_stop(w->fleet);
    assert_int_equal(w->stopped, 0);
    sim_advance(w->lab->sim, SECONDS(1));
    assert_int_equal(w->stopped, 1);
    assert_int_equal(w->lab->events[REGISTRAR_UNREGISTERED], 2);
}

static void test_stop_without_accounts(void **state)
{
    struct world *w = *state;
    fleet_stop(w->fleet);
    sim_advance(w->lab->sim, 1);
    assert_int_equal(w->stopped, 1);
}

static void test_stop_while_one_is_replaced(void **state)
{
    struct world *w = *state;
    apply(w, HEAD ALICE);
    assert_locked(w, 1);
    apply(w, HEAD ALICE "account.1.label = New\n");
    fleet_stop(w->fleet);
    sim_advance(w->lab->sim, SECONDS(10));
    assert_int_equal(w->stopped, 1);
    assert_int_equal(sim_link_count(w->lab->sim), 1); /* the new one never starts */
    assert_int_equal(w->lab->events[REGISTRAR_UNREGISTERED], 1);
}

#define SCENARIO(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_starts_what_is_enabled),
        SCENARIO(test_leaves_the_same_alone),
        SCENARIO(test_restarts_what_changed),
        SCENARIO(test_stops_what_is_gone),
        SCENARIO(test_many_changes_in_a_row),
        SCENARIO(test_identity),
        SCENARIO(test_stop),
        SCENARIO(test_stop_without_accounts),
        SCENARIO(test_stop_while_one_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
