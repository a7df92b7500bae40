/* The store of tickets by itself, and what resuming a session keeps and when it does not happen. */
#include <stdlib.h>
#include <string.h>

#include "tls/peer.h"
#include "tools/tlswire.h"
#include "tools/unit.h"

static struct identity *server_id, *client_id;

static int set_up_all(void **state)
{
    (void)state;
    tlswire_global_init();
    const struct testpki_cert *leaf = testpki_make(&(struct testpki_spec){.subject = "CN=leaf"});
    server_id = tlswire_identity(&leaf, 1);
    client_id = tlswire_identity(&leaf, 1);
    return 0;
}

static int tear_down_all(void **state)
{
    (void)state;
    identity_unref(server_id);
    identity_unref(client_id);
    tls_global_free();
    return 0;
}

/* --- the store --- */

#define NOW 1000

static struct tls_peer *peer_until(int64_t valid_until_s)
{
    struct tls_peer *p = tls_peer_new(NULL, 0, NOW);

    assert_non_null(p);
    p->verdict.class = VERDICT_VERIFIED;
    p->verdict.valid_until_s = valid_until_s;
    return p;
}

static void put(struct tls_tickets *t, const char *flow, const char *session, int64_t valid_until_s)
{
    struct tls_peer *p = peer_until(valid_until_s);

    tls_tickets_put(t, slice_of_str(flow), true, slice_of_str(session), p);
    tls_peer_unref(p);
}

/* WANT NULL: there is none. */
static void assert_takes(struct tls_tickets *t, const char *flow, int64_t now_s, const char *want)
{
    struct tls_ticket ticket;

    if (!tls_tickets_take(t, slice_of_str(flow), now_s, &ticket)) {
        assert_null(want);
        return;
    }
    assert_non_null(want);
    assert_true(slice_eq_str(slice_of(ticket.session, ticket.session_len), want));
    tls_ticket_free(&ticket);
}

static struct tls_tickets *store_of(size_t max)
{
    struct tls_tickets *t = NULL;

    assert_true(is_ok(tls_tickets_new(max, &t)));
    return t;
}

static void test_newest_first_and_once(void **state)
{
    struct tls_tickets *t = store_of(4);
    (void)state;

    put(t, "a", "1", 9999);
    put(t, "a", "2", 9999);
    assert_takes(t, "b", NOW, NULL);
    assert_takes(t, "a", NOW, "2");
    assert_takes(t, "a", NOW, "1");
    assert_takes(t, "a", NOW, NULL);
    tls_tickets_free(t);
}

static void test_bounded_for_a_flow(void **state)
{
    struct tls_tickets *t = store_of(4);
    (void)state;

    put(t, "b", "b1", 9999);
    put(t, "a", "1", 9999);
    put(t, "a", "2", 9999);
    put(t, "a", "3", 9999);
    assert_int_equal(LIMIT_TICKETS_FLOW + 1, tls_tickets_count(t));
    assert_takes(t, "a", NOW, "3");
    assert_takes(t, "a", NOW, "2");
    assert_takes(t, "a", NOW, NULL);
    assert_takes(t, "b", NOW, "b1");
    tls_tickets_free(t);
}

static void test_oldest_makes_room(void **state)
{
    struct tls_tickets *t = store_of(2);
    (void)state;

    put(t, "a", "1", 9999);
    put(t, "b", "2", 9999);
    put(t, "c", "3", 9999);
    assert_int_equal(2, tls_tickets_count(t));
    assert_takes(t, "a", NOW, NULL);
    assert_takes(t, "b", NOW, "2");
    assert_takes(t, "c", NOW, "3");
    tls_tickets_free(t);

    t = store_of(0);
    put(t, "a", "1", 9999);
    assert_takes(t, "a", NOW, NULL);
    tls_tickets_free(t);
    tls_tickets_free(NULL);
}

static void test_dropped(void **state)
{
    struct tls_tickets *t = store_of(4);
    (void)state;

    put(t, "a", "1", 9999);
    put(t, "ab", "2", 9999);
    tls_tickets_drop(t, SLICE_LIT("a"));
    assert_takes(t, "a", NOW, NULL);
    assert_int_equal(1, tls_tickets_count(t));
    tls_tickets_clear(t);
    assert_int_equal(0, tls_tickets_count(t));
    assert_takes(t, "ab", NOW, NULL);
    tls_tickets_free(t);
}

