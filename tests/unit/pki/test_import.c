/* import: what an admin uploads for the list of trusted certificates, and what each refusal says.
 */
#include "pki/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/pem.h"
#include "tools/der.h"
#include "tools/testpki.h"
#include "tools/unit.h"

static const struct testpki_cert *ca, *other_ca, *leaf, *pin;
static struct trust *empty;

static const struct wallclock clock_set = {TESTPKI_NOW, CLOCK_SET};

static int set_up(void **state)
{
    (void)state;
    ca = testpki_make(&(struct testpki_spec){.subject = "CN=First CA", .ca = true, .key = 1});
    other_ca = testpki_make(&(struct testpki_spec){.subject = "CN=Other CA", .ca = true, .key = 2});
    leaf = testpki_make(&(struct testpki_spec){
        .subject = "CN=sip.example.com", .issuer = ca, .san = "DNS:sip.example.com", .key = 3});
    pin = testpki_make(&(struct testpki_spec){.subject = "CN=pbx.local", .not_ca = true, .key = 4});
    return is_ok(trust_new(NULL, 0, NULL, NULL, &empty, NULL)) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    trust_unref(empty);
    return 0;
}

static struct result import(const char *filename, struct slice content, const struct trust *trust,
                            struct import *out, struct errinfo *e)
{
    uint8_t *exact = malloc(content.n > 0 ? content.n : 1); /* so that a read past it is seen */
    if (content.n > 0)
        memcpy(exact, content.p, content.n);
    const struct import_request r = {.filename = filename,
                                     .content = slice_of(exact, content.n),
                                     .trust = trust,
                                     .now = clock_set};
    const struct result res = import_trusted(&r, out, e);
    free(exact);
    return res;
}

/* Each item as its label's first letter, and n, b, k for its fate; upper case for a pin. */
static void assert_takes(struct slice content, const struct trust *trust, const char *expected)
{
    struct import out;
    struct errinfo e = ERRINFO_INIT;
    char said[2 * LIMIT_CUSTOM_CAS + 1] = "";
    const struct result r = import(NULL, content, trust, &out, &e);
    if (is_err(r))
        fail_msg("%s", errinfo_text(&e, r));
    for (size_t i = 0; i < out.count; i++) {
        char label[64];
        cert_label(out.items[i].cert, label, sizeof label);
        said[2 * i] = label[0];
        said[2 * i + 1] = (out.items[i].pin ? "NBK" : "nbk")[out.items[i].fate];
        assert_true(out.items[i].times > 0);
    }
    assert_string_equal(said, expected);
    import_clear(&out);
}

static void assert_refuses(struct slice content, const struct trust *trust, enum err code,
                           const char *words)
{
    struct import out;
    struct errinfo e = ERRINFO_INIT;
    assert_int_equal(import(NULL, content, trust, &out, &e).code, code);
    if (strstr(e.text, words) == NULL)
        fail_msg("'%s' does not say '%s'", e.text, words);
    assert_int_equal(out.count, 0);
    import_clear(&out);
}

static void assert_takes_one(const struct testpki_spec *spec, const char *expected)
{
    assert_takes(testpki_der(testpki_make(spec)), empty, expected);
}

static void assert_refuses_one(const struct testpki_spec *spec, enum err code, const char *words)
{
    assert_refuses(testpki_der(testpki_make(spec)), empty, code, words);
}

static struct buf pem_of(const struct testpki_cert *const *certs, size_t n)
{
    struct buf b;
    buf_init(&b, LIMIT_CERT_FILE_BYTES);
    for (size_t i = 0; i < n; i++)
        assert_true(is_ok(pem_write("CERTIFICATE", testpki_der(certs[i]), &b)));
    return b;
}

/* A list of COUNT custom certificates, of which CERTS are the first. */
static struct trust *trust_of(const struct testpki_cert *const *certs, size_t n, size_t count)
{
    struct trust_custom custom[LIMIT_CUSTOM_CAS];
    struct trust *t;
    for (size_t i = 0; i < count; i++) {
        const struct testpki_cert *c =
            i < n ? certs[i]
                  : testpki_make(&(struct testpki_spec){.subject = "CN=x", .ca = true, .key = 5});
        custom[i] = (struct trust_custom){"corp.pem", testpki_der(c)};
    }
    assert_true(is_ok(trust_new(custom, count, NULL, NULL, &t, NULL)));
    return t;
}

