/*
 * Our judgement in the library's place, inside the handshake: in both versions and both roles the
 * judge gets the list as it was sent, its word is the only one, and a peer that it refuses gets the
 * alert and nothing else. The sender is bare mbedTLS, which sends any bytes as certificates.
 */
#include <stdlib.h>
#include <string.h>

#include "tools/tlswire.h"
#include "tools/unit.h"

#define LEAF_KEY 1

static const struct testpki_cert *ca, *leaf;
static struct identity *server_id, *client_id;

static int set_up_all(void **state)
{
    (void)state;
    tlswire_global_init();
    ca = testpki_make(&(struct testpki_spec){.subject = "CN=CA", .ca = true});
    leaf =
        testpki_make(&(struct testpki_spec){.subject = "CN=leaf", .issuer = ca, .key = LEAF_KEY});
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

#define assert_state(end, want) assert_int_equal(want, tls_session_state((end).session))

static const struct verdict accepted = {.class = VERDICT_VERIFIED,
                                        .valid_until_s = TESTPKI_NOT_AFTER};

static struct verdict refused(enum reason_code reason, const char *sentence)
{
    struct verdict v = {.class = VERDICT_REJECTED};

    verdict_add(&v, reason, 0, "leaf", "%s", sentence);
    return v;
}

/* --- one of our ends against a peer that sends a list --- */

static const struct side {
    const char *name;
    bool client; /* our role */
    enum tls_versions versions;
} sides[] = {
    {"client, TLS 1.2", true, TLS_1_2_ONLY},
    {"client, TLS 1.3", true, TLS_1_3_ONLY},
    {"server, TLS 1.2", false, TLS_1_2_ONLY},
    {"server, TLS 1.3", false, TLS_1_3_ONLY},
};

struct meeting {
    struct tlsend us;
    struct tlsbare peer;
};

static void meet(struct meeting *m, const struct side *side, const struct slice *list, size_t n,
                 const struct verdict *verdict)
{
    const struct tlsend_spec spec = {
        .role = side->client ? TLS_CLIENT : TLS_SERVER,
        .versions = side->versions,
        .identity = side->client ? client_id : server_id,
        .client_auth = side->client ? TLS_CLIENT_AUTH_OFF : TLS_CLIENT_AUTH_REQUIRE,
    };

    tlsend_init(&m->us, &spec);
    m->us.verdict = *verdict;
    tlsbare_init(&m->peer, &(struct tlsbare_spec){.server = side->client,
                                                  .authmode = MBEDTLS_SSL_VERIFY_OPTIONAL,
                                                  .chain = list,
                                                  .chain_len = n,
                                                  .key_of = leaf});
    tlsend_open(&m->us, &spec);
    tlsbare_step(&m->peer);
    tlswire_run(tlsbare_wire(&m->peer), tlsend_wire(&m->us), 0);
}

static void part(struct meeting *m)
{
    tlsend_free(&m->us);
    tlsbare_free(&m->peer);
}

#define for_each_side(side) \
    for (const struct side *side = sides; side < sides + COUNT_OF(sides); side++)

/* --- the list --- */

static void test_list_as_it_was_sent(void **state)
{
    const struct slice list[] = {testpki_der(leaf), testpki_der(ca), testpki_der(leaf)};
    (void)state;

    for_each_side(side)
    {
        struct meeting m;
        meet(&m, side, list, COUNT_OF(list), &accepted);
        assert_state(m.us, TLS_ESTABLISHED);
        assert_int_equal(1, m.us.judged);
        assert_int_equal(3, m.us.chain_len);
        size_t n;
        const struct slice *chain = tls_session_chain(m.us.session, &n);
        assert_int_equal(3, n);
        for (size_t i = 0; i < n; i++)
            assert_true(slice_eq(list[i], chain[i]));
        assert_int_equal(VERDICT_VERIFIED, tls_session_verdict(m.us.session)->class);
        part(&m);
    }
}

/* What no path needs does no harm, be it no certificate at all. */
static void test_unparseable_extra_certificate(void **state)
{
    static const uint8_t junk[200] = "this is no certificate";
    const struct slice list[] = {testpki_der(leaf), slice_of(junk, sizeof(junk)),
                                 slice_of(junk, 1)};
    (void)state;

    for_each_side(side)
    {
        struct meeting m;
        meet(&m, side, list, COUNT_OF(list), &accepted);
        assert_state(m.us, TLS_ESTABLISHED);
        assert_int_equal(3, m.us.chain_len);
        assert_int_equal(1, m.us.chain_sizes[2]);
        part(&m);
    }
}

static void test_as_many_as_allowed(void **state)
{
    struct slice list[LIMIT_PEER_CERTS + 1];
    (void)state;

    for (size_t i = 0; i < COUNT_OF(list); i++)
        list[i] = testpki_der(leaf);
    for_each_side(side)
    {
        struct meeting m;
        meet(&m, side, list, LIMIT_PEER_CERTS, &accepted);
        assert_state(m.us, TLS_ESTABLISHED);
        part(&m);

        meet(&m, side, list, LIMIT_PEER_CERTS + 1, &accepted);
        assert_state(m.us, TLS_FAILED);
        assert_int_equal(0, m.us.judged);
        assert_int_equal(VERDICT_REJECTED, tls_session_verdict(m.us.session)->class);
        assert_int_equal(REASON_LIMIT, tls_session_verdict(m.us.session)->reasons[0].code);
        assert_int_equal(ERR_CERT, tls_session_error(m.us.session)->code);
        assert_int_equal(42, mbedtls_ssl_get_fatal_alert(&m.peer.ssl, 1));
        part(&m);
    }
}

/* --- the word of the judge --- */

/*
 * Each of these certificates the library's own verification refuses, or cannot even parse. The
 * judge accepts them (its policy may be to check nothing), and so does the handshake.
 */
static void test_library_has_no_say(void **state)
{
    static const char *const eku[] = {TESTPKI_OID_SIP_DOMAIN, NULL};
    static const uint8_t com[] = {0x30, 0x09, 0xa0, 0x07, 0x30, 0x05, 0x82, 0x03, 'c', 'o', 'm'};
    const struct testpki_ext constraints = {"2.5.29.30", true, slice_of(com, sizeof(com))};
    const struct testpki_ext unknown = {"1.2.3.4", true, SLICE_LIT("\x05\x00")};
    const struct testpki_spec specs[] = {
        {.subject = "CN=bad signature", .bad_signature = true},
        {.subject = "CN=key usage", .key_usage = TESTPKI_KEY_CERT_SIGN},
        {.subject = "CN=extended key usage", .eku = eku},
        {.subject = "CN=expired", .not_before = 1, .not_after = 2},
        {.subject = "CN=name constraints", .exts = &constraints, .exts_count = 1},
        {.subject = "CN=unknown critical extension", .exts = &unknown, .exts_count = 1},
        {.subject = "CN=version 1", .version = 1},
        {.subject = "CN=SHA-1", .digest = TESTPKI_SHA1},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(specs); i++) {
        struct testpki_spec spec = specs[i];
        spec.issuer = ca;
        spec.key = LEAF_KEY;
        const struct slice list[] = {testpki_der(testpki_make(&spec))};
        for_each_side(side)
        {
            struct meeting m;
            meet(&m, side, list, 1, &accepted);
            if (tls_session_state(m.us.session) != TLS_ESTABLISHED)
                fail_msg("%s: %s: %s", side->name, spec.subject,
                         tls_session_error(m.us.session)->text);
            part(&m);
        }
    }
}

/* One without a key that the library can read is of no use, whatever the judge says. */
static void test_unparseable_leaf(void **state)
{
    static const uint8_t junk[200] = "this is no certificate";
    const struct slice list[] = {slice_of(junk, sizeof(junk)), testpki_der(leaf)};
    (void)state;

    for_each_side(side)
    {
        struct meeting m;
        meet(&m, side, list, COUNT_OF(list), &accepted);
        assert_state(m.us, TLS_FAILED);
        assert_int_equal(1, m.us.judged);
        assert_int_equal(42, mbedtls_ssl_get_fatal_alert(&m.peer.ssl, 1));
        assert_string_equal(side->client ? "the server has a certificate that is malformed"
                                         : "the client has a certificate that is malformed",
                            tls_session_error(m.us.session)->text);
        part(&m);
    }
}

/* A peer without the key of the certificate that it shows is nobody, whatever the judge says. */
static void test_key_is_proven(void **state)
{
    const struct slice list[] = {testpki_der(ca)};
    (void)state;

    for_each_side(side)
    {
        struct meeting m;
        meet(&m, side, list, 1, &accepted);
        assert_state(m.us, TLS_FAILED);
        assert_int_equal(51, mbedtls_ssl_get_fatal_alert(&m.peer.ssl, 1));
        assert_non_null(strstr(tls_session_error(m.us.session)->text,
                               "does not have the key of its certificate"));
        part(&m);
    }
}

static void test_refused_peer(void **state)
{
    static const struct {
        enum reason_code reason;
        int alert;
    } cases[] = {
        {REASON_UNKNOWN_CA, 48}, {REASON_EXPIRED, 45},  {REASON_NAME_MISMATCH, 42},
        {REASON_REVOKED, 44},    {REASON_INTERNAL, 80},
    };
    const struct slice list[] = {testpki_der(leaf)};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct verdict no = refused(cases[i].reason, "it is not who it should be");
        for_each_side(side)
        {
            struct meeting m;
            meet(&m, side, list, 1, &no);
            assert_state(m.us, TLS_FAILED);
            assert_int_equal(cases[i].alert, mbedtls_ssl_get_fatal_alert(&m.peer.ssl, 1));
            assert_int_equal(cases[i].alert, tls_session_facts(m.us.session).alert_sent);
            assert_int_equal(ERR_CERT, tls_session_error(m.us.session)->code);
            assert_string_equal("it is not who it should be",
                                tls_session_error(m.us.session)->text);
            assert_int_equal(VERDICT_REJECTED, tls_session_verdict(m.us.session)->class);
            size_t n;
            assert_non_null(tls_session_chain(m.us.session, &n));
            assert_int_equal(1, n);
            part(&m);
        }
    }
}

