/* What strangers can take from the phone, and for how long: places, time, and nothing of the
 * accounts. */
#include "tools/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "scenario/callers.h"

#define SECONDS(n) ((n)*UINT64_C(1000))
#define PHONE      "sips:" CALLED_IP

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

static const char *source(unsigned i)
{
    static char ip[32];
    (void)snprintf(ip, sizeof ip, "198.51.%u.%u", i / 250, i % 250 + 1);
    return ip;
}

/* --- how many --- */

static void check_source(struct lab *lab, const char *const *same, const char *other)
{
    struct called *phone = called_new(lab, NULL);
    struct caller *peers[LIMIT_INBOUND_SOURCE + 1];
    for (size_t i = 0; i < LIMIT_INBOUND_SOURCE; i++) {
        peers[i] = caller_dial(phone, same[i % 2], NULL);
        assert_true(peers[i]->open);
    }
    peers[LIMIT_INBOUND_SOURCE] = caller_dial(phone, same[0], NULL);
    assert_true(peers[LIMIT_INBOUND_SOURCE]->closed);
    struct caller *elsewhere = caller_dial(phone, other, NULL);
    assert_true(elsewhere->open);
    caller_free(elsewhere);
    for (size_t i = 0; i < COUNT_OF(peers); i++)
        caller_free(peers[i]);
    struct caller *again = caller_dial(phone, same[0], NULL); /* there is room again */
    assert_true(again->open);
    caller_free(again);
    called_free(phone);
}

static void test_from_one_address(void **state)
{
    static const char *const four[] = {"198.51.100.1", "198.51.100.1"};
    static const char *const six[] = {"2001:db8:1:2::1", "2001:db8:1:2:3::9"}; /* one /64 */
    static const char *const local[] = {"fe80::1", "fe80::1"}; /* each is another's */
    struct lab *lab = *state;
    check_source(lab, four, "198.51.100.2");
    check_source(lab, six, "2001:db8:1:3::1");
    check_source(lab, local, "fe80::2");
}

static void test_in_all(void **state)
{
    struct lab *lab = *state;
    struct called *phone = called_new(lab, NULL);
    struct caller *peers[LIMIT_INBOUND];
    for (unsigned i = 0; i < LIMIT_INBOUND; i++) {
        peers[i] = caller_dial(phone, source(i), NULL);
        assert_true(peers[i]->open);
    }
    assert_int_equal(listener_count(phone->listener), LIMIT_INBOUND);
    struct caller *late = caller_dial(phone, source(LIMIT_INBOUND), NULL);
    assert_true(late->closed);
    caller_free(late);
    for (unsigned i = 0; i < LIMIT_INBOUND; i++) { /* nobody had to go for it */
        assert_int_equal(caller_ask(peers[i], "OPTIONS", PHONE), 200);
        caller_free(peers[i]);
    }
    called_free(phone);
}

/* All places of handshakes are taken by those who do not go on with theirs: for a moment there is
 * none, then the oldest gives way. */
static void test_half_open_ones_give_way(void **state)
{
    struct lab *lab = *state;
    struct called *phone = called_new(lab, NULL);
    struct stream *half[LIMIT_INBOUND_HANDSHAKES];
    for (unsigned i = 0; i < LIMIT_INBOUND_HANDSHAKES; i++)
        half[i] = caller_stall(phone, source(i));
    struct caller *early = caller_dial(phone, "192.0.2.50", NULL);
    assert_true(early->closed);
    sim_advance(lab->sim, LIMIT_INBOUND_PATIENCE_MS);
    struct caller *later = caller_dial(phone, "192.0.2.50", NULL);
    assert_true(later->open);
    assert_false(sim_link_is_open(sim_link_of(half[0])));
    assert_true(sim_link_is_open(sim_link_of(half[1])));
    caller_free(early);
    caller_free(later);
    for (unsigned i = 0; i < LIMIT_INBOUND_HANDSHAKES; i++)
        stream_close(half[i]);
    called_free(phone);
}

