/* The phone as TLS server: what it answers, whom it believes, and what changes while it runs. */
#include "tools/unit.h"

#include <string.h>

#include "base/limits.h"
#include "scenario/callers.h"

#define SECONDS(n)           ((n)*UINT64_C(1000))
#define DAYS(n)              ((n)*INT64_C(86400))
#define TO_ALICE             "sips:alice@" CALLED_IP ":5061"
#define MAX_FORWARDS         "Max-Forwards: 70\r\n"
#define CERTIFICATE_REQUIRED 116

static int set_up(void **state)
{
    *state = lab_new();
    return 0;
}

static int tear_down(void **state)
{
    lab_free(*state);
    return 0;
}

/* Alice, registered: the listener has an account to find, and its server an address. */
static void register_alice(struct lab *lab)
{
    (void)lab_serve(lab, LAB_IP, lab_good(lab));
    lab_account(lab, NULL);
    account_start(lab->account);
    assert_true(lab_until(lab, lab_is_locked, SECONDS(1)));
}

/* --- what it answers --- */

static const struct question {
    const char *method, *uri, *extra;
    int status;
} questions[] = {
    {"OPTIONS", "sips:" CALLED_IP ":5061", MAX_FORWARDS, 200},
    {"OPTIONS", TO_ALICE, MAX_FORWARDS, 200},
    {"OPTIONS", TO_ALICE, "Max-Forwards: 0\r\n", 200}, /* RFC 3261 section 16.3, item 3 */
    {"OPTIONS", "sips:bob@" CALLED_IP, MAX_FORWARDS, 404},
    {"OPTIONS", TO_ALICE, MAX_FORWARDS "Require: 100rel\r\n", 420},
    {"INVITE", TO_ALICE, MAX_FORWARDS, 503},
    {"INVITE", TO_ALICE, "", 503}, /* RFC 2543 had no Max-Forwards */
    {"INVITE", "sip:%61lice@" CALLED_IP ";transport=tls", MAX_FORWARDS, 503},
    {"INVITE", "sip:Alice@" CALLED_IP, MAX_FORWARDS, 404}, /* case counts */
    {"INVITE", "sip:" CALLED_IP, MAX_FORWARDS, 404},
    {"INVITE", "tel:+1-201-555-0123", MAX_FORWARDS, 416},
    {"INVITE", "nobody:at-home", MAX_FORWARDS, 416},
    {"INVITE", TO_ALICE, "Max-Forwards: 0\r\n", 483},
    {"INVITE", TO_ALICE, MAX_FORWARDS "Proxy-Require: a, b\r\n", 420},
    {"INVITE", TO_ALICE, MAX_FORWARDS "Require: 100rel\r\n", 503}, /* the phone's to know */
    {"CANCEL", TO_ALICE, MAX_FORWARDS, 481},
    {"BYE", TO_ALICE, MAX_FORWARDS, 481},
    {"ACK", TO_ALICE, MAX_FORWARDS, 0},
    {"ACK", "sips:bob@" CALLED_IP, "Max-Forwards: 0\r\n", 0},
    {"STRANGE", TO_ALICE, MAX_FORWARDS, 503},
};

static void test_answers(void **state)
{
    struct lab *lab = *state;
    register_alice(lab);
    struct called *phone = called_new(lab, NULL);
    struct caller *peer = caller_dial(phone, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(questions); i++) {
        const struct question *q = &questions[i];
        const int status = caller_ask_with(peer, q->method, q->uri, q->extra);
        if (status != q->status)
            fail_msg("%s %s %s: %d, not %d", q->method, q->uri, q->extra, status, q->status);
    }
    assert_true(peer->open);
    caller_free(peer);
    called_free(phone);
}

static void test_says_what_it_does_not_support(void **state)
{
    struct lab *lab = *state;
    register_alice(lab);
    struct called *phone = called_new(lab, NULL);
    struct caller *peer = caller_dial(phone, NULL, NULL);
    assert_int_equal(
        caller_ask_with(peer, "INVITE", TO_ALICE, "Proxy-Require: a, b\r\nProxy-Require: c\r\n"),
        420);
    assert_non_null(strstr(peer->text, "\r\nUnsupported: a, b, c\r\n"));
    assert_int_equal(caller_ask(peer, "INVITE", TO_ALICE), 503);
    assert_non_null(strstr(peer->text, "\r\nRetry-After: "));
    caller_free(peer);
    called_free(phone);
}

