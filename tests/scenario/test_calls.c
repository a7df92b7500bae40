/* The messages of calls over an account's connection: whose they are, where they go, what is
 * answered when they can go nowhere, and what a call does to a connection that has to be replaced.
 */
#include "tools/unit.h"

#include <stdio.h>
#include <string.h>

#include "app/fleet.h"
#include "base/limits.h"
#include "scenario/lab.h"
#include "sip/message_write.h"

#define SECONDS(n) ((n)*UINT64_C(1000))

enum { PHONE_ID = 4711 };

struct world {
    struct lab *lab;
    struct registrar_endpoint *server;
    struct carrier *carrier;
    struct carrier_phone *phone;
    bool absent;    /* the phone has no connection for it */
    enum err takes; /* what deliver() says */
    char got[8192]; /* the last that was delivered */
    unsigned delivered;
    struct carrier_facts line; /* the last that was told */
    unsigned ups, downs, drained;
    char tapped[2048]; /* what was seen: "> REGISTER\n< 200\n" */
    struct fleet *fleet;
    struct settings *settings;
    unsigned replaced;
};

/* --- the phone side --- */

static bool passage(void *arg, const struct carrier_facts *f, const struct sip_message *m,
                    uint64_t id, struct carrier_passage *out)
{
    struct world *w = arg;
    (void)f;
    (void)m;
    out->side.id = PHONE_ID;
    return !w->absent && (id == 0 || id == PHONE_ID);
}

static struct result deliver(void *arg, uint64_t id, const struct carrier_facts *f,
                             struct slice message)
{
    struct world *w = arg;
    (void)f;
    assert_int_equal(id, PHONE_ID);
    if (w->takes != ERR_OK)
        return err(w->takes);
    assert_true(slice_to_str(message, w->got, sizeof w->got));
    w->delivered++;
    return OK;
}

static void line(void *arg, const struct carrier_facts *f, bool up)
{
    struct world *w = arg;
    w->line = *f;
    if (up)
        w->ups++;
    else
        w->downs++;
}

static void drained(void *arg, const struct carrier_facts *f)
{
    struct world *w = arg;
    (void)f;
    w->drained++;
}

static const struct carrier_phone_handlers phone_handlers = {
    .passage = passage,
    .deliver = deliver,
    .line = line,
    .drained = drained,
};

static void tap(void *arg, int account, uint64_t connection, bool outward, struct slice message)
{
    struct world *w = arg;
    const size_t n = strlen(w->tapped);
    char first[64] = "", *word = first;
    assert_int_equal(account, 1);
    assert_true(connection != 0);
    (void)slice_to_str(slice_first(message, sizeof first - 1), first, sizeof first);
    if (strncmp(first, "SIP/2.0 ", 8) == 0)
        word += 8;
    word[strcspn(word, " ")] = '\0';
    (void)snprintf(w->tapped + n, sizeof w->tapped - n, "%s %s\n", outward ? ">" : "<", word);
}

static struct result say(struct world *w, int account, uint64_t id, const char *text,
                         struct errinfo *e)
{
    const struct carrier_passage from = {.side = {.id = PHONE_ID}};
    errinfo_clear(e);
    return carrier_send(w->phone, account, id, &from, slice_of_str(text), NULL, e);
}

static void said(struct world *w, uint64_t id, const char *text)
{
    struct errinfo e = ERRINFO_INIT;
    const struct result r = say(w, 1, id, text, &e);
    if (is_err(r))
        fail_msg("%s", errinfo_text(&e, r));
    sim_settle(w->lab->sim);
}

static void said_in_vain(struct world *w, int account, uint64_t id, const char *text, enum err code,
                         int status)
{
    struct errinfo e = ERRINFO_INIT;
    const unsigned before = registrar_endpoint_facts(w->server).messages;
    assert_int_equal(say(w, account, id, text, &e).code, code);
    assert_int_equal(e.native, status);
    assert_true(e.text[0] != '\0');
    sim_settle(w->lab->sim);
    assert_int_equal(registrar_endpoint_facts(w->server).messages, before);
}

/* --- the world --- */

static int set_up(void **state)
{
    static struct world w;
    struct errinfo e = ERRINFO_INIT;
    w = (struct world){.lab = lab_new()};
    assert_true(is_ok(carrier_new(&w.lab->shared.rng, &w.carrier, &e)));
    w.lab->shared.carrier = w.carrier;
    carrier_tap(w.carrier, tap, &w);
    w.server = lab_serve(w.lab, LAB_IP, lab_good(w.lab));
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    fleet_free(w->fleet);
    settings_free(w->settings);
    account_free(w->lab->account);
    w->lab->account = NULL;
    carrier_phone_free(w->phone);
    carrier_free(w->carrier);
    lab_free(w->lab);
    return 0;
}

