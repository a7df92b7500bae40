/* Which alert goes out for what, under which keys, and what one that comes in means to people. */
#include <mbedtls/error.h>
#include <mbedtls/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tlswire.h"
#include "tools/unit.h"

static struct identity *server_id;
static const struct testpki_cert *leaf;

static int set_up_all(void **state)
{
    (void)state;
    tlswire_global_init();
    leaf = testpki_make(&(struct testpki_spec){.subject = "CN=leaf"});
    server_id = tlswire_identity(&leaf, 1);
    return 0;
}

static int tear_down_all(void **state)
{
    (void)state;
    identity_unref(server_id);
    tls_global_free();
    return 0;
}

/* --- words --- */

static void test_names(void **state)
{
    (void)state;
    assert_string_equal("close_notify", tls_alert_name(0));
    assert_string_equal("unknown_ca", tls_alert_name(48));
    assert_string_equal("no_application_protocol", tls_alert_name(120));
    assert_string_equal("unknown", tls_alert_name(21));
    assert_string_equal("unknown", tls_alert_name(-1));
    assert_non_null(tls_alert_meaning(48));
    assert_null(tls_alert_meaning(255));
}

static void test_alert_of_error(void **state)
{
    static const struct {
        int code;
        int alert;
    } cases[] = {
        {MBEDTLS_ERR_SSL_DECODE_ERROR, 50},
        {MBEDTLS_ERR_SSL_INVALID_MAC, 20},
        {MBEDTLS_ERR_SSL_BAD_CERTIFICATE + MBEDTLS_ERR_ASN1_OUT_OF_DATA, 42},
        {MBEDTLS_ERR_X509_INVALID_DATE, 42},
        {MBEDTLS_ERR_X509_FATAL_ERROR, 42},
        {MBEDTLS_ERR_PK_UNKNOWN_PK_ALG, 43},
        {MBEDTLS_ERR_PK_INVALID_PUBKEY + MBEDTLS_ERR_ASN1_OUT_OF_DATA, 42},
        {MBEDTLS_ERR_ECP_VERIFY_FAILED, 51},
        {MBEDTLS_ERR_ECP_INVALID_KEY, 47},
        {MBEDTLS_ERR_ECP_FEATURE_UNAVAILABLE, 47},
        {MBEDTLS_ERR_RSA_INVALID_PADDING, 47},
        {MBEDTLS_ERR_X509_INVALID_EXTENSIONS + MBEDTLS_ERR_ASN1_UNEXPECTED_TAG, 42},
        {MBEDTLS_ERR_SSL_INTERNAL_ERROR, 80},
        {MBEDTLS_ERR_ECP_ALLOC_FAILED, 80},
        {MBEDTLS_ERR_X509_INVALID_SERIAL + MBEDTLS_ERR_ASN1_ALLOC_FAILED, 80},
        {MBEDTLS_ERR_ERROR_CORRUPTION_DETECTED, 80},
        {-1, 80},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(cases[i].alert, tls_alert_of_error(cases[i].code));
}

static void test_explained(void **state)
{
    const struct verdict no_verdict = {.class = VERDICT_NONE};
    const struct {
        struct tls_failure failure;
        enum err code;
        const char *text;
    } cases[] = {
        {{.peer = "server",
          .code = MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE,
          .alert_sent = -1,
          .alert_received = 48},
         ERR_TLS,
         "the server answered with the alert unknown_ca (48): it does not trust the issuer of our "
         "certificate"},
        {{.peer = "server",
          .code = MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE,
          .alert_sent = -1,
          .alert_received = 48,
          .own_asked = true,
          .own_sent = true},
         ERR_IDENTITY,
         "the server did not accept the phone's certificate: it does not trust its issuer (alert "
         "unknown_ca, 48)"},
        {{.peer = "server",
          .code = MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE,
          .alert_sent = -1,
          .alert_received = 40,
          .own_asked = true},
         ERR_IDENTITY,
         "the server wants a certificate of the phone's and got none (alert handshake_failure, "
         "40)"},
        {{.peer = "server",
          .code = MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE,
          .alert_sent = -1,
          .alert_received = 50,
          .own_asked = true},
         ERR_IDENTITY,
         "the server wants a certificate of the phone's and got none (alert decode_error, 50)"},
        {{.peer = "server",
          .code = MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE,
          .alert_sent = -1,
          .alert_received = 80,
          .own_asked = true,
          .own_sent = true},
         ERR_TLS,
         "the server answered with the alert internal_error (80): it has a problem of its own"},
        {{.peer = "client",
          .code = MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE,
          .alert_sent = -1,
          .alert_received = 200},
         ERR_TLS,
         "the client answered with the alert unknown (200)"},
        {{.peer = "server",
          .code = MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION,
          .alert_sent = 70,
          .alert_received = -1,
          .heard_tls = true},
         ERR_TLS,
         "the server speaks no TLS version that is allowed"},
        {{.peer = "server",
          .code = MBEDTLS_ERR_SSL_INTERNAL_ERROR,
          .alert_sent = -1,
          .alert_received = -1,
          .out_err = ERR_LIMIT},
         ERR_LIMIT,
         "the server takes too little of what is sent"},
        {{.peer = "server",
          .code = MBEDTLS_ERR_SSL_ALLOC_FAILED,
          .alert_sent = -1,
          .alert_received = -1,
          .verdict = &no_verdict},
         ERR_NOMEM,
         "there is not enough memory for TLS"},
        {{.peer = "server",
          .code = MBEDTLS_ERR_SSL_INTERNAL_ERROR,
          .alert_sent = -1,
          .alert_received = -1},
         ERR_TLS,
         "TLS failed inside the phone: SSL - Internal error (eg, unexpected failure in lower-level "
         "module)"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct errinfo e = ERRINFO_INIT;
        tls_explain(&cases[i].failure, &e);
        assert_string_equal(cases[i].text, e.text);
        assert_int_equal(cases[i].code, e.code);
        assert_int_equal(cases[i].failure.code, e.native);
    }
}

/* --- one of our ends and bytes --- */

static void open_end(struct tlsend *end, enum tls_role role, enum tls_versions versions)
{
    const struct tlsend_spec spec = {
        .role = role, .versions = versions, .identity = role == TLS_SERVER ? server_id : NULL};

    tlsend_init(end, &spec);
    tlsend_open(end, &spec);
}

static void drain(struct tlsend *end)
{
    tls_session_sent(end->session, tls_session_output(end->session).n);
}

/* A ClientHello of TLS 1.2 with one suite, ECDHE-ECDSA-AES128-GCM-SHA256, and no extensions. */
static const uint8_t bare_hello[] = {
    0x16, 0x03, 0x01, 0x00, 0x2d,       /* record */
    0x01, 0x00, 0x00, 0x29, 0x03, 0x03, /* ClientHello */
    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,   11,   12, 13, 14,
    15,   16,   17,   18,   19,   20,   21,   22,   23,   24,   25,   26, 27, 28,
    29,   30,   31,   32,   0x00, 0x00, 0x02, 0xc0, 0x2b, 0x01, 0x00, /* no session, one suite, no
                                                                         compression */
};

/* The same with REST in place of its compression methods, in BYTES that have room for it. */
static struct slice hello_with(uint8_t *bytes, struct slice rest)
{
    const size_t kept = sizeof(bare_hello) - 2, n = kept + rest.n;

    memcpy(bytes, bare_hello, kept);
    memcpy(bytes + kept, rest.p, rest.n);
    bytes[4] = (uint8_t)(n - 5);
    bytes[8] = (uint8_t)(n - 9);
    return slice_of(bytes, n);
}

static void test_bytes_and_their_alert(void **state)
{
    static const uint8_t long_record[] = {0x16, 0x03, 0x03, 0x48, 0x01};
    static const uint8_t empty_record[] = {0x16, 0x03, 0x03, 0x00, 0x00};
    static const uint8_t data_first[] = {0x17, 0x03, 0x03, 0x00, 0x01, 0x00};
    static const uint8_t finished_first[] = {0x16, 0x03, 0x03, 0x00, 0x04, 0x14, 0x00, 0x00, 0x00};
    static const uint8_t short_hello[] = {0x16, 0x03, 0x01, 0x00, 0x06, 0x01,
                                          0x00, 0x00, 0x02, 0x03, 0x03};
    static const uint8_t alert_of_three[] = {0x15, 0x03, 0x03, 0x00, 0x03, 0x02, 0x28, 0x28};
    static const uint8_t empty_alert[] = {0x15, 0x03, 0x03, 0x00, 0x00};
    static const uint8_t deflate_only[] = {0x01, 0x01};
    static const uint8_t compressed_points_only[] = {0x01, 0x00, 0x00, 0x06, 0x00,
                                                     0x0b, 0x00, 0x02, 0x01, 0x01};
    static const uint8_t no_point_formats[] = {0x01, 0x00, 0x00, 0x05, 0x00,
                                               0x0b, 0x00, 0x01, 0x00};
    uint8_t hellos[3][sizeof(bare_hello) + 8];
    const struct {
        const char *what;
        struct slice in;
        int alert;
        const char *text;
    } cases[] = {
        {"another protocol", SLICE_LIT("OPTIONS sip:a@b SIP/2.0\r\n"), 10,
         "the client does not speak TLS: perhaps this is not its port for TLS"},
        {"record too long",
         {long_record, sizeof(long_record)},
         22,
         "the client sent a TLS record that is malformed"},
        {"empty record",
         {empty_record, sizeof(empty_record)},
         10,
         "the client sent a TLS record that is malformed"},
        {"data first",
         {data_first, sizeof(data_first)},
         10,
         "the client sent a TLS message that was not expected"},
        {"Finished first",
         {finished_first, sizeof(finished_first)},
         10,
         "the client sent a TLS message that was not expected"},
        {"short ClientHello",
         {short_hello, sizeof(short_hello)},
         50,
         "the client sent a TLS message that is malformed"},
        {"alert of three bytes",
         {alert_of_three, sizeof(alert_of_three)},
         50,
         "the client sent a TLS record that is malformed"},
        {"empty alert",
         {empty_alert, sizeof(empty_alert)},
         10,
         "the client sent a TLS record that is malformed"},
        {"no null compression", hello_with(hellos[0], slice_of(deflate_only, sizeof(deflate_only))),
         47, "the client sent a TLS message with a value that is not allowed"},
        {"only compressed points",
         hello_with(hellos[1], slice_of(compressed_points_only, sizeof(compressed_points_only))),
         47, "the client sent a TLS message with a value that is not allowed"},
        {"no point formats",
         hello_with(hellos[2], slice_of(no_point_formats, sizeof(no_point_formats))), 50,
         "the client sent a TLS message that is malformed"},
        {"no extensions",
         {bare_hello, sizeof(bare_hello)},
         40,
         "the client has no cipher suite or key type in common with us"},
    };
    (void)state;

    for (enum tls_versions v = TLS_1_2_AND_1_3; v <= TLS_1_2_ONLY; v++) {
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
            struct tlsend server;
            open_end(&server, TLS_SERVER, v);
            tls_session_feed(server.session, cases[i].in);
            if (tls_session_state(server.session) != TLS_FAILED)
                fail_msg("%s: no failure", cases[i].what);
            const struct slice out = tls_session_output(server.session);
            const uint8_t want[] = {0x15, 0x03, 0x03, 0, 2, 2, (uint8_t)cases[i].alert};
            if (!slice_eq(slice_of(want, sizeof(want)), out))
                fail_msg("%s: another alert: %d", cases[i].what,
                         tls_session_facts(server.session).alert_sent);
            assert_string_equal(cases[i].text, tls_session_error(server.session)->text);
            tlsend_free(&server);
        }
    }
}

/* The library keeps a handshake message in one buffer of 16 KB. */
static void test_message_too_long(void **state)
{
    static uint8_t record[5 + LIMIT_TLS_PLAINTEXT] = {0x16, 0x03, 0x03, 0x40, 0x00,
                                                      0x02, 0x01, 0x00, 0x00};
    struct tlsend client;
    open_end(&client, TLS_CLIENT, TLS_1_2_AND_1_3);
    (void)state;

    for (int i = 0; i < 5 && tls_session_state(client.session) == TLS_HANDSHAKE; i++)
        tls_session_feed(client.session, slice_of(record, sizeof(record)));
    assert_int_equal(TLS_FAILED, tls_session_state(client.session));
    assert_string_equal("the server sent a TLS message that is too long",
                        tls_session_error(client.session)->text);
    assert_int_equal(50, tls_session_facts(client.session).alert_sent);
    tlsend_free(&client);
}

/* --- between two ends --- */

static void test_nothing_in_common(void **state)
{
    static const int other_suite[] = {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CCM,
                                      MBEDTLS_TLS1_3_AES_128_CCM_SHA256, 0};
    static const uint16_t sha1_only[] = {0x0203, 0};
    static const struct {
        struct tlsbare_spec peer; /* a client */
        enum tls_versions versions;
        int alert;
    } cases[] = {
        {{.max = MBEDTLS_SSL_VERSION_TLS1_2}, TLS_1_3_ONLY, 70},
        {{.min = MBEDTLS_SSL_VERSION_TLS1_3}, TLS_1_2_ONLY, 40}, /* no suite of TLS 1.2 */
        {{.suites = other_suite}, TLS_1_3_ONLY, 40},
        {{.suites = other_suite, .max = MBEDTLS_SSL_VERSION_TLS1_2}, TLS_1_2_AND_1_3, 40},
        {{.signatures = sha1_only, .max = MBEDTLS_SSL_VERSION_TLS1_2}, TLS_1_2_AND_1_3, 40},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tlsend server;
        open_end(&server, TLS_SERVER, cases[i].versions);
        struct tlsbare peer;
        tlsbare_init(&peer, &cases[i].peer);
        tlsbare_step(&peer);
        tlswire_run(tlsbare_wire(&peer), tlsend_wire(&server), 0);
        assert_int_equal(TLS_FAILED, tls_session_state(server.session));
        assert_int_equal(cases[i].alert, tls_session_facts(server.session).alert_sent);
        assert_int_equal(cases[i].alert, mbedtls_ssl_get_fatal_alert(&peer.ssl, 1));
        tlsbare_free(&peer);
        tlsend_free(&server);
    }
}

/* The peer's alert ends it: nothing is sent back. */
static void test_alert_received(void **state)
{
    (void)state;
    for (int tls13 = 0; tls13 < 2; tls13++) {
        struct tlsend server;
        open_end(&server, TLS_SERVER, tls13 ? TLS_1_3_ONLY : TLS_1_2_ONLY);
        struct tlsbare peer;
        tlsbare_init(&peer, &(struct tlsbare_spec){0});
        tlsbare_step(&peer);
        tlswire_run(tlsbare_wire(&peer), tlsend_wire(&server), 0);
        assert_int_equal(TLS_ESTABLISHED, tls_session_state(server.session));
        assert_int_equal(0, mbedtls_ssl_send_alert_message(&peer.ssl, 2, 49));
        tlswire_run(tlsbare_wire(&peer), tlsend_wire(&server), 0);
        assert_int_equal(TLS_FAILED, tls_session_state(server.session));
        assert_int_equal(49, tls_session_facts(server.session).alert_received);
        assert_int_equal(-1, tls_session_facts(server.session).alert_sent);
        assert_string_equal(
            "the client answered with the alert access_denied (49): it does not let us in",
            tls_session_error(server.session)->text);
        tlsbare_free(&peer);
        tlsend_free(&server);
    }
}

/* A close_notify is one whatever its level says, and with TLS 1.3 so is any other alert. */
static void test_level_is_not_looked_at(void **state)
{
    static const struct {
        enum tls_versions versions;
        unsigned char level, alert;
        enum tls_state state;
    } cases[] = {
        {TLS_1_2_ONLY, 0, 0, TLS_CLOSED},       {TLS_1_2_ONLY, 2, 0, TLS_CLOSED},
        {TLS_1_3_ONLY, 2, 0, TLS_CLOSED},       {TLS_1_2_ONLY, 1, 49, TLS_ESTABLISHED},
        {TLS_1_2_ONLY, 0, 49, TLS_FAILED},      {TLS_1_3_ONLY, 1, 49, TLS_FAILED},
        {TLS_1_3_ONLY, 1, 90, TLS_ESTABLISHED},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tlsend server;
        open_end(&server, TLS_SERVER, cases[i].versions);
        struct tlsbare peer;
        tlsbare_init(&peer, &(struct tlsbare_spec){0});
        tlsbare_step(&peer);
        tlswire_run(tlsbare_wire(&peer), tlsend_wire(&server), 0);
        assert_int_equal(0,
                         mbedtls_ssl_send_alert_message(&peer.ssl, cases[i].level, cases[i].alert));
        tlswire_run(tlsbare_wire(&peer), tlsend_wire(&server), 0);
        assert_int_equal(cases[i].state, tls_session_state(server.session));
        tlsbare_free(&peer);
        tlsend_free(&server);
    }
}

/* Warnings are for information, and there may be one before the ServerHello (TLS 1.2). */
static void test_warning_is_no_failure(void **state)
{
    static const uint8_t unrecognized_name[] = {0x15, 0x03, 0x03, 0x00, 0x02, 0x01, 0x70};
    struct tlspair p = tlspair_of((struct tlsend_spec){.versions = TLS_1_2_ONLY},
                                  (struct tlsend_spec){.identity = server_id});
    (void)state;

    tlsend_open(&p.client, &p.client_spec);
    tlsend_open(&p.server, &p.server_spec);
    tls_session_feed(p.client.session, slice_of(unrecognized_name, sizeof(unrecognized_name)));
    tlspair_run(&p);
    assert_int_equal(TLS_ESTABLISHED, tls_session_state(p.client.session));
    tlspair_free(&p);
}

/* --- under which keys (TLS 1.3) --- */

/* Carries what FROM has to say, one way only. */
static void carry(struct tlswire from, struct tlswire to)
{
    const struct slice out = from.output(from.end);

    to.feed(to.end, out);
    from.sent(from.end, out.n);
}

/* OpenSSL's client does so when it does not trust our certificate. */
static void test_alert_in_the_clear_after_server_hello(void **state)
{
    static const uint8_t unknown_ca[] = {0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x30};
    struct tlsend server;
    open_end(&server, TLS_SERVER, TLS_1_3_ONLY);
    struct tlsbare peer;
    (void)state;

    tlsbare_init(&peer, &(struct tlsbare_spec){0});
    tlsbare_step(&peer);
    carry(tlsbare_wire(&peer), tlsend_wire(&server));
    drain(&server);
    tls_session_feed(server.session, slice_of(unknown_ca, sizeof(unknown_ca)));
    assert_int_equal(48, tls_session_facts(server.session).alert_received);
    tlsbare_free(&peer);
    tlsend_free(&server);
}

/* But once the peer has changed its keys, it does not: this one is forged. */
static void test_alert_in_the_clear_after_the_handshake(void **state)
{
    static const uint8_t unknown_ca[] = {0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x30};
    struct tlspair p = tlspair_of((struct tlsend_spec){.versions = TLS_1_3_ONLY},
                                  (struct tlsend_spec){.identity = server_id});
    (void)state;

    tlspair_connect(&p, 0);
    tls_session_feed(p.server.session, slice_of(unknown_ca, sizeof(unknown_ca)));
    assert_int_equal(TLS_FAILED, tls_session_state(p.server.session));
    assert_int_equal(-1, tls_session_facts(p.server.session).alert_received);
    assert_int_equal(10, tls_session_facts(p.server.session).alert_sent);
    tlspair_free(&p);
}

/* RFC 8446 section 5: it is passed over in the handshake, for the sake of middleboxes. */
static void test_change_cipher_spec_behind_finished(void **state)
{
    static const uint8_t change_cipher_spec[] = {0x14, 0x03, 0x03, 0x00, 0x01, 0x01};
    struct tlspair p = tlspair_of((struct tlsend_spec){.versions = TLS_1_3_ONLY},
                                  (struct tlsend_spec){.identity = server_id});
    (void)state;

    tlspair_connect(&p, 0);
    tls_session_feed(p.server.session, slice_of(change_cipher_spec, sizeof(change_cipher_spec)));
    assert_int_equal(TLS_FAILED, tls_session_state(p.server.session));
    assert_int_equal(10, tls_session_facts(p.server.session).alert_sent);
    tlspair_free(&p);
}

/* A client's error after ServerHello is under its handshake keys; the peer's library reads only
 * such, and the alert above is its exception. */
static void test_client_alert_is_encrypted(void **state)
{
    const struct slice chain[] = {testpki_der(leaf)};
    struct tlsend client;
    open_end(&client, TLS_CLIENT, TLS_1_3_ONLY);
    struct tlsbare peer;
    (void)state;

    client.verdict = (struct verdict){.class = VERDICT_REJECTED};
    tlsbare_init(&peer, &(struct tlsbare_spec){
                            .server = true, .chain = chain, .chain_len = 1, .key_of = leaf});
    carry(tlsend_wire(&client), tlsbare_wire(&peer));
    carry(tlsbare_wire(&peer), tlsend_wire(&client));
    assert_int_equal(MBEDTLS_SSL_MSG_APPLICATION_DATA, tls_session_output(client.session).p[0]);
    carry(tlsend_wire(&client), tlsbare_wire(&peer));
    assert_int_equal(42, mbedtls_ssl_get_fatal_alert(&peer.ssl, 1));
    tlsbare_free(&peer);
    tlsend_free(&client);
}

/* A server has gone on to its application keys when it judges the client, and so has the client. */
static void test_server_alert_is_under_application_keys(void **state)
{
    struct tlspair p = tlspair_of(
        (struct tlsend_spec){.versions = TLS_1_3_ONLY},
        (struct tlsend_spec){.identity = server_id, .client_auth = TLS_CLIENT_AUTH_REQUIRE});
    (void)state;

    tlspair_connect(&p, 0);
    assert_int_equal(TLS_FAILED, tls_session_state(p.client.session));
    assert_string_equal("the server wants a certificate of the phone's and got none (alert "
                        "certificate_required, 116)",
                        tls_session_error(p.client.session)->text);
    tlspair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_alert_of_error),
        cmocka_unit_test(test_explained),
        cmocka_unit_test(test_bytes_and_their_alert),
        cmocka_unit_test(test_message_too_long),
        cmocka_unit_test(test_nothing_in_common),
        cmocka_unit_test(test_alert_received),
        cmocka_unit_test(test_level_is_not_looked_at),
        cmocka_unit_test(test_warning_is_no_failure),
        cmocka_unit_test(test_alert_in_the_clear_after_server_hello),
        cmocka_unit_test(test_alert_in_the_clear_after_the_handshake),
        cmocka_unit_test(test_change_cipher_spec_behind_finished),
        cmocka_unit_test(test_client_alert_is_encrypted),
        cmocka_unit_test(test_server_alert_is_under_application_keys),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
