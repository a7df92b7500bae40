/* What a profile says, and what handshakes make of it: suites, groups, names, protocols, chains. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls/ciphers.h"
#include "tools/tlswire.h"
#include "tools/unit.h"

static struct identity *server_id, *rsa_id;

static struct identity *make_identity(enum testpki_key_type type)
{
    const struct testpki_cert *leaf =
        testpki_make(&(struct testpki_spec){.subject = "CN=sip.example.com", .key_type = type});

    return tlswire_identity(&leaf, 1);
}

static int set_up_all(void **state)
{
    (void)state;
    tlswire_global_init();
    server_id = make_identity(TESTPKI_P256);
    rsa_id = make_identity(TESTPKI_RSA_2048);
    return 0;
}

static int tear_down_all(void **state)
{
    (void)state;
    identity_unref(server_id);
    identity_unref(rsa_id);
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

/* Each suite that we offer works, with the key type that it is for, when the peer has only it. */
static void test_every_suite(void **state)
{
    (void)state;
    for (const int *suite = tls_cipher_suites; *suite != 0; suite++) {
        const int one[] = {*suite, 0};
        const char *name = tls_cipher_name(*suite);
        struct tlsbare bare;
        const bool tls12 = strstr(name, "_WITH_") != NULL;
        tlsbare_init(&bare, &(struct tlsbare_spec){.suites = one,
                                                   .max = tls12 ? MBEDTLS_SSL_VERSION_TLS1_2 : 0});
        struct tlspair p = pair(
            (struct tlsend_spec){0},
            (struct tlsend_spec){.identity = strstr(name, "_RSA_") != NULL ? rsa_id : server_id});
        tlsend_open(&p.server, &p.server_spec);
        tlsbare_step(&bare);
        tlswire_run(tlsbare_wire(&bare), tlsend_wire(&p.server), 0);
        assert_state(p.server, TLS_ESTABLISHED);
        assert_string_equal(name, tls_session_facts(p.server.session).cipher);
        tlsbare_write(&bare, name);
        tlswire_run(tlsbare_wire(&bare), tlsend_wire(&p.server), 0);
        assert_reads(&p.server, name);
        tlsbare_free(&bare);
        tlspair_free(&p);
    }
}

static void test_every_group(void **state)
{
    (void)state;
    for (const uint16_t *group = tls_groups; *group != 0; group++) {
        const uint16_t one[] = {*group, MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, 0};
        for (int tls13 = 0; tls13 < 2; tls13++) {
            struct tlsbare bare;
            tlsbare_init(&bare, &(struct tlsbare_spec){
                                    .groups = one,
                                    .max = tls13 ? 0 : MBEDTLS_SSL_VERSION_TLS1_2,
                                });
            struct tlspair p = plain_pair();
            tlsend_open(&p.server, &p.server_spec);
            tlsbare_step(&bare);
            tlswire_run(tlsbare_wire(&bare), tlsend_wire(&p.server), 0);
            assert_state(p.server, TLS_ESTABLISHED);
            tlsbare_free(&bare);
            tlspair_free(&p);
        }
    }
}

/* A client that guesses the wrong group is asked again (HelloRetryRequest). */
static void test_server_has_another_group(void **state)
{
    static const uint16_t p384[] = {MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, 0};
    const struct testpki_cert *ca =
        testpki_make(&(struct testpki_spec){.subject = "CN=CA", .ca = true, .no_key_usage = true});
    const struct slice chain[] = {testpki_der(ca)};
    struct tlsbare bare;
    (void)state;

    tlsbare_init(&bare,
                 &(struct tlsbare_spec){
                     .server = true, .groups = p384, .chain = chain, .chain_len = 1, .key_of = ca});
    struct tlspair p = plain_pair();
    tlsend_open(&p.client, &p.client_spec);
    tlswire_run(tlsend_wire(&p.client), tlsbare_wire(&bare), 0);
    assert_state(p.client, TLS_ESTABLISHED);
    assert_int_equal(0, mbedtls_ssl_is_handshake_over(&bare.ssl) == 0);
    tlsbare_free(&bare);
    tlspair_free(&p);
}

static int note_name(void *arg, mbedtls_ssl_context *ssl, const unsigned char *name, size_t n)
{
    (void)ssl;
    (void)slice_to_str(slice_of(name, n), arg, 256);
    return 0;
}