static void phone_comes(struct world *w)
{
    assert_true(is_ok(carrier_phone_new(w->carrier, 0, &phone_handlers, w, &w->phone)));
}

static void connect(struct world *w)
{
    lab_account(w->lab, NULL);
    account_start(w->lab->account);
    assert_true(lab_until(w->lab, lab_is_locked, SECONDS(5)));
    sim_settle(w->lab->sim);
}

/* --- messages --- */

#define CALL(method, cseq)                   \
    "From: <sips:bob@example.com>;tag=b\r\n" \
    "To: <sips:alice@sip.example.com>\r\n"   \
    "Call-ID: call@example.com\r\n"          \
    "CSeq: " cseq " " method "\r\n"          \
    "Max-Forwards: 9\r\n"                    \
    "Content-Length: 0\r\n\r\n"

#define FROM_SERVER(method, cseq)                \
    method " sips:alice@192.0.2.100 SIP/2.0\r\n" \
           "Via: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bKserver\r\n" CALL(method, cseq)

#define FROM_PHONE(method, cseq)               \
    method " sips:bob@example.com SIP/2.0\r\n" \
           "Via: SIP/2.0/TLS phone.invalid;branch=z9hG4bKphone\r\n" CALL(method, cseq)

static void server_says(struct world *w, const char *text)
{
    registrar_endpoint_send(w->server, slice_of_str(text));
    sim_settle(w->lab->sim);
}

static int last_answer(const struct world *w)
{
    return registrar_endpoint_facts(w->server).last_status;
}

/* What call-control answers to what it has got. */
static void phone_answers(struct world *w, int status)
{
    struct sip_message *m;
    struct buf out;
    assert_true(is_ok(sip_message_parse(slice_of_str(w->got), &m, NULL)));
    buf_init(&out, LIMIT_SIP_MESSAGE);
    assert_true(is_ok(sip_message_write_response(&out, m, status, NULL, "p", NULL)));
    said(w, w->line.id, buf_str(&out));
    buf_free(&out);
    sip_message_free(m);
}

/* --- the tests --- */

/* Who looks sees all of the connection's messages, in the order in which they pass. */
static void test_what_is_seen(void **state)
{
    struct world *w = *state;
    connect(w);
    server_says(w, FROM_SERVER("OPTIONS", "1"));
    server_says(w, FROM_SERVER("INVITE", "2"));
    server_says(w, "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bKnobody\r\n" CALL(
                       "BYE", "3"));
    account_stop(w->lab->account);
    sim_advance(w->lab->sim, SECONDS(1));
    assert_string_equal(w->tapped, "> REGISTER\n< 401\n> REGISTER\n< 200\n< OPTIONS\n> 200\n"
                                   "< INVITE\n> 503\n< 200\n> REGISTER\n< 200\n");
}

static void test_a_call_comes_in(void **state)
{
    struct world *w = *state;
    phone_comes(w);
    connect(w);
    assert_true(w->line.id != 0 && w->line.lock && w->line.registered && !w->line.inbound);
    assert_int_equal(w->line.assurance, ASSURANCE_FULL);
    assert_memory_equal(w->line.contact, "sips:alice@", 11);
    server_says(w, FROM_SERVER("INVITE", "1"));
    assert_int_equal(w->delivered, 1);
    assert_non_null(strstr(w->got, "\r\nRecord-Route: <sips:"));
    assert_non_null(strstr(w->got, "\r\nMax-Forwards: 8\r\n"));
    phone_answers(w, 180);
    assert_int_equal(last_answer(w), 180);
    phone_answers(w, 200);
    assert_int_equal(last_answer(w), 200);
    server_says(w, FROM_SERVER("ACK", "1"));
    server_says(w, FROM_SERVER("BYE", "2"));
    assert_int_equal(w->delivered, 3);
    phone_answers(w, 200);
    assert_string_equal(
        w->tapped,
        "> REGISTER\n< 401\n> REGISTER\n< 200\n< INVITE\n> 180\n> 200\n< ACK\n< BYE\n> 200\n");
}

