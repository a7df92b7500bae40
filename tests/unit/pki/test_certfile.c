#include "pki/certfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "tools/der.h"
#include "tools/testpki.h"
#include "tools/unit.h"

/* Two certificates that differ, as DER and as PEM with LF. */
static struct slice der_a, der_b;
static char *pem_a, *pem_b;

static int set_up(void **state)
{
    (void)state;
    der_a = testpki_der(testpki_make(&(struct testpki_spec){.subject = "CN=a", .key = 1}));
    der_b = testpki_der(testpki_make(&(struct testpki_spec){.subject = "CN=b", .key = 2}));
    pem_a = testpki_pem_of(der_a, "CERTIFICATE");
    pem_b = testpki_pem_of(der_b, "CERTIFICATE");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(pem_a);
    free(pem_b);
    return 0;
}

/* What was read, as letters; "?" for anything but the two. */
struct got {
    char letters[16];
    size_t n;
    size_t fail_at; /* the callback fails at this number; 0: never */
};

static struct result collect(void *arg, struct slice der, struct errinfo *e)
{
    struct got *got = arg;

    got->letters[got->n++] = (char)(slice_eq(der, der_a) ? 'a' : slice_eq(der, der_b) ? 'b' : '?');
    if (got->n == got->fail_at)
        return fail(e, ERR_CERT, "not wanted");
    return OK;
}

static void assert_reads(struct slice content, const char *letters)
{
    struct got got = {{0}, 0, 0};
    struct errinfo e = ERRINFO_INIT;
    uint8_t *exact = malloc(content.n > 0 ? content.n : 1); /* so that a read past it is seen */
    struct result r;

    memcpy(exact, content.p, content.n);
    r = certfile_each(slice_of(exact, content.n), collect, &got, &e);
    if (is_err(r))
        fail_msg("%s", errinfo_text(&e, r));
    assert_string_equal(letters, got.letters);
    free(exact);
}

static void assert_refuses(struct slice content, enum err code, const char *words)
{
    struct got got = {{0}, 0, 0};
    struct errinfo e = ERRINFO_INIT;
    uint8_t *exact = malloc(content.n > 0 ? content.n : 1);
    struct result r;

    if (content.n > 0)
        memcpy(exact, content.p, content.n);
    r = certfile_each(slice_of(exact, content.n), collect, &got, &e);
    assert_int_equal(code, r.code);
    if (strstr(e.text, words) == NULL)
        fail_msg("'%s' does not say '%s'", e.text, words);
    free(exact);
}

/* "%A" and "%B" in FORMAT become the PEM of the two. */
static struct buf text_of(const char *format)
{
    struct buf b;

    buf_init(&b, 1U << 20);
    for (; *format != '\0'; format++) {
        if (format[0] == '%' && (format[1] == 'A' || format[1] == 'B'))
            assert_true(is_ok(buf_append_str(&b, *++format == 'A' ? pem_a : pem_b)));
        else
            assert_true(is_ok(buf_append(&b, slice_of(format, 1))));
    }
    return b;
}

