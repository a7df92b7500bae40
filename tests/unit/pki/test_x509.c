#include "pki/x509.h"

#include <mbedtls/x509_crt.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "tools/der.h"
#include "tools/testpki.h"
#include "tools/unit.h"

static struct cert *parse(const struct testpki_spec *spec)
{
    struct errinfo e = ERRINFO_INIT;
    struct cert *c = NULL;
    struct result r = cert_parse(testpki_der(testpki_make(spec)), &c, &e);

    if (is_err(r))
        fail_msg("%s", errinfo_text(&e, r));
    return c;
}

/* Fails unless DER is refused with CODE and a sentence that has WORDS. */
static void assert_refused(struct slice der, enum err code, const char *words)
{
    struct errinfo e = ERRINFO_INIT;
    struct cert *c = NULL;
    struct result r = cert_parse(der, &c, &e);

    assert_int_equal(code, r.code);
    assert_null(c);
    if (strstr(e.text, words) == NULL)
        fail_msg("'%s' does not say '%s'", e.text, words);
}

static void test_fields(void **state)
{
    const struct testpki_cert *ca =
        testpki_make(&(struct testpki_spec){.subject = "CN=Test CA", .ca = true, .key = 1});
    const struct testpki_cert *made =
        testpki_make(&(struct testpki_spec){.subject = "CN=a.example", .issuer = ca, .key = 2});
    struct cert *c;
    uint8_t expected[HASH_SHA256_SIZE], sha256[HASH_SHA256_SIZE];
    (void)state;

    assert_true(is_ok(cert_parse(testpki_der(made), &c, NULL)));
    assert_true(slice_eq(testpki_der(made), cert_der(c)));
    assert_ptr_not_equal(testpki_der(made).p, cert_der(c).p);
    hash_sha256(testpki_der(made), expected);
    cert_sha256(c, sha256);
    assert_memory_equal(expected, sha256, sizeof(sha256));
    assert_true(slice_eq(testpki_name(ca), cert_issuer(c)));
    assert_true(slice_eq(testpki_name(made), cert_subject(c)));
    assert_int_equal(TESTPKI_NOT_BEFORE, cert_not_before(c));
    assert_int_equal(TESTPKI_NOT_AFTER, cert_not_after(c));
    assert_true(slice_eq(testpki_key_id(made), cert_subject_key_id(c)));
    assert_true(slice_eq(cert_der(c), cert_fields(c)->der));
    assert_ptr_equal(cert_der(c).p, cert_fields(c)->der.p);
    cert_unref(c);
}

static void test_static_parse_keeps_no_copy(void **state)
{
    struct slice der = testpki_der(testpki_make(&(struct testpki_spec){.subject = "CN=a"}));
    struct cert *c;
    (void)state;

    assert_true(is_ok(cert_parse_static(der, &c, NULL)));
    assert_ptr_equal(der.p, cert_der(c).p);
    cert_unref(c);
}

static void test_references(void **state)
{
    struct cert *c = parse(&(struct testpki_spec){.subject = "CN=a"});
    (void)state;

    assert_ptr_equal(c, cert_ref(c));
    cert_unref(c);
    assert_int_equal(3, cert_fields(c)->version);
    cert_unref(c);
    cert_unref(NULL);
}

static void test_dates(void **state)
{
    static const int64_t dates[] = {
        -631152000,   /* 1950-01-01, the first that UTCTime has */
        -1,           /* 1969-12-31T23:59:59Z */
        951868799,    /* 2000-02-29T23:59:59Z */
        951868800,    /* 2000-03-01 */
        2524607999,   /* 2049-12-31T23:59:59Z, the last UTCTime */
        2524608000,   /* 2050-01-01, GeneralizedTime */
        4107542400,   /* 2100-03-01: 2100 is no leap year */
        253402300799, /* 9999-12-31T23:59:59Z: "no well-defined expiration date" */
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(dates); i++) {
        struct cert *c = parse(&(struct testpki_spec){
            .subject = "CN=a", .key = 1, .not_before = dates[i], .not_after = dates[i]});

        assert_true(dates[i] == cert_not_before(c));
        assert_true(dates[i] == cert_not_after(c));
        cert_unref(c);
    }
}

