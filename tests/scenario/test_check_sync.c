/* NOTIFY with "Event: check-sync": who may have settings fetched, and who else gets the request. */
#include "tools/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "scenario/callers.h"

#define SECONDS(n) ((n)*UINT64_C(1000))

enum { PHONE_ID = 4711 };

struct world {
    struct lab *lab;
    struct registrar_endpoint *server;
    struct carrier *carrier;
    struct carrier_phone *phone;
    unsigned delivered; /* to call-control */
    unsigned asked;     /* for a fetch */
};

static bool passage(void *arg, const struct carrier_facts *f, const struct sip_message *m,
                    uint64_t id, struct carrier_passage *out)
{
    (void)arg;
    (void)f;
    (void)m;
    out->side.id = PHONE_ID;
    return id == 0 || id == PHONE_ID;
}

static struct result deliver(void *arg, uint64_t id, const struct carrier_facts *f,
                             struct slice message)
{
    struct world *w = arg;
    (void)id;
    (void)f;
    (void)message;
    w->delivered++;
    return OK;
}

static const struct carrier_phone_handlers phone_handlers = {.passage = passage,
                                                             .deliver = deliver};

static void on_check_sync(void *arg, int account)
{
    struct world *w = arg;
    assert_int_equal(account, 1);
    w->asked++;
}

static int set_up(void **state)
{
    static struct world w;
    w = (struct world){.lab = lab_new()};
    assert_true(is_ok(carrier_new(&w.lab->shared.rng, &w.carrier, NULL)));
    w.lab->shared.carrier = w.carrier;
    w.lab->shared.on_check_sync = on_check_sync;
    w.lab->shared.on_check_sync_arg = &w;
    w.server = lab_serve(w.lab, LAB_IP, lab_good(w.lab));
    assert_true(is_ok(carrier_phone_new(w.carrier, 0, &phone_handlers, &w, &w.phone)));
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    account_free(w->lab->account);
    w->lab->account = NULL;
    carrier_phone_free(w->phone);
    carrier_free(w->carrier);
    lab_free(w->lab);
    return 0;
}

static void connect(struct world *w, lab_change_fn *change)
{
    lab_account(w->lab, change);
    account_start(w->lab->account);
    assert_true(lab_until(w->lab, lab_is_locked, SECONDS(5)));
}

static void notify(struct world *w, const char *to, const char *event)
{
    char text[600];
    (void)snprintf(text, sizeof text,
                   "NOTIFY sips:alice@192.0.2.100 SIP/2.0\r\n"
                   "Via: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bKserver\r\n"
                   "From: <sips:asterisk@example.com>;tag=b\r\n"
                   "To: <sips:alice@sip.example.com>%s\r\nCall-ID: n@example.com\r\n"
                   "CSeq: 1 NOTIFY\r\nMax-Forwards: 9\r\nEvent: %s\r\nContent-Length: 0\r\n\r\n",
                   to, event);
    registrar_endpoint_send(w->server, slice_of_str(text));
    sim_settle(w->lab->sim);
}

static int answer(const struct world *w)
{
    return registrar_endpoint_facts(w->server).last_status;
}

static void test_the_accounts_server_may(void **state)
{
    struct world *w = *state;
    connect(w, NULL);
    notify(w, "", "check-sync");
    assert_int_equal(answer(w), 200);
    notify(w, "", "check-sync;reboot=false");
    assert_int_equal(answer(w), 200);
    assert_int_equal(w->asked, 2);
    assert_int_equal(w->delivered, 0);
}

/* There need be no call-control for it. */
static void test_nobody_takes_calls(void **state)
{
    struct world *w = *state;
    w->lab->shared.carrier = NULL;
    connect(w, NULL);
    notify(w, "", "check-sync");
    assert_int_equal(answer(w), 200);
    assert_int_equal(w->asked, 1);
    notify(w, "", "check-sync;reboot=true");
    assert_int_equal(answer(w), 503);
    assert_int_equal(w->asked, 1);
}

static void test_what_is_call_controls(void **state)
{
    struct world *w = *state;
    connect(w, NULL);
    notify(w, "", "check-sync;reboot=true");
    notify(w, ";tag=within", "check-sync");
    notify(w, "", "message-summary");
    assert_int_equal(w->delivered, 3);
    w->lab->shared.on_check_sync = NULL; /* the settings want it so */
    notify(w, "", "check-sync");
    assert_int_equal(w->delivered, 4);
    assert_int_equal(w->asked, 0);
}

static void trust_nobody(struct account_config *cfg)
{
    cfg->policy.check_trust = false;
    cfg->filter = TRUST_DEFAULT; /* the lab's CA is no built-in one */
}

static void check_no_name(struct account_config *cfg)
{
    cfg->check_name = false;
}

static void test_encrypted_is_not_verified(void **state)
{
    struct world *w = *state;
    connect(w, trust_nobody);
    assert_int_equal(lab_status(w->lab).verdict->class, VERDICT_UNVERIFIED);
    notify(w, "", "check-sync");
    assert_int_equal(answer(w), 403);
    assert_int_equal(w->asked, 0);
    assert_int_equal(w->delivered, 0);
}

static void test_a_trusted_chain_will_do(void **state)
{
    struct world *w = *state;
    connect(w, check_no_name);
    notify(w, "", "check-sync");
    assert_int_equal(answer(w), 200);
    assert_int_equal(w->asked, 1);
}

/* Whoever connects to the phone, be it from the server's own address, may not. */
static void test_who_calls_may_not(void **state)
{
    struct world *w = *state;
    connect(w, NULL);
    struct called *called = called_new(w->lab, NULL);
    struct caller *peer = caller_dial(called, LAB_IP, NULL);
    const char *uri = "sips:alice@" CALLED_IP ":5061";
    assert_int_equal(caller_ask_with(peer, "NOTIFY", uri, "Event: check-sync\r\n"), 403);
    assert_int_equal(w->delivered, 0);
    assert_int_equal(caller_ask_with(peer, "NOTIFY", uri, "Event: check-sync;reboot=true\r\n"), 0);
    assert_int_equal(caller_ask_with(peer, "NOTIFY", uri, "Event: talk\r\n"), 0);
    assert_int_equal(w->delivered, 2);
    assert_int_equal(w->asked, 0);
    caller_free(peer);
    called_free(called);
}

#define SCENARIO(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_the_accounts_server_may), SCENARIO(test_nobody_takes_calls),
        SCENARIO(test_what_is_call_controls),   SCENARIO(test_encrypted_is_not_verified),
        SCENARIO(test_a_trusted_chain_will_do), SCENARIO(test_who_calls_may_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
