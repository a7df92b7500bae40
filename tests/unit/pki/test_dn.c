#include "pki/dn.h"

#include <stdlib.h>
#include <string.h>

#include "pki/der.h"
#include "tools/der.h"
#include "tools/testpki.h"
#include "tools/unit.h"

/* A name of one attribute: its type, string type and bytes. */
static struct der one(const char *oid, uint8_t tag, struct slice value)
{
    struct der d = {0};
    size_t name = der_open(&d, DER_SEQUENCE);
    size_t rdn = der_open(&d, DER_SET);
    size_t attribute = der_open(&d, DER_SEQUENCE);

    der_oid(&d, oid);
    der_put(&d, tag, value);
    der_close(&d, attribute);
    der_close(&d, rdn);
    der_close(&d, name);
    return d;
}

#define CN      "2.5.4.3"
#define LIT(s)  SLICE_LIT(s)
#define EQUAL   true
#define DIFFERS false

static void test_values(void **state)
{
    static const struct {
        uint8_t tag_a;
        struct slice a;
        uint8_t tag_b;
        struct slice b;
        bool equal;
    } cases[] = {
#define ROW(ta, a, tb, b, r) \
    {ta, {(const uint8_t *)(a), sizeof(a) - 1}, tb, {(const uint8_t *)(b), sizeof(b) - 1}, r}
        /* case */
        ROW(DER_PRINTABLE_STRING, "Example CA", DER_PRINTABLE_STRING, "eXAMPLE ca", EQUAL),
        ROW(DER_UTF8_STRING, "\xc3\x89TAT", DER_UTF8_STRING, "\xc3\xa9tat", EQUAL),
        ROW(DER_UTF8_STRING, "F\xc5\x90", DER_UTF8_STRING, "f\xc5\x91", EQUAL),
        ROW(DER_UTF8_STRING, "\xce\xa3\xce\x91\xce\xa3", DER_UTF8_STRING,
            "\xcf\x83\xce\xb1\xcf\x82", EQUAL),
        ROW(DER_UTF8_STRING, "\xd0\x81\xd0\xaf", DER_UTF8_STRING, "\xd1\x91\xd1\x8f", EQUAL),
        ROW(DER_UTF8_STRING, "\xc3\x97", DER_UTF8_STRING, "\xc3\xb7", DIFFERS), /* times, divided */
        ROW(DER_UTF8_STRING, "a", DER_UTF8_STRING, "b", DIFFERS),
        ROW(DER_UTF8_STRING, "[", DER_UTF8_STRING, "{", DIFFERS),
        /* white space */
        ROW(DER_UTF8_STRING, "  Example \t  CA ", DER_UTF8_STRING, "Example CA", EQUAL),
        ROW(DER_UTF8_STRING,
            "Example\xc2\xa0"
            "CA",
            DER_UTF8_STRING, "Example CA", EQUAL),
        ROW(DER_UTF8_STRING, "ExampleCA", DER_UTF8_STRING, "Example CA", DIFFERS),
        ROW(DER_UTF8_STRING, "   ", DER_UTF8_STRING, "", EQUAL),
        /* string types */
        ROW(DER_PRINTABLE_STRING, "Example", DER_UTF8_STRING, "Example", EQUAL),
        ROW(DER_IA5_STRING, "Example", DER_VISIBLE_STRING, "example", EQUAL),
        ROW(DER_T61_STRING, "Z\xfcrich", DER_UTF8_STRING, "Z\xc3\xbcrich", EQUAL),
        ROW(DER_BMP_STRING, "\0Z\0\xfc", DER_UTF8_STRING, "z\xc3\x9c", EQUAL),
        ROW(DER_BMP_STRING, "\xd8\x3d\xdd\x12", DER_UTF8_STRING, "\xf0\x9f\x94\x92", EQUAL),
        ROW(DER_UNIVERSAL_STRING, "\0\0\0Z\0\0\0\xfc", DER_BMP_STRING, "\0z\0\xdc", EQUAL),
        ROW(DER_BIT_STRING, "\0a", DER_BIT_STRING, "\0a", EQUAL),
        ROW(DER_BIT_STRING, "\0a", DER_BIT_STRING, "\0A", DIFFERS),
        ROW(DER_BIT_STRING, "a", DER_UTF8_STRING, "a", DIFFERS),
        ROW(DER_BIT_STRING, "a", DER_OCTET_STRING, "a", DIFFERS),
        /* what is no text in its type equals only itself */
        ROW(DER_UTF8_STRING, "\xff", DER_UTF8_STRING, "\xff", EQUAL),
        ROW(DER_UTF8_STRING, "\xfc", DER_T61_STRING, "\xfc", DIFFERS),
        ROW(DER_UTF8_STRING, "a\xc3", DER_UTF8_STRING, "a", DIFFERS),
        ROW(DER_BMP_STRING, "\0a\0", DER_BMP_STRING, "\0a", DIFFERS),
        ROW(DER_BMP_STRING, "\xd8\x3d", DER_BMP_STRING, "\xd8\x3e", DIFFERS),
        ROW(DER_UNIVERSAL_STRING, "\0\0\xd8\0", DER_BMP_STRING, "\xd8\0", DIFFERS),
        /* a NUL is a character, not an end */
        ROW(DER_UTF8_STRING, "Example\0.evil", DER_UTF8_STRING, "Example", DIFFERS),
        ROW(DER_UTF8_STRING, "a\0b", DER_BMP_STRING, "\0a\0\0\0b", EQUAL),
#undef ROW
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct der a = one(CN, cases[i].tag_a, cases[i].a);
        struct der b = one(CN, cases[i].tag_b, cases[i].b);
        struct slice x = der_slice(&a), y = der_slice(&b);

        if (dn_equal(x, y) != cases[i].equal || dn_equal(y, x) != cases[i].equal ||
            (dn_hash(x) == dn_hash(y)) != cases[i].equal)
            fail_msg("case %zu: equal %d %d, hash %d", i, dn_equal(x, y), dn_equal(y, x),
                     dn_hash(x) == dn_hash(y));
        der_free(&a);
        der_free(&b);
    }
}