static void test_server_name(void **state)
{
    static const struct {
        const char *name;
        const char *sent; /* NULL: no extension */
    } cases[] = {
        {"sip.example.com", "sip.example.com"},
        {"sip.example.com.", "sip.example.com"},
        {"192.0.2.1", NULL},
        {"2001:db8::1", NULL},
        {"[2001:db8::1]", NULL},
        {"not a name", NULL},
        {"", NULL},
        {NULL, NULL},
    };
    const struct testpki_cert *ca =
        testpki_make(&(struct testpki_spec){.subject = "CN=CA", .ca = true, .no_key_usage = true});
    const struct slice chain[] = {testpki_der(ca)};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char name[256] = "";
        struct tlsbare bare;
        tlsbare_init(&bare, &(struct tlsbare_spec){
                                .server = true, .chain = chain, .chain_len = 1, .key_of = ca});
        mbedtls_ssl_conf_sni(&bare.config, note_name, name);
        struct tlspair p =
            pair((struct tlsend_spec){.server_name = cases[i].name}, (struct tlsend_spec){0});
        tlsend_open(&p.client, &p.client_spec);
        tlswire_run(tlsend_wire(&p.client), tlsbare_wire(&bare), 0);
        assert_state(p.client, TLS_ESTABLISHED);
        assert_string_equal(cases[i].sent != NULL ? cases[i].sent : "", name);
        tlsbare_free(&bare);
        tlspair_free(&p);
    }
}

static void test_alpn(void **state)
{
    static const char *const sip[] = {"sip/2", NULL};
    static const char *const web[] = {"http/1.1", NULL};
    static const struct {
        const char *const *client, *const *server;
        const char *want;
        enum tls_state end;
    } cases[] = {
        {NULL, NULL, NULL, TLS_ESTABLISHED}, {sip, sip, "sip/2", TLS_ESTABLISHED},
        {sip, NULL, NULL, TLS_ESTABLISHED},  {NULL, sip, NULL, TLS_ESTABLISHED},
        {web, sip, NULL, TLS_FAILED},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (int tls13 = 0; tls13 < 2; tls13++) {
            struct tlspair p =
                pair((struct tlsend_spec){.alpn = cases[i].client},
                     (struct tlsend_spec){.alpn = cases[i].server,
                                          .versions = tls13 ? TLS_1_3_ONLY : TLS_1_2_ONLY});
            tlspair_connect(&p, 0);
            assert_state(p.client, cases[i].end);
            const char *alpn = tls_session_facts(p.client.session).alpn;
            if (cases[i].want == NULL)
                assert_null(alpn);
            else
                assert_string_equal(cases[i].want, alpn);
            tlspair_free(&p);
        }
    }
}

static void test_profile_that_makes_no_sense(void **state)
{
    const struct rng rng = testpki_rng();
    const struct tls_profile_params cases[] = {
        {.role = TLS_SERVER, .rng = rng},
        {.role = TLS_CLIENT, .rng = rng, .client_auth = TLS_CLIENT_AUTH_REQUIRE},
        {.role = TLS_CLIENT},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tls_profile *p = NULL;
        struct errinfo e = ERRINFO_INIT;
        assert_int_equal(ERR_INVALID, tls_profile_new(&cases[i], &p, &e).code);
        assert_true(e.text[0] != '\0');
        assert_null(p);
    }
}

/* A leaf and the CAs above it, without the root: N certificates as large as those with RSA keys. */
static size_t make_chain(const struct testpki_cert **chain, size_t n)
{
    static const uint8_t filler[900];
    const struct testpki_ext large = {"1.2.3.4", false, slice_of(filler, sizeof(filler))};
    struct testpki_spec spec = {
        .subject = "CN=root", .key = 1, .ca = true, .exts = &large, .exts_count = 1};
    const struct testpki_cert *issuer = testpki_make(&spec);
    char name[32];

    for (size_t i = n; i-- > 0;) {
        (void)snprintf(name, sizeof(name), "CN=level %zu", i);
        spec.subject = name;
        spec.issuer = issuer;
        spec.key = (unsigned)(2 + i % 2);
        spec.ca = i > 0;
        issuer = chain[i] = testpki_make(&spec);
    }
    return n;
}

/* Enough room for every chain that is used; one that is too long is said to be, not cut. */
static void test_long_chain(void **state)
{
    const struct testpki_cert *chain[LIMIT_OWN_CERTS];
    const struct rng rng = testpki_rng();
    struct errinfo e = ERRINFO_INIT;
    size_t n = 0;
    (void)state;

    while (e.code == ERR_OK && n < COUNT_OF(chain)) {
        n = make_chain(chain, n + 1);
        struct identity *id = tlswire_identity(chain, n);
        const struct tls_profile_params params = {.role = TLS_SERVER, .identity = id, .rng = rng};
        struct tls_profile *profile = NULL;
        if (is_ok(tls_profile_new(&params, &profile, &e))) {
            struct tlspair p = pair((struct tlsend_spec){0}, (struct tlsend_spec){.identity = id});
            tlspair_connect(&p, 0);
            assert_state(p.client, TLS_ESTABLISHED);
            assert_int_equal(n, p.client.chain_len);
            tlspair_free(&p);
        }
        tls_profile_unref(profile);
        identity_unref(id);
    }
    assert_int_equal(ERR_LIMIT, e.code);
    assert_non_null(strstr(e.text, "leave out"));
    assert_true(n > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_suite),
        cmocka_unit_test(test_every_group),
        cmocka_unit_test(test_server_has_another_group),
        cmocka_unit_test(test_server_name),
        cmocka_unit_test(test_alpn),
        cmocka_unit_test(test_profile_that_makes_no_sense),
        cmocka_unit_test(test_long_chain),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