#define FIELDS(cseq)                                                   \
    "Via: SIP/2.0/TLS h;branch=z9hG4bKa\r\nFrom: <sips:a@b>;tag=1\r\n" \
    "To: <sips:a@b>\r\nCall-ID: x\r\nCSeq: " cseq "\r\nMax-Forwards: 70\r\n"

/* A request that is none is answered as well as can be; where its end is not known, it is the last.
 */
static void test_answers_what_is_malformed(void **state)
{
    static const struct {
        const char *text;
        int status;
        bool last;
    } cases[] = {
        {"OPTIONS sips:a@b SIP/7.0\r\n" FIELDS("1 OPTIONS") "Content-Length: 0\r\n\r\n", 505,
         false},
        {"OPTIONS sips:a@b SIP/2.0\r\n" FIELDS("1 INVITE") "Content-Length: 0\r\n\r\n", 400, false},
        {"OPTIONS <sips:a@b> SIP/2.0\r\n" FIELDS("1 OPTIONS") "l: 0\r\n\r\n", 400, false},
        {"ACK sips:a@b SIP/7.0\r\n" FIELDS("1 ACK") "Content-Length: 0\r\n\r\n", 0, false},
        {"OPTIONS sips:a@b SIP/2.0\r\n" FIELDS("1 OPTIONS") "Content-Length: 99999\r\n\r\n", 513,
         true},
        {"OPTIONS sips:a@b SIP/2.0\r\n" FIELDS("1 OPTIONS") "\r\n", 400, true},
        {"OPTIONS sips:a@b SIP/2.0\r\n" FIELDS("1 OPTIONS") "l: -1\r\n\r\n", 400, true},
        {"GET / HTTP/1.1\r\nHost: phone\r\n\r\n", 0, true},
    };
    struct lab *lab = *state;
    struct called *phone = called_new(lab, NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct caller *peer = caller_dial(phone, NULL, NULL);
        caller_send(peer, cases[i].text);
        if (peer->status != cases[i].status || peer->closed != cases[i].last)
            fail_msg("%s: %d, closed %d", cases[i].text, peer->status, peer->closed);
        if (peer->closed)
            assert_int_equal(peer->why, ERR_CLOSED);
        else
            assert_int_equal(caller_ask(peer, "OPTIONS", "sips:" CALLED_IP), 200);
        caller_free(peer);
    }
    assert_int_equal(listener_count(phone->listener), 0);
    called_free(phone);
}

/* --- client certificates --- */

static const struct testpki_cert *client(const struct lab *lab, struct testpki_spec s)
{
    if (s.subject == NULL)
        s.subject = "CN=proxy";
    if (s.issuer == NULL && s.key == 0)
        s.issuer = lab->ca;
    return testpki_make(&s);
}

static void ask_for_certificates(struct listener_config *cfg)
{
    cfg->client_auth = TLS_CLIENT_AUTH_REQUEST;
}

static void require_certificates(struct listener_config *cfg)
{
    cfg->client_auth = TLS_CLIENT_AUTH_REQUIRE;
}

static void require_client_eku(struct listener_config *cfg)
{
    cfg->client_auth = TLS_CLIENT_AUTH_REQUIRE;
    cfg->policy.client_eku_required = true;
}

static const struct testpki_cert *none(const struct lab *lab)
{
    (void)lab;
    return NULL;
}

static const struct testpki_cert *good(const struct lab *lab)
{
    return client(lab, (struct testpki_spec){.san = "DNS:proxy.example.com"});
}

static const struct testpki_cert *expired(const struct lab *lab)
{
    return client(lab, (struct testpki_spec){.not_after = SIM_EPOCH_S - DAYS(1)});
}

static const struct testpki_cert *unknown_ca(const struct lab *lab)
{
    return client(lab, (struct testpki_spec){.issuer = testpki_make(&(struct testpki_spec){
                                                 .subject = "CN=Elsewhere", .ca = true})});
}

static const struct testpki_cert *for_servers(const struct lab *lab)
{
    static const char *const eku[] = {TESTPKI_OID_SERVER_AUTH, NULL};
    return client(lab, (struct testpki_spec){.eku = eku});
}

