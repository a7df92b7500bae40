/* pem: what is written. What is read: test_certfile.c. */
#include <string.h>

#include "pki/pem.h"
#include "tools/unit.h"

static void check(struct slice data, const char *expected)
{
    struct buf out;

    buf_init(&out, 1024);
    assert_true(is_ok(pem_write("TEST", data, &out)));
    assert_string_equal(expected, buf_str(&out));
    buf_free(&out);
}

/* RFC 4648 section 10. */
static void test_the_vectors(void **state)
{
    static const struct {
        const char *data, *base64;
    } cases[] = {
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xff\xfe\xfd", "//79"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char expected[128] = "-----BEGIN TEST-----\n";
        strcat(expected, cases[i].base64);
        strcat(expected, "\n-----END TEST-----\n");
        check(slice_of_str(cases[i].data), expected);
    }
    check(SLICE_EMPTY, "-----BEGIN TEST-----\n-----END TEST-----\n");
}

static void test_lines_have_64_characters(void **state)
{
    static const uint8_t zeros[49];
    (void)state;

#define A16 "AAAAAAAAAAAAAAAA"
    check(slice_of(zeros, 48), "-----BEGIN TEST-----\n" A16 A16 A16 A16 "\n-----END TEST-----\n");
    check(slice_of(zeros, 49),
          "-----BEGIN TEST-----\n" A16 A16 A16 A16 "\nAA==\n-----END TEST-----\n");
}

static void test_what_is_written_can_be_read(void **state)
{
    uint8_t data[600];
    (void)state;

    for (size_t n = 1; n < sizeof data; n += 7) {
        struct buf text, back;
        struct pem_block block;
        for (size_t i = 0; i < n; i++)
            data[i] = (uint8_t)(i * 37 + n);
        buf_init(&text, 4096);
        buf_init(&back, sizeof data);
        assert_true(is_ok(pem_write("CERTIFICATE", slice_of(data, n), &text)));
        struct pem_reader r = pem_begin(buf_slice(&text));
        assert_true(is_ok(pem_next(&r, &block, NULL)));
        assert_true(pem_label_is(&block, "CERTIFICATE"));
        assert_true(is_ok(pem_decode(&block, &back, NULL)));
        assert_true(slice_eq(slice_of(data, n), buf_slice(&back)));
        buf_free(&text);
        buf_free(&back);
    }
}

static void test_the_cap_counts(void **state)
{
    struct buf out;
    (void)state;

    buf_init(&out, 40);
    assert_int_equal(ERR_LIMIT, pem_write("TEST", SLICE_LIT("foobar"), &out).code);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_vectors),
        cmocka_unit_test(test_lines_have_64_characters),
        cmocka_unit_test(test_what_is_written_can_be_read),
        cmocka_unit_test(test_the_cap_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
