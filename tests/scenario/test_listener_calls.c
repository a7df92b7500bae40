/* Calls that come to the phone's own port: whose they are, and what they do to the connection. */
#include "tools/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "scenario/callers.h"
#include "sip/message_write.h"

#define SECONDS(n) ((n)*UINT64_C(1000))
#define TO_ALICE   "sips:alice@" CALLED_IP ":5061"

enum { PHONE_ID = 4711 };

struct world {
    struct lab *lab;
    struct called *called;
    struct carrier *carrier;
    struct carrier_phone *phone;
    char got[8192]; /* the last that was delivered to call-control */
    unsigned delivered;
    struct carrier_facts line; /* of the inbound connection: the last that was told */
    unsigned ups, downs;
};

/* --- call-control --- */

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
    assert_int_equal(f->account, 1);
    assert_true(slice_to_str(message, w->got, sizeof w->got));
    w->delivered++;
    return OK;
}

static void line(void *arg, const struct carrier_facts *f, bool up)
{
    struct world *w = arg;
    if (!f->inbound)
        return;
    w->line = *f;
    if (up)
        w->ups++;
    else
        w->downs++;
}

static const struct carrier_phone_handlers phone_handlers = {
    .passage = passage, .deliver = deliver, .line = line};

static void say(struct world *w, const char *text)
{
    const struct carrier_passage from = {.side = {.id = PHONE_ID}};
    struct errinfo e = ERRINFO_INIT;
    const struct result r =
        carrier_send(w->phone, 1, w->line.id, &from, slice_of_str(text), NULL, &e);
    if (is_err(r))
        fail_msg("%s", errinfo_text(&e, r));
    sim_settle(w->lab->sim);
}

/* Answers what came last. */
static void phone_answers(struct world *w, int status)
{
    struct sip_message *m;
    struct buf out;
    assert_true(is_ok(sip_message_parse(slice_of_str(w->got), &m, NULL)));
    buf_init(&out, LIMIT_SIP_MESSAGE);
    assert_true(is_ok(sip_message_write_response(&out, m, status, NULL, "p", NULL)));
    say(w, buf_str(&out));
    buf_free(&out);
    sip_message_free(m);
}

static void phone_has(struct world *w, unsigned calls)
{
    assert_true(is_ok(carrier_set_calls(w->phone, 1, w->line.id, calls, NULL)));
}

/* --- the world --- */

static int set_up(void **state)
{
    static struct world w;
    w = (struct world){.lab = lab_new()};
    assert_true(is_ok(carrier_new(&w.lab->shared.rng, &w.carrier, NULL)));
    w.lab->shared.carrier = w.carrier;
    (void)lab_serve(w.lab, LAB_IP, lab_good(w.lab));
    lab_account(w.lab, NULL);
    account_start(w.lab->account);
    assert_true(lab_until(w.lab, lab_is_locked, SECONDS(1)));
    assert_true(is_ok(carrier_phone_new(w.carrier, 0, &phone_handlers, &w, &w.phone)));
    w.called = called_new(w.lab, NULL);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    called_free(w->called);
    account_free(w->lab->account);
    w->lab->account = NULL;
    carrier_phone_free(w->phone);
    carrier_free(w->carrier);
    lab_free(w->lab);
    return 0;
}

/* --- the tests --- */

static void test_a_call_comes_in(void **state)
{
    struct world *w = *state;
    struct caller *peer = caller_dial(w->called, NULL, NULL);
    assert_int_equal(w->ups, 0); /* whose it is, is not known yet */
    assert_int_equal(caller_ask(peer, "INVITE", TO_ALICE), 0);
    assert_int_equal(w->delivered, 1);
    assert_non_null(strstr(w->got, "\r\nMax-Forwards: 69\r\n"));
    assert_non_null(strstr(w->got, "\r\nRecord-Route: <sips:"));
    assert_int_equal(w->ups, 1);
    assert_true(w->line.inbound && w->line.lock && !w->line.registered);
    assert_int_equal(w->line.assurance, ASSURANCE_NONE);
    assert_int_equal(w->line.account, 1);
    assert_string_equal(w->line.contact, "sips:alice@" CALLED_IP ":5061");
    phone_answers(w, 180);
    assert_int_equal(peer->status, 180);
    phone_answers(w, 200);
    assert_int_equal(peer->status, 200);
    assert_int_equal(caller_ask(peer, "ACK", TO_ALICE), 0);
    assert_int_equal(w->delivered, 2);
    caller_free(peer);
    assert_int_equal(w->downs, 1);
}

