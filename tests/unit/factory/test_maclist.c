#include "factory/maclist.h"

#include <stdio.h>

#include "tools/unit.h"

static void test_forms(void **state)
{
    static const struct mac_line want[] = {
        {{{0x00, 0x15, 0x65, 0xa1, 0xb2, 0xc3}}, 2},
        {{{0x00, 0x15, 0x65, 0xa1, 0xb2, 0xc4}}, 4},
        {{{0x00, 0x15, 0x65, 0xa1, 0xb2, 0xc5}}, 5},
        {{{0x00, 0x15, 0x65, 0xa1, 0xb2, 0xc6}}, 6},
    };
    struct maclist l = {NULL, 0, 0};
    (void)state;

    assert_true(is_ok(maclist_read(SLICE_LIT("\xef\xbb\xbf# batch 7\n001565A1B2C3\r\n  \r\n"
                                             "\t00:15:65:a1:b2:c4 # spare\n"
                                             "00-15-65-A1-B2-C5 \n0015.65a1.b2c6"),
                                   "l", &l, NULL)));
    assert_int_equal(COUNT_OF(want), l.count);
    for (size_t i = 0; i < l.count; i++) {
        assert_true(mac_equal(&want[i].mac, &l.list[i].mac));
        assert_int_equal(want[i].line, l.list[i].line);
    }
    maclist_free(&l);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *sentence;
        enum err code;
    } cases[] = {
        {"", "l: there is no MAC address in the list", ERR_NOT_FOUND},
        {"# nothing\n\n", "l: there is no MAC address in the list", ERR_NOT_FOUND},
        {"001565A1B2C3\nmac\n", "l:2: 'mac' is not a MAC address", ERR_INVALID},
        {"001565A1B2C3,77\n", "l:1: '001565A1B2C3,77' is not a MAC address", ERR_INVALID},
        {"001565A1B2C3 001565A1B2C4\n", "l:1: '001565A1B2C3 001565A1B2C4' is not a MAC address",
         ERR_INVALID},
        {"\nff:ff:ff:ff:ff:ff\n", "l:2: 'ff:ff:ff:ff:ff:ff' is not the MAC address of a device",
         ERR_INVALID},
        {"001565A1B2C3\n001565A1B2C4\n\n00:15:65:a1:b2:c3\n",
         "l:4: 001565A1B2C3 is in line 1 already", ERR_INVALID},
        {"0123456789012345678901234567890123456789012345",
         "l:1: '0123456789012345678901234567890123456789' is not a MAC address", ERR_INVALID},
        {"\xff\xfe\x30", "l:1: '?\?0' is not a MAC address", ERR_INVALID}, /* UTF-16 */
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct maclist l = {NULL, 0, 0};
        struct errinfo e = ERRINFO_INIT;
        assert_int_equal(cases[i].code,
                         maclist_read(slice_of_str(cases[i].text), "l", &l, &e).code);
        assert_string_equal(cases[i].sentence, e.text);
        maclist_free(&l);
    }
}

/* A large run is read, and one mistake in it is found. */
static void test_many(void **state)
{
    enum { COUNT = 100000 };
    struct maclist l = {NULL, 0, 0};
    struct errinfo e = ERRINFO_INIT;
    char *text = malloc((size_t)COUNT * 13 + 14);
    size_t n = 0;
    (void)state;

    for (unsigned i = 0; i < COUNT; i++)
        n += (size_t)sprintf(text + n, "%012x\n", i * 2654435761U % 16777216U + 1U);
    assert_true(is_ok(maclist_read(slice_of(text, n), "l", &l, NULL)));
    assert_int_equal(COUNT, l.count);
    maclist_free(&l);
    n += (size_t)sprintf(text + n, "%012X\n", 77 * 2654435761U % 16777216U + 1U);
    assert_true(is_err(maclist_read(slice_of(text, n), "l", &l, &e)));
    assert_non_null(strstr(e.text, "l:100001: "));
    assert_non_null(strstr(e.text, "is in line 78 already"));
    maclist_free(&l);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