static const struct shown {
    called_change_fn *listener;
    const struct testpki_cert *(*make)(const struct lab *lab);
    int alert;                /* -1: it is let in */
    enum verdict_class class; /* of what is told */
    enum reason_code reason;
} shown[] = {
    {NULL, good, -1, VERDICT_NONE, REASON_NONE}, /* it is not asked */
    {ask_for_certificates, none, -1, VERDICT_NONE, REASON_NONE},
    {ask_for_certificates, good, -1, VERDICT_VERIFIED, REASON_NONE},
    {ask_for_certificates, expired, 45, VERDICT_REJECTED, REASON_EXPIRED},
    {ask_for_certificates, unknown_ca, 48, VERDICT_REJECTED, REASON_UNKNOWN_CA},
    {ask_for_certificates, for_servers, -1, VERDICT_VERIFIED, REASON_NONE},
    {require_certificates, none, CERTIFICATE_REQUIRED, VERDICT_REJECTED, REASON_NO_CERTIFICATE},
    {require_certificates, good, -1, VERDICT_VERIFIED, REASON_NONE},
    {require_certificates, expired, 45, VERDICT_REJECTED, REASON_EXPIRED},
    {require_client_eku, for_servers, 42, VERDICT_REJECTED, REASON_EXT_KEY_USAGE},
};

static void show(struct lab *lab, const struct shown *s, enum tls_versions versions)
{
    struct called *phone = called_new(lab, s->listener);
    struct caller *peer = caller_dial_as(phone, NULL, s->make(lab), versions, NULL);
    int alert = s->alert;
    if (alert == CERTIFICATE_REQUIRED && versions == TLS_1_2_ONLY)
        alert = 40; /* RFC 5246 section 7.4.6 */
    assert_int_equal(peer->closed, alert != -1);
    assert_int_equal(peer->alert_received, alert);
    assert_int_equal(phone->opened, alert == -1);
    assert_int_equal(phone->closed, alert != -1);
    assert_int_equal(phone->verdict.class, s->class);
    if (s->reason != REASON_NONE)
        assert_int_equal(phone->verdict.reasons[0].code, s->reason);
    assert_int_equal(listener_count(phone->listener), alert == -1);
    caller_free(peer);
    called_free(phone);
}

static void test_client_certificates(void **state)
{
    static const enum tls_versions versions[] = {TLS_1_2_ONLY, TLS_1_3_ONLY};
    struct lab *lab = *state;
    for (size_t v = 0; v < COUNT_OF(versions); v++)
        for (size_t i = 0; i < COUNT_OF(shown); i++) {
            print_message("case %zu, version %zu\n", i, v);
            show(lab, &shown[i], versions[v]);
        }
}

/* The name counts: a certificate that anybody can have says little. */
static void test_a_name_makes_it_full(void **state)
{
    struct lab *lab = *state;
    register_alice(lab);
    struct called *phone = called_new(lab, ask_for_certificates);
    struct caller *stranger = caller_dial(phone, NULL, good(lab));
    assert_int_equal(phone->verdict.class, VERDICT_VERIFIED);
    assert_int_equal(phone->assurance, ASSURANCE_CHAIN);
    struct caller *server = caller_dial(phone, NULL, lab_good(lab));
    assert_int_equal(phone->assurance, ASSURANCE_FULL);
    assert_int_equal(phone->account, 0);
    assert_int_equal(caller_ask(server, "INVITE", TO_ALICE), 503);
    assert_int_equal(phone->account, 1); /* and told, once */
    assert_int_equal(phone->changed, 1);
    assert_int_equal(caller_ask(server, "INVITE", TO_ALICE), 503);
    assert_int_equal(phone->changed, 1);
    assert_int_equal(phone->assurance, ASSURANCE_FULL);
    caller_free(stranger);
    caller_free(server);
    called_free(phone);
}

/* --- sip.trust_ctrl --- */

static void trust_servers_only(struct listener_config *cfg)
{
    cfg->client_auth = TLS_CLIENT_AUTH_REQUEST;
    cfg->trust_ctrl = true;
}