/* --- taken --- */

static void both_formats_are_taken_whatever_the_name(void **state)
{
    (void)state;
    static const char *const names[] = {"a.pem", "a.CER", "dir/a.b.crt", "C:\\certs\\a.Der",
                                        ".pem"};
    struct import out;
    struct buf pem = pem_of(&ca, 1);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_true(is_ok(import(names[i], testpki_der(ca), empty, &out, NULL)));
        import_clear(&out);
        assert_true(is_ok(import(names[i], buf_slice(&pem), empty, &out, NULL)));
        assert_int_equal(out.fresh, 1);
        import_clear(&out);
    }
    buf_free(&pem);
}

static void several_certificates_count_each(void **state)
{
    (void)state;
    const struct testpki_cert *const certs[] = {ca, pin, other_ca, ca};
    struct buf pem = pem_of(certs, COUNT_OF(certs));
    struct import out;
    assert_takes(buf_slice(&pem), empty, "FnpNOn");
    assert_true(is_ok(import(NULL, buf_slice(&pem), empty, &out, NULL)));
    assert_int_equal(out.fresh, 3);
    assert_int_equal(out.items[0].times, 2);
    assert_int_equal(out.items[1].times, 1);
    import_clear(&out);
    buf_free(&pem);
}

/* A chain with its CA first or last: what is no CA's does not belong there. */
static void a_chain_is_refused_for_its_leaf_in_any_order(void **state)
{
    (void)state;
    const struct testpki_cert *const orders[][2] = {{leaf, ca}, {ca, leaf}};
    static const char *const words[] = {"line 1: certificate 1: sip.example.com is not a CA's",
                                        ": certificate 2: sip.example.com is not a CA's"};
    for (size_t i = 0; i < 2; i++) {
        struct buf pem = pem_of(orders[i], 2);
        assert_refuses(buf_slice(&pem), empty, ERR_CERT, words[i]);
        assert_refuses(buf_slice(&pem), empty, ERR_CERT, "upload that of its CA instead: First CA");
        buf_free(&pem);
    }
}

static void what_is_there_is_said_and_not_counted(void **state)
{
    (void)state;
    struct trust *t = trust_of(&ca, 1, LIMIT_CUSTOM_CAS);
    struct import out;
    char said[200];
    assert_true(is_ok(import(NULL, testpki_der(ca), t, &out, NULL)));
    assert_int_equal(out.count, 1);
    assert_int_equal(out.fresh, 0);
    import_item_text(&out.items[0], said, sizeof said);
    assert_string_equal(said, "First CA: is there already, as corp.pem");
    import_clear(&out);
    trust_unref(t);
}

static bool take_first(void *arg, const struct trust_anchor *a)
{
    *(struct cert **)arg = cert_ref(a->cert);
    return false;
}

static void a_built_in_one_is_taken_and_said(void **state)
{
    (void)state;
    struct cert *builtin = NULL;
    struct import out;
    char said[300];
    trust_each(empty, TRUST_DEFAULT, take_first, &builtin);
    const struct import_request r = {.content = cert_der(builtin),
                                     .trust = empty,
                                     .now = {cert_not_before(builtin) + 1, CLOCK_SET}};
    assert_true(is_ok(import_trusted(&r, &out, NULL)));
    assert_int_equal(out.items[0].fate, IMPORT_BUILTIN);
    assert_int_equal(out.fresh, 1);
    import_item_text(&out.items[0], said, sizeof said);
    assert_non_null(strstr(said, ": is added, though it is built in as well ("));
    import_clear(&out);
    cert_unref(builtin);
}