static void test_texts(void **state)
{
    static const struct {
        const char *text, *letters;
    } cases[] = {
        {"%A", "a"},
        {"%A%B", "ab"},
        {"%B\n\n%A\n\n", "ba"},
        {"%A%A", "aa"},
        {"\xef\xbb\xbf%A", "a"},
        {"%A\xef\xbb\xbf%B", "ab"}, /* files put together */
        {"Subject: a\n 0 s:CN = a\n%Abetween\n%Bbehind", "ab"},
        {"paste from -----BEGIN to -----END\n%A", "a"},
        {"take what is behind -----BEGIN CERTIFICATE----- and\n%A", "a"},
        {"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n%A", "a"},
        {"MIME-Version: 1.0\n\n%A", "a"}, /* begins as Base64 of DER does */
        {"0 s:CN = a\n%A", "a"},          /* begins with the byte that DER begins with */
        {"-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n%A", "a"},
        {"%A-----BEGIN RSA PRIVATE KEY-----\nnot read\n-----END RSA PRIVATE KEY-----\n%B", "ab"},
        {"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n%A", "a"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf b = text_of(cases[i].text);

        assert_reads(buf_slice(&b), cases[i].letters);
        buf_free(&b);
    }
}

/* A copy of the PEM of both in which each LINE END is replaced. */
static struct buf with_line_ends(const char *end, const char *before_line)
{
    struct slice rest;
    struct buf both = text_of("%A%B"), b;

    buf_init(&b, 1U << 20);
    rest = buf_slice(&both);
    while (rest.n > 0) {
        struct slice line = slice_cut(&rest, '\n');

        assert_true(is_ok(buf_append_str(&b, before_line)));
        assert_true(is_ok(buf_append(&b, line)));
        assert_true(is_ok(buf_append_str(&b, end)));
    }
    buf_free(&both);
    return b;
}

static void test_line_ends(void **state)
{
    static const struct {
        const char *end, *before;
    } cases[] = {
        {"\n", ""},        {"\r\n", ""}, {"\r", ""},   {"  \t\n", ""},
        {" \r\n", "    "}, {"\n", "\t"}, {"\n\n", ""}, {"\r\n\r\n", ""},
        {" ", ""},         {"", ""},     {"\\n", ""},  {"\\r\\n", ""},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf b = with_line_ends(cases[i].end, cases[i].before);

        assert_reads(buf_slice(&b), "ab");
        buf_free(&b);
    }
}

static void test_no_last_line_end(void **state)
{
    (void)state;
    assert_reads(slice_of(pem_a, strlen(pem_a) - 1), "a");
}

static void test_lines_of_any_length(void **state)
{
    (void)state;
    for (size_t length = 1; length < 200; length += 13) {
        struct slice base64 = slice_of(pem_a + 28, strlen(pem_a) - 28 - 26);
        struct buf b;
        size_t column = 0;

        buf_init(&b, 1U << 20);
        assert_true(is_ok(buf_append_str(&b, "-----BEGIN CERTIFICATE-----\n")));
        for (size_t i = 0; i < base64.n; i++) {
            if (base64.p[i] == '\n')
                continue;
            assert_true(is_ok(buf_append(&b, slice_of(base64.p + i, 1))));
            if (++column % length == 0)
                assert_true(is_ok(buf_append_str(&b, "\n")));
        }
        assert_true(is_ok(buf_append_str(&b, "\n-----END CERTIFICATE-----\n")));
        assert_reads(buf_slice(&b), "a");
        buf_free(&b);
    }
}

static void test_labels(void **state)
{
    static const char *const labels[] = {"X509 CERTIFICATE", "TRUSTED CERTIFICATE"};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(labels); i++) {
        char *pem = testpki_pem_of(der_a, labels[i]);

        assert_reads(slice_of_str(pem), "a");
        free(pem);
    }
}

/* OpenSSL puts its trust settings behind the certificate. */
static void test_trusted_certificate_with_settings(void **state)
{
    struct der d = {0};
    char *pem;
    (void)state;

    der_raw(&d, der_a);
    der_close(&d, der_open(&d, DER_SEQUENCE));
    pem = testpki_pem_of(der_slice(&d), "TRUSTED CERTIFICATE");
    assert_reads(slice_of_str(pem), "a");
    free(pem);
    pem = testpki_pem_of(der_slice(&d), "CERTIFICATE");
    assert_reads(slice_of_str(pem), "a");
    free(pem);
    der_free(&d);
}

static void test_der(void **state)
{
    struct der d = {0};
    (void)state;

    assert_reads(der_a, "a");
    der_raw(&d, der_a);
    der_raw(&d, der_b);
    assert_reads(der_slice(&d), "ab");
    der_raw(&d, SLICE_LIT("\r\n\0"));
    assert_reads(der_slice(&d), "ab");
    der_raw(&d, SLICE_LIT("x"));
    assert_reads(der_slice(&d), "ab"); /* rubbish, which can be no third */
    der_raw(&d, slice_first(der_a, 5));
    assert_reads(der_slice(&d), "ab");
    assert_refuses(slice_first(der_a, der_a.n - 1), ERR_PARSE, "damaged or cut off");
    der_free(&d);
    der_raw(&d, der_a);
    der_raw(&d, slice_first(der_b, der_b.n - 1));
    assert_refuses(der_slice(&d), ERR_PARSE, ": the certificate that begins here is cut off");
    der_free(&d);
}

static void test_base64_without_armour(void **state)
{
    const size_t begin = strlen("-----BEGIN CERTIFICATE-----\n");
    const size_t end = strlen("-----END CERTIFICATE-----\n");
    (void)state;

    assert_reads(slice_of(pem_a + begin, strlen(pem_a) - begin - end), "a");
}

