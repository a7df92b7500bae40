#include "pki/x509.h"

#include <mbedtls/x509.h>
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
    const uint8_t serial[] = {0x01, 0x02, 0x03};
    const struct testpki_cert *ca =
        testpki_make(&(struct testpki_spec){.subject = "CN=Test CA", .ca = true, .key = 1});
    const struct testpki_cert *made = testpki_make(&(struct testpki_spec){
        .subject = "CN=a.example", .issuer = ca, .key = 2, .serial = {serial, sizeof(serial)}});
    struct cert *c, *issuer;
    uint8_t sha256[HASH_SHA256_SIZE];
    (void)state;

    assert_true(is_ok(cert_parse(testpki_der(made), &c, NULL)));
    assert_true(is_ok(cert_parse(testpki_der(ca), &issuer, NULL)));
    assert_true(slice_eq(testpki_der(made), cert_der(c)));
    assert_ptr_not_equal(testpki_der(made).p, cert_der(c).p);
    hash_sha256(testpki_der(made), sha256);
    assert_memory_equal(sha256, cert_sha256(c), sizeof(sha256));
    assert_int_equal(3, cert_version(c));
    assert_true(slice_eq(slice_of(serial, sizeof(serial)), cert_serial(c)));
    assert_true(slice_eq(testpki_name(ca), cert_issuer(c)));
    assert_true(slice_eq(testpki_name(made), cert_subject(c)));
    assert_int_equal(TESTPKI_NOT_BEFORE, cert_not_before(c));
    assert_int_equal(TESTPKI_NOT_AFTER, cert_not_after(c));
    assert_true(slice_eq(testpki_key_id(made), cert_subject_key_id(c)));
    assert_true(slice_eq(testpki_key_id(ca), cert_authority_key_id(c)));
    assert_false(cert_is_self_issued(c));
    assert_true(cert_is_self_issued(issuer));
    assert_true(slice_find_slice(cert_der(c), cert_tbs(c)) < 8);
    assert_true(slice_find_slice(cert_tbs(c), cert_public_key(c)) < cert_tbs(c).n);
    cert_unref(c);
    cert_unref(issuer);
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
    assert_int_equal(3, cert_version(c));
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
    assert_int_equal(1, cert_version(c));
    assert_int_equal(0, cert_extensions(c).n);
    cert_unref(c);
    c = parse(&(struct testpki_spec){.subject = "CN=a", .key = 1, .serial = SLICE_LIT("\x80")});
    assert_true(slice_eq(SLICE_LIT("\x80"), cert_serial(c)));
    cert_unref(c);
    c = parse(&(struct testpki_spec){.subject_der = der_slice(&name), .key = 1});
    assert_true(slice_eq(der_slice(&name), cert_subject(c)));
    cert_unref(c);
    c = parse(&(struct testpki_spec){.subject = "CN=a\\00b", .key = 1});
    cert_unref(c);
    der_free(&name);
}

static void test_key_and_digest(void **state)
{
    static const struct {
        enum testpki_key_type key_type;
        enum testpki_digest made_with;
        bool pss;
        enum cert_key_type type;
        unsigned bits;
        const char *text;
        enum cert_digest digest;
    } cases[] = {
        {TESTPKI_P256, TESTPKI_SHA256, false, CERT_KEY_EC, 256, "EC P-256", CERT_DIGEST_SHA256},
        {TESTPKI_P384, TESTPKI_SHA384, false, CERT_KEY_EC, 384, "EC P-384", CERT_DIGEST_SHA384},
        {TESTPKI_P521, TESTPKI_SHA512, false, CERT_KEY_EC, 521, "EC P-521", CERT_DIGEST_SHA512},
        {TESTPKI_P256, TESTPKI_SHA1, false, CERT_KEY_EC, 256, "EC P-256", CERT_DIGEST_SHA1},
        {TESTPKI_RSA_1024, TESTPKI_MD5, false, CERT_KEY_RSA, 1024, "RSA 1024", CERT_DIGEST_MD5},
        {TESTPKI_RSA_1024, TESTPKI_SHA256, true, CERT_KEY_RSA, 1024, "RSA 1024",
         CERT_DIGEST_SHA256},
        {TESTPKI_RSA_2048, TESTPKI_SHA384, true, CERT_KEY_RSA, 2048, "RSA 2048",
         CERT_DIGEST_SHA384},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct cert *c = parse(&(struct testpki_spec){.subject = "CN=a",
                                                      .key_type = cases[i].key_type,
                                                      .key = 1,
                                                      .digest = cases[i].made_with,
                                                      .pss = cases[i].pss});
        char text[32];

        assert_int_equal(cases[i].type, cert_key(c).type);
        assert_int_equal(cases[i].bits, cert_key(c).bits);
        assert_int_equal(cases[i].digest, cert_signature_digest(c));
        cert_key_text(c, text, sizeof(text));
        assert_string_equal(cases[i].text, text);
        assert_true(is_ok(cert_check_signature(c, c)));
        cert_unref(c);
    }
}