static void test_only_the_accounts_own_server(void **state)
{
    struct lab *lab = *state;
    register_alice(lab);
    struct called *phone = called_new(lab, trust_servers_only);
    struct caller *stranger = caller_dial(phone, NULL, NULL);
    assert_int_equal(caller_ask(stranger, "INVITE", TO_ALICE), 403);
    assert_int_equal(caller_ask(stranger, "INVITE", "sip:bob@" CALLED_IP), 403); /* says nothing */
    assert_int_equal(caller_ask(stranger, "OPTIONS", TO_ALICE), 403);
    struct caller *known = caller_dial(phone, NULL, good(lab)); /* by a CA, but not as the server */
    assert_int_equal(caller_ask(known, "INVITE", TO_ALICE), 403);
    struct caller *by_name = caller_dial(phone, NULL, lab_good(lab));
    assert_int_equal(caller_ask(by_name, "INVITE", TO_ALICE), 503);
    struct caller *by_address = caller_dial(phone, LAB_IP, NULL);
    assert_int_equal(caller_ask(by_address, "INVITE", TO_ALICE), 503);
    assert_int_equal(caller_ask(by_address, "INVITE", "sip:bob@" CALLED_IP), 404);
    caller_free(stranger);
    caller_free(known);
    caller_free(by_name);
    caller_free(by_address);
    called_free(phone);
}

/* --- what changes while it runs --- */

static void test_a_new_identity(void **state)
{
    struct lab *lab = *state;
    struct called *phone = called_new(lab, NULL);
    struct caller *before = caller_dial(phone, NULL, NULL);
    struct identity *id = called_identity(
        testpki_make(&(struct testpki_spec){.subject = "CN=new", .issuer = lab->ca}));
    uint8_t sha256[HASH_SHA256_SIZE];
    cert_sha256(identity_leaf(id), sha256);
    listener_set_identity(phone->listener, id);
    identity_unref(id);
    struct caller *after = caller_dial(phone, NULL, NULL);
    assert_memory_equal(after->server, sha256, sizeof sha256);
    assert_memory_not_equal(before->server, sha256, sizeof sha256);
    assert_int_equal(caller_ask(before, "OPTIONS", "sips:" CALLED_IP), 200); /* untouched */
    caller_free(before);
    caller_free(after);
    called_free(phone);
}

/* One that is too long to be sent is refused; the old one stays. */
static void test_an_identity_that_cannot_be_sent(void **state)
{
    struct lab *lab = *state;
    struct called *phone = called_new(lab, NULL);
    char san[8192] = "DNS:a";
    for (size_t n = strlen(san); n < 6000; n += strlen(" DNS:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"))
        (void)strcat(san, " DNS:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    struct identity *id = called_identity(
        testpki_make(&(struct testpki_spec){.subject = "CN=new", .issuer = lab->ca, .san = san}));
    listener_set_identity(phone->listener, id);
    identity_unref(id);
    struct caller *peer = caller_dial(phone, NULL, NULL);
    assert_true(peer->open);
    caller_free(peer);
    called_free(phone);
}

static void test_nobody_listens_without_an_identity(void **state)
{
    struct lab *lab = *state;
    struct called *phone = called_new(lab, NULL);
    listener_set_identity(phone->listener, NULL);
    struct caller *peer = caller_dial(phone, NULL, NULL);
    assert_int_equal(peer->why, ERR_SYSTEM); /* connection refused */
    caller_free(peer);
    called_free(phone);
}

/* Live connections are judged again: who is still good is not touched, who is not goes at once. */
static void test_new_trust(void **state)
{
    struct lab *lab = *state;
    const struct testpki_cert *other =
        testpki_make(&(struct testpki_spec){.subject = "CN=Other Root", .ca = true});
    const struct testpki_cert *cas[] = {lab->ca, other};
    struct trust *both = lab_trust(cas, 2), *only = lab_trust(&other, 1);
    struct called *phone = called_new(lab, ask_for_certificates);
    listener_set_trust(phone->listener, both);
    struct caller *stays = caller_dial(
        phone, NULL, testpki_make(&(struct testpki_spec){.subject = "CN=a", .issuer = other}));
    struct caller *goes = caller_dial(phone, NULL, good(lab));
    struct caller *without = caller_dial(phone, NULL, NULL);
    listener_set_trust(phone->listener, only);
    assert_int_equal(phone->closed, 1); /* told in the same turn */
    assert_int_equal(phone->why, ERR_CERT);
    assert_int_equal(phone->verdict.reasons[0].code, REASON_UNKNOWN_CA);
    sim_settle(lab->sim);
    assert_true(goes->closed);
    assert_int_equal(caller_ask(stays, "OPTIONS", "sips:" CALLED_IP), 200);
    assert_int_equal(caller_ask(without, "OPTIONS", "sips:" CALLED_IP), 200);
    caller_free(stays);
    caller_free(goes);
    caller_free(without);
    called_free(phone);
    trust_unref(both);
    trust_unref(only);
}

