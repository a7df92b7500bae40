#include "base/mac.h"
#include "tools/unit.h"

static void test_parse(void **state)
{
    static const struct {
        const char *text, *want; /* NULL: refused */
    } cases[] = {
        {"001565a1b2c3", "001565A1B2C3"},
        {"001565A1B2C3", "001565A1B2C3"},
        {"00:15:65:a1:B2:c3", "001565A1B2C3"},
        {"00-15-65-a1-b2-c3", "001565A1B2C3"},
        {"0015.65a1.b2c3", "001565A1B2C3"},
        {"", NULL},
        {"001565a1b2c", NULL},
        {"001565a1b2c3d", NULL},
        {"001565a1b2cg", NULL},
        {"00:15:65:a1:b2-c3", NULL},
        {"00-15:65-a1-b2-c3", NULL},
        {"00.15.65.a1.b2.c3", NULL},
        {"0015:65a1:b2c3", NULL},
        {":0015:65:a1:b2c3", NULL},
        {"00:15:65:a1:b2:c", NULL},
        {"00:15:65:a1:b2:c3 ", NULL},
        {" 001565a1b2c3", NULL},
        {"00:15:65:a1:b2::3", NULL},
        {"0015-65a1-b2c3", NULL},
        {"0015.65a1.b2c.3", NULL},
        {"00:15:65:a1:b2:c3:00", NULL},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mac mac;
        char text[MAC_TEXT_SIZE];
        const bool good = mac_parse(slice_of_str(cases[i].text), &mac);

        if (good != (cases[i].want != NULL))
            fail_msg("'%s' is %s", cases[i].text, good ? "taken" : "refused");
        if (!good)
            continue;
        mac_text(&mac, text);
        assert_string_equal(cases[i].want, text);
    }
}

static void test_urn(void **state)
{
    struct mac mac;
    char urn[MAC_URN_SIZE];
    (void)state;

    assert_true(mac_parse(SLICE_LIT("00:24:BE:80:4F:F1"), &mac)); /* RFC 9039's own example */
    mac_urn(&mac, urn);
    assert_string_equal("urn:dev:mac:0024beffff804ff1", urn);
}

static void test_device(void **state)
{
    static const struct {
        const char *text;
        bool device;
    } cases[] = {
        {"001565a1b2c3", true},  {"021565a1b2c3", true}, /* locally administered: a virtual phone's
                                                          */
        {"011565a1b2c3", false}, {"ffffffffffff", false}, {"000000000000", false},
        {"000000000001", true},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mac mac;
        assert_true(mac_parse(slice_of_str(cases[i].text), &mac));
        assert_int_equal(cases[i].device, mac_is_device(&mac));
    }
}

static void test_equal(void **state)
{
    struct mac a, b;
    (void)state;

    assert_true(mac_parse(SLICE_LIT("001565a1b2c3"), &a));
    assert_true(mac_parse(SLICE_LIT("00-15-65-A1-B2-C3"), &b));
    assert_true(mac_equal(&a, &b));
    b.byte[5] ^= 1;
    assert_false(mac_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_urn),
        cmocka_unit_test(test_device),
        cmocka_unit_test(test_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