/* --- how long --- */

static void test_a_handshake_that_does_not_go_on(void **state)
{
    struct lab *lab = *state;
    struct called *phone = called_new(lab, NULL);
    struct stream *half = caller_stall(phone, NULL);
    sim_advance(lab->sim, LIMIT_HANDSHAKE_MS - SECONDS(1));
    assert_true(sim_link_is_open(sim_link_of(half)));
    sim_advance(lab->sim, SECONDS(1) + LIMIT_CLOSE_MS); /* to read the alert, and to close, too */
    assert_false(sim_link_is_open(sim_link_of(half)));
    assert_int_equal(phone->opened + phone->closed, 0); /* nobody needs to be told */
    stream_close(half);
    called_free(phone);
}

static void test_no_first_request(void **state)
{
    struct lab *lab = *state;
    struct called *phone = called_new(lab, NULL);
    struct caller *peer = caller_dial(phone, NULL, NULL);
    sim_advance(lab->sim, LIMIT_INBOUND_FIRST_MS - SECONDS(1));
    caller_send(peer, "\r\n\r\n"); /* a keep-alive is no request */
    assert_true(peer->open && !peer->closed);
    sim_advance(lab->sim, SECONDS(1));
    sim_settle(lab->sim);
    assert_true(peer->closed);
    assert_int_equal(peer->why, ERR_CLOSED);
    assert_int_equal(phone->why, ERR_TIMEOUT);
    assert_non_null(strstr(phone->sentence, "it sent nothing for 32 s"));
    caller_free(peer);
    called_free(phone);
}

/* Silence ends it; whoever sends keep-alives, as RFC 5626 has it, stays. */
static void test_idle(void **state)
{
    struct lab *lab = *state;
    struct called *phone = called_new(lab, NULL);
    struct caller *quiet = caller_dial(phone, NULL, NULL);
    struct caller *alive = caller_dial(phone, NULL, NULL);
    assert_int_equal(caller_ask(quiet, "OPTIONS", PHONE), 200);
    assert_int_equal(caller_ask(alive, "OPTIONS", PHONE), 200);
    for (int i = 0; i < 5; i++) {
        sim_advance(lab->sim, SECONDS(840));
        caller_send(alive, "\r\n\r\n");
        assert_int_equal(quiet->closed, i > 0);
        assert_false(alive->closed);
    }
    assert_int_equal(phone->closed, 1);
    caller_free(quiet);
    caller_free(alive);
    called_free(phone);
}

/* A byte a second is no way to hold a place. */
static void test_a_slow_sender(void **state)
{
    struct lab *lab = *state;
    struct called *phone = called_new(lab, NULL);
    struct caller *peer = caller_dial(phone, NULL, NULL);
    assert_int_equal(caller_ask(peer, "OPTIONS", PHONE), 200);
    unsigned seconds = 0;
    caller_send(peer, "OPTIONS " PHONE " SIP/2.0\r\nX: ");
    while (!peer->closed && seconds < 600) {
        sim_advance(lab->sim, SECONDS(1));
        seconds++;
        if (!peer->closed)
            caller_send(peer, "x");
    }
    assert_int_equal(seconds, LIMIT_SIP_ARRIVAL_MS / 1000);
    assert_non_null(strstr(phone->sentence, "did not finish a message within 32 s"));
    caller_free(peer);
    called_free(phone);
}

#define REQUEST                                                                             \
    "OPTIONS " PHONE " SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=1\r\nFrom: <sip:a@b>;tag=1\r\n" \
    "To: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
#define HALF 40

/* Messages that come one after the other, the end of one with the beginning of the next, are not
 * slow. */