static void test_the_clock_is_set(void **state)
{
    struct lab *lab = *state;
    struct called *phone = called_new(lab, ask_for_certificates);
    struct caller *peer = caller_dial(
        phone, NULL, client(lab, (struct testpki_spec){.not_after = SIM_EPOCH_S + DAYS(5)}));
    assert_true(peer->open);
    sim_clock_set(lab->sim, SIM_EPOCH_S + DAYS(6), CLOCK_SET);
    sim_settle(lab->sim);
    listener_clock_changed(phone->listener);
    sim_settle(lab->sim);
    assert_true(peer->closed);
    assert_int_equal(phone->verdict.reasons[0].code, REASON_EXPIRED);
    caller_free(peer);
    called_free(phone);
}

/* Nobody has to look: in the second after its end the client is told, and gone. */
static void test_the_clients_certificate_ends(void **state)
{
    struct lab *lab = *state;
    struct called *phone = called_new(lab, ask_for_certificates);
    struct caller *peer = caller_dial(
        phone, NULL, client(lab, (struct testpki_spec){.not_after = SIM_EPOCH_S + 600}));
    assert_int_equal(caller_ask(peer, "OPTIONS", "sips:" CALLED_IP), 200);
    sim_advance(lab->sim, SECONDS(599));
    assert_false(peer->closed);
    sim_advance(lab->sim, SECONDS(3));
    assert_true(peer->closed);
    assert_int_equal(phone->verdict.reasons[0].code, REASON_EXPIRED);
    caller_free(peer);
    called_free(phone);
}

static void test_certificates_become_required(void **state)
{
    struct lab *lab = *state;
    struct called *phone = called_new(lab, ask_for_certificates);
    struct caller *with = caller_dial(phone, NULL, good(lab));
    struct caller *without = caller_dial(phone, NULL, NULL);
    require_certificates(&phone->cfg);
    called_configure(phone);
    sim_settle(lab->sim);
    assert_false(with->closed);
    assert_true(without->closed);
    assert_int_equal(phone->verdict.reasons[0].code, REASON_NO_CERTIFICATE);
    assert_int_equal(listener_count(phone->listener), 1);
    caller_free(with);
    caller_free(without);
    called_free(phone);
}

/* Trust that changes while a handshake is under way counts for it, too, at whatever moment. */
static void test_new_trust_during_a_handshake(void **state)
{
    struct lab *lab = *state;
    const struct testpki_cert *other =
        testpki_make(&(struct testpki_spec){.subject = "CN=Other Root", .ca = true});
    struct trust *only = lab_trust(&other, 1);
    for (uint64_t after = 0; after < 10; after++) {
        struct called *phone = called_new(lab, ask_for_certificates);
        struct caller *peer = caller_begin(phone, NULL, good(lab));
        sim_advance(lab->sim, after);
        listener_set_trust(phone->listener, only);
        sim_settle(lab->sim);
        assert_true(peer->closed);
        assert_int_equal(listener_count(phone->listener), 0);
        assert_int_equal(phone->verdict.class, VERDICT_REJECTED);
        caller_free(peer);
        called_free(phone);
    }
    trust_unref(only);
}

static void test_the_port_changes(void **state)
{
    struct lab *lab = *state;
    struct called *phone = called_new(lab, NULL);
    struct caller *peer = caller_dial(phone, NULL, NULL);
    phone->cfg.port = CALLED_PORT + 1;
    called_configure(phone);
    struct caller *late = caller_dial(phone, NULL, NULL);
    assert_int_equal(late->why, ERR_SYSTEM);
    assert_int_equal(caller_ask(peer, "OPTIONS", "sips:" CALLED_IP), 200);
    phone->cfg.port = 0;
    called_configure(phone);
    assert_int_equal(caller_ask(peer, "OPTIONS", "sips:" CALLED_IP), 200);
    caller_free(peer);
    caller_free(late);
    called_free(phone);
}

