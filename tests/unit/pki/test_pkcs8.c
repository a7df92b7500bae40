#include "base/limits.h"
#include "pki/pkcs8.h"

#include <mbedtls/pk.h>

#include "pki/privkey.h"
#include "pki/pubkey.h"
#include "tools/testpki.h"
#include "tools/unit.h"

static struct rng rng;

/* What PEM holds is KEY. */
static void assert_opens(struct buf *pem, const char *password, mbedtls_pk_context *key)
{
    mbedtls_pk_context back;

    mbedtls_pk_init(&back);
    assert_true(is_ok(privkey_load(buf_slice(pem), slice_of_str(password), LIMIT_KEY_ITERATIONS,
                                   &rng, &back, NULL)));
    assert_int_equal(0, mbedtls_pk_check_pair(key, &back, rng.fill, rng.ctx));
    mbedtls_pk_free(&back);
}

static void test_written_is_read(void **state)
{
    static const enum testpki_key_type types[] = {TESTPKI_P256, TESTPKI_P384, TESTPKI_P521,
                                                  TESTPKI_RSA_1024};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        mbedtls_pk_context *key = testpki_key(testpki_make(
            &(struct testpki_spec){.subject = "CN=a", .key_type = types[i], .key = 1}));
        struct buf pem;
        buf_init(&pem, 16384);
        assert_true(is_ok(pkcs8_write(key, &pem, NULL)));
        assert_true(slice_starts(buf_slice(&pem), SLICE_LIT("-----BEGIN PRIVATE KEY-----\n")));
        assert_opens(&pem, "", key);
        buf_wipe(&pem);
    }
}

static void test_encrypted(void **state)
{
    mbedtls_pk_context *key =
        testpki_key(testpki_make(&(struct testpki_spec){.subject = "CN=a", .key = 1}));
    mbedtls_pk_context back;
    struct buf pem;
    struct errinfo e = ERRINFO_INIT;
    (void)state;

    buf_init(&pem, 16384);
    assert_true(
        is_ok(pkcs8_write_encrypted(key, SLICE_LIT("open sesame"), 1000, &rng, &pem, NULL)));
    assert_true(
        slice_starts(buf_slice(&pem), SLICE_LIT("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")));
    assert_opens(&pem, "open sesame", key);
    mbedtls_pk_init(&back);
    assert_int_equal(ERR_CRYPTO, privkey_load(buf_slice(&pem), SLICE_LIT("open"),
                                              LIMIT_KEY_ITERATIONS, &rng, &back, &e)
                                     .code);
    assert_non_null(strstr(e.text, "does not open"));
    mbedtls_pk_free(&back);
    buf_wipe(&pem);
}

static void test_new_keys(void **state)
{
    static const struct {
        unsigned rsa_bits, bits;
        enum pubkey_type type;
    } cases[] = {{0, 256, PUBKEY_EC}, {2048, 2048, PUBKEY_RSA}};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        mbedtls_pk_context key;
        struct buf spki;
        struct pubkey got;
        mbedtls_pk_init(&key);
        buf_init(&spki, 4096);
        assert_true(is_ok(pkcs8_new_key(cases[i].rsa_bits, &rng, &key, NULL)));
        assert_true(is_ok(pkcs8_public(&key, &spki, NULL)));
        got = pubkey_read(buf_slice(&spki));
        assert_int_equal(cases[i].type, got.type);
        assert_int_equal(cases[i].bits, got.bits);
        assert_false(got.bad_exponent);
        buf_free(&spki);
        mbedtls_pk_free(&key);
    }
}

static int no_random(void *ctx, unsigned char *out, size_t n)
{
    (void)ctx;
    (void)out;
    (void)n;
    return -1;
}

static void test_refused(void **state)
{
    const struct rng broken = {no_random, NULL};
    mbedtls_pk_context key;
    struct buf pem;
    struct errinfo e = ERRINFO_INIT;
    (void)state;

    mbedtls_pk_init(&key);
    assert_int_equal(ERR_INVALID, pkcs8_new_key(1024, &rng, &key, &e).code);
    assert_string_equal("an RSA key has 2048, 3072 or 4096 bits, not 1024", e.text);
    assert_int_equal(ERR_CRYPTO, pkcs8_new_key(0, &broken, &key, NULL).code);
    mbedtls_pk_free(&key);
    buf_init(&pem, 16384);
    assert_int_equal(
        ERR_CRYPTO, pkcs8_write_encrypted(testpki_key(testpki_make(
                                              &(struct testpki_spec){.subject = "CN=a", .key = 1})),
                                          SLICE_LIT("x"), 1000, &broken, &pem, NULL)
                        .code);
    assert_int_equal(0, buf_len(&pem));
    buf_wipe(&pem);
}

static int set_up(void **state)
{
    (void)state;
    rng = testpki_rng();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_is_read),
        cmocka_unit_test(test_encrypted),
        cmocka_unit_test(test_new_keys),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