static void test_a_steady_sender(void **state)
{
    struct lab *lab = *state;
    struct called *phone = called_new(lab, NULL);
    struct caller *peer = caller_dial(phone, NULL, NULL);
    char first[HALF + 1], rest_and_first[sizeof REQUEST];
    (void)snprintf(first, sizeof first, "%s", REQUEST);
    (void)snprintf(rest_and_first, sizeof rest_and_first, "%s%s", &REQUEST[HALF], first);
    caller_send(peer, first);
    for (unsigned i = 0; i < 10; i++) {
        sim_advance(lab->sim, SECONDS(20));
        assert_false(peer->closed);
        caller_send(peer, rest_and_first);
    }
    assert_int_equal(peer->responses, 10);
    caller_free(peer);
    called_free(phone);
}

/* A peer that lost its power says nothing any more: its place is free in the end. */
static void test_a_peer_that_is_gone(void **state)
{
    struct lab *lab = *state;
    struct called *phone = called_new(lab, NULL);
    struct caller *peer = caller_dial(phone, NULL, NULL);
    assert_int_equal(caller_ask(peer, "OPTIONS", PHONE), 200);
    sim_link_cut(sim_link_last(lab->sim), SIM_CUT_SILENT);
    sim_advance(lab->sim, LIMIT_INBOUND_IDLE_MS);
    sim_settle(lab->sim);
    assert_int_equal(listener_count(phone->listener), 0);
    caller_free(peer);
    called_free(phone);
}

/* --- a flood --- */

/* Alice has a connection for ever while hundreds of strangers come, say little or nothing, and go.
 */
static void test_a_flood_takes_nothing_from_the_account(void **state)
{
    struct lab *lab = *state;
    struct registrar_endpoint *server = lab_serve(lab, LAB_IP, lab_good(lab));
    struct called *phone = called_new(lab, NULL);
    struct stream *half[512];
    unsigned opened = 0, answered = 0;
    lab_account(lab, NULL);
    account_start(lab->account);
    assert_true(lab_until(lab, lab_is_locked, SECONDS(1)));
    const unsigned registered = lab->events[REGISTRAR_REGISTERED];
    for (unsigned i = 0; i < COUNT_OF(half); i++) {
        half[i] = caller_stall(phone, source(i));
        sim_advance(lab->sim, 400);
        if (i % 16 == 0) { /* somebody who means it is served in the midst of it */
            struct caller *peer = caller_dial(phone, "192.0.2.50", NULL);
            opened += peer->open;
            answered += peer->open && caller_ask(peer, "OPTIONS", PHONE) == 200;
            caller_free(peer);
        }
        const struct account_status s = lab_status(lab);
        assert_true(lab_is_locked(&s));
    }
    assert_int_equal(opened, COUNT_OF(half) / 16);
    assert_int_equal(answered, opened);
    /* 205 s of flood, then up to an hour: each refresh of the 600 s came, over the one connection.
     */
    sim_advance(lab->sim, SECONDS(3600));
    assert_in_range(lab->events[REGISTRAR_REFRESHED], 6, 8);
    assert_int_equal(lab->events[REGISTRAR_REGISTERED], registered);
    assert_int_equal(registrar_endpoint_facts(server).opened, 1);
    assert_int_equal(listener_count(phone->listener), 0);
    for (unsigned i = 0; i < COUNT_OF(half); i++)
        stream_close(half[i]);
    called_free(phone);
}

/* Certificates that are refused are told, but not without end. */
static void test_a_flood_of_refusals_is_told_in_part(void **state)
{
    struct lab *lab = *state;
    struct called *phone = called_new(lab, NULL);
    const struct testpki_cert *bad =
        testpki_make(&(struct testpki_spec){.subject = "CN=x", .key = 1});
    phone->cfg.client_auth = TLS_CLIENT_AUTH_REQUEST;
    called_configure(phone);
    for (unsigned round = 1; round <= 2; round++) {
        for (unsigned i = 0; i < 3 * LIMIT_INBOUND_TOLD; i++)
            caller_free(caller_dial(phone, NULL, bad));
        assert_int_equal(phone->closed, round * LIMIT_INBOUND_TOLD);
        assert_int_equal(phone->opened, 0);
        sim_advance(lab->sim, LIMIT_INBOUND_TALLY_MS);
        assert_int_equal(phone->untold, 2 * LIMIT_INBOUND_TOLD);
    }
    called_free(phone);
}

