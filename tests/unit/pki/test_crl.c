/* Revocation lists as bytes: what is read of them, what makes them unusable, what they say. */
#include "pki/crl.h"

#include <string.h>

#include "tools/dernames.h"
#include "tools/unit.h"

#define SHA256_RSA "1.2.840.113549.1.1.11"

/* What a test wants changed; all zero is an ordinary list of version 2. */
struct spec {
    bool version_1; /* no version field, and no extensions */
    bool no_next_update;
    struct slice entries;    /* content of revokedCertificates */
    struct slice extensions; /* content of Extensions, added to the CRL number */
    struct slice number;     /* the CRL number's extension instead, whole */
    uint8_t unused_bits;     /* of the signature */
};

static void put_algorithm(struct der *d)
{
    const size_t seq = der_open(d, DER_SEQUENCE);

    der_oid(d, SHA256_RSA);
    der_put(d, DER_NULL, SLICE_EMPTY);
    der_close(d, seq);
}

static void put_extension(struct der *d, const char *oid, bool critical, struct slice value)
{
    const size_t seq = der_open(d, DER_SEQUENCE);

    der_oid(d, oid);
    if (critical)
        der_bool(d, true);
    der_put(d, DER_OCTET_STRING, value);
    der_close(d, seq);
}

static void put_extensions(struct der *d, const struct spec *s)
{
    const size_t tag = der_open(d, DER_CONTEXT_CONSTRUCTED(0));
    const size_t seq = der_open(d, DER_SEQUENCE);

    if (s->number.n > 0)
        der_raw(d, s->number);
    else
        put_extension(d, "2.5.29.20", false, SLICE_LIT("\x02\x01\x07"));
    der_raw(d, s->extensions);
    der_close(d, seq);
    der_close(d, tag);
}

static struct der make(const struct spec *s)
{
    struct der d = {0};
    const uint8_t signature[] = {s->unused_bits, 0xa5, 0x00};
    const size_t list = der_open(&d, DER_SEQUENCE);
    const size_t tbs = der_open(&d, DER_SEQUENCE);

    if (!s->version_1)
        der_uint(&d, 1);
    put_algorithm(&d);
    der_name(&d, "CN=Example CA");
    der_time(&d, 1000000000);
    if (!s->no_next_update)
        der_time(&d, 1100000000);
    if (s->entries.n > 0)
        der_put(&d, DER_SEQUENCE, s->entries);
    if (!s->version_1)
        put_extensions(&d, s);
    der_close(&d, tbs);
    put_algorithm(&d);
    der_put(&d, DER_BIT_STRING, slice_of(signature, sizeof signature));
    der_close(&d, list);
    return d;
}

static void put_entry(struct der *d, struct slice serial, struct slice extensions)
{
    const size_t entry = der_open(d, DER_SEQUENCE);

    der_put(d, DER_INTEGER, serial);
    der_time(d, 1000000000);
    if (extensions.n > 0)
        der_put(d, DER_SEQUENCE, extensions);
    der_close(d, entry);
}

/* --- tests --- */

static void an_ordinary_list_is_read(void **state)
{
    struct der d = make(&(struct spec){.version_1 = false});
    struct crl crl;

    (void)state;
    assert_true(is_ok(crl_read(der_slice(&d), &crl, NULL)));
    assert_int_equal(crl.this_update_s, 1000000000);
    assert_int_equal(crl.next_update_s, 1100000000);
    assert_true(slice_eq(crl.number, SLICE_LIT("\x07")));
    assert_true(slice_eq(crl.signature, SLICE_LIT("\xa5\x00")));
    assert_true(slice_eq(crl.algorithm, crl.outer_algorithm));
    assert_int_equal(crl.reasons, CRL_ALL_REASONS);
    assert_false(crl.unusable || crl.is_delta || crl.indirect || crl.only_cas || crl.only_users);
    assert_int_equal(crl_find(&crl, SLICE_LIT("\x05"), NULL), CRL_NOT_LISTED);
    der_free(&d);
}

