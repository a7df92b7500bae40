#include "pki/csr.h"

#include <mbedtls/pk.h>

#include "base/limits.h"
#include "pki/dn.h"
#include "pki/pem.h"
#include "pki/pkcs8.h"
#include "tools/testpki.h"
#include "tools/unit.h"

static struct rng rng;

static mbedtls_pk_context *key_of(enum testpki_key_type type)
{
    return testpki_key(
        testpki_make(&(struct testpki_spec){.subject = "CN=key", .key_type = type, .key = 1}));
}

/* PEM of a request, and the DER in it. */
static void make(enum testpki_key_type type, struct buf *pem, struct buf *der)
{
    struct pem_reader at;
    struct pem_block block;

    buf_init(pem, 65536);
    buf_init(der, 65536);
    assert_true(is_ok(csr_write("001565A1B2C3", key_of(type), &rng, pem, NULL)));
    at = pem_begin(buf_slice(pem));
    assert_true(is_ok(pem_next(&at, &block, NULL)));
    assert_true(pem_label_is(&block, "CERTIFICATE REQUEST"));
    assert_true(is_ok(pem_decode(&block, der, NULL)));
}

static void assert_read(struct slice content, enum testpki_key_type type)
{
    struct csr c;
    struct buf spki;
    struct errinfo e = ERRINFO_INIT;
    char text[64];

    const struct result r = csr_read(content, &c, &e);
    if (is_err(r))
        fail_msg("%s", errinfo_text(&e, r));
    buf_init(&spki, 4096);
    assert_true(is_ok(pkcs8_public(key_of(type), &spki, NULL)));
    assert_true(slice_eq(c.key, buf_slice(&spki)));
    dn_text(c.subject, text, sizeof text);
    assert_string_equal("CN=001565A1B2C3", text);
    buf_free(&spki);
    csr_free(&c);
}

static void test_written_is_read(void **state)
{
    static const enum testpki_key_type types[] = {TESTPKI_P256, TESTPKI_P384, TESTPKI_P521,
                                                  TESTPKI_RSA_2048};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct buf pem, der;
        make(types[i], &pem, &der);
        assert_read(buf_slice(&pem), types[i]);
        assert_read(buf_slice(&der), types[i]);
        buf_free(&pem);
        buf_free(&der);
    }
}

static void test_text_around_it(void **state)
{
    struct buf pem, der, file;
    (void)state;

    make(TESTPKI_P256, &pem, &der);
    buf_init(&file, 65536);
    assert_true(is_ok(buf_append_str(&file, "Subject: phone\r\n")));
    assert_true(is_ok(pem_write("CERTIFICATE", SLICE_LIT("x"), &file)));
    assert_true(is_ok(pem_write("NEW CERTIFICATE REQUEST", buf_slice(&der), &file)));
    assert_read(buf_slice(&file), TESTPKI_P256);
    buf_free(&file);
    buf_free(&pem);
    buf_free(&der);
}

static void assert_refused(struct slice content, enum err code, const char *words)
{
    struct errinfo e = ERRINFO_INIT;
    struct csr c;

    assert_int_equal(code, csr_read(content, &c, &e).code);
    if (strstr(e.text, words) == NULL)
        fail_msg("'%s' does not say '%s'", e.text, words);
}

static void test_refused(void **state)
{
    static uint8_t large[LIMIT_CERT_BYTES + 1];
    struct buf pem, der;
    uint8_t *bytes;
    (void)state;

    assert_refused(SLICE_EMPTY, ERR_NOT_FOUND, "no certificate request");
    assert_refused(SLICE_LIT("hello"), ERR_NOT_FOUND, "no certificate request");
    assert_refused(SLICE_LIT("-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n"), ERR_PARSE, "no END");
    assert_refused(SLICE_LIT("0\0"), ERR_PARSE, "malformed");
    large[0] = 0x30;
    assert_refused(slice_of(large, sizeof large), ERR_LIMIT, "larger than 64 KB");
    assert_refused(testpki_der(testpki_make(&(struct testpki_spec){.subject = "CN=a", .key = 1})),
                   ERR_PARSE, "malformed");

    make(TESTPKI_P256, &pem, &der);
    bytes = der.mem + der.start;
    const size_t n = buf_len(&der);
    bytes[n - 1] ^= 1;
    assert_refused(buf_slice(&der), ERR_CRYPTO, "not signed with the key");
    bytes[n - 1] ^= 1;
    assert_refused(slice_first(buf_slice(&der), n - 1), ERR_PARSE, "malformed");
    assert_true(is_ok(buf_append(&der, SLICE_LIT("x"))));
    assert_refused(buf_slice(&der), ERR_PARSE, "malformed");
    buf_free(&pem);
    buf_free(&der);

    make(TESTPKI_RSA_1024, &pem, &der);
    assert_refused(buf_slice(&pem), ERR_INVALID, "has 1024 bits");
    buf_free(&pem);
    buf_free(&der);
}

/* Whatever byte is changed, nobody else's key is ever taken. */
static void test_every_byte_counts(void **state)
{
    struct buf pem, der;
    struct csr c;
    (void)state;

    make(TESTPKI_RSA_2048, &pem, &der); /* whose signatures are checked fastest */
    uint8_t *bytes = der.mem + der.start;
    for (size_t i = 0; i < buf_len(&der); i++) {
        bytes[i] ^= 1;
        if (is_ok(csr_read(buf_slice(&der), &c, NULL)))
            fail_msg("byte %zu does not count", i);
        bytes[i] ^= 1;
    }
    buf_free(&pem);
    buf_free(&der);
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
        cmocka_unit_test(test_text_around_it),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_every_byte_counts),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