/* What a refused server that asks for our certificate gets after our ClientHello is an alert. */
static void test_refused_server_gets_nothing(void **state)
{
    const struct slice list[] = {testpki_der(leaf)};
    const struct verdict no = refused(REASON_UNKNOWN_CA, "no");
    (void)state;

    for (int tls13 = 0; tls13 < 2; tls13++) {
        const struct tlsend_spec spec = {.role = TLS_CLIENT,
                                         .versions = tls13 ? TLS_1_3_ONLY : TLS_1_2_ONLY,
                                         .identity = client_id};
        struct tlsend us;
        struct tlsbare peer;
        tlsend_init(&us, &spec);
        us.verdict = no;
        tlsbare_init(&peer, &(struct tlsbare_spec){.server = true,
                                                   .authmode = MBEDTLS_SSL_VERIFY_OPTIONAL,
                                                   .chain = list,
                                                   .chain_len = 1,
                                                   .key_of = leaf});
        tlsend_open(&us, &spec);
        const struct tlswire wire = tlsend_wire(&us);
        tlsbare_wire(&peer).feed(&peer, wire.output(wire.end));
        wire.sent(wire.end, wire.output(wire.end).n);
        wire.feed(wire.end, buf_slice(&peer.out));
        /* One record with an alert; in TLS 1.3 it is padded, and encrypted with a tag. */
        const struct slice out = wire.output(wire.end);
        assert_int_equal(tls13 ? 5 + 16 + 16 : 5 + 2, out.n);
        assert_int_equal(tls13 ? MBEDTLS_SSL_MSG_APPLICATION_DATA : MBEDTLS_SSL_MSG_ALERT,
                         out.p[0]);
        assert_false(tls_session_facts(us.session).sent_certificate);
        assert_int_equal(ERR_STATE, tls_session_write(us.session, SLICE_LIT("REGISTER")).code);
        tlsend_free(&us);
        tlsbare_free(&peer);
    }
}