static void old_lists_are_read(void **state)
{
    struct der d = make(&(struct spec){.version_1 = true, .no_next_update = true});
    struct crl crl;

    (void)state;
    assert_true(is_ok(crl_read(der_slice(&d), &crl, NULL)));
    assert_int_equal(crl.next_update_s, CRL_NO_NEXT_UPDATE);
    assert_int_equal(crl.number.n, 0);
    assert_false(crl.unusable);
    der_free(&d);
}

static void entries_are_found_by_their_whole_serial_number(void **state)
{
    static const struct slice removed = {
        (const uint8_t *)"\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x08", 12};
    static const struct slice compromised = {
        (const uint8_t *)"\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x01", 12};
    struct der entries = {0};
    int64_t when = 0;
    struct crl crl;

    (void)state;
    put_entry(&entries, SLICE_LIT("\x05"), SLICE_EMPTY);
    put_entry(&entries, SLICE_LIT("\x00\x80"), compromised);
    put_entry(&entries, SLICE_LIT("\x06"), removed);
    put_entry(&entries, SLICE_LIT("\xff"), SLICE_EMPTY);
    struct der d = make(&(struct spec){.entries = der_slice(&entries)});
    assert_true(is_ok(crl_read(der_slice(&d), &crl, NULL)));
    assert_false(crl.unusable);
    assert_int_equal(crl_find(&crl, SLICE_LIT("\x05"), &when), CRL_REVOKED);
    assert_int_equal(when, 1000000000);
    assert_int_equal(crl_find(&crl, SLICE_LIT("\x00\x80"), &when), CRL_REVOKED);
    assert_int_equal(crl_find(&crl, SLICE_LIT("\x80"), &when), CRL_NOT_LISTED); /* is negative */
    assert_int_equal(crl_find(&crl, SLICE_LIT("\xff"), &when), CRL_REVOKED);
    assert_int_equal(crl_find(&crl, SLICE_LIT("\x06"), &when), CRL_REMOVED);
    assert_int_equal(crl_find(&crl, SLICE_LIT("\x05\x05"), &when), CRL_NOT_LISTED);
    der_free(&d);
    der_free(&entries);
}

static void a_delta_knows_its_base(void **state)
{
    struct der exts = {0};
    struct crl crl;

    (void)state;
    put_extension(&exts, "2.5.29.27", true, SLICE_LIT("\x02\x01\x03"));
    struct der d = make(&(struct spec){.extensions = der_slice(&exts)});
    assert_true(is_ok(crl_read(der_slice(&d), &crl, NULL)));
    assert_true(crl.is_delta);
    assert_true(slice_eq(crl.base_number, SLICE_LIT("\x03")));
    assert_false(crl.unusable);
    der_free(&d);
    der_free(&exts);
}

static void the_scope_is_read(void **state)
{
    static const struct {
        struct slice value; /* of issuingDistributionPoint */
        bool users, cas, indirect, attributes;
        unsigned reasons;
    } cases[] = {
#define V(bytes) {(const uint8_t *)(bytes), sizeof(bytes) - 1}
        {V("\x30\x00"), .reasons = CRL_ALL_REASONS},
        {V("\x30\x03\x81\x01\xff"), .users = true, .reasons = CRL_ALL_REASONS},
        {V("\x30\x03\x82\x01\xff"), .cas = true, .reasons = CRL_ALL_REASONS},
        {V("\x30\x03\x84\x01\xff"), .indirect = true, .reasons = CRL_ALL_REASONS},
        {V("\x30\x03\x85\x01\xff"), .attributes = true, .reasons = CRL_ALL_REASONS},
        {V("\x30\x04\x83\x02\x05\x60"), .reasons = 1 << 1 | 1 << 2},
        {V("\x30\x0a\x82\x01\xff\x83\x02\x05\x60\x84\x01\xff"), .cas = true, .indirect = true,
         .reasons = 1 << 1 | 1 << 2},
#undef V
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct der exts = {0};
        struct crl crl;
        put_extension(&exts, "2.5.29.28", true, cases[i].value);
        struct der d = make(&(struct spec){.extensions = der_slice(&exts)});

        assert_true(is_ok(crl_read(der_slice(&d), &crl, NULL)));
        assert_int_equal(crl.only_users, cases[i].users);
        assert_int_equal(crl.only_cas, cases[i].cas);
        assert_int_equal(crl.indirect, cases[i].indirect);
        assert_int_equal(crl.only_attributes, cases[i].attributes);
        assert_int_equal(crl.reasons, cases[i].reasons);
        der_free(&d);
        der_free(&exts);
    }
}