/* Nor are those told without end who show no certificate, whether they ask for something or not.
 * How many there were besides is told, and who has a certificate is told as ever. */
static void test_a_flood_of_strangers_is_told_in_part(void **state)
{
    struct lab *lab = *state;
    const struct testpki_cert *good =
        testpki_make(&(struct testpki_spec){.subject = "CN=x", .issuer = lab->ca, .key = 1});
    lab_account(lab, NULL);
    account_start(lab->account);
    struct called *phone = called_new(lab, NULL);
    phone->cfg.client_auth = TLS_CLIENT_AUTH_REQUEST;
    called_configure(phone);
    for (unsigned round = 1; round <= 2; round++) {
        for (unsigned i = 0; i < LIMIT_INBOUND_STRANGERS + 7; i++) {
            struct caller *stranger = caller_dial(phone, NULL, NULL);
            assert_int_not_equal(caller_ask(stranger, "MESSAGE", "sips:alice@" CALLED_IP), 0);
            caller_free(stranger);
            sim_settle(lab->sim);
        }
        assert_int_equal(phone->opened, round * LIMIT_INBOUND_STRANGERS + round - 1);
        assert_int_equal(phone->closed, round * LIMIT_INBOUND_STRANGERS + round - 1);
        assert_int_equal(phone->changed, round * LIMIT_INBOUND_STRANGERS);
        struct caller *friend = caller_dial(phone, NULL, good);
        assert_int_equal(phone->verdict.class, VERDICT_VERIFIED);
        caller_free(friend);
        phone->untold = 0;
        sim_advance(lab->sim, LIMIT_INBOUND_TALLY_MS);
        assert_int_equal(phone->untold, 7);
        assert_int_equal(phone->opened, round * (LIMIT_INBOUND_STRANGERS + 1));
        assert_int_equal(phone->closed, round * (LIMIT_INBOUND_STRANGERS + 1));
    }
    phone->untold = 0;
    sim_advance(lab->sim, 2 * LIMIT_INBOUND_TALLY_MS);
    assert_int_equal(phone->untold, 0);
    called_free(phone);
}

/* One that was told is told to its end, however late that is; one that was not never is. */
static void test_a_told_stranger_is_told_to_the_end(void **state)
{
    struct lab *lab = *state;
    struct called *phone = called_new(lab, NULL);
    struct caller *first = caller_dial(phone, NULL, NULL), *last = NULL;
    for (unsigned i = 0; i < LIMIT_INBOUND_STRANGERS; i++) {
        if (last != NULL)
            caller_free(last);
        last = caller_dial(phone, NULL, NULL);
    }
    sim_advance(lab->sim, SECONDS(1));
    const unsigned closed = phone->closed;
    assert_int_equal(listener_count(phone->listener), 2);
    sim_advance(lab->sim, LIMIT_INBOUND_FIRST_MS);
    assert_true(first->closed && last->closed);
    assert_int_equal(phone->closed, closed + 1);
    caller_free(first);
    caller_free(last);
    called_free(phone);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(test_from_one_address),
        TEST(test_in_all),
        TEST(test_half_open_ones_give_way),
        TEST(test_a_handshake_that_does_not_go_on),
        TEST(test_no_first_request),
        TEST(test_idle),
        TEST(test_a_slow_sender),
        TEST(test_a_steady_sender),
        TEST(test_a_peer_that_is_gone),
        TEST(test_a_flood_takes_nothing_from_the_account),
        TEST(test_a_flood_of_refusals_is_told_in_part),
        TEST(test_a_flood_of_strangers_is_told_in_part),
        TEST(test_a_told_stranger_is_told_to_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