struct name {
    uint8_t *p;
    struct slice der;
};

static struct name name_of(const char *text)
{
    struct name n;

    n.p = testpki_name_der(text, &n.der.n);
    n.der.p = n.p;
    return n;
}

static void test_names(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"", "", EQUAL},
        {"CN=a", "", DIFFERS},
        {"CN=a,O=b", "CN=A,O=B", EQUAL},
        {"CN=a,O=b", "O=b,CN=a", DIFFERS},
        {"CN=a,O=b", "CN=a", DIFFERS},
        {"CN=a", "OU=a", DIFFERS},
        {"C=DE", "C=de", EQUAL},
        {"CN=ab", "CN=a,CN=b", DIFFERS},
        /* multi-valued RDNs are sets */
        {"CN=a+OU=b", "OU=B+CN=A", EQUAL},
        {"CN=a+CN=b", "CN=b+CN=a", EQUAL},
        {"CN=a+CN=b", "CN=a+CN=a", DIFFERS},
        {"CN=a+CN=a", "CN=a+CN=b", DIFFERS},
        {"CN=a+OU=b", "CN=a,OU=b", DIFFERS},
        {"CN=a+OU=b", "CN=a", DIFFERS},
        {"CN=a,O=x+OU=y", "CN=a,OU=Y+O=X", EQUAL},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct name a = name_of(cases[i].a), b = name_of(cases[i].b);

        if (dn_equal(a.der, b.der) != cases[i].equal ||
            (dn_hash(a.der) == dn_hash(b.der)) != cases[i].equal)
            fail_msg("'%s' and '%s'", cases[i].a, cases[i].b);
        free(a.p);
        free(b.p);
    }
}

/* An RDN of more attributes than are permuted is compared in the order in which it stands. */
static void test_large_rdn(void **state)
{
    struct name a = name_of("CN=a+CN=b+CN=c+CN=d+CN=e+CN=f+CN=g+CN=h+CN=i+CN=j+CN=k+CN=l+CN=m+CN=n"
                            "+CN=o+CN=p+CN=q");
    struct name b = name_of("CN=A+CN=b+CN=c+CN=d+CN=e+CN=f+CN=g+CN=h+CN=i+CN=j+CN=k+CN=l+CN=m+CN=n"
                            "+CN=o+CN=p+CN=Q");
    struct name c = name_of("CN=A+CN=b+CN=c+CN=d+CN=e+CN=f+CN=g+CN=h+CN=i+CN=j+CN=k+CN=l+CN=m+CN=n"
                            "+CN=o+CN=p+CN=x");
    struct name d = name_of("CN=A+CN=b+CN=c+CN=d+CN=e+CN=f+CN=g+CN=h+CN=i+CN=j+CN=k+CN=l+CN=m+CN=n"
                            "+CN=o+CN=p");
    (void)state;

    assert_true(dn_equal(a.der, b.der));
    assert_true(dn_hash(a.der) == dn_hash(b.der));
    assert_false(dn_equal(a.der, c.der));
    assert_false(dn_equal(a.der, d.der));
    assert_false(dn_equal(d.der, a.der));
    free(a.p);
    free(b.p);
    free(c.p);
    free(d.p);
}

