/* What TLS 1.3 says a record and a signature may be, against a peer that goes beyond it. */
#include <mbedtls/gcm.h>
#include <mbedtls/hkdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tlswire.h"
#include "tools/unit.h"

#define TAG 16

static struct identity *server_id;

static int set_up_all(void **state)
{
    (void)state;
    tlswire_global_init();
    const struct testpki_cert *leaf = testpki_make(&(struct testpki_spec){.subject = "CN=leaf"});
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

/* --- a client whose records can be written by hand --- */

struct meeting {
    struct tlsend server;
    struct tlsbare peer;
    uint8_t secret[32]; /* of what the peer sends */
};

static void on_key(void *arg, mbedtls_ssl_key_export_type type, const unsigned char *secret,
                   size_t n, const unsigned char *client_random, const unsigned char *server_random,
                   mbedtls_tls_prf_types prf)
{
    struct meeting *m = arg;

    (void)client_random, (void)server_random, (void)prf;
    if (type == MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_APPLICATION_TRAFFIC_SECRET) {
        assert_int_equal(sizeof(m->secret), n);
        memcpy(m->secret, secret, n);
    }
}

static void meet(struct meeting *m)
{
    static const int suite[] = {MBEDTLS_TLS1_3_AES_128_GCM_SHA256, 0};
    const struct tlsend_spec spec = {
        .role = TLS_SERVER, .versions = TLS_1_3_ONLY, .identity = server_id};

    tlsend_init(&m->server, &spec);
    tlsbare_init(&m->peer, &(struct tlsbare_spec){.suites = suite});
    mbedtls_ssl_set_export_keys_cb(&m->peer.ssl, on_key, m);
    tlsend_open(&m->server, &spec);
    tlsbare_step(&m->peer);
    tlswire_run(tlsbare_wire(&m->peer), tlsend_wire(&m->server), 0);
    assert_int_equal(TLS_ESTABLISHED, tls_session_state(m->server.session));
}

static void part(struct meeting *m)
{
    tlsend_free(&m->server);
    tlsbare_free(&m->peer);
}

/* HKDF-Expand-Label of RFC 8446 section 7.1, without a context. */
static void expand(const uint8_t *secret, const char *label, uint8_t *out, size_t n)
{
    char info[40] = {0};
    const int labelled = snprintf(info + 3, sizeof(info) - 3, "tls13 %s", label);

    info[1] = (char)n;
    info[2] = (char)labelled;
    assert_int_equal(0,
                     mbedtls_hkdf_expand(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), secret, 32,
                                         (const uint8_t *)info, (size_t)labelled + 4, out, n));
}

/* The peer's first record of data: "x", and zeros, so that the plaintext with its type has N bytes.
 */
static void feed_padded(struct meeting *m, size_t n)
{
    static uint8_t record[5 + LIMIT_TLS_PLAINTEXT + 1000];
    uint8_t key[16], iv[12];
    mbedtls_gcm_context gcm;

    memset(record, 0, sizeof(record));
    memcpy(record, (const uint8_t[]){0x17, 3, 3, (uint8_t)((n + TAG) >> 8), (uint8_t)(n + TAG)}, 5);
    memcpy(record + 5, (const uint8_t[]){'x', 0x17}, 2);
    expand(m->secret, "key", key, sizeof(key));
    expand(m->secret, "iv", iv, sizeof(iv));
    mbedtls_gcm_init(&gcm);
    assert_int_equal(0, mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, 128));
    assert_int_equal(0,
                     mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, n, iv, sizeof(iv), record,
                                               5, record + 5, record + 5, TAG, record + 5 + n));
    mbedtls_gcm_free(&gcm);
    tls_session_feed(m->server.session, slice_of(record, 5 + n + TAG));
}