/* What is odd, but a certificate. */
static void test_strange_certificates_are_read(void **state)
{
    static const uint8_t long_text[10240] = {0};
    struct der name = {0};
    size_t seq = der_open(&name, DER_SEQUENCE);
    size_t rdn = der_open(&name, DER_SET);
    size_t attribute = der_open(&name, DER_SEQUENCE);
    struct cert *c;
    (void)state;

    der_oid(&name, "2.5.4.3");
    der_put(&name, DER_UTF8_STRING, slice_of(long_text, sizeof(long_text)));
    der_close(&name, attribute);
    der_close(&name, rdn);
    der_close(&name, seq);

    c = parse(&(struct testpki_spec){.subject = "CN=v1", .key = 1, .version = 1});
    assert_int_equal(1, cert_fields(c)->version);
    cert_unref(c);
    c = parse(&(struct testpki_spec){.subject = "CN=a", .key = 1, .serial = SLICE_LIT("\x80")});
    assert_true(slice_eq(SLICE_LIT("\x80"), cert_fields(c)->serial));
    cert_unref(c);
    c = parse(&(struct testpki_spec){.subject_der = der_slice(&name), .key = 1});
    assert_true(slice_eq(der_slice(&name), cert_subject(c)));
    cert_unref(c);
    c = parse(&(struct testpki_spec){.subject = "CN=a\\00b", .key = 1});
    cert_unref(c);
    der_free(&name);
}