/* What belongs to a call is the one's who has it, by To where the Request-URI is his own matter. */
static void test_within_a_call(void **state)
{
    static const char within[] = "BYE sip:xyz@203.0.113.9 SIP/2.0\r\n"
                                 "Via: SIP/2.0/TLS 192.0.2.50;branch=z9hG4bKb\r\n"
                                 "From: <sips:bob@example.net>;tag=b1\r\n"
                                 "To: <sips:%s@example.org>;tag=p\r\nCall-ID: call\r\n"
                                 "CSeq: 8 BYE\r\nContent-Length: 0\r\n\r\n";
    char text[sizeof within + 16];
    struct world *w = *state;
    struct caller *peer = caller_dial(w->called, NULL, NULL);
    (void)snprintf(text, sizeof text, within, "nobody");
    caller_send(peer, text);
    assert_int_equal(peer->status, 481);
    assert_int_equal(w->delivered, 0);
    (void)snprintf(text, sizeof text, within, "alice"); /* over whatever connection it comes */
    caller_send(peer, text);
    assert_int_equal(w->delivered, 1);
    (void)snprintf(text, sizeof text, within, "nobody"); /* ... now this one is known */
    caller_send(peer, text);
    assert_int_equal(w->delivered, 2);
    phone_answers(w, 200);
    assert_int_equal(peer->status, 200);
    caller_free(peer);
}

/* Call-control speaks first, over the connection of a call, and has its answer. */
static void test_the_phone_asks(void **state)
{
    struct world *w = *state;
    struct caller *peer = caller_dial(w->called, NULL, NULL);
    assert_int_equal(caller_ask(peer, "INVITE", TO_ALICE), 0);
    w->delivered = 0;
    say(w, "BYE sips:bob@example.net SIP/2.0\r\nVia: SIP/2.0/TLS phone.invalid;branch=z9hG4bKp\r\n"
           "From: <sips:alice@sip.example.com>;tag=p\r\nTo: <sips:bob@example.net>;tag=b1\r\n"
           "Call-ID: call\r\nCSeq: 1 BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n");
    assert_memory_equal(peer->text, "BYE ", 4);
    caller_answer(peer, 200);
    assert_int_equal(w->delivered, 1);
    assert_memory_equal(w->got, "SIP/2.0 200 ", 12);
    caller_send(peer, "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS x;branch=z9hG4bKmadeup\r\n"
                      "From: <sips:alice@sip.example.com>;tag=p\r\nTo: <sips:b@c>;tag=1\r\n"
                      "Call-ID: x\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(w->delivered, 1); /* nobody had asked for that */
    caller_free(peer);
}

static void test_options_is_ours(void **state)
{
    struct world *w = *state;
    struct caller *peer = caller_dial(w->called, NULL, NULL);
    assert_int_equal(caller_ask(peer, "OPTIONS", TO_ALICE), 200);
    assert_int_equal(caller_ask(peer, "INVITE", "sips:nobody@" CALLED_IP), 404);
    assert_int_equal(w->delivered, 0);
    caller_free(peer);
}

static void test_a_call_keeps_its_connection(void **state)
{
    struct world *w = *state;
    struct caller *peer = caller_dial(w->called, NULL, NULL);
    assert_int_equal(caller_ask(peer, "INVITE", TO_ALICE), 0);
    phone_has(w, 1);
    sim_advance(w->lab->sim, 3 * (uint64_t)LIMIT_INBOUND_IDLE_MS);
    assert_false(peer->closed);
    phone_has(w, 0);
    sim_advance(w->lab->sim, LIMIT_INBOUND_IDLE_MS + SECONDS(1));
    assert_true(peer->closed);
    caller_free(peer);
}

/* The account is taken out of the settings: nothing is carried for it any more, but a call. */
static void test_the_account_goes(void **state)
{
    struct world *w = *state;
    struct caller *peer = caller_dial(w->called, NULL, NULL);
    assert_int_equal(caller_ask(peer, "INVITE", TO_ALICE), 0);
    struct account *alice = w->lab->account;
    phone_has(w, 1);
    w->lab->account = NULL;
    listener_accounts_changed(w->called->listener);
    assert_int_equal(w->downs, 0);
    phone_has(w, 0);
    listener_accounts_changed(w->called->listener);
    assert_int_equal(w->downs, 1);
    assert_int_equal(caller_ask(peer, "INVITE", TO_ALICE), 404);
    w->lab->account = alice;
    caller_free(peer);
}

static void ask_for_certificates(struct listener_config *cfg)
{
    cfg->client_auth = TLS_CLIENT_AUTH_REQUEST;
}

/* What the connection is worth is told, and told again when it is another. */
static void test_assurance(void **state)
{
    struct world *w = *state;
    called_free(w->called);
    w->called = called_new(w->lab, ask_for_certificates);
    struct caller *peer = caller_dial(w->called, NULL, lab_good(w->lab));
    assert_int_equal(caller_ask(peer, "INVITE", TO_ALICE), 0);
    assert_int_equal(w->line.assurance, ASSURANCE_FULL);
    w->called->cfg.policy.check_trust = false;
    struct trust *none = lab_trust(NULL, 0);
    called_configure(w->called);
    listener_set_trust(w->called->listener, none);
    trust_unref(none);
    assert_int_equal(w->line.assurance, ASSURANCE_NONE);
    assert_int_equal(w->ups, 2);
    assert_int_equal(w->downs, 0);
    assert_false(peer->closed);
    caller_free(peer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(test_a_call_comes_in),
        TEST(test_within_a_call),
        TEST(test_the_phone_asks),
        TEST(test_options_is_ours),
        TEST(test_a_call_keeps_its_connection),
        TEST(test_the_account_goes),
        TEST(test_assurance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
