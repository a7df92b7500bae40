/* Our client against our server, in memory: what both ends see of a connection's life. */
#include <stdlib.h>
#include <string.h>

#include "tls/ciphers.h"
#include "tools/tlswire.h"
#include "tools/unit.h"

/* --- what all tests have --- */

static struct identity *server_id, *client_id;

static const char *const server_eku[] = {TESTPKI_OID_SERVER_AUTH, NULL};
static const char *const client_eku[] = {TESTPKI_OID_CLIENT_AUTH, NULL};

static struct identity *make_identity(const char *name, enum testpki_key_type type,
                                      const char *const *eku)
{
    const struct testpki_cert *ca =
        testpki_make(&(struct testpki_spec){.subject = "CN=Test CA", .key = 1, .ca = true});
    const struct testpki_cert *leaf = testpki_make(
        &(struct testpki_spec){.subject = name, .issuer = ca, .key_type = type, .eku = eku});
    const struct testpki_cert *chain[] = {leaf, ca};

    return tlswire_identity(chain, 2);
}

static int set_up_all(void **state)
{
    (void)state;
    tlswire_global_init();
    server_id = make_identity("CN=sip.example.com", TESTPKI_P256, server_eku);
    client_id = make_identity("CN=phone", TESTPKI_P256, client_eku);
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

static struct tlspair pair(struct tlsend_spec client, struct tlsend_spec server)
{
    if (server.identity == NULL)
        server.identity = server_id;
    return tlspair_of(client, server);
}

static struct tlspair plain_pair(void)
{
    return pair((struct tlsend_spec){0}, (struct tlsend_spec){0});
}

#define assert_state(end, want) assert_int_equal(want, tls_session_state((end).session))

static void assert_reads(struct tlsend *end, const char *want)
{
    char *text = tlsend_read(end);

    assert_string_equal(want, text);
    free(text);
}

/* --- the handshake --- */

static void test_both_sides_talk(void **state)
{
    static const struct {
        enum tls_versions client, server;
        const char *want;
    } cases[] = {
        {TLS_1_2_AND_1_3, TLS_1_2_AND_1_3, "TLSv1.3"}, {TLS_1_2_AND_1_3, TLS_1_2_ONLY, "TLSv1.2"},
        {TLS_1_2_ONLY, TLS_1_2_AND_1_3, "TLSv1.2"},    {TLS_1_3_ONLY, TLS_1_2_AND_1_3, "TLSv1.3"},
        {TLS_1_2_AND_1_3, TLS_1_3_ONLY, "TLSv1.3"},    {TLS_1_2_ONLY, TLS_1_2_ONLY, "TLSv1.2"},
        {TLS_1_3_ONLY, TLS_1_3_ONLY, "TLSv1.3"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tlspair p = pair((struct tlsend_spec){.versions = cases[i].client},
                                (struct tlsend_spec){.versions = cases[i].server});
        tlspair_connect(&p, 0);
        assert_state(p.client, TLS_ESTABLISHED);
        assert_state(p.server, TLS_ESTABLISHED);
        assert_string_equal(cases[i].want, tls_session_facts(p.client.session).version);
        assert_string_equal(cases[i].want, tls_session_facts(p.server.session).version);
        tlsend_write(&p.client, "REGISTER sips:example.com");
        tlsend_write(&p.server, "SIP/2.0 200 OK");
        tlspair_run(&p);
        assert_reads(&p.server, "REGISTER sips:example.com");
        assert_reads(&p.client, "SIP/2.0 200 OK");
        tlspair_free(&p);
    }
}

static void test_one_byte_at_a_time(void **state)
{
    (void)state;
    for (int tls13 = 0; tls13 < 2; tls13++) {
        struct tlspair p = pair(
            (struct tlsend_spec){.versions = tls13 ? TLS_1_3_ONLY : TLS_1_2_ONLY, .tickets = true},
            (struct tlsend_spec){.tickets = true, .client_auth = TLS_CLIENT_AUTH_REQUEST});
        tlspair_connect(&p, 1);
        assert_state(p.client, TLS_ESTABLISHED);
        assert_state(p.server, TLS_ESTABLISHED);
        tlsend_write(&p.client, "hello");
        tlswire_run(tlsend_wire(&p.client), tlsend_wire(&p.server), 1);
        assert_reads(&p.server, "hello");
        tlspair_free(&p);
    }
}

static void test_facts(void **state)
{
    struct tlspair p = pair((struct tlsend_spec){.identity = client_id},
                            (struct tlsend_spec){.client_auth = TLS_CLIENT_AUTH_REQUEST});
    (void)state;

    tlsend_open(&p.client, &p.client_spec);
    tlsend_open(&p.server, &p.server_spec);
    struct tls_session_facts f = tls_session_facts(p.client.session);
    assert_null(f.version);
    assert_null(f.cipher);
    assert_false(f.confirmed);
    tlspair_run(&p);
    f = tls_session_facts(p.client.session);
    assert_string_equal(tls_cipher_name(tls_cipher_suites[0]), f.cipher);
    assert_true(f.sent_certificate);
    assert_false(f.resumed);
    assert_int_equal(-1, f.alert_sent);
    assert_int_equal(-1, f.alert_received);
    assert_false(tls_session_facts(p.server.session).resumed);
    tlspair_free(&p);
}

/* With TLS 1.3 a client that was asked for its certificate does not know what the server makes of
 * it, or of there being none, before the server has sent something. */
static void test_client_certificate_is_confirmed_by_data(void **state)
{
    (void)state;
    for (int tls13 = 0; tls13 < 2; tls13++) {
        for (int with = 0; with < 2; with++) {
            struct tlspair p = pair((struct tlsend_spec){.identity = with ? client_id : NULL},
                                    (struct tlsend_spec){
                                        .client_auth = TLS_CLIENT_AUTH_REQUEST,
                                        .versions = tls13 ? TLS_1_3_ONLY : TLS_1_2_ONLY,
                                    });
            tlspair_connect(&p, 0);
            assert_int_equal(with, tls_session_facts(p.client.session).sent_certificate);
            assert_int_equal(!tls13, tls_session_facts(p.client.session).confirmed);
            tlsend_write(&p.server, "x");
            tlspair_run(&p);
            assert_true(tls_session_facts(p.client.session).confirmed);
            tlspair_free(&p);
        }
    }
}

/* --- data --- */

static void test_much_data(void **state)
{
    struct tlspair p = plain_pair();
    char *text = malloc(100001);
    (void)state;

    memset(text, 'x', 100000);
    text[100000] = '\0';
    tlspair_connect(&p, 0);
    tlsend_write(&p.client, text);
    tlswire_run(tlsend_wire(&p.client), tlsend_wire(&p.server), 999);
    assert_reads(&p.server, text);
    free(text);
    tlspair_free(&p);
}

/* The largest record that a peer may send (RFC 8446 section 5.1) fits; ours are smaller. */
static void test_largest_record(void **state)
{
    static uint8_t record[LIMIT_TLS_PLAINTEXT], got[LIMIT_TLS_PLAINTEXT];
    (void)state;

    for (int tls13 = 0; tls13 < 2; tls13++) {
        struct tlspair p =
            pair((struct tlsend_spec){.versions = tls13 ? TLS_1_3_ONLY : TLS_1_2_ONLY},
                 (struct tlsend_spec){0});
        size_t n;
        tlspair_connect(&p, 0);
        assert_true(is_ok(tls_session_write(p.client.session, slice_of(record, sizeof(record)))));
        tlspair_run(&p);
        size_t total = 0;
        while (is_ok(tls_session_read(p.server.session, got, sizeof(got), &n)))
            total += n;
        assert_int_equal(sizeof(record), total);
        tlspair_free(&p);
    }
}

static void test_read_says_what_is_the_matter(void **state)
{
    struct tlspair p = plain_pair();
    uint8_t byte;
    size_t n = 99;
    (void)state;

    tlspair_connect(&p, 0);
    assert_int_equal(ERR_AGAIN, tls_session_read(p.client.session, &byte, 1, &n).code);
    assert_int_equal(0, n);
    tlsend_write(&p.server, "ab");
    tls_session_close(p.server.session);
    tlspair_run(&p);
    assert_state(p.client, TLS_CLOSED);
    assert_int_equal(ERR_OK, tls_session_read(p.client.session, &byte, 1, &n).code);
    assert_int_equal(1, n);
    assert_int_equal(ERR_OK, tls_session_read(p.client.session, &byte, 1, &n).code);
    assert_int_equal(ERR_CLOSED, tls_session_read(p.client.session, &byte, 1, &n).code);
    tlspair_free(&p);
}

static void test_write_in_the_wrong_state(void **state)
{
    struct tlspair p = plain_pair();
    const struct slice x = SLICE_LIT("x");
    (void)state;

    tlsend_open(&p.client, &p.client_spec);
    tlsend_open(&p.server, &p.server_spec);
    assert_int_equal(ERR_STATE, tls_session_write(p.client.session, x).code);
    tlspair_run(&p);
    assert_int_equal(ERR_OK, tls_session_write(p.client.session, x).code);
    assert_int_equal(ERR_OK, tls_session_write(p.client.session, SLICE_EMPTY).code);
    tls_session_close(p.client.session);
    assert_int_equal(ERR_STATE, tls_session_write(p.client.session, x).code);
    tlspair_run(&p);
    assert_int_equal(ERR_STATE, tls_session_write(p.server.session, x).code);
    tlspair_free(&p);
}

/* A write that does not fit changes nothing, and one that fits after the network took some does. */
static void test_write_over_the_limit(void **state)
{
    struct tlspair p = plain_pair();
    static uint8_t data[LIMIT_CONNECTION_OUT];
    (void)state;

    tlspair_connect(&p, 0);
    assert_int_equal(ERR_LIMIT,
                     tls_session_write(p.client.session, slice_of(data, sizeof(data))).code);
    assert_int_equal(0, tls_session_output(p.client.session).n);
    const struct slice half = slice_of(data, sizeof(data) / 2);
    assert_int_equal(ERR_OK, tls_session_write(p.client.session, half).code);
    const size_t before = tls_session_output(p.client.session).n;
    assert_int_equal(ERR_LIMIT, tls_session_write(p.client.session, half).code);
    assert_int_equal(before, tls_session_output(p.client.session).n);
    assert_state(p.client, TLS_ESTABLISHED);
    tlspair_run(&p);
    assert_int_equal(ERR_OK, tls_session_write(p.client.session, half).code);
    tlspair_free(&p);
}

static void test_reader_that_never_reads(void **state)
{
    struct tlspair p = plain_pair();
    static uint8_t data[LIMIT_CONNECTION_OUT / 2];
    (void)state;

    tlspair_connect(&p, 0);
    for (int i = 0; i < 5; i++) {
        assert_true(is_ok(tls_session_write(p.client.session, slice_of(data, sizeof(data)))));
        tlspair_run(&p);
        if (tls_session_state(p.client.session) != TLS_ESTABLISHED)
            break;
    }
    assert_state(p.server, TLS_FAILED);
    assert_int_equal(ERR_LIMIT, tls_session_error(p.server.session)->code);
    assert_state(p.client, TLS_FAILED);
    assert_string_equal("internal_error",
                        tls_alert_name(tls_session_facts(p.client.session).alert_received));
    tlspair_free(&p);
}

/* --- the end --- */

static void test_close(void **state)
{
    (void)state;
    for (int tls13 = 0; tls13 < 2; tls13++) {
        struct tlspair p =
            pair((struct tlsend_spec){.versions = tls13 ? TLS_1_3_ONLY : TLS_1_2_ONLY},
                 (struct tlsend_spec){0});
        tlspair_connect(&p, 0);
        tls_session_close(p.client.session);
        const size_t n = tls_session_output(p.client.session).n;
        assert_true(n > 0);
        tls_session_close(p.client.session);
        assert_int_equal(n, tls_session_output(p.client.session).n);
        assert_state(p.client, TLS_ESTABLISHED);
        tlspair_run(&p);
        assert_state(p.client, TLS_CLOSED);
        assert_state(p.server, TLS_CLOSED);
        assert_null(tls_session_error(p.client.session));
        tls_session_feed_eof(p.client.session);
        tls_session_feed(p.client.session, SLICE_LIT("more"));
        assert_state(p.client, TLS_CLOSED);
        tlspair_free(&p);
    }
}

static void test_data_behind_our_close_is_read(void **state)
{
    struct tlspair p = plain_pair();
    (void)state;

    tlspair_connect(&p, 0);
    tlsend_write(&p.server, "last");
    tls_session_close(p.client.session);
    tlspair_run(&p);
    assert_reads(&p.client, "last");
    assert_state(p.client, TLS_CLOSED);
    tlspair_free(&p);
}

static void test_eof_after_our_close(void **state)
{
    struct tlspair p = plain_pair();
    (void)state;

    tlspair_connect(&p, 0);
    tls_session_close(p.client.session);
    tls_session_feed_eof(p.client.session);
    assert_state(p.client, TLS_CLOSED);
    tlspair_free(&p);
}

static void test_truncation(void **state)
{
    struct tlspair p = plain_pair();
    (void)state;

    tlspair_connect(&p, 0);
    tlsend_write(&p.server, "half of a mess");
    tlspair_run(&p);
    tls_session_feed_eof(p.client.session);
    assert_state(p.client, TLS_FAILED);
    assert_int_equal(ERR_TRUNCATED, tls_session_error(p.client.session)->code);
    assert_string_equal("the server closed the connection without saying so in TLS",
                        tls_session_error(p.client.session)->text);
    assert_reads(&p.client, "half of a mess");
    uint8_t byte;
    size_t n;
    assert_int_equal(ERR_TLS, tls_session_read(p.client.session, &byte, 1, &n).code);
    tlspair_free(&p);
}

static void test_eof_in_the_handshake(void **state)
{
    struct tlspair p = plain_pair();
    (void)state;

    tlsend_open(&p.client, &p.client_spec);
    tls_session_feed_eof(p.client.session);
    assert_state(p.client, TLS_FAILED);
    assert_non_null(strstr(tls_session_error(p.client.session)->text, "without a word of TLS"));

    tlsend_open(&p.client, &p.client_spec);
    tls_session_feed(p.client.session, SLICE_LIT("\x16\x03\x03"));
    tls_session_feed_eof(p.client.session);
    assert_state(p.client, TLS_FAILED);
    assert_string_equal("the server closed the connection in the TLS handshake",
                        tls_session_error(p.client.session)->text);
    tlspair_free(&p);
}

static void test_close_in_the_handshake(void **state)
{
    struct tlspair p = plain_pair();
    (void)state;

    tlsend_open(&p.client, &p.client_spec);
    tlsend_open(&p.server, &p.server_spec);
    tls_session_close(p.client.session);
    assert_state(p.client, TLS_CLOSED);
    tls_session_close(p.server.session); /* which has not said anything, and need not now */
    assert_int_equal(0, tls_session_output(p.server.session).n);

    tlsend_open(&p.server, &p.server_spec);
    tlspair_run(&p);
    assert_state(p.server, TLS_FAILED);
    assert_non_null(strstr(tls_session_error(p.server.session)->text, "user_canceled"));
    tlspair_free(&p);
}

static void test_damaged_record(void **state)
{
    struct tlspair p = plain_pair();
    uint8_t bytes[200];
    (void)state;

    tlspair_connect(&p, 0);
    tlsend_write(&p.client, "hello");
    const struct slice out = tls_session_output(p.client.session);
    memcpy(bytes, out.p, out.n);
    bytes[out.n - 1] ^= 1;
    tls_session_feed(p.server.session, slice_of(bytes, out.n));
    tls_session_sent(p.client.session, out.n);
    assert_state(p.server, TLS_FAILED);
    assert_reads(&p.server, "");
    tlspair_run(&p);
    assert_non_null(strstr(tls_session_error(p.client.session)->text, "bad_record_mac"));
    tlspair_free(&p);
}

/* --- making one --- */

static void test_missing_judge(void **state)
{
    struct tlspair p =
        pair((struct tlsend_spec){0}, (struct tlsend_spec){.client_auth = TLS_CLIENT_AUTH_REQUEST});
    const struct tls_session_params none = {0};
    struct tls_session *s = NULL;
    struct errinfo e = ERRINFO_INIT;
    (void)state;

    assert_int_equal(ERR_INVALID, tls_session_new(p.client.profile, &none, &s, &e).code);
    assert_int_equal(ERR_INVALID, tls_session_new(p.server.profile, &none, &s, &e).code);
    assert_null(s);
    tlspair_free(&p);
    tls_session_free(NULL);
}

/* A session keeps what it was made with. */
static void test_profile_outlives_its_owner(void **state)
{
    struct tlspair p = plain_pair();
    (void)state;

    tlsend_open(&p.client, &p.client_spec);
    tlsend_open(&p.server, &p.server_spec);
    tls_profile_unref(p.server.profile);
    p.server.profile = NULL;
    tlspair_run(&p);
    assert_state(p.client, TLS_ESTABLISHED);
    tlspair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_sides_talk),
        cmocka_unit_test(test_one_byte_at_a_time),
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_client_certificate_is_confirmed_by_data),
        cmocka_unit_test(test_much_data),
        cmocka_unit_test(test_largest_record),
        cmocka_unit_test(test_read_says_what_is_the_matter),
        cmocka_unit_test(test_write_in_the_wrong_state),
        cmocka_unit_test(test_write_over_the_limit),
        cmocka_unit_test(test_reader_that_never_reads),
        cmocka_unit_test(test_close),
        cmocka_unit_test(test_data_behind_our_close_is_read),
        cmocka_unit_test(test_eof_after_our_close),
        cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_eof_in_the_handshake),
        cmocka_unit_test(test_close_in_the_handshake),
        cmocka_unit_test(test_damaged_record),
        cmocka_unit_test(test_missing_judge),
        cmocka_unit_test(test_profile_outlives_its_owner),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