static void test_key_text(void **state)
{
    static const struct {
        enum testpki_key_type type;
        const char *text;
    } cases[] = {
        {TESTPKI_P256, "EC P-256"},     {TESTPKI_P384, "EC P-384"},     {TESTPKI_P521, "EC P-521"},
        {TESTPKI_RSA_1024, "RSA 1024"}, {TESTPKI_RSA_2048, "RSA 2048"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct cert *c =
            parse(&(struct testpki_spec){.subject = "CN=a", .key_type = cases[i].type, .key = 1});
        char text[32];

        cert_key_text(c, text, sizeof(text));
        assert_string_equal(cases[i].text, text);
        cert_unref(c);
    }
}

static void test_label(void **state)
{
    static const struct {
        const char *subject, *san, *label;
    } cases[] = {
        {"O=Example,CN=first,CN=Second", NULL, "Second"},
        {"C=DE,O=Example", "DNS:a.example", "Example"},
        {"C=DE", "DNS:a.example", "C=DE"},
        {"", "IP:192.0.2.1 DNS:a.example", "a.example"},
        {"", "URI:sip:\\0a", "sip:?"},
        {"", "IP:192.0.2.1", "a certificate without a name"},
        {"", NULL, "a certificate without a name"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        /* An issuer must have a name, so it has another one here. */
        size_t n;
        uint8_t *issuer = testpki_name_der("CN=CA", &n);
        struct cert *c = parse(&(struct testpki_spec){
            .subject = cases[i].subject, .issuer_der = {issuer, n}, .key = 1, .san = cases[i].san});
        char text[64];

        cert_label(c, text, sizeof(text));
        assert_string_equal(cases[i].label, text);
        cert_issuer_text(c, text, sizeof(text));
        assert_string_equal("CN=CA", text);
        cert_unref(c);
        free(issuer);
    }
}

static void test_bytes_behind_are_refused(void **state)
{
    struct slice der = testpki_der(testpki_make(&(struct testpki_spec){.subject = "CN=a"}));
    uint8_t *longer = calloc(1, der.n + 1);
    (void)state;

    memcpy(longer, der.p, der.n);
    assert_refused(slice_of(longer, der.n + 1), ERR_PARSE, "bytes behind");
    free(longer);
}

static void test_every_cut_is_refused(void **state)
{
    struct slice der = testpki_der(testpki_make(
        &(struct testpki_spec){.subject = "CN=a", .key = 1, .ca = true, .san = "DNS:a"}));
    (void)state;

    for (size_t n = 0; n < der.n; n++) {
        uint8_t *exact = malloc(n > 0 ? n : 1); /* so that a read past the end is seen */

        memcpy(exact, der.p, n);
        assert_refused(slice_of(exact, n), ERR_PARSE, "certificate");
        free(exact);
    }
}

/* What a judgement refuses, an admin can be shown. */
static void test_flaws_are_read_around_and_named(void **state)
{
    static const struct testpki_ext twice[] = {{"1.2.3", false, {(const uint8_t *)"\5\0", 2}},
                                               {"1.2.3", false, {(const uint8_t *)"\5\0", 2}}};
    static const struct testpki_ext bad_usage = {"2.5.29.15", true, {(const uint8_t *)"\5\0", 2}};
    static const struct testpki_ext bad_aia = {"1.3.6.1.5.5.7.1.1", false, {NULL, 0}};
    static const struct {
        const struct testpki_ext *exts;
        size_t n;
        const char *flaw;
    } cases[] = {
        {twice, 2, "it has an extension twice"},
        {&bad_usage, 1, "its extension keyUsage is malformed"},
        {&bad_aia, 1, "its extension authorityInfoAccess is malformed"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct slice der = testpki_der(testpki_make(&(struct testpki_spec){
            .subject = "CN=flawed", .key = 1, .exts = cases[i].exts, .exts_count = cases[i].n}));
        struct cert *c;
        char label[32];

        assert_refused(der, ERR_PARSE, cases[i].flaw);
        assert_true(is_ok(cert_load(der, &c, NULL)));
        assert_string_equal(cases[i].flaw, cert_fields(c)->flaw);
        cert_label(c, label, sizeof label);
        assert_string_equal("flawed", label);
        cert_unref(c);
    }
}

static void test_too_large_is_refused(void **state)
{
    uint8_t *large = calloc(1, LIMIT_CERT_BYTES + 1);
    (void)state;

    assert_refused(slice_of(large, LIMIT_CERT_BYTES + 1), ERR_LIMIT, "64 KB");
    free(large);
}

/* A copy of a certificate in which the first FROM has become TO, of the same length. */
static uint8_t *changed(struct slice der, struct slice from, const char *to)
{
    size_t at = slice_find_slice(der, from);
    uint8_t *copy = malloc(der.n);

    assert_true(at < der.n);
    memcpy(copy, der.p, der.n);
    memcpy(copy + at, to, from.n);
    return copy;
}

static void test_list_for_the_library(void **state)
{
    struct cert *a = parse(&(struct testpki_spec){.subject = "CN=a", .key = 1});
    struct cert *b = parse(&(struct testpki_spec){.subject = "CN=b", .key = 2});
    mbedtls_x509_crt list;
    (void)state;

    mbedtls_x509_crt_init(&list);
    assert_true(is_ok(cert_mbedtls_append(a, &list, NULL)));
    assert_true(is_ok(cert_mbedtls_append(b, &list, NULL)));
    assert_ptr_equal(cert_der(a).p, list.raw.p);
    assert_ptr_equal(cert_der(b).p, list.next->raw.p);
    assert_null(list.next->next);
    mbedtls_x509_crt_free(&list);
    cert_unref(a);
    cert_unref(b);
}

/* What the library cannot use is a certificate all the same; when it must, it is said why not. */
static void test_what_the_library_does_not_know(void **state)
{
    static const struct {
        struct slice from;
        const char *to, *words, *key;
    } cases[] = {
#define ROW(from, to, words, key) {{(const uint8_t *)(from), sizeof(from) - 1}, to, words, key}
        ROW("\x2a\x86\x48\xce\x3d\x03\x01\x07", "\x2a\x86\x48\xce\x3d\x03\x01\x7f",
            "elliptic curve", "EC, unknown curve"),
        ROW("\x2a\x86\x48\xce\x3d\x02\x01", "\x2a\x86\x48\xce\x3d\x02\x7f", "its key is of a kind",
            "unknown"),
        ROW("\x2a\x86\x48\xce\x3d\x04\x03\x02", "\x2a\x86\x48\xce\x3d\x04\x03\x7f",
            "signed with an algorithm", "EC P-256"),
#undef ROW
    };
    struct slice der =
        testpki_der(testpki_make(&(struct testpki_spec){.subject = "CN=a", .key = 1}));
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t *copy = changed(der, cases[i].from, cases[i].to);
        struct errinfo e = ERRINFO_INIT;
        mbedtls_x509_crt list;
        struct cert *c;
        char text[32];

        assert_true(is_ok(cert_parse(slice_of(copy, der.n), &c, NULL)));
        cert_key_text(c, text, sizeof(text));
        assert_string_equal(cases[i].key, text);
        mbedtls_x509_crt_init(&list);
        assert_int_equal(ERR_UNSUPPORTED, cert_mbedtls_append(c, &list, &e).code);
        if (strstr(e.text, cases[i].words) == NULL)
            fail_msg("'%s' does not say '%s'", e.text, cases[i].words);
        mbedtls_x509_crt_free(&list);
        cert_unref(c);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_static_parse_keeps_no_copy),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_strange_certificates_are_read),
        cmocka_unit_test(test_key_text),
        cmocka_unit_test(test_label),
        cmocka_unit_test(test_bytes_behind_are_refused),
        cmocka_unit_test(test_every_cut_is_refused),
        cmocka_unit_test(test_flaws_are_read_around_and_named),
        cmocka_unit_test(test_too_large_is_refused),
        cmocka_unit_test(test_list_for_the_library),
        cmocka_unit_test(test_what_the_library_does_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