static void a_pin_is_said_to_be_one(void **state)
{
    (void)state;
    struct import out;
    char said[200];
    assert_true(is_ok(import(NULL, testpki_der(pin), empty, &out, NULL)));
    import_item_text(&out.items[0], said, sizeof said);
    assert_string_equal(said, "pbx.local: is added; it is no CA's, so only the server that has it "
                              "is trusted");
    import_clear(&out);
}

static void strange_ones_are_taken(void **state)
{
    (void)state;
    char *large = malloc(10300);
    memset(large, 'n', 10299);
    memcpy(large, "CN=", 3);
    large[10299] = '\0';
    static const struct testpki_spec specs[] = {
        {.subject = "CN=v1 root", .version = 1, .key = 6}, /* cannot say that it is a CA's */
        {.subject = "CN=negative", .ca = true, .key = 6, .serial = {(const uint8_t *)"\x80", 1}},
        {.subject = "CN=zero", .ca = true, .key = 6, .serial = {(const uint8_t *)"\0", 1}},
        {.subject = "CN=evil\\00.example.com", .ca = true, .key = 6},
        {.subject = "CN=until 9999", .ca = true, .key = 6, .not_after = 253402300799},
        {.subject = "CN=since 1950", .ca = true, .key = 6, .not_before = -631152000},
        {.subject = "O=no CN", .ca = true, .key = 6},
        {.subject = "CN=path", .ca = true, .pathlen = TESTPKI_PATHLEN(0), .key = 6},
        {.subject = "CN=rsa", .ca = true, .key_type = TESTPKI_RSA_2048, .key = 1},
        {.subject = "CN=old digest",
         .ca = true,
         .key_type = TESTPKI_RSA_2048,
         .key = 1,
         .digest = TESTPKI_SHA1},
        {.subject = "CN=broken self-signature", .ca = true, .key = 6, .bad_signature = true},
    };
    static const char *const expected[] = {"vN", "nn", "zn", "en", "un", "sn",
                                           "nn", "pn", "rn", "on", "bn"};
    for (size_t i = 0; i < COUNT_OF(specs); i++)
        assert_takes_one(&specs[i], expected[i]);
    assert_takes_one(&(struct testpki_spec){.subject = large, .ca = true, .key = 6}, "nn");
    /* one that another CA issued */
    assert_takes_one(
        &(struct testpki_spec){.subject = "CN=issuing", .ca = true, .key = 6, .issuer = ca}, "in");
    free(large);
}

static void ten_fit(void **state)
{
    (void)state;
    const struct testpki_cert *certs[LIMIT_CUSTOM_CAS + 2];
    for (size_t i = 0; i < COUNT_OF(certs); i++)
        certs[i] = testpki_make(&(struct testpki_spec){.subject = "CN=c", .ca = true, .key = 7});
    struct buf ten = pem_of(certs, 10);
    struct buf twelve = pem_of(certs, 12);
    struct trust *two = trust_of(certs, 2, 2);
    struct trust *three = trust_of(NULL, 0, 3);
    struct trust *full = trust_of(certs, 10, 10);
    assert_takes(buf_slice(&ten), empty, "cncncncncncncncncncn");
    assert_takes(buf_slice(&ten), two, "ckckcncncncncncncncn");
    assert_takes(buf_slice(&ten), full, "ckckckckckckckckckck");
    assert_refuses(buf_slice(&twelve), empty, ERR_LIMIT,
                   "10 custom certificates can be kept; 0 are there, and the file adds 12");
    assert_refuses(buf_slice(&ten), three, ERR_LIMIT, "3 are there, and the file adds 10");
    assert_refuses(buf_slice(&twelve), full, ERR_LIMIT, "10 are there, and the file adds 2");
    trust_unref(two);
    trust_unref(three);
    trust_unref(full);
    buf_free(&ten);
    buf_free(&twelve);
}