static void test_a_call_goes_out(void **state)
{
    struct world *w = *state;
    phone_comes(w);
    connect(w);
    said(w, 0, FROM_PHONE("INVITE", "1"));
    assert_int_equal(w->delivered, 1); /* the registrar takes no calls, and says so */
    assert_memory_equal(w->got, "SIP/2.0 405 ", 12);
    assert_non_null(
        strstr(w->got, "\r\nVia: SIP/2.0/TLS phone.invalid;branch=z9hG4bKphone\r\nFrom"));
    said(w, w->line.id, FROM_PHONE("MESSAGE", "2"));
    assert_int_equal(w->delivered, 2);
}

static void test_nobody_is_there(void **state)
{
    struct world *w = *state;
    connect(w);
    server_says(w, FROM_SERVER("INVITE", "1"));
    assert_int_equal(last_answer(w), 503);
    server_says(w, FROM_SERVER("BYE", "2"));
    assert_int_equal(last_answer(w), 481);
    phone_comes(w);
    w->absent = true;
    server_says(w, FROM_SERVER("INVITE", "3"));
    assert_int_equal(last_answer(w), 503);
    assert_int_equal(w->delivered, 0);
    assert_true(carrier_serves(w->carrier, 1));
    carrier_phone_free(w->phone);
    w->phone = NULL;
    assert_false(carrier_serves(w->carrier, 1));
}