static void test_signature(void **state)
{
    const struct testpki_cert *ca =
        testpki_make(&(struct testpki_spec){.subject = "CN=CA", .ca = true, .key = 1});
    struct cert *issuer, *other, *rsa, *good, *bad;
    (void)state;

    assert_true(is_ok(cert_parse(testpki_der(ca), &issuer, NULL)));
    other = parse(&(struct testpki_spec){.subject = "CN=CA", .ca = true, .key = 2});
    rsa = parse(&(struct testpki_spec){
        .subject = "CN=CA", .ca = true, .key_type = TESTPKI_RSA_1024, .key = 1});
    good = parse(&(struct testpki_spec){.subject = "CN=a", .issuer = ca, .key = 3});
    bad = parse(
        &(struct testpki_spec){.subject = "CN=a", .issuer = ca, .key = 3, .bad_signature = true});

    assert_int_equal(ERR_OK, cert_check_signature(good, issuer).code);
    assert_int_equal(ERR_CRYPTO, cert_check_signature(good, other).code);
    assert_int_equal(ERR_CRYPTO, cert_check_signature(good, rsa).code);
    assert_int_equal(ERR_CRYPTO, cert_check_signature(bad, issuer).code);
    cert_unref(issuer);
    cert_unref(other);
    cert_unref(rsa);
    cert_unref(good);
    cert_unref(bad);
}

static void test_extensions(void **state)
{
    static const struct testpki_ext exts[] = {
        {"2.5.29.30", true, {(const uint8_t *)"\x30\x00", 2}},
        {"1.2.3.4", true, {(const uint8_t *)"abc", 3}},
        {"1.2.3.5", false, {(const uint8_t *)"", 0}},
        {"1.2.3.4", false, {(const uint8_t *)"again", 5}},
        {"2.5.29.54", true, {(const uint8_t *)"\x02\x01\x00", 3}},
    };
    struct cert *c = parse(&(struct testpki_spec){.subject = "CN=a",
                                                  .key = 1,
                                                  .no_ski = true,
                                                  .no_aki = true,
                                                  .exts = exts,
                                                  .exts_count = COUNT_OF(exts)});
    struct slice at = cert_extensions(c);
    struct cert_extension ext;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(exts); i++) {
        assert_true(cert_extension_next(&at, &ext));
        assert_int_equal(exts[i].critical, ext.critical);
        assert_true(slice_eq(exts[i].value, ext.value));
    }
    assert_false(cert_extension_next(&at, &ext));

    assert_true(cert_extension_find(c, CERT_OID_NAME_CONSTRAINTS, &ext));
    assert_true(ext.critical);
    assert_true(cert_extension_find(c, SLICE_LIT("\x2a\x03\x04"), &ext));
    assert_true(slice_eq_str(ext.value, "abc"));
    assert_true(cert_extension_find(c, CERT_OID_INHIBIT_ANY_POLICY, NULL));
    assert_false(cert_extension_find(c, CERT_OID_KEY_USAGE, &ext));
    assert_int_equal(0, cert_subject_key_id(c).n);
    assert_int_equal(0, cert_authority_key_id(c).n);
    cert_unref(c);
}

static void test_basic_constraints(void **state)
{
    static const struct {
        bool ca, not_ca;
        int pathlen; /* as the spec has it */
        bool present, is_ca;
        int limit;
    } cases[] = {
        {false, false, 0, false, false, -1},
        {false, true, 0, true, false, -1},
        {true, false, 0, true, true, -1},
        {true, false, TESTPKI_PATHLEN(0), true, true, 0},
        {true, false, TESTPKI_PATHLEN(3), true, true, 3},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct cert *c = parse(&(struct testpki_spec){.subject = "CN=a",
                                                      .key = 1,
                                                      .ca = cases[i].ca,
                                                      .not_ca = cases[i].not_ca,
                                                      .pathlen = cases[i].pathlen});
        bool ca;
        int pathlen;

        assert_int_equal(cases[i].present, cert_basic_constraints(c, &ca, &pathlen));
        assert_int_equal(cases[i].is_ca, ca);
        assert_int_equal(cases[i].limit, pathlen);
        cert_unref(c);
    }
}

static void test_key_usage(void **state)
{
    struct cert *c = parse(&(struct testpki_spec){
        .subject = "CN=a", .key = 1, .key_usage = TESTPKI_KEY_CERT_SIGN | TESTPKI_CRL_SIGN});
    struct cert *none = parse(&(struct testpki_spec){.subject = "CN=a", .key = 1});
    unsigned bits;
    (void)state;

    assert_true(cert_key_usage(c, &bits));
    assert_int_equal(MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN, bits);
    assert_false(cert_key_usage(none, &bits));
    cert_unref(c);
    cert_unref(none);
}