/* Each of them is another one, as far as anybody looks here: only the serial number differs. */
static void a_whole_bundle_is_refused_by_its_number(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, LIMIT_CERT_FILE_BYTES);
    for (unsigned i = 0; i < 300; i++) {
        uint8_t serial[2] = {(uint8_t)(1 + i / 256), (uint8_t)i};
        const struct testpki_cert *c = testpki_make(&(struct testpki_spec){
            .subject = "CN=c", .ca = true, .key = 7, .serial = slice_of(serial, 2)});
        for (unsigned times = 0; times < 2 && i < 140; times++)
            assert_true(is_ok(pem_write("CERTIFICATE", testpki_der(c), &b)));
        if (i == 139)
            assert_refuses(buf_slice(&b), empty, ERR_LIMIT, "and the file adds 140");
        if (i >= 140)
            assert_true(is_ok(pem_write("CERTIFICATE", testpki_der(c), &b)));
    }
    assert_refuses(buf_slice(&b), empty, ERR_LIMIT, "and the file adds at least 256");
    buf_free(&b);
}

/* --- refused --- */

static void other_extensions_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"a.p12", "a", "a.pem.txt", "a.pem/b", "pem", "", "a."};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct import out;
        struct errinfo e = ERRINFO_INIT;
        assert_int_equal(import(names[i], testpki_der(ca), empty, &out, &e).code, ERR_INVALID);
        assert_non_null(strstr(e.text, "must end with .pem, .cer, .crt or .der"));
    }
}