static void test_what_is_not_for_the_phone(void **state)
{
    struct world *w = *state;
    phone_comes(w);
    connect(w);
    server_says(w, FROM_SERVER("OPTIONS", "1")); /* is the phone there? it is */
    assert_int_equal(last_answer(w), 200);
    server_says(w, "INVITE sips:alice@192.0.2.100 SIP/2.0\r\nVia: SIP/2.0/TLS a;branch=z9hG4bKx\r\n"
                   "From: <sip:b@c>;tag=b\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
                   "Max-Forwards: 0\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(last_answer(w), 483);
    /* responses that nobody has asked for */
    server_says(w, "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS a;branch=z9hG4bKx\r\n"
                   "Via: SIP/2.0/TLS b;branch=z9hG4bKy\r\n" CALL("INVITE", "1"));
    server_says(w, "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS a;branch=z9hG4bK"
                   "00000000000012670123456789abcdef0123456789abcdef\r\n"
                   "Via: SIP/2.0/TLS b;branch=z9hG4bKy\r\n" CALL("INVITE", "1"));
    assert_int_equal(w->delivered, 0);
    assert_true(lab_until(w->lab, lab_is_locked, 0));
}

static void test_the_phone_does_not_keep_up(void **state)
{
    struct world *w = *state;
    phone_comes(w);
    connect(w);
    w->takes = ERR_BUSY;
    server_says(w, FROM_SERVER("INVITE", "1"));
    assert_int_equal(last_answer(w), 503);
    server_says(w, FROM_SERVER("ACK", "1")); /* has no answer */
    assert_int_equal(w->delivered, 0);
    w->takes = ERR_OK;
    server_says(w, FROM_SERVER("INVITE", "2"));
    assert_int_equal(w->delivered, 1);
}

static void test_the_server_does_not_keep_up(void **state)
{
    struct world *w = *state;
    static char text[40000];
    struct errinfo e = ERRINFO_INIT;
    unsigned sent = 0;
    phone_comes(w);
    connect(w);
    (void)snprintf(text, sizeof text,
                   "MESSAGE sips:bob@example.com SIP/2.0\r\n"
                   "Via: SIP/2.0/TLS p;branch=z9hG4bKphone\r\nFrom: <sip:a@b>;tag=b\r\n"
                   "To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 MESSAGE\r\nContent-Length: 30000\r\n\r\n"
                   "%30000s",
                   "");
    sim_net_window(w->lab->sim, 1000);
    struct result r;
    while (is_ok(r = say(w, 1, 0, text, &e)))
        assert_true(++sent < 10);
    assert_int_equal(r.code, ERR_BUSY);
    assert_int_equal(e.native, 503);
    assert_int_equal(w->drained, 0);
    sim_net_window(w->lab->sim, 65536);
    sim_advance(w->lab->sim, SECONDS(10));
    assert_int_equal(w->drained, 1);
    assert_int_equal(w->delivered, sent); /* all of them were answered */
    assert_true(is_ok(say(w, 1, 0, text, &e)));
    assert_true(lab_until(w->lab, lab_is_locked, 0));
    sim_settle(w->lab->sim);
}

static void test_only_on_the_connection_that_is_named(void **state)
{
    struct world *w = *state;
    phone_comes(w);
    said_in_vain(w, 1, 0, FROM_PHONE("INVITE", "1"), ERR_NOT_FOUND, 503);
    connect(w);
    const uint64_t first = w->line.id;
    said_in_vain(w, 2, first, FROM_PHONE("INVITE", "1"), ERR_DENIED, 403);
    said_in_vain(w, 1, first + 1, FROM_PHONE("INVITE", "1"), ERR_NOT_FOUND, 503);
    server_says(w, FROM_SERVER("INVITE", "1"));
    sim_link_cut(sim_link_last(w->lab->sim), SIM_CUT_RESET);
    sim_settle(w->lab->sim);
    assert_int_equal(w->downs, 1);
    assert_true(lab_until(w->lab, lab_is_locked, SECONDS(10)));
    sim_settle(w->lab->sim);
    assert_true(w->line.id != first);
    said_in_vain(w, 1, first, FROM_PHONE("INVITE", "1"), ERR_NOT_FOUND, 503);
    /* the answer to what came over the first must not leave over the second */
    const uint64_t second = w->line.id;
    char answer[4096];
    const char *via = strstr(w->got, "Via: ");
    (void)snprintf(answer, sizeof answer, "SIP/2.0 200 OK\r\n%s", via);
    said_in_vain(w, 1, second, answer, ERR_DENIED, 0);
    said_in_vain(w, 1, 0, answer, ERR_DENIED, 0);
}

static void test_messages_that_are_not_right(void **state)
{
    struct world *w = *state;
    phone_comes(w);
    connect(w);
    said_in_vain(w, 1, 0, "INVITE\r\n\r\n", ERR_PARSE, 0);
    said_in_vain(w, 1, 0, "", ERR_TRUNCATED, 0);
    /* the server could not tell where it ends */
    said_in_vain(
        w, 1, 0,
        "MESSAGE sips:bob@example.com SIP/2.0\r\nVia: SIP/2.0/TLS p;branch=z9hG4bKphone\r\n"
        "From: <sip:a@b>;tag=b\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 MESSAGE\r\n\r\n"
        "SIP/2.0 200 OK",
        ERR_PARSE, 400);
    said_in_vain(w, 1, 0,
                 "ACK sips:bob@example.com SIP/2.0\r\nVia: SIP/2.0/TLS p;branch=z9hG4bKphone\r\n"
                 "From: <sip:a@b>;tag=b\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 ACK\r\n"
                 "Max-Forwards: 0\r\nContent-Length: 0\r\n\r\n",
                 ERR_LIMIT, 483);
}

static void test_a_phone_of_an_accounts_own(void **state)
{
    struct world *w = *state;
    struct carrier_phone *own, *third;
    phone_comes(w);
    connect(w);
    assert_int_equal(w->downs, 0);
    assert_true(is_ok(carrier_phone_new(w->carrier, 1, &phone_handlers, w, &own)));
    assert_int_equal(carrier_phone_new(w->carrier, 1, &phone_handlers, w, &third).code, ERR_EXISTS);
    assert_int_equal(w->downs, 1); /* for the other one */
    said_in_vain(w, 1, 0, FROM_PHONE("INVITE", "1"), ERR_DENIED, 403);
    struct carrier_phone *const general = w->phone;
    w->phone = own;
    said(w, 0, FROM_PHONE("INVITE", "1"));
    w->phone = general;
    const unsigned ups = w->ups;
    carrier_phone_free(own);
    assert_int_equal(w->ups, ups + 1);
    said(w, 0, FROM_PHONE("INVITE", "2"));
}

/* --- calls and connections that have to go --- */

#define HEAD "#!version:1.0.0.1\n"
#define ALICE                                         \
    "account.1.enable = 1\n"                          \
    "account.1.user_name = alice\n"                   \
    "account.1.password = wonderland\n"               \
    "account.1.sip_server.1.address = " LAB_HOST "\n" \
    "account.1.sip_server.1.transport_type = 2\n"

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
    (void)arg;
}

static const struct fleet_handlers fleet_handlers = {on_changed, on_replaced, on_stopped};

static void apply(struct world *w, const char *text)
{
    struct settings *now;
    if (w->fleet == NULL)
        assert_true(is_ok(fleet_new(&w->lab->shared, &fleet_handlers, w, &w->fleet)));
    assert_true(is_ok(settings_new(&now)));
    assert_true(
        is_ok(settings_apply(now, "phone.cfg", slice_of_str(text), NULL, NULL, NULL, NULL)));
    fleet_apply(w->fleet, w->settings, now, w->lab->trust);
    settings_free(w->settings);
    w->settings = now;
}