static void test_within(void **state)
{
    static const struct {
        const char *name, *base;
        bool within;
    } cases[] = {
        {"C=DE,O=Example,CN=a", "C=DE,O=Example", true},
        {"C=DE,O=EXAMPLE", "C=DE,O=Example", true},
        {"C=DE,O=Example", "", true},
        {"", "", true},
        {"C=DE", "C=DE,O=Example", false},
        {"O=Example,C=DE", "C=DE,O=Example", false},
        {"C=DE,O=Example2", "C=DE,O=Example", false},
        {"C=DE,O=Example+OU=x", "C=DE,O=Example", false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct name name = name_of(cases[i].name), base = name_of(cases[i].base);

        if (dn_within(name.der, base.der) != cases[i].within)
            fail_msg("'%s' within '%s'", cases[i].name, cases[i].base);
        free(name.p);
        free(base.p);
    }
}

static void test_malformed_equals_only_itself(void **state)
{
    static const struct slice malformed[] = {
        {(const uint8_t *)"", 0},
        {(const uint8_t *)"\x30", 1},
        {(const uint8_t *)"\x30\x01\x31", 3},
        {(const uint8_t *)"\x31\x00", 2},
        {(const uint8_t *)"\x30\x02\x31\x05", 4},
        {(const uint8_t *)"\x30\x04\x31\x02\x30\x00", 6},
        {(const uint8_t *)"\x30\x00\x00", 3},
    };
    struct name empty = name_of("");
    struct dn_cursor at;
    struct dn_attribute a;
    char text[16];
    (void)state;

    for (size_t i = 0; i < COUNT_OF(malformed); i++) {
        assert_true(dn_equal(malformed[i], malformed[i]));
        assert_false(dn_equal(malformed[i], empty.der));
        assert_false(dn_is_empty(malformed[i]));
        for (size_t k = 0; k < i; k++) {
            assert_false(dn_equal(malformed[i], malformed[k]));
            assert_false(dn_hash(malformed[i]) == dn_hash(malformed[k]));
        }
        at = dn_begin(malformed[i]);
        assert_false(dn_next(&at, &a));
        assert_false(dn_next(&at, &a));
        dn_text(malformed[i], text, sizeof(text));
        assert_string_equal("", text);
    }
    free(empty.p);
}

static void test_cursor(void **state)
{
    struct name n = name_of("O=x,CN=a+OU=b");
    struct dn_cursor at = dn_begin(n.der);
    struct dn_attribute a;
    (void)state;

    assert_true(dn_next(&at, &a));
    assert_true(slice_eq(a.oid, DN_OID_ORGANIZATION) && slice_eq_str(a.value, "x") && !a.joined);
    assert_int_equal(DER_UTF8_STRING, a.tag);
    assert_true(dn_next(&at, &a));
    assert_true(slice_eq(a.oid, DN_OID_COMMON_NAME) && slice_eq_str(a.value, "a") && !a.joined);
    assert_true(dn_next(&at, &a));
    assert_true(slice_eq_str(a.value, "b") && a.joined);
    assert_false(dn_next(&at, &a));
    free(n.p);
}

static void test_last_is_the_most_specific(void **state)
{
    struct name n = name_of("CN=first,O=x,CN=second");
    struct dn_attribute a;
    (void)state;

    assert_true(dn_last(n.der, DN_OID_COMMON_NAME, &a));
    assert_true(slice_eq_str(a.value, "second"));
    assert_false(dn_last(n.der, DN_OID_EMAIL_ADDRESS, &a));
    free(n.p);
}

static void test_text(void **state)
{
    static const struct {
        const char *name, *text;
    } cases[] = {
        {"", ""},
        {"C=DE,O=Example,CN=a", "CN=a,O=Example,C=DE"},
        {"DC=com,DC=example,CN=a+UID=b", "CN=a+UID=b,DC=example,DC=com"},
        {"CN=a\\,b\\+c\\22d\\3ce>;\\5c", "CN=a\\,b\\+c\\\"d\\<e\\>\\;\\\\"},
        {"CN= a ", "CN=\\ a\\ "},
        {"CN=#a#", "CN=\\#a#"},
        {"CN=\xc3\xbc", "CN=\xc3\xbc"},
        {"CN=a\\00b\\1b[2J", "CN=a\\00b\\1b[2J"},
        {"CN=\\ff", "CN=\\ff"},
        {"CN=\\e2\\80\\ae"
         "moc",
         "CN=\\e2\\80\\aemoc"}, /* right-to-left override */
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct name n = name_of(cases[i].name);
        char text[128];

        dn_text(n.der, text, sizeof(text));
        assert_string_equal(cases[i].text, text);
        free(n.p);
    }
}

static void test_text_of_unknown_types(void **state)
{
    struct der type = one("1.2.3.4", DER_UTF8_STRING, LIT("ab"));
    struct der value = one(CN, DER_BIT_STRING, LIT("\0\x80"));
    char text[64];
    (void)state;

    dn_text(der_slice(&type), text, sizeof(text));
    assert_string_equal("1.2.3.4=#0c026162", text);
    dn_text(der_slice(&value), text, sizeof(text));
    assert_string_equal("CN=#03020080", text);
    der_free(&type);
    der_free(&value);
}

static void test_value_text(void **state)
{
    static const struct {
        uint8_t tag;
        struct slice value;
        const char *text;
    } cases[] = {
#define ROW(t, v, x) {t, {(const uint8_t *)(v), sizeof(v) - 1}, x}
        ROW(DER_UTF8_STRING, "a, b", "a, b"),
        ROW(DER_BMP_STRING, "\0Z\0\xfc", "Z\xc3\xbc"),
        ROW(DER_T61_STRING, "Z\xfc", "Z\xc3\xbc"),
        ROW(DER_UNIVERSAL_STRING, "\0\x01\xf5\x12", "\xf0\x9f\x94\x92"),
        ROW(DER_BMP_STRING, "\x20\xac", "\xe2\x82\xac"),
        ROW(DER_UTF8_STRING, "a\0b\n\x7f\xff", "a?b???"),
        ROW(DER_UTF8_STRING,
            "\xe2\x80\xae\xe2\x80\x8b"
            "a",
            "??a"),
#undef ROW
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct dn_attribute a = {.tag = cases[i].tag, .value = cases[i].value};
        char text[64];

        dn_value_text(&a, text, sizeof(text));
        assert_string_equal(cases[i].text, text);
    }
}

static void test_texts_are_cut_between_characters(void **state)
{
    struct dn_attribute a = {.tag = DER_UTF8_STRING,
                             .value = LIT("ab\xe2\x82\xac"
                                          "d")};
    struct name n = name_of("O=b,CN=\xe2\x82\xac\\00");
    char text[16];
    (void)state;

    dn_value_text(&a, text, 5);
    assert_string_equal("ab", text);
    dn_value_text(&a, text, 6);
    assert_string_equal("ab\xe2\x82\xac", text);
    dn_value_text(&a, text, 1);
    assert_string_equal("", text);
    dn_text(n.der, text, 7);
    assert_string_equal("CN=\xe2\x82\xac", text);
    free(n.p);
}

/* They say nothing; what stands behind them does. */
static void test_empty_rdns_are_passed_over(void **state)
{
    static const uint8_t name[] = {0x30, 0x12, 0x31, 0x00, 0x31, 0x0c, 0x30, 0x0a, 0x06, 0x03,
                                   0x55, 0x04, 0x03, 0x0c, 0x03, 'a',  'b',  'c',  0x31, 0x00};
    const struct slice n = slice_of(name, sizeof name);
    struct dn_cursor at = dn_begin(n);
    struct dn_attribute a;
    char text[32];
    (void)state;

    assert_true(dn_next(&at, &a));
    assert_true(slice_eq_str(a.value, "abc"));
    assert_false(a.joined);
    assert_false(dn_next(&at, &a));
    assert_true(dn_last(n, DN_OID_COMMON_NAME, &a));
    dn_text(n, text, sizeof text);
    assert_string_equal("CN=abc", text);
}

/* 32,000 of them, as many as a certificate can have: in no more time than their bytes take. */
static void test_thousands_of_empty_rdns_have_a_text(void **state)
{
    const size_t count = 32000;
    struct der d = {0};
    const size_t opened = der_open(&d, DER_SEQUENCE);
    char text[32];
    (void)state;

    for (size_t i = 0; i < count; i++)
        der_put(&d, DER_SET, SLICE_EMPTY);
    der_close(&d, opened);
    dn_text(der_slice(&d), text, sizeof text);
    assert_string_equal("", text);
    der_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_rdns_are_passed_over),
        cmocka_unit_test(test_thousands_of_empty_rdns_have_a_text),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_large_rdn),
        cmocka_unit_test(test_within),
        cmocka_unit_test(test_malformed_equals_only_itself),
        cmocka_unit_test(test_cursor),
        cmocka_unit_test(test_last_is_the_most_specific),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_text_of_unknown_types),
        cmocka_unit_test(test_value_text),
        cmocka_unit_test(test_texts_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