/* --- a client without a certificate --- */

static void test_client_without_certificate(void **state)
{
    static const struct {
        enum tls_client_auth auth;
        enum tls_versions versions;
        enum tls_state end;
        int alert; /* or -1 */
    } cases[] = {
        {TLS_CLIENT_AUTH_OFF, TLS_1_2_ONLY, TLS_ESTABLISHED, -1},
        {TLS_CLIENT_AUTH_OFF, TLS_1_3_ONLY, TLS_ESTABLISHED, -1},
        {TLS_CLIENT_AUTH_REQUEST, TLS_1_2_ONLY, TLS_ESTABLISHED, -1},
        {TLS_CLIENT_AUTH_REQUEST, TLS_1_3_ONLY, TLS_ESTABLISHED, -1},
        {TLS_CLIENT_AUTH_REQUIRE, TLS_1_2_ONLY, TLS_FAILED, 40},
        {TLS_CLIENT_AUTH_REQUIRE, TLS_1_3_ONLY, TLS_FAILED, 116},
    };
    /* whatever the judge says of an empty list */
    const struct verdict words[] = {
        accepted, refused(REASON_NO_CERTIFICATE, "nothing came"), {.class = VERDICT_NONE}};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (size_t w = 0; w < COUNT_OF(words); w++) {
            struct tlspair p = tlspair_of(
                (struct tlsend_spec){.versions = cases[i].versions},
                (struct tlsend_spec){.identity = server_id, .client_auth = cases[i].auth});
            p.server.verdict = words[w];
            tlspair_connect(&p, 0);
            assert_state(p.server, cases[i].end);
            assert_int_equal(cases[i].auth != TLS_CLIENT_AUTH_OFF, p.server.judged);
            assert_int_equal(0, p.server.chain_len);
            assert_int_equal(cases[i].alert, tls_session_facts(p.server.session).alert_sent);
            assert_int_equal(cases[i].alert, tls_session_facts(p.client.session).alert_received);
            const enum verdict_class class = tls_session_verdict(p.server.session)->class;
            if (cases[i].end == TLS_FAILED)
                assert_int_equal(VERDICT_REJECTED, class);
            else
                assert_int_not_equal(VERDICT_REJECTED, class);
            tlspair_free(&p);
        }
    }
}

static void test_nobody_is_asked(void **state)
{
    struct tlspair p = tlspair_of((struct tlsend_spec){.identity = client_id},
                                  (struct tlsend_spec){.identity = server_id});
    (void)state;

    tlspair_connect(&p, 0);
    assert_state(p.server, TLS_ESTABLISHED);
    assert_int_equal(0, p.server.judged);
    assert_int_equal(VERDICT_NONE, tls_session_verdict(p.server.session)->class);
    size_t n;
    assert_null(tls_session_chain(p.server.session, &n));
    assert_int_equal(0, n);
    assert_false(tls_session_facts(p.client.session).sent_certificate);
    tlspair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_as_it_was_sent),
        cmocka_unit_test(test_unparseable_extra_certificate),
        cmocka_unit_test(test_as_many_as_allowed),
        cmocka_unit_test(test_library_has_no_say),
        cmocka_unit_test(test_unparseable_leaf),
        cmocka_unit_test(test_key_is_proven),
        cmocka_unit_test(test_refused_peer),
        cmocka_unit_test(test_refused_server_gets_nothing),
        cmocka_unit_test(test_client_without_certificate),
        cmocka_unit_test(test_nobody_is_asked),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