static void test_older_certificates_are_told_from_their_kin(void **state)
{
    const struct testpki_cert *v1 =
        testpki_make(&(struct testpki_spec){.subject = "CN=a", .version = 1});
    (void)state;

    assert_reads(testpki_der(v1), "?");
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        enum err code;
        const char *words;
    } cases[] = {
        {"", ERR_NOT_FOUND, "empty"},
        {"\xef\xbb\xbf\r\n \n", ERR_NOT_FOUND, "empty"},
        {"hello\n", ERR_NOT_FOUND, "no certificate in the file"},
        {"<html>Login</html>", ERR_NOT_FOUND, "no certificate in the file"},
        {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", ERR_NOT_FOUND,
         "but a private key"},
        {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", ERR_NOT_FOUND,
         "but a public key"},
        {"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
         ERR_NOT_FOUND, "but a certificate request"},
        {"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", ERR_NOT_FOUND,
         "but a revocation list"},
        {"-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n", ERR_UNSUPPORTED,
         "openssl pkcs7 -print_certs -in"},
        {"-----BEGIN CMS-----\nAAAA\n-----END CMS-----\n", ERR_UNSUPPORTED, "PKCS#7"},
        {"\n%A-----BEGIN CERTIFICATE-----\nAAAA\n", ERR_PARSE, "has no END"},
        {"-----BEGIN CERTIFICATE-----\nAAAA\n%A", ERR_PARSE, "line 1: the block that begins here"},
        {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n", ERR_PARSE,
         "line 3: this END line"},
        {"-----BEGIN CERTIFICATE----\nAAAA\n-----END CERTIFICATE-----\n", ERR_PARSE,
         "line 1: the BEGIN line"},
        {"----BEGIN CERTIFICATE----\nAAAA\n----END CERTIFICATE----\n", ERR_PARSE,
         "exactly five hyphens"},
        {"a\r\nb\r\n\r\n-----BEGIN CERTIFICATE-----\r\nAAAA\r\nAA*A\r\n-----END CERTIFICATE-----",
         ERR_PARSE, "line 6: this is not Base64"},
        {"a\rb\r-----BEGIN CERTIFICATE-----\rAA=A\r-----END CERTIFICATE-----", ERR_PARSE,
         "line 4: this is not Base64"},
        {"-----BEGIN CERTIFICATE-----\nAAAAA\n-----END CERTIFICATE-----", ERR_PARSE,
         "this is not Base64"},
        {"-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----", ERR_NOT_FOUND,
         "a block that is empty"},
        {"-----BEGIN CERTIFICATE-----\nMIIBAAAA\n-----END CERTIFICATE-----", ERR_PARSE,
         "line 1: the certificate is damaged"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf b = text_of(cases[i].text);

        assert_refuses(buf_slice(&b), cases[i].code, cases[i].words);
        buf_free(&b);
    }
}