static void test_purposes(void **state)
{
    static const char *const eku[] = {TESTPKI_OID_SERVER_AUTH, TESTPKI_OID_CLIENT_AUTH,
                                      TESTPKI_OID_SIP_DOMAIN, TESTPKI_OID_ANY_EKU, NULL};
    struct cert *c = parse(&(struct testpki_spec){.subject = "CN=a", .key = 1, .eku = eku});
    struct slice at = cert_purposes(c);
    struct slice oid;
    (void)state;

    assert_true(cert_purpose_next(&at, &oid) && slice_eq(oid, CERT_PURPOSE_SERVER_AUTH));
    assert_true(cert_purpose_next(&at, &oid) && slice_eq(oid, CERT_PURPOSE_CLIENT_AUTH));
    assert_true(cert_purpose_next(&at, &oid) && slice_eq(oid, CERT_PURPOSE_SIP_DOMAIN));
    assert_true(cert_purpose_next(&at, &oid) && slice_eq(oid, CERT_PURPOSE_ANY));
    assert_false(cert_purpose_next(&at, &oid));
    cert_unref(c);
}

static void test_alt_names(void **state)
{
    struct cert *c = parse(&(struct testpki_spec){
        .subject = "CN=a",
        .key = 1,
        .san = "DNS:a\\00b IP:192.0.2.1 IP:2001:db8::1 URI:sip:a@b email:x@y",
    });
    struct slice at = cert_alt_names(c);
    struct cert_name name;
    (void)state;

    assert_true(cert_name_next(&at, &name) && name.type == CERT_NAME_DNS);
    assert_true(slice_eq(SLICE_LIT("a\0b"), name.value));
    assert_true(cert_name_next(&at, &name) && name.type == CERT_NAME_IP);
    assert_true(slice_eq(SLICE_LIT("\xc0\x00\x02\x01"), name.value));
    assert_true(cert_name_next(&at, &name) && name.type == CERT_NAME_IP);
    assert_int_equal(16, name.value.n);
    assert_true(cert_name_next(&at, &name) && name.type == CERT_NAME_URI);
    assert_true(slice_eq_str(name.value, "sip:a@b"));
    assert_true(cert_name_next(&at, &name) && name.type == CERT_NAME_EMAIL);
    assert_false(cert_name_next(&at, &name));
    cert_unref(c);
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

static void test_refusals_name_the_part(void **state)
{
    static const struct {
        struct slice from;
        const char *to;
        enum err code;
        const char *words;
    } cases[] = {
#define ROW(from, to, code, words) {{(const uint8_t *)(from), sizeof(from) - 1}, to, code, words}
        ROW("\x2a\x86\x48\xce\x3d\x03\x01\x07", "\x2a\x86\x48\xce\x3d\x03\x01\x7f", ERR_UNSUPPORTED,
            "elliptic curve"),
        ROW("\x2a\x86\x48\xce\x3d\x02\x01", "\x2a\x86\x48\xce\x3d\x02\x7f", ERR_UNSUPPORTED,
            "its key is of a kind"),
        ROW("\x2a\x86\x48\xce\x3d\x04\x03\x02", "\x2a\x86\x48\xce\x3d\x04\x03\x7f", ERR_UNSUPPORTED,
            "signed with an algorithm"),
        ROW("\xa0\x03\x02\x01\x02", "\xa0\x03\x02\x01\x09", ERR_PARSE, "version is unknown"),
        ROW("200101000000Z", "201301000000Z", ERR_PARSE, "dates"),
        ROW("\x55\x1d\x13\x01", "\x55\x1d\x13\x04", ERR_PARSE, "extensions"),
        ROW("\x55\x04\x03\x0c", "\x55\x04\x03\x02", ERR_PARSE, "name"),
#undef ROW
    };
    struct slice der =
        testpki_der(testpki_make(&(struct testpki_spec){.subject = "CN=a", .key = 1, .ca = true}));
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t *bad = changed(der, cases[i].from, cases[i].to);

        assert_refused(slice_of(bad, der.n), cases[i].code, cases[i].words);
        free(bad);
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
        cmocka_unit_test(test_key_and_digest),
        cmocka_unit_test(test_signature),
        cmocka_unit_test(test_extensions),
        cmocka_unit_test(test_basic_constraints),
        cmocka_unit_test(test_key_usage),
        cmocka_unit_test(test_purposes),
        cmocka_unit_test(test_alt_names),
        cmocka_unit_test(test_label),
        cmocka_unit_test(test_bytes_behind_are_refused),
        cmocka_unit_test(test_every_cut_is_refused),
        cmocka_unit_test(test_too_large_is_refused),
        cmocka_unit_test(test_refusals_name_the_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
