/* For which certificates a revocation list speaks. */
#include "pki/distpoint.h"

#include "tools/dernames.h"
#include "tools/testpki.h"
#include "tools/unit.h"

/* Written names live until the last test has ended. */
static struct der kept[128];
static size_t kept_count;

static struct slice keep(struct der d)
{
    assert_true(kept_count < COUNT_OF(kept));
    kept[kept_count] = d;
    return der_slice(&kept[kept_count++]);
}

static int forget(void **state)
{
    (void)state;
    while (kept_count > 0)
        der_free(&kept[--kept_count]);
    return 0;
}

/* The content of a DistributionPointName: "DNS:..." as a full name, or an RDN "+CN=x" relative to
 * the issuer. */
static struct slice point_name(const char *text)
{
    struct der d = {0}, name = {0};

    if (text == NULL)
        return SLICE_EMPTY;
    if (text[0] != '+') {
        const size_t full = der_open(&d, DER_CONTEXT_CONSTRUCTED(0));

        der_general_names(&name, text);
        struct slice list = der_slice(&name), names;
        assert_true(der_take(&list, DER_SEQUENCE, &names));
        der_raw(&d, names);
        der_close(&d, full);
    } else {
        der_name(&name, text + 1);
        struct slice whole = der_slice(&name), rdns = SLICE_EMPTY, rdn = SLICE_EMPTY;
        assert_true(der_take(&whole, DER_SEQUENCE, &rdns) && der_take(&rdns, DER_SET, &rdn));
        der_put(&d, DER_CONTEXT_CONSTRUCTED(1), rdn);
    }
    der_free(&name);
    return keep(d);
}

struct point {
    const char *name;     /* NULL: none */
    struct slice reasons; /* content of the BIT STRING; empty: none */
    const char *issuer;   /* a cRLIssuer; NULL: none */
};

/* A certificate of CN=CA that names these points; none at all without any. */
static struct certfields cert_with(const struct point *points, size_t n, bool ca)
{
    struct der d = {0};
    const size_t list = der_open(&d, DER_SEQUENCE);
    struct certfields f;

    for (size_t i = 0; i < n; i++) {
        const size_t point = der_open(&d, DER_SEQUENCE);
        if (points[i].name != NULL)
            der_put(&d, DER_CONTEXT_CONSTRUCTED(0), point_name(points[i].name));
        if (points[i].reasons.n > 0)
            der_put(&d, DER_CONTEXT(1), points[i].reasons);
        if (points[i].issuer != NULL) {
            const size_t issuer = der_open(&d, DER_CONTEXT_CONSTRUCTED(2));
            der_general_names(&d, points[i].issuer);
            der_close(&d, issuer);
        }
        der_close(&d, point);
    }
    der_close(&d, list);
    const struct testpki_ext ext = {"2.5.29.31", false, der_slice(&d)};
    struct der issuer = {0};
    der_name(&issuer, "CN=CA");
    const struct testpki_spec spec = {.subject = "CN=x",
                                      .issuer_der = der_slice(&issuer),
                                      .key = 1,
                                      .ca = ca,
                                      .exts = &ext,
                                      .exts_count = n > 0};
    assert_true(is_ok(certfields_read(testpki_der(testpki_make(&spec)), &f, NULL)));
    der_free(&d);
    der_free(&issuer);
    return f;
}

static struct crl list_of(const char *point)
{
    return (struct crl){.reasons = CRL_ALL_REASONS, .distribution_point = point_name(point)};
}

static void a_list_without_a_point_is_for_all(void **state)
{
    const struct point point = {.name = "DNS:a.example"};
    const struct certfields plain = cert_with(NULL, 0, false),
                            pointed = cert_with(&point, 1, false);
    struct crl crl = list_of(NULL);

    (void)state;
    assert_int_equal(distpoint_reasons(&crl, &plain), CRL_ALL_REASONS);
    assert_int_equal(distpoint_reasons(&crl, &pointed), CRL_ALL_REASONS);
    crl.reasons = 1 << 1;
    assert_int_equal(distpoint_reasons(&crl, &plain), 1 << 1);
}

static void users_and_cas_may_have_lists_of_their_own(void **state)
{
    const struct certfields user = cert_with(NULL, 0, false), ca = cert_with(NULL, 0, true);
    struct crl crl = list_of(NULL);

    (void)state;
    crl.only_users = true;
    assert_int_equal(distpoint_reasons(&crl, &user), CRL_ALL_REASONS);
    assert_int_equal(distpoint_reasons(&crl, &ca), 0);
    crl.only_users = false;
    crl.only_cas = true;
    assert_int_equal(distpoint_reasons(&crl, &user), 0);
    assert_int_equal(distpoint_reasons(&crl, &ca), CRL_ALL_REASONS);
    crl.only_cas = false;
    crl.only_attributes = true;
    assert_int_equal(distpoint_reasons(&crl, &user), 0);
    assert_int_equal(distpoint_reasons(&crl, &ca), 0);
}