static void what_is_not_understood_makes_it_unusable(void **state)
{
    struct der critical = {0}, harmless = {0}, entry_critical = {0}, entries = {0}, number = {0};
    struct crl crl;

    (void)state;
    put_extension(&critical, "1.2.3.4", true, SLICE_LIT("\x05\x00"));
    put_extension(&harmless, "1.2.3.4", false, SLICE_LIT("\x05\x00"));
    put_extension(&entry_critical, "1.2.3.4", true, SLICE_LIT("\x05\x00"));
    put_entry(&entries, SLICE_LIT("\x05"), der_slice(&entry_critical));
    put_extension(&number, "2.5.29.20", true, SLICE_LIT("\x02\x01\x07"));
    const struct {
        struct spec spec;
        bool unusable;
    } cases[] = {
        {{.extensions = der_slice(&critical)}, true},
        {{.extensions = der_slice(&harmless)}, false},
        {{.entries = der_slice(&entries)}, true},
        {{.number = der_slice(&number)}, true}, /* never critical (RFC 5280 section 5.2.3) */
        {{.unused_bits = 1}, true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct der d = make(&cases[i].spec);

        assert_true(is_ok(crl_read(der_slice(&d), &crl, NULL)));
        assert_int_equal(crl.unusable, cases[i].unusable);
        der_free(&d);
    }
    der_free(&critical);
    der_free(&harmless);
    der_free(&entry_critical);
    der_free(&entries);
    der_free(&number);
}

static void malformed_parts_are_refused(void **state)
{
    static const struct slice entries[] = {
        {(const uint8_t *)"\x30\x03\x02\x01\x05", 5}, /* no date */
        {(const uint8_t *)"\x30\x02\x05\x00", 4},     /* no serial number */
        {(const uint8_t *)"\x31\x00", 2},
    };
    static const struct slice values[] = {
        {(const uint8_t *)"\x30\x03\x86\x01\xff",
         5}, /* of issuingDistributionPoint: no such field */
        {(const uint8_t *)"\x30\x02\x81\x00", 4},
        {(const uint8_t *)"\x30\x02\x83\x00", 4},
        {(const uint8_t *)"\x05\x00", 2},
    };
    struct errinfo e = ERRINFO_INIT;
    struct crl crl;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(entries); i++) {
        struct der d = make(&(struct spec){.entries = entries[i]});
        assert_int_equal(crl_read(der_slice(&d), &crl, NULL).code, ERR_PARSE);
        der_free(&d);
    }
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct der exts = {0};
        put_extension(&exts, "2.5.29.28", true, values[i]);
        struct der d = make(&(struct spec){.extensions = der_slice(&exts)});
        assert_int_equal(crl_read(der_slice(&d), &crl, NULL).code, ERR_PARSE);
        der_free(&d);
        der_free(&exts);
    }
    assert_int_equal(crl_read(SLICE_LIT("\x30\x00"), &crl, &e).code, ERR_PARSE);
    assert_true(strlen(e.text) > 0);
}

static void every_cut_is_refused(void **state)
{
    struct der d = make(&(struct spec){.version_1 = false});
    const struct slice whole = der_slice(&d);
    struct crl crl;

    (void)state;
    for (size_t n = 0; n < whole.n; n++)
        assert_true(is_err(crl_read(slice_first(whole, n), &crl, NULL)));
    der_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordinary_list_is_read),
        cmocka_unit_test(old_lists_are_read),
        cmocka_unit_test(entries_are_found_by_their_whole_serial_number),
        cmocka_unit_test(a_delta_knows_its_base),
        cmocka_unit_test(the_scope_is_read),
        cmocka_unit_test(what_is_not_understood_makes_it_unusable),
        cmocka_unit_test(malformed_parts_are_refused),
        cmocka_unit_test(every_cut_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