/* Somebody else has the port at first. */
static void test_a_port_that_is_taken(void **state)
{
    struct lab *lab = *state;
    struct called *first = called_new(lab, NULL);
    struct called *second = called_new(lab, NULL);
    struct caller *peer = caller_dial(first, NULL, NULL);
    assert_int_equal(listener_count(second->listener), 0);
    caller_free(peer);
    called_free(first);
    sim_advance(lab->sim, LIMIT_LISTEN_RETRY_MS);
    peer = caller_dial(second, NULL, NULL);
    assert_int_equal(listener_count(second->listener), 1);
    caller_free(peer);
    peer = caller_dial(second, "2001:db8::50", NULL);
    assert_int_equal(listener_count(second->listener), 1);
    caller_free(peer);
    called_free(second);
}

/* --- sessions that are resumed --- */

static void check_resumes(struct lab *lab, called_change_fn *change, enum tls_versions versions,
                          bool expected)
{
    struct called *phone = called_new(lab, change);
    struct caller *first = caller_dial_as(phone, NULL, good(lab), versions, "flow");
    assert_true(first->open);
    assert_int_equal(caller_ask(first, "OPTIONS", "sips:" CALLED_IP), 200); /* tickets were read */
    caller_free(first);
    struct caller *second = caller_dial_as(phone, NULL, good(lab), versions, "flow");
    assert_true(second->open);
    assert_int_equal(listener_at(phone->listener, 0).tls.resumed, expected);
    assert_int_equal(connection_facts(second->connection).resumed, expected);
    if (change != NULL) /* the certificate was shown, and judged, again */
        assert_int_equal(phone->verdict.class, VERDICT_VERIFIED);
    caller_free(second);
    called_free(phone);
    tls_tickets_clear(lab->shared.tickets);
}

/* A session is resumed only where there was no verdict that would have to be kept. */
static void test_resumption(void **state)
{
    struct lab *lab = *state;
    check_resumes(lab, NULL, TLS_1_2_ONLY, true);
    check_resumes(lab, NULL, TLS_1_3_ONLY, true);
    check_resumes(lab, ask_for_certificates, TLS_1_2_ONLY, false);
    check_resumes(lab, ask_for_certificates, TLS_1_3_ONLY, false);
}

/* Tickets of a time when no certificate was asked for are of no use once it is. */
static void test_a_ticket_is_no_way_around(void **state)
{
    struct lab *lab = *state;
    struct called *phone = called_new(lab, NULL);
    struct caller *first = caller_dial_as(phone, NULL, NULL, TLS_1_3_ONLY, "flow");
    assert_int_equal(caller_ask(first, "OPTIONS", "sips:" CALLED_IP), 200);
    caller_free(first);
    require_certificates(&phone->cfg);
    called_configure(phone);
    struct caller *second = caller_dial_as(phone, NULL, NULL, TLS_1_3_ONLY, "flow");
    assert_true(second->closed);
    assert_int_equal(second->alert_received, CERTIFICATE_REQUIRED);
    caller_free(second);
    called_free(phone);
}

static void test_stops_in_order(void **state)
{
    struct lab *lab = *state;
    struct called *phone = called_new(lab, NULL);
    struct caller *peer = caller_dial(phone, NULL, NULL);
    listener_stop(phone->listener);
    sim_settle(lab->sim);
    assert_true(peer->closed);
    assert_int_equal(peer->why, ERR_CLOSED); /* with close_notify */
    caller_free(peer);
    called_free(phone);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(test_answers),
        TEST(test_says_what_it_does_not_support),
        TEST(test_answers_what_is_malformed),
        TEST(test_client_certificates),
        TEST(test_a_name_makes_it_full),
        TEST(test_only_the_accounts_own_server),
        TEST(test_a_new_identity),
        TEST(test_an_identity_that_cannot_be_sent),
        TEST(test_nobody_listens_without_an_identity),
        TEST(test_new_trust),
        TEST(test_the_clock_is_set),
        TEST(test_the_clients_certificate_ends),
        TEST(test_certificates_become_required),
        TEST(test_new_trust_during_a_handshake),
        TEST(test_the_port_changes),
        TEST(test_a_port_that_is_taken),
        TEST(test_resumption),
        TEST(test_a_ticket_is_no_way_around),
        TEST(test_stops_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