static void test_refused_bytes(void **state)
{
    static const struct {
        struct slice bytes;
        enum err code;
        const char *words;
    } cases[] = {
#define ROW(bytes, code, words) {{(const uint8_t *)(bytes), sizeof(bytes) - 1}, code, words}
        ROW("\xff\xfe-\0-\0", ERR_UNSUPPORTED, "iconv -f UTF-16"),
        ROW("\xfe\xff\0-\0-", ERR_UNSUPPORTED, "UTF-16"),
        ROW("-\0-\0-\0", ERR_UNSUPPORTED, "UTF-16"),
        ROW("\0-\0-\0-", ERR_UNSUPPORTED, "UTF-16"),
        /* PKCS#7 and PKCS#12 with the indefinite lengths that some programs write */
        ROW("\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", ERR_UNSUPPORTED,
            "openssl pkcs7 -print_certs -inform DER"),
        ROW("\x30\x80\x02\x01\x03\x30\x80", ERR_UNSUPPORTED, "openssl pkcs12"),
#undef ROW
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_refuses(cases[i].bytes, cases[i].code, cases[i].words);
}

/* A SEQUENCE of what is in INNER, and enough behind it to have a long length. */
static struct der padded(struct slice inner)
{
    static const uint8_t filling[200] = {0};
    struct der d = {0};
    size_t opened = der_open(&d, DER_SEQUENCE);

    der_raw(&d, inner);
    der_put(&d, DER_BIT_STRING, slice_of(filling, sizeof(filling)));
    der_close(&d, opened);
    return d;
}

/* What begins like these is that, in DER and in PEM that says CERTIFICATE. */
static void test_kinds_of_der(void **state)
{
    static const struct {
        struct slice inner;
        enum err code;
        const char *words;
    } cases[] = {
#define ROW(inner, code, words) {{(const uint8_t *)(inner), sizeof(inner) - 1}, code, words}
        ROW("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", ERR_UNSUPPORTED, "PKCS#7"),
        ROW("\x02\x01\x03\x30\x00", ERR_UNSUPPORTED, "PKCS#12"),
        ROW("\x02\x01\x00\x02\x01\x05", ERR_NOT_FOUND, "a private key"),         /* RSA */
        ROW("\x02\x01\x01\x04\x01\x05", ERR_NOT_FOUND, "a private key"),         /* EC */
        ROW("\x30\x03\x06\x01\x2a\x04\x01\x00", ERR_NOT_FOUND, "a private key"), /* encrypted */
        ROW("\x30\x03\x06\x01\x2a", ERR_NOT_FOUND, "a public key"),
        /* a request has its name where the others have an algorithm */
        ROW("\x30\x07\x02\x01\x00\x30\x02\x31\x00", ERR_NOT_FOUND, "a certificate request"),
        ROW("\x30\x0c\x02\x01\x01\x30\x03\x06\x01\x2a\x30\x00\x17\x00", ERR_NOT_FOUND,
            "a revocation list"),
        ROW("\x30\x05\x30\x03\x06\x01\x2a", ERR_NOT_FOUND, "a revocation list"), /* version 1 */
        ROW("\x04\x00", ERR_NOT_FOUND, "something else"),
#undef ROW
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct der d = padded(cases[i].inner);
        char *pem = testpki_pem_of(der_slice(&d), "CERTIFICATE");

        assert_refuses(der_slice(&d), cases[i].code, cases[i].words);
        assert_refuses(slice_of_str(pem), cases[i].code, cases[i].words);
        der_free(&d);
        free(pem);
    }
}

static void test_the_callers_refusal_is_given_its_line(void **state)
{
    struct buf b = text_of("one\n%A\n%B%A");
    struct got got = {{0}, 0, 2};
    struct errinfo e = ERRINFO_INIT;
    char words[64];
    size_t lines = 2;
    (void)state;

    for (const char *p = pem_a; *p != '\0'; p++)
        lines += *p == '\n';
    (void)snprintf(words, sizeof(words), "line %zu: not wanted", lines + 1);
    assert_int_equal(ERR_CERT, certfile_each(buf_slice(&b), collect, &got, &e).code);
    assert_string_equal(words, e.text);
    assert_string_equal("ab", got.letters); /* and nothing after it */
    buf_free(&b);
}

static void test_sizes(void **state)
{
    uint8_t *large = malloc(LIMIT_CERT_FILE_BYTES + 1);
    char *pem;
    (void)state;

    memset(large, 'x', LIMIT_CERT_FILE_BYTES + 1);
    assert_refuses(slice_of(large, LIMIT_CERT_FILE_BYTES + 1), ERR_LIMIT, "5 MB");
    assert_refuses(slice_of(large, LIMIT_CERT_FILE_BYTES), ERR_NOT_FOUND, "no certificate");
    memset(large, '-', LIMIT_CERT_FILE_BYTES);
    assert_refuses(slice_of(large, LIMIT_CERT_FILE_BYTES), ERR_NOT_FOUND, "no certificate");
    pem = testpki_pem_of(slice_of(large, LIMIT_CERT_BYTES + 1), "CERTIFICATE");
    assert_refuses(slice_of_str(pem), ERR_LIMIT, "line 1: the block is larger than 64 KB");
    free(pem);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_no_last_line_end),
        cmocka_unit_test(test_lines_of_any_length),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_trusted_certificate_with_settings),
        cmocka_unit_test(test_der),
        cmocka_unit_test(test_base64_without_armour),
        cmocka_unit_test(test_older_certificates_are_told_from_their_kin),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_refused_bytes),
        cmocka_unit_test(test_kinds_of_der),
        cmocka_unit_test(test_the_callers_refusal_is_given_its_line),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
