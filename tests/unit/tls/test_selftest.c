#include "tls/selftest.h"

#include <mbedtls/pk.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tlswire.h"
#include "tools/unit.h"

static const struct testpki_cert *root;

static int set_up(void **state)
{
    (void)state;
    tlswire_global_init();
    root = testpki_make(&(struct testpki_spec){.subject = "CN=Root", .ca = true, .key = 1});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tls_global_free();
    return 0;
}

static struct result try(struct identity *id, struct errinfo *e)
{
    const struct rng rng = testpki_rng();

    *e = ERRINFO_INIT;
    return tls_selftest(id, &rng, e);
}

/* Neither dates nor purpose are its business: those are judged by pki/upload. */
static void test_every_kind_of_key(void **state)
{
    static const char *const server[] = {TESTPKI_OID_SERVER_AUTH, NULL};
    static const struct testpki_spec specs[] = {
        {.key_type = TESTPKI_P256},     {.key_type = TESTPKI_P384},
        {.key_type = TESTPKI_P521},     {.key_type = TESTPKI_RSA_2048},
        {.key_type = TESTPKI_RSA_3072}, {.eku = server, .key_usage = TESTPKI_DIGITAL_SIGNATURE},
        {.not_after = TESTPKI_NOW - 1},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(specs); i++) {
        struct testpki_spec spec = specs[i];
        spec.subject = "CN=phone";
        spec.issuer = root;
        const struct testpki_cert *chain[] = {testpki_make(&spec), root};
        struct identity *id = tlswire_identity(chain, 2);
        struct errinfo e;
        const struct result r = try(id, &e);

        if (is_err(r))
            fail_msg("%zu: %s", i, errinfo_text(&e, r));
        identity_unref(id);
    }
}

/* The certificate says what no TLS server may have: mbedTLS does not send it. */
static void test_a_key_that_may_not_sign(void **state)
{
    const struct testpki_cert *leaf =
        testpki_make(&(struct testpki_spec){.subject = "CN=phone", .key_usage = TESTPKI_CRL_SIGN});
    struct identity *id = tlswire_identity(&leaf, 1);
    struct errinfo e;
    (void)state;

    assert_int_equal(ERR_CRYPTO, try(id, &e).code);
    assert_non_null(strstr(e.text, "a trial of the certificate with TLS 1.2 failed: "));
    identity_unref(id);
}

/* A private key that was damaged, and went unnoticed so far: its signatures are wrong. */
static void test_a_damaged_key(void **state)
{
    const struct testpki_cert *leaf =
        testpki_make(&(struct testpki_spec){.subject = "CN=phone", .key = 2});
    const struct testpki_cert *other =
        testpki_make(&(struct testpki_spec){.subject = "CN=other", .key = 3});
    struct identity *id = tlswire_identity(&leaf, 1);
    struct identity *victim = tlswire_identity(&other, 1);
    struct errinfo e;
    (void)state;

    const mbedtls_pk_context kept = *identity_mbedtls_key(id);
    *identity_mbedtls_key(id) = *identity_mbedtls_key(victim);
    assert_int_equal(ERR_CRYPTO, try(id, &e).code);
    assert_non_null(strstr(e.text, "failed: "));
    *identity_mbedtls_key(id) = kept;
    assert_true(is_ok(try(id, &e)));
    identity_unref(victim);
    identity_unref(id);
}

/* More than goes into one record. */
static void test_a_chain_that_is_too_long(void **state)
{
    static uint8_t filling[9000];
    const struct testpki_ext ext = {"1.2.3.4", false, {filling, sizeof filling}};
    const struct testpki_cert *leaf =
        testpki_make(&(struct testpki_spec){.subject = "CN=phone", .exts = &ext, .exts_count = 1});
    struct identity *id = tlswire_identity(&leaf, 1);
    struct errinfo e;
    (void)state;

    assert_int_equal(ERR_LIMIT, try(id, &e).code);
    assert_non_null(strstr(e.text, "leave out those that peers have themselves"));
    identity_unref(id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_of_key),
        cmocka_unit_test(test_a_key_that_may_not_sign),
        cmocka_unit_test(test_a_damaged_key),
        cmocka_unit_test(test_a_chain_that_is_too_long),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