static void a_point_is_found_by_any_of_its_names(void **state)
{
    static const struct {
        const char *list, *cert;
        bool same;
    } cases[] = {
        {"DNS:a.example", "DNS:a.example", true},
        {"DNS:a.example", "DNS:b.example", false},
        {"DNS:a.example DNS:b.example", "DNS:c.example DNS:b.example", true},
        {"URI:http://a.example/crl", "URI:http://a.example/crl", true},
        {"DNS:a.example", "URI:a.example", false},
        {"DNS:a.example", NULL, false},
        {"+CN=part", "+CN=part", true},
        {"+CN=part", "+CN=PART", true}, /* compared as names are */
        {"+CN=part", "+CN=other", false},
        {"+CN=part", "DNS:part", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct point point = {.name = cases[i].cert};
        const struct certfields c = cert_with(&point, 1, false);
        const struct crl crl = list_of(cases[i].list);

        if ((distpoint_reasons(&crl, &c) != 0) != cases[i].same)
            fail_msg("list %s, certificate %s", cases[i].list,
                     cases[i].cert != NULL ? cases[i].cert : "without");
    }
    /* and where the certificate names no point at all, the list of one is not its */
    const struct certfields plain = cert_with(NULL, 0, false);
    const struct crl crl = list_of("DNS:a.example");
    assert_int_equal(distpoint_reasons(&crl, &plain), 0);
}

static void reasons_are_those_of_both(void **state)
{
    const struct point points[] = {
        {.name = "DNS:a.example", .reasons = SLICE_LIT("\x05\x60")}, /* bits 1 and 2 */
        {.name = "DNS:a.example", .reasons = SLICE_LIT("\x04\x10")}, /* and 3 */
        {.name = "DNS:b.example"},
    };
    const struct certfields c = cert_with(points, COUNT_OF(points), false);
    struct crl crl = list_of("DNS:a.example");

    (void)state;
    assert_int_equal(distpoint_reasons(&crl, &c), 1 << 1 | 1 << 2 | 1 << 3);
    crl.reasons = 1 << 2 | 1 << 4;
    assert_int_equal(distpoint_reasons(&crl, &c), 1 << 2);
    crl = list_of("DNS:b.example");
    assert_int_equal(distpoint_reasons(&crl, &c), CRL_ALL_REASONS);
}

static void a_point_of_another_issuer_is_not_the_cas(void **state)
{
    const struct point point = {.name = "DNS:a.example", .issuer = "DNS:other.example"};
    const struct certfields c = cert_with(&point, 1, false);
    const struct crl crl = list_of("DNS:a.example");

    (void)state;
    assert_int_equal(distpoint_reasons(&crl, &c), 0);
}

static void a_malformed_point_ends_the_list(void **state)
{
    static const struct slice malformed[] = {
        {(const uint8_t *)"\x30\x04\x30\x02\x05\x00", 6},         /* something else inside */
        {(const uint8_t *)"\x30\x06\x30\x04\xa0\x02\xa0\x00", 8}, /* a name of nothing */
        {(const uint8_t *)"\x30\x06\x30\x04\xa0\x02\xa5\x00", 8}, /* an unknown kind of name */
        {(const uint8_t *)"\x30\x04\x30\x02\x81\x00", 6},         /* empty reasons */
    };
    struct crl crl = list_of("DNS:a.example");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(malformed); i++) {
        struct certfields c = cert_with(NULL, 0, false);

        c.ext[CERT_EXT_CRL_DISTRIBUTION_POINTS] =
            (struct cert_ext_field){.present = true, .value = malformed[i]};
        assert_int_equal(distpoint_reasons(&crl, &c), 0);
    }
}

static void a_delta_has_the_scope_of_its_list(void **state)
{
    const struct crl a = list_of("DNS:a.example");
    struct crl b = a;

    (void)state;
    assert_true(distpoint_same_scope(&a, &b));
    b.only_cas = true;
    assert_false(distpoint_same_scope(&a, &b));
    b = a;
    b.only_users = true;
    assert_false(distpoint_same_scope(&a, &b));
    b = a;
    b.only_attributes = true;
    assert_false(distpoint_same_scope(&a, &b));
    b = a;
    b.reasons = 1 << 1;
    assert_false(distpoint_same_scope(&a, &b));
    b = list_of("DNS:b.example");
    assert_false(distpoint_same_scope(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_without_a_point_is_for_all),
        cmocka_unit_test(users_and_cas_may_have_lists_of_their_own),
        cmocka_unit_test(a_point_is_found_by_any_of_its_names),
        cmocka_unit_test(reasons_are_those_of_both),
        cmocka_unit_test(a_point_of_another_issuer_is_not_the_cas),
        cmocka_unit_test(a_malformed_point_ends_the_list),
        cmocka_unit_test(a_delta_has_the_scope_of_its_list),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