static bool is_labelled_new(void *arg)
{
    const struct world *w = arg;
    const struct account_status s = account_status(fleet_at(w->fleet, 0));
    return strcmp(s.label, "New") == 0 && lab_is_locked(&s);
}

static void calls(struct world *w, unsigned n)
{
    struct errinfo e = ERRINFO_INIT;
    assert_true(is_ok(carrier_set_calls(w->phone, 1, 0, n, &e)));
}

static void with_a_call(struct world *w)
{
    phone_comes(w);
    apply(w, HEAD ALICE);
    sim_advance(w->lab->sim, SECONDS(5));
    assert_true(w->line.registered);
    calls(w, 1);
    apply(w, HEAD ALICE "account.1.label = New\n");
    sim_advance(w->lab->sim, SECONDS(60));
    const struct account_status s = account_status(fleet_at(w->fleet, 0));
    assert_true(lab_is_locked(&s)); /* as it was */
    assert_string_not_equal(s.label, "New");
    assert_int_equal(sim_link_count(w->lab->sim), 1);
    server_says(w, FROM_SERVER("INVITE", "1")); /* and useful */
    assert_int_equal(w->delivered, 1);
}

static void test_a_call_keeps_its_connection(void **state)
{
    struct world *w = *state;
    with_a_call(w);
    const unsigned before = w->replaced;
    calls(w, 0);
    assert_true(sim_run_until(w->lab->sim, is_labelled_new, w, SECONDS(5)));
    assert_true(w->replaced > before);
    assert_int_equal(w->lab->events[REGISTRAR_UNREGISTERED], 1);
    assert_int_equal(sim_link_count(w->lab->sim), 2);
}

static void test_a_call_that_does_not_end(void **state)
{
    struct world *w = *state;
    with_a_call(w);
    sim_advance(w->lab->sim, SECONDS(LIMIT_DRAIN_S - 120));
    assert_false(is_labelled_new(w));
    assert_true(sim_run_until(w->lab->sim, is_labelled_new, w, SECONDS(120)));
}

static void test_call_control_dies_in_a_call(void **state)
{
    struct world *w = *state;
    with_a_call(w);
    carrier_phone_free(w->phone);
    w->phone = NULL;
    assert_true(sim_run_until(w->lab->sim, is_labelled_new, w, SECONDS(5)));
}

static void test_the_connection_dies_in_a_call(void **state)
{
    struct world *w = *state;
    with_a_call(w);
    sim_link_cut(sim_link_last(w->lab->sim), SIM_CUT_RESET);
    assert_true(sim_run_until(w->lab->sim, is_labelled_new, w, SECONDS(5)));
}

static void test_reconnect_in_a_call_that_keeps_the_old(void **state)
{
    struct world *w = *state;
    with_a_call(w);
    account_reconnect(fleet_at(w->fleet, 0));
    assert_true(sim_run_until(w->lab->sim, is_labelled_new, w, SECONDS(5)));
}

static void test_stopping_does_not_wait_for_calls(void **state)
{
    struct world *w = *state;
    with_a_call(w);
    fleet_stop(w->fleet);
    sim_advance(w->lab->sim, SECONDS(2));
    assert_int_equal(account_status(fleet_at(w->fleet, 0)).state, ACCOUNT_IDLE);
    assert_int_equal(w->lab->events[REGISTRAR_UNREGISTERED], 1);
}

#define SCENARIO(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_what_is_seen),
        SCENARIO(test_a_call_comes_in),
        SCENARIO(test_a_call_goes_out),
        SCENARIO(test_nobody_is_there),
        SCENARIO(test_what_is_not_for_the_phone),
        SCENARIO(test_the_phone_does_not_keep_up),
        SCENARIO(test_the_server_does_not_keep_up),
        SCENARIO(test_only_on_the_connection_that_is_named),
        SCENARIO(test_messages_that_are_not_right),
        SCENARIO(test_a_phone_of_an_accounts_own),
        SCENARIO(test_a_call_keeps_its_connection),
        SCENARIO(test_a_call_that_does_not_end),
        SCENARIO(test_call_control_dies_in_a_call),
        SCENARIO(test_the_connection_dies_in_a_call),
        SCENARIO(test_reconnect_in_a_call_that_keeps_the_old),
        SCENARIO(test_stopping_does_not_wait_for_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
