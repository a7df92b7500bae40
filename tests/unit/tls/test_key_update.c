/* Key updates of TLS 1.3 (RFC 8446 section 4.6.3), which the peer may send whenever it likes. */
#include <stdlib.h>
#include <string.h>

#include "tls/ciphers.h"
#include "tools/tlswire.h"
#include "tools/unit.h"

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

struct meeting {
    struct tlsend us;
    struct tlsbare peer;
};

static void meet(struct meeting *m, const int *suites)
{
    const struct tlsend_spec spec = {.role = TLS_SERVER, .identity = server_id};

    tlsend_init(&m->us, &spec);
    tlsbare_init(&m->peer, &(struct tlsbare_spec){.suites = suites});
    tlsend_open(&m->us, &spec);
    tlsbare_step(&m->peer);
    tlswire_run(tlsbare_wire(&m->peer), tlsend_wire(&m->us), 0);
    assert_int_equal(TLS_ESTABLISHED, tls_session_state(m->us.session));
}

static void part(struct meeting *m)
{
    tlsend_free(&m->us);
    tlsbare_free(&m->peer);
}

static void assert_both_talk(struct meeting *m)
{
    tlsbare_write(&m->peer, "ping");
    tlsend_write(&m->us, "pong");
    tlswire_run(tlsbare_wire(&m->peer), tlsend_wire(&m->us), 0);
    char *text = tlsend_read(&m->us);
    assert_string_equal("ping", text);
    free(text);
    assert_true(slice_eq_str(buf_slice(&m->peer.plain), "pong"));
    buf_clear(&m->peer.plain);
}

static void test_both_directions_go_on(void **state)
{
    (void)state;
    for (const int *suite = tls_cipher_suites; *suite != 0; suite++) {
        if (strstr(tls_cipher_name(*suite), "_WITH_") != NULL)
            continue; /* of TLS 1.2 */
        const int one[] = {*suite, 0};
        struct meeting m;
        meet(&m, one);
        for (int round = 0; round < 6; round++) {
            assert_int_equal(0, mbedtls_ssl_send_key_update(&m.peer.ssl, round % 2));
            assert_both_talk(&m);
        }
        assert_int_equal(TLS_ESTABLISHED, tls_session_state(m.us.session));
        part(&m);
    }
}

static void test_answers_only_if_asked(void **state)
{
    (void)state;
    for (int asked = 0; asked < 2; asked++) {
        struct meeting m;
        meet(&m, NULL);
        assert_int_equal(0, mbedtls_ssl_send_key_update(&m.peer.ssl, asked));
        tls_session_feed(m.us.session, buf_slice(&m.peer.out));
        assert_int_equal(asked, tls_session_output(m.us.session).n > 0);
        part(&m);
    }
}

static void test_of_our_own(void **state)
{
    struct meeting m;
    (void)state;

    meet(&m, NULL);
    for (int round = 0; round < 6; round++) {
        assert_true(is_ok(tls_session_update_keys(m.us.session, round % 2)));
        assert_both_talk(&m);
    }
    tls_session_close(m.us.session);
    assert_int_equal(ERR_STATE, tls_session_update_keys(m.us.session, false).code);
    part(&m);
}

static void test_not_with_tls12_nor_in_the_handshake(void **state)
{
    struct tlspair p = tlspair_of((struct tlsend_spec){.versions = TLS_1_2_ONLY},
                                  (struct tlsend_spec){.identity = server_id});
    (void)state;

    tlsend_open(&p.client, &p.client_spec);
    assert_int_equal(ERR_STATE, tls_session_update_keys(p.client.session, true).code);
    tlspair_connect(&p, 0);
    assert_int_equal(TLS_ESTABLISHED, tls_session_state(p.client.session));
    assert_int_equal(ERR_STATE, tls_session_update_keys(p.client.session, true).code);
    tlspair_free(&p);
}

/* A peer that asks again and again, and does not read the answers, is not served without end. */
static void test_flood(void **state)
{
    struct meeting m;
    (void)state;

    meet(&m, NULL);
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(0, mbedtls_ssl_send_key_update(&m.peer.ssl, 1));
        tls_session_feed(m.us.session, buf_slice(&m.peer.out));
        buf_clear(&m.peer.out);
        if (tls_session_state(m.us.session) != TLS_ESTABLISHED)
            break;
    }
    assert_int_equal(TLS_FAILED, tls_session_state(m.us.session));
    assert_int_equal(ERR_LIMIT, tls_session_error(m.us.session)->code);
    assert_true(tls_session_output(m.us.session).n <= LIMIT_CONNECTION_OUT + LIMIT_TLS_CONTROL_OUT);
    part(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_directions_go_on),
        cmocka_unit_test(test_answers_only_if_asked),
        cmocka_unit_test(test_of_our_own),
        cmocka_unit_test(test_not_with_tls12_nor_in_the_handshake),
        cmocka_unit_test(test_flood),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