static void test_padding(void **state)
{
    static const size_t fine[] = {2, 1000, LIMIT_TLS_PLAINTEXT + 1},
                        too_long[] = {LIMIT_TLS_PLAINTEXT + 2, LIMIT_TLS_PLAINTEXT + 240};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(fine); i++) {
        struct meeting m;
        meet(&m);
        feed_padded(&m, fine[i]);
        char *text = tlsend_read(&m.server);
        assert_string_equal("x", text);
        free(text);
        part(&m);
    }
    for (size_t i = 0; i < COUNT_OF(too_long); i++) {
        struct meeting m;
        meet(&m);
        feed_padded(&m, too_long[i]);
        assert_int_equal(TLS_FAILED, tls_session_state(m.server.session));
        assert_int_equal(22, tls_session_facts(m.server.session).alert_sent);
        part(&m);
    }
}

/* By its header, before it is there. */
static void test_record_length(void **state)
{
    static const uint8_t longest[] = {0x17, 3, 3, 0x41, 0x00}, longer[] = {0x17, 3, 3, 0x41, 0x01};
    struct meeting m;
    (void)state;

    meet(&m);
    tls_session_feed(m.server.session, slice_of(longest, sizeof(longest)));
    assert_int_equal(TLS_ESTABLISHED, tls_session_state(m.server.session));
    part(&m);
    meet(&m);
    tls_session_feed(m.server.session, slice_of(longer, sizeof(longer)));
    assert_int_equal(TLS_FAILED, tls_session_state(m.server.session));
    assert_int_equal(22, tls_session_facts(m.server.session).alert_sent);
    part(&m);
}

static void test_record_length_in_the_clear(void **state)
{
    static const uint8_t longest[] = {0x16, 3, 1, 0x40, 0x00}, longer[] = {0x16, 3, 1, 0x40, 0x01};
    const struct tlsend_spec spec = {.role = TLS_SERVER, .identity = server_id};
    struct tlsend server;
    (void)state;

    tlsend_init(&server, &spec);
    tlsend_open(&server, &spec);
    tls_session_feed(server.session, slice_of(longest, sizeof(longest)));
    assert_int_equal(TLS_HANDSHAKE, tls_session_state(server.session));
    tlsend_open(&server, &spec);
    tls_session_feed(server.session, slice_of(longer, sizeof(longer)));
    assert_int_equal(TLS_FAILED, tls_session_state(server.session));
    assert_int_equal(22, tls_session_facts(server.session).alert_sent);
    tlsend_free(&server);
}

/* --- signatures --- */

/* ECDSA of TLS 1.3 names the curve; the peer signs with one and shows a certificate with another.
 * What is false for any other reason is a decrypt_error. */
static void test_signature_of_another_curve(void **state)
{
    static const struct {
        enum testpki_key_type shown, used;
        int alert;
    } cases[] = {
        {TESTPKI_P256, TESTPKI_P384, 47},
        {TESTPKI_P521, TESTPKI_P256, 47},
        {TESTPKI_RSA_2048, TESTPKI_P256, 47},
        {TESTPKI_P256, TESTPKI_P256, 51},
    };
    const struct tlsend_spec spec = {.role = TLS_SERVER,
                                     .versions = TLS_1_3_ONLY,
                                     .client_auth = TLS_CLIENT_AUTH_REQUIRE,
                                     .identity = server_id};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct slice shown = testpki_der(testpki_make(
            &(struct testpki_spec){.subject = "CN=shown", .key_type = cases[i].shown}));
        struct tlsend server;
        struct tlsbare peer;
        tlsend_init(&server, &spec);
        tlsbare_init(&peer,
                     &(struct tlsbare_spec){.chain = &shown,
                                            .chain_len = 1,
                                            .key_of = testpki_make(&(struct testpki_spec){
                                                .subject = "CN=used", .key_type = cases[i].used})});
        tlsend_open(&server, &spec);
        tlsbare_step(&peer);
        tlswire_run(tlsbare_wire(&peer), tlsend_wire(&server), 0);
        assert_int_equal(TLS_FAILED, tls_session_state(server.session));
        assert_int_equal(cases[i].alert, tls_session_facts(server.session).alert_sent);
        tlsbare_free(&peer);
        tlsend_free(&server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_record_length),
        cmocka_unit_test(test_record_length_in_the_clear),
        cmocka_unit_test(test_signature_of_another_curve),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