static void test_verdict_must_stand(void **state)
{
    static const struct {
        int64_t valid_until_s, now_s;
        bool taken;
    } cases[] = {
        {2000, 1999, true},
        {2000, 2000, false}, /* the certificate has expired meanwhile */
        {0, NOW, false},     /* there was no end to be known */
        {NOW + 10 * LIMIT_TICKET_AGE_S, NOW + LIMIT_TICKET_AGE_S - 1, true},
        {NOW + 10 * LIMIT_TICKET_AGE_S, NOW + LIMIT_TICKET_AGE_S, false},
        {2000, NOW - 1, false}, /* the clock went back */
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tls_tickets *t = store_of(1);
        put(t, "a", "1", cases[i].valid_until_s);
        assert_takes(t, "a", cases[i].now_s, cases[i].taken ? "1" : NULL);
        assert_int_equal(0, tls_tickets_count(t));
        tls_tickets_free(t);
    }
}

/* --- sessions --- */

#define assert_state(end, want) assert_int_equal(want, tls_session_state((end).session))

static struct tlspair pair(enum tls_versions versions, struct tls_tickets *store)
{
    return tlspair_of((struct tlsend_spec){.versions = versions,
                                           .tickets = true,
                                           .store = store,
                                           .server_name = "sip.example.com",
                                           .flow_key = "flow"},
                      (struct tlsend_spec){.identity = server_id, .tickets = true});
}

#define for_each_version(v) for (enum tls_versions v = TLS_1_2_ONLY; v <= TLS_1_3_ONLY; v++)

static void test_resumes(void **state)
{
    (void)state;
    for_each_version(v)
    {
        struct tls_tickets *store = store_of(LIMIT_TICKETS);
        struct tlspair p = pair(v, store);
        strcpy(p.client.verdict.matched, "sip.example.com");
        for (int round = 0; round < 4; round++) {
            tlspair_connect(&p, 0);
            assert_state(p.client, TLS_ESTABLISHED);
            assert_int_equal(round > 0, tls_session_facts(p.client.session).resumed);
            assert_int_equal(round > 0, tls_session_facts(p.server.session).resumed);
            assert_true(tls_session_facts(p.client.session).confirmed);
            assert_int_equal(1, p.client.judged);
            /* what the full handshake learned */
            assert_string_equal("sip.example.com", tls_session_verdict(p.client.session)->matched);
            size_t n;
            assert_non_null(tls_session_chain(p.client.session, &n));
            assert_int_equal(1, n);
            tlsend_write(&p.client, "hello");
            tlspair_run(&p);
            char *text = tlsend_read(&p.server);
            assert_string_equal("hello", text);
            free(text);
            assert_int_equal(1, tls_tickets_count(store));
        }
        tlspair_free(&p);
        tls_tickets_free(store);
    }
}

/* Each of these changes something after a first connection; the second one must be a full one. */
static void change_nothing(struct tlspair *p, struct tls_tickets *store)
{
    (void)p;
    (void)store;
}

static void change_clear(struct tlspair *p, struct tls_tickets *store)
{
    (void)p;
    tls_tickets_clear(store);
}

static void change_flow(struct tlspair *p, struct tls_tickets *store)
{
    (void)store;
    p->client_spec.flow_key = "another";
}

static void change_client_does_not_want(struct tlspair *p, struct tls_tickets *store)
{
    (void)store;
    p->client_spec.store = NULL;
}

static void change_server_has_new_keys(struct tlspair *p, struct tls_tickets *store)
{
    (void)store;
    tlsend_free(&p->server);
    tlsend_init(&p->server, &p->server_spec);
}

static void change_server_asks_for_certificates(struct tlspair *p, struct tls_tickets *store)
{
    (void)store;
    tlsend_free(&p->server);
    p->server_spec.client_auth = TLS_CLIENT_AUTH_REQUEST;
    tlsend_init(&p->server, &p->server_spec);
}

static void change_versions(struct tlspair *p, struct tls_tickets *store)
{
    const bool was12 = p->client_spec.versions == TLS_1_2_ONLY;

    (void)store;
    tlsend_free(&p->client);
    p->client_spec.versions = was12 ? TLS_1_3_ONLY : TLS_1_2_ONLY;
    tlsend_init(&p->client, &p->client_spec);
}

static void change_a_day_passes(struct tlspair *p, struct tls_tickets *store)
{
    (void)p;
    (void)store;
    tlswire_now_s += LIMIT_TICKET_AGE_S;
}

