#include "pki/der_write.h"

#include "base/clock.h"
#include "pki/der_value.h"
#include "tools/unit.h"

static struct buf out;
static struct der_writer w;

static int set_up(void **state)
{
    (void)state;
    buf_init(&out, 100000);
    w = der_write_to(&out);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_free(&out);
    return 0;
}

#define assert_written(literal)                                     \
    do {                                                            \
        assert_true(is_ok(der_write_end(&w, NULL)));                \
        assert_true(slice_eq(buf_slice(&out), SLICE_LIT(literal))); \
        buf_clear(&out);                                            \
    } while (0)

static void test_values(void **state)
{
    (void)state;
    der_write_bool(&w, true);
    assert_written("\x01\x01\xff");
    der_write_oid(&w, SLICE_LIT("\x55\x1d\x13"));
    assert_written("\x06\x03\x55\x1d\x13");
    der_write_bits(&w, SLICE_LIT("ab"));
    assert_written("\x03\x03\x00"
                   "ab");
    der_write_value(&w, DER_NULL, SLICE_EMPTY);
    assert_written("\x05\x00");
}

static void test_numbers(void **state)
{
    static const uint32_t numbers[] = {
        0,       1,        0x7f,     0x80,   0xff,    0x100,    0x7fff,     0x8000,     0xffff,
        0x10000, 0x7fffff, 0x800000, 600000, 4000000, 16777216, 0x7fffffff, 0x80000000, 0xffffffff};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        struct slice in, bytes;
        uint32_t got;
        der_write_uint(&w, numbers[i]);
        in = buf_slice(&out);
        assert_true(der_take_integer(&in, &bytes)); /* which refuses what is too long */
        assert_true(der_to_u32(bytes, &got));
        assert_int_equal(numbers[i], got);
        assert_int_equal(0, in.n);
        buf_clear(&out);
    }
}

static void test_flags(void **state)
{
    (void)state;
    der_write_flags(&w, 1 << 0);
    assert_written("\x03\x02\x07\x80");
    der_write_flags(&w, 1 << 5 | 1 << 6);
    assert_written("\x03\x02\x01\x06");
    der_write_flags(&w, 0xff);
    assert_written("\x03\x02\x00\xff");
    der_write_flags(&w, 0);
    assert_written("\x03\x01\x00");
}

/* Lengths on both sides of each form of a length, nested, with what was before kept. */
static void test_lengths(void **state)
{
    static const size_t lengths[] = {0, 1, 127, 128, 255, 256, 65535, 65536};
    static uint8_t content[65536];
    (void)state;

    memset(content, 'x', sizeof content);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        struct slice in, inner, value;
        der_write_bool(&w, true);
        const size_t seq = der_write_open(&w, DER_SEQUENCE);
        const size_t set = der_write_open(&w, DER_SET);
        der_write_raw(&w, slice_of(content, lengths[i]));
        der_write_close(&w, set);
        der_write_value(&w, DER_OCTET_STRING, slice_of(content, lengths[i] / 4));
        der_write_close(&w, seq);
        assert_true(is_ok(der_write_end(&w, NULL)));
        in = slice_from(buf_slice(&out), 3);
        assert_true(der_take(&in, DER_SEQUENCE, &inner));
        assert_int_equal(0, in.n);
        assert_true(der_take(&inner, DER_SET, &value));
        assert_true(slice_eq(value, slice_of(content, lengths[i])));
        assert_true(der_take(&inner, DER_OCTET_STRING, &value));
        assert_int_equal(lengths[i] / 4, value.n);
        assert_int_equal(0, inner.n);
        buf_clear(&out);
    }
}

static void test_times(void **state)
{
    static const struct {
        int64_t epoch_s;
        const char *text;
    } cases[] = {
        {0, "\x17\x0d"
            "700101000000Z"},
        {2524607999, "\x17\x0d"
                     "491231235959Z"},
        {2524608000, "\x18\x0f"
                     "20500101000000Z"},
        {253402300799, "\x18\x0f"
                       "99991231235959Z"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct slice in;
        int64_t back;
        der_write_time(&w, cases[i].epoch_s);
        assert_true(slice_eq_str(buf_slice(&out), cases[i].text));
        in = buf_slice(&out);
        assert_true(der_take_time(&in, &back));
        assert_int_equal(cases[i].epoch_s, back);
        buf_clear(&out);
    }
}

static void test_the_cap_holds(void **state)
{
    struct buf small;
    struct errinfo e = ERRINFO_INIT;
    (void)state;

    for (size_t cap = 0; cap < 8; cap++) {
        buf_init(&small, cap);
        struct der_writer s = der_write_to(&small);
        const size_t seq = der_write_open(&s, DER_SEQUENCE);
        der_write_value(&s, DER_OCTET_STRING, SLICE_LIT("abcd"));
        der_write_close(&s, seq);
        errinfo_clear(&e);
        assert_int_equal(ERR_LIMIT, der_write_end(&s, &e).code);
        assert_non_null(strstr(e.text, "larger than"));
        assert_true(buf_len(&small) <= cap);
        buf_free(&small);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_values),  TEST(test_numbers), TEST(test_flags),
        TEST(test_lengths), TEST(test_times),   TEST(test_the_cap_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