static void what_is_no_certificate_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err code;
        const char *words;
    } cases[] = {
        {"", ERR_NOT_FOUND, "empty"},
        {"hello", ERR_NOT_FOUND, "no certificate in the file"},
        {"-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----\n", ERR_UNSUPPORTED, "openssl pkcs7"},
        {"-----BEGIN PKCS12-----\nMAA=\n-----END PKCS12-----\n", ERR_UNSUPPORTED, "openssl pkcs12"},
        {"-----BEGIN CERTIFICATE-----\nAAA*\n-----END CERTIFICATE-----\n", ERR_PARSE, "line 2: "},
        {"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", ERR_NOT_FOUND,
         "no certificate in the file"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_refuses(slice_of_str(cases[i].text), empty, cases[i].code, cases[i].words);
}

static void a_private_key_is_refused_wherever_it_stands(void **state)
{
    (void)state;
    static const char *const labels[] = {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY",
                                         "ENCRYPTED PRIVATE KEY", "DSA PRIVATE KEY"};
    char *pem = testpki_pem(&ca, 1);
    for (size_t i = 0; i < COUNT_OF(labels); i++) {
        char text[4096];
        (void)snprintf(text, sizeof text, "%s-----BEGIN %s-----\nAAAA\n-----END %s-----\n", pem,
                       labels[i], labels[i]);
        assert_refuses(slice_of_str(text), empty, ERR_DENIED, ": there is a private key in");
        (void)snprintf(text, sizeof text, "-----BEGIN %s-----\nAAAA\n-----END %s-----\n%s",
                       labels[i], labels[i], pem);
        assert_refuses(slice_of_str(text), empty, ERR_DENIED, "line 1: there is a private key in");
    }
    free(pem);
}

/* In DER, and in PEM that says that it is a certificate. */
static void a_private_key_is_recognized_without_its_label(void **state)
{
    (void)state;
    struct der d = {0};
    char *pem;
    const size_t at = der_open(&d, DER_SEQUENCE);
    der_raw(&d, SLICE_LIT("\x02\x01\x00"));
    der_put(&d, DER_OCTET_STRING, slice_of((uint8_t[200]){0}, 200));
    der_close(&d, at);
    assert_refuses(der_slice(&d), empty, ERR_DENIED, "a private key");
    pem = testpki_pem_of(der_slice(&d), "CERTIFICATE");
    assert_refuses(slice_of_str(pem), empty, ERR_DENIED, "line 1: there is a private key");
    free(pem);
    der_free(&d);
}

static void a_broken_one_takes_the_others_with_it(void **state)
{
    (void)state;
    const struct testpki_cert *const two[] = {ca, other_ca};
    struct der d = {0};
    struct buf pem = pem_of(two, 2);
    const struct slice all = buf_slice(&pem);
    pem.mem[pem.start + all.n - 60] = '*'; /* in the second */
    assert_refuses(all, empty, ERR_PARSE, "this is not Base64");
    der_raw(&d, testpki_der(ca));
    der_raw(&d, slice_first(testpki_der(other_ca), testpki_der(other_ca).n - 1));
    assert_refuses(der_slice(&d), empty, ERR_PARSE,
                   ": the certificate that begins here is cut off");
    der_free(&d);
    buf_free(&pem);
}

static void what_would_never_serve_is_refused(void **state)
{
    (void)state;
    static const char *const code_signing[] = {"1.3.6.1.5.5.7.3.3", NULL};
    static const struct testpki_ext unknown = {"1.2.3.4", true, {(const uint8_t *)"\x05\x00", 2}};
    const struct {
        struct testpki_spec spec;
        const char *words;
    } cases[] = {
        {{.subject = "CN=old", .ca = true, .key = 6, .not_after = TESTPKI_NOW - 1},
         "old expired on 2027-01-15; get its successor"},
        {{.subject = "CN=future", .ca = true, .key = 6, .not_before = TESTPKI_NOW + 1},
         "future is not valid before 2027-01-15; check the date of the phone"},
        {{.subject = "CN=never",
          .ca = true,
          .key = 6,
          .not_before = TESTPKI_NOW,
          .not_after = TESTPKI_NOW - 86400},
         "never is never valid: it ends on 2027-01-14, before it begins on 2027-01-15"},
        {{.subject = "CN=weak", .ca = true, .key_type = TESTPKI_RSA_1024, .key = 1},
         "weak has an RSA key of 1024 bits, and 2048 are the least"},
        {{.subject = "CN=sealed", .ca = true, .key = 6, .key_usage = TESTPKI_CRL_SIGN},
         "sealed is a CA's, but its key may not sign certificates"},
        {{.subject = "CN=code", .ca = true, .key = 6, .eku = code_signing},
         "code is for other purposes than TLS"},
        {{.subject = "CN=odd", .ca = true, .key = 6, .exts = &unknown, .exts_count = 1},
         "odd has a critical extension that sipsd does not know (1.2.3.4)"},
        {{.subject = "", .ca = true, .key = 6}, "it is a CA's without a name"},
        {{.subject = "CN=forged", .not_ca = true, .key = 6, .bad_signature = true},
         "forged is not a CA's certificate, and not signed by itself, though it says so"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_refuses_one(&cases[i].spec, ERR_CERT, cases[i].words);
}

static void the_clock_counts_as_far_as_it_is_known(void **state)
{
    (void)state;
    static const struct {
        struct wallclock now;
        bool past, future; /* which of the two is taken */
    } cases[] = {
        {{TESTPKI_NOW, CLOCK_SET}, false, false},
        {{TESTPKI_NOW, CLOCK_FLOOR}, false, true},
        {{TESTPKI_NOW, CLOCK_UNSET}, false, true},
        {{TESTPKI_NOW - 2, CLOCK_UNSET}, true, true},
    };
    const struct testpki_cert *past = testpki_make(&(struct testpki_spec){
        .subject = "CN=past", .ca = true, .key = 6, .not_after = TESTPKI_NOW - 1});
    const struct testpki_cert *future = testpki_make(&(struct testpki_spec){
        .subject = "CN=future", .ca = true, .key = 6, .not_before = TESTPKI_NOW + 1});
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct import_request r = {.trust = empty, .now = cases[i].now};
        struct import out;
        r.content = testpki_der(past);
        assert_int_equal(is_ok(import_trusted(&r, &out, NULL)), cases[i].past);
        import_clear(&out);
        r.content = testpki_der(future);
        assert_int_equal(is_ok(import_trusted(&r, &out, NULL)), cases[i].future);
        import_clear(&out);
    }
}

static void the_least_key_is_the_admins_choice(void **state)
{
    (void)state;
    const struct testpki_cert *rsa = testpki_make(&(struct testpki_spec){
        .subject = "CN=rsa", .ca = true, .key_type = TESTPKI_RSA_1024, .key = 1});
    struct import out;
    struct import_request r = {.content = testpki_der(rsa), .trust = empty, .now = clock_set};
    r.min_rsa_bits = 1024;
    assert_true(is_ok(import_trusted(&r, &out, NULL)));
    import_clear(&out);
    r.min_rsa_bits = 1025;
    assert_int_equal(import_trusted(&r, &out, NULL).code, ERR_CERT);
}

/* --- what comes of it --- */

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    const struct testpki_cert *const certs[] = {ca, other_ca, pin};
    struct trust *t = trust_of(&other_ca, 1, 1);
    struct buf pem = pem_of(certs, 3), out_pem;
    struct import out;
    buf_init(&out_pem, LIMIT_CERT_FILE_BYTES);
    assert_true(is_ok(import(NULL, buf_slice(&pem), t, &out, NULL)));
    assert_true(is_ok(import_write(&out, &out_pem)));
    import_clear(&out);
    assert_true(
        slice_starts(buf_slice(&out_pem), SLICE_LIT("# First CA\n-----BEGIN CERTIFICATE-----\n")));
    assert_takes(buf_slice(&out_pem), empty, "FnpN");
    trust_unref(t);
    buf_free(&pem);
    buf_free(&out_pem);
}

/* A name that looks like the mark of a block is left out: it would be read as one. */
static void a_name_cannot_break_what_is_written(void **state)
{
    (void)state;
    const struct testpki_cert *evil = testpki_make(&(struct testpki_spec){
        .subject = "CN=-----BEGIN CERTIFICATE-----\\0aMIIB", .ca = true, .key = 6});
    struct buf pem;
    struct import out;
    buf_init(&pem, LIMIT_CERT_FILE_BYTES);
    assert_true(is_ok(import(NULL, testpki_der(evil), empty, &out, NULL)));
    assert_true(is_ok(import_write(&out, &pem)));
    import_clear(&out);
    assert_takes(buf_slice(&pem), empty, "-n");
    buf_free(&pem);
}

static void names_are_made_harmless(void **state)
{
    (void)state;
    static const struct {
        const char *filename, *name;
    } cases[] = {
        {"corp.pem", "corp"},
        {"corp-root.v2.CRT", "corp-root.v2"},
        {"/etc/ssl/../certs/corp.der", "corp"},
        {"C:\\Users\\me\\My CA (2).cer", "My-CA-2-"},
        {"corp.txt", "corp.txt"},
        {"../../.pem", "upload"},
        {"...", "upload"},
        {"", "upload"},
        {"-rf.pem", "rf"},
        {"\xc3\xa4\xc3\xb6.pem", "upload"},
        {"a\nb\x1b[31m.pem", "a-b-31m"},
        {"n234567890123456789012345678901234567890123456789012345678901234567890.pem",
         "n234567890123456789012345678901234567890123456789012345678901234"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char name[IMPORT_NAME_MAX + 1];
        import_name(cases[i].filename, name);
        assert_string_equal(name, cases[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_formats_are_taken_whatever_the_name),
        cmocka_unit_test(several_certificates_count_each),
        cmocka_unit_test(a_chain_is_refused_for_its_leaf_in_any_order),
        cmocka_unit_test(what_is_there_is_said_and_not_counted),
        cmocka_unit_test(a_built_in_one_is_taken_and_said),
        cmocka_unit_test(a_pin_is_said_to_be_one),
        cmocka_unit_test(strange_ones_are_taken),
        cmocka_unit_test(ten_fit),
        cmocka_unit_test(a_whole_bundle_is_refused_by_its_number),
        cmocka_unit_test(other_extensions_are_refused),
        cmocka_unit_test(what_is_no_certificate_is_named),
        cmocka_unit_test(a_private_key_is_refused_wherever_it_stands),
        cmocka_unit_test(a_private_key_is_recognized_without_its_label),
        cmocka_unit_test(a_broken_one_takes_the_others_with_it),
        cmocka_unit_test(what_would_never_serve_is_refused),
        cmocka_unit_test(the_clock_counts_as_far_as_it_is_known),
        cmocka_unit_test(the_least_key_is_the_admins_choice),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(a_name_cannot_break_what_is_written),
        cmocka_unit_test(names_are_made_harmless),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
