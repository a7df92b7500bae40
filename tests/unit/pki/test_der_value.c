/* The primitive types of DER: what is read, and what is refused because it is no DER. */
#include "pki/der_value.h"

#include <string.h>

#include "base/clock.h"
#include "tools/unit.h"

#define BYTES(text) slice_of(text, sizeof(text) - 1)

static void booleans_are_read(void **state)
{
    static const struct {
        const char *der;
        size_t n;
        bool good, value;
    } cases[] = {
        {"\x01\x01\xff", 3, true, true},
        {"\x01\x01\x00", 3, true, false},
        {"", 0, true, false},
        {"\x02\x01\x05", 3, true, false}, /* absent */
        {"\x01\x01\x01", 3, false, false},
        {"\x01\x00", 2, false, false},
        {"\x01\x02\xff\xff", 4, false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct slice in = slice_of(cases[i].der, cases[i].n);
        bool value = !cases[i].value;

        assert_int_equal(der_take_bool(&in, &value), cases[i].good);
        assert_int_equal(value, cases[i].value);
        if (!cases[i].good)
            assert_int_equal(in.n, cases[i].n);
    }
}

static void integers_are_not_longer_than_needed(void **state)
{
    static const struct {
        const char *der;
        size_t n;
        bool good;
    } cases[] = {
        {"\x02\x01\x00", 3, true},      {"\x02\x01\x80", 3, true},
        {"\x02\x02\x00\x80", 4, true},  {"\x02\x02\xff\x7f", 4, true},
        {"\x02\x00", 2, false},         {"\x02\x02\x00\x7f", 4, false},
        {"\x02\x02\xff\x80", 4, false}, {"\x03\x01\x00", 3, false},
        {"\x02\x02\x01", 3, false},     {"", 0, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct slice in = slice_of(cases[i].der, cases[i].n), bytes = SLICE_EMPTY;

        assert_int_equal(der_take_integer(&in, &bytes), cases[i].good);
        assert_int_equal(in.n, cases[i].good ? 0 : cases[i].n);
        if (cases[i].good)
            assert_int_equal(bytes.n, cases[i].n - 2);
    }
}

static void integers_become_numbers(void **state)
{
    uint32_t v = 7;

    (void)state;
    assert_true(der_to_u32(BYTES("\x00"), &v));
    assert_int_equal(v, 0);
    assert_true(der_to_u32(BYTES("\x00\xff\xff\xff\xff"), &v));
    assert_int_equal(v, UINT32_MAX);
    assert_true(der_to_u32(BYTES("\x7f\x01"), &v));
    assert_int_equal(v, 0x7f01);
    assert_false(der_to_u32(BYTES("\x01\x00\x00\x00\x00"), &v));
    assert_false(der_to_u32(BYTES("\x80"), &v)); /* negative */
    assert_false(der_to_u32(SLICE_EMPTY, &v));
}

static void bits_that_do_not_count_are_zero(void **state)
{
    static const struct {
        const char *der;
        size_t n;
        bool good;
        unsigned unused;
    } cases[] = {
        {"\x03\x02\x00\xff", 4, true, 0},  {"\x03\x02\x05\xa0", 4, true, 5},
        {"\x03\x01\x00", 3, true, 0},      {"\x03\x02\x05\xb0", 4, false, 0},
        {"\x03\x02\x08\x00", 4, false, 0}, {"\x03\x01\x01", 3, false, 0},
        {"\x03\x00", 2, false, 0},         {"\x04\x02\x00\xff", 4, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct slice in = slice_of(cases[i].der, cases[i].n), bytes;
        unsigned unused;

        assert_int_equal(der_take_bits(&in, &bytes, &unused), cases[i].good);
        if (cases[i].good)
            assert_int_equal(unused, cases[i].unused);
    }
    assert_int_equal(der_bit_flags(SLICE_EMPTY), 0);
    assert_int_equal(der_bit_flags(BYTES("\x80")), 1);
    assert_int_equal(der_bit_flags(BYTES("\x06\x80")), 1U << 5 | 1U << 6 | 1U << 8);
    assert_int_equal(der_bit_flags(BYTES("\x00\x00\x00\x01\xff")), 1U << 31);
}

static void check_time(uint8_t tag, const char *text, const char *iso)
{
    uint8_t der[40] = {tag, (uint8_t)strlen(text)};
    struct slice in = slice_of(der, strlen(text) + 2);
    char out[CLOCK_ISO_SIZE];
    int64_t epoch_s;

    memcpy(der + 2, text, strlen(text));
    if (der_take_time(&in, &epoch_s) != (iso != NULL))
        fail_msg("'%s'", text);
    if (iso == NULL)
        return;
    clock_to_iso(epoch_s, out);
    assert_string_equal(out, iso);
}

/* RFC 5280 section 4.1.2.5. */
static void times_have_one_form(void **state)
{
    (void)state;
    check_time(DER_UTC_TIME, "270115080000Z", "2027-01-15T08:00:00Z");
    check_time(DER_UTC_TIME, "500101000000Z", "1950-01-01T00:00:00Z");
    check_time(DER_UTC_TIME, "491231235959Z", "2049-12-31T23:59:59Z");
    check_time(DER_GENERALIZED_TIME, "20500101000000Z", "2050-01-01T00:00:00Z");
    check_time(DER_GENERALIZED_TIME, "99991231235959Z", "9999-12-31T23:59:59Z");
    check_time(DER_UTC_TIME, "240229000000Z", "2024-02-29T00:00:00Z");
    check_time(DER_GENERALIZED_TIME, "20000229000000Z", "2000-02-29T00:00:00Z");
    check_time(DER_UTC_TIME, "230229000000Z", NULL);
    check_time(DER_GENERALIZED_TIME, "21000229000000Z", NULL);
    check_time(DER_UTC_TIME, "2701150800Z", NULL);
    check_time(DER_UTC_TIME, "270115080000+0000", NULL);
    check_time(DER_UTC_TIME, "270115080000", NULL);
    check_time(DER_UTC_TIME, "270015080000Z", NULL);
    check_time(DER_UTC_TIME, "271315080000Z", NULL);
    check_time(DER_UTC_TIME, "270100080000Z", NULL);
    check_time(DER_UTC_TIME, "270431080000Z", NULL);
    check_time(DER_UTC_TIME, "270115240000Z", NULL);
    check_time(DER_UTC_TIME, "270115086000Z", NULL);
    check_time(DER_UTC_TIME, "270115080060Z", NULL);
    check_time(DER_UTC_TIME, "27011508000 Z", NULL);
    check_time(DER_UTC_TIME, "270115080000z", NULL);
    check_time(DER_GENERALIZED_TIME, "20270115080000.5Z", NULL);
    check_time(DER_GENERALIZED_TIME, "20270115080000", NULL);
    check_time(DER_GENERALIZED_TIME, "270115080000Z", NULL); /* the other one's length */
    check_time(DER_UTC_TIME, "20270115080000Z", NULL);
    check_time(DER_OCTET_STRING, "270115080000Z", NULL);
}

static void object_identifiers_have_a_text(void **state)
{
    static const char *const good[] = {"2.5.29.32.0", "1.3.6.1.5.5.7.3.1", "0.9.2342.19200300.100",
                                       "2.999",       "1.2.840.113549",    "2.5"};
    static const char *const bad[] = {"",     "1",   "1.",    "1.40", "3.1",           "1.2..3",
                                      "1.2.", "a.b", "1.2.x", "-1.2", "1.2.4294967296"};
    uint8_t oid[DER_OID_MAX];
    char text[80];
    size_t n;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(der_oid_from_text(good[i], oid, &n));
        der_oid_text(slice_of(oid, n), text, sizeof text);
        assert_string_equal(text, good[i]);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (der_oid_from_text(bad[i], oid, &n))
            fail_msg("'%s' was taken", bad[i]);
}

static void texts_of_object_identifiers_are_cut(void **state)
{
    char text[8];

    (void)state;
    der_oid_text(BYTES("\x2b\x06\x01\x05\x05\x07\x03\x01"), text, sizeof text);
    assert_string_equal(text, "1.3.6.1");
    /* more than 64 bits: what was written so far stands */
    char all[80];
    der_oid_text(BYTES("\x2b\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x01"), all, sizeof all);
    assert_string_equal(all, "1.3");
    der_oid_text(SLICE_EMPTY, all, sizeof all);
    assert_string_equal(all, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(booleans_are_read),
        cmocka_unit_test(integers_are_not_longer_than_needed),
        cmocka_unit_test(integers_become_numbers),
        cmocka_unit_test(bits_that_do_not_count_are_zero),
        cmocka_unit_test(times_have_one_form),
        cmocka_unit_test(object_identifiers_have_a_text),
        cmocka_unit_test(texts_of_object_identifiers_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