static void test_resumes_only_what_is_still_the_same(void **state)
{
    static const struct {
        void (*change)(struct tlspair *p, struct tls_tickets *store);
        bool resumed;
    } cases[] = {
        {change_nothing, true},
        {change_clear, false},
        {change_flow, false},
        {change_client_does_not_want, false},
        {change_server_has_new_keys, false},
        {change_server_asks_for_certificates, false},
        {change_versions, false},
        {change_a_day_passes, false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for_each_version(v)
        {
            struct tls_tickets *store = store_of(LIMIT_TICKETS);
            struct tlspair p = pair(v, store);
            tlspair_connect(&p, 0);
            assert_int_equal(1, tls_tickets_count(store));
            cases[i].change(&p, store);
            p.client.judged = 0;
            tlspair_connect(&p, 0);
            assert_state(p.client, TLS_ESTABLISHED);
            assert_state(p.server, TLS_ESTABLISHED);
            assert_int_equal(cases[i].resumed, tls_session_facts(p.client.session).resumed);
            assert_int_equal(cases[i].resumed ? 0 : 1, p.client.judged);
            tlspair_free(&p);
            tls_tickets_free(store);
            tlswire_now_s = TESTPKI_NOW;
        }
    }
}

static void test_server_that_asks_issues_none(void **state)
{
    (void)state;
    for_each_version(v)
    {
        struct tls_tickets *store = store_of(LIMIT_TICKETS);
        struct tlspair p = pair(v, store);
        tlspair_free(&p);
        p.client_spec.identity = client_id;
        p.server_spec.client_auth = TLS_CLIENT_AUTH_REQUIRE;
        p = tlspair_of(p.client_spec, p.server_spec);
        tlspair_connect(&p, 0);
        assert_state(p.server, TLS_ESTABLISHED);
        assert_int_equal(1, p.server.judged);
        tlspair_connect(&p, 0);
        assert_false(tls_session_facts(p.server.session).resumed);
        assert_int_equal(2, p.server.judged);
        tlspair_free(&p);
        tls_tickets_free(store);
    }
}

/* A session of TLS 1.2 that the server has forgotten does not keep the flow at TLS 1.2. */
static void test_tls13_after_tls12(void **state)
{
    struct tls_tickets *store = store_of(LIMIT_TICKETS);
    struct tlspair p = pair(TLS_1_2_AND_1_3, store);
    (void)state;

    tlsend_free(&p.server);
    p.server_spec.versions = TLS_1_2_ONLY;
    tlsend_init(&p.server, &p.server_spec);
    tlspair_connect(&p, 0);
    assert_string_equal("TLSv1.2", tls_session_facts(p.client.session).version);

    tlsend_free(&p.server); /* an update, and new ticket keys with it */
    p.server_spec.versions = TLS_1_2_AND_1_3;
    tlsend_init(&p.server, &p.server_spec);
    tlspair_connect(&p, 0);
    assert_state(p.client, TLS_ESTABLISHED);
    tlspair_connect(&p, 0);
    assert_string_equal("TLSv1.3", tls_session_facts(p.client.session).version);
    tlspair_free(&p);
    tls_tickets_free(store);
}

/* A ClientHello with a ticket of TLS 1.3 offers no TLS 1.2; one failure, and the next one does. */
static void test_failure_forgets_the_flow(void **state)
{
    struct tls_tickets *store = store_of(LIMIT_TICKETS);
    struct tlspair p = pair(TLS_1_2_AND_1_3, store);
    (void)state;

    tlspair_connect(&p, 0);
    assert_string_equal("TLSv1.3", tls_session_facts(p.client.session).version);
    tlsend_free(&p.server);
    p.server_spec.versions = TLS_1_2_ONLY;
    tlsend_init(&p.server, &p.server_spec);
    tlspair_connect(&p, 0);
    assert_state(p.client, TLS_FAILED);
    assert_int_equal(0, tls_tickets_count(store));
    tlspair_connect(&p, 0);
    assert_state(p.client, TLS_ESTABLISHED);
    tlspair_free(&p);
    tls_tickets_free(store);
}

/* Not even a ticket is kept of a peer that was refused, or is on no terms to be resumed. */
static void test_no_ticket_outlives_its_verdict(void **state)
{
    struct tls_tickets *store = store_of(LIMIT_TICKETS);
    struct tlspair p = pair(TLS_1_3_ONLY, store);
    (void)state;

    p.client.verdict.valid_until_s = tlswire_now_s + 5;
    tlspair_connect(&p, 0);
    tlswire_now_s += 5;
    p.client.verdict.class = VERDICT_REJECTED;
    tlspair_connect(&p, 0);
    assert_state(p.client, TLS_FAILED);
    assert_int_equal(2, p.client.judged);
    assert_int_equal(0, tls_tickets_count(store));
    tlswire_now_s = TESTPKI_NOW;
    tlspair_free(&p);
    tls_tickets_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_newest_first_and_once),
        cmocka_unit_test(test_bounded_for_a_flow),
        cmocka_unit_test(test_oldest_makes_room),
        cmocka_unit_test(test_dropped),
        cmocka_unit_test(test_verdict_must_stand),
        cmocka_unit_test(test_resumes),
        cmocka_unit_test(test_resumes_only_what_is_still_the_same),
        cmocka_unit_test(test_server_that_asks_issues_none),
        cmocka_unit_test(test_tls13_after_tls12),
        cmocka_unit_test(test_failure_forgets_the_flow),
        cmocka_unit_test(test_no_ticket_outlives_its_verdict),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
