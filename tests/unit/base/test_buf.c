/* buf: grows up to its cap, comes out in the order it went in, leaves nothing behind. */
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "tools/unit.h"

static void put(struct buf *b, const char *text)
{
    assert_true(is_ok(buf_append_str(b, text)));
}

static void what_goes_in_comes_out_in_order(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    assert_int_equal(buf_slice(&b).n, 0);
    put(&b, "one ");
    put(&b, "two");
    assert_true(slice_eq_str(buf_slice(&b), "one two"));
    buf_consume(&b, 4);
    put(&b, " three");
    assert_true(slice_eq_str(buf_slice(&b), "two three"));
    assert_int_equal(buf_len(&b), 9);
    assert_int_equal(buf_space(&b), 91);
    buf_consume(&b, 1000);
    assert_int_equal(buf_len(&b), 0);
    buf_free(&b);
}

static void the_cap_is_exact_and_a_refused_write_changes_nothing(void **state)
{
    (void)state;
    static const size_t caps[] = {0, 1, 2, 255, 256, 257, 1000, 65536};
    static char block[65537];
    memset(block, 'x', sizeof block);
    for (size_t i = 0; i < COUNT_OF(caps); i++) {
        struct buf b;
        buf_init(&b, caps[i]);
        assert_int_equal(buf_append(&b, slice_of(block, caps[i] + 1)).code, ERR_LIMIT);
        assert_int_equal(buf_len(&b), 0);
        assert_true(is_ok(buf_append(&b, slice_of(block, caps[i]))));
        assert_int_equal(buf_append_str(&b, "y").code, ERR_LIMIT);
        assert_int_equal(buf_printf(&b, "%d", 7).code, ERR_LIMIT);
        assert_true(slice_eq(buf_slice(&b), slice_of(block, caps[i])));
        assert_true(b.size <= caps[i] + 1); /* nor more memory than the cap can use */
        if (caps[i] > 0)
            assert_int_equal(strlen(buf_str(&b)), caps[i]);
        buf_free(&b);
    }
}

/* A queue: its memory does not grow with what has gone through it. */
static void consuming_makes_room(void **state)
{
    (void)state;
    struct buf b;
    char in[8], out[8];
    buf_init(&b, 64);
    uint32_t written = 0, read = 0;
    for (int i = 0; i < 5000; i++) {
        for (; buf_space(&b) >= 8; written++) {
            memset(in, (int)(written & 0x7f), sizeof in);
            assert_true(is_ok(buf_append(&b, slice_of(in, sizeof in))));
        }
        for (int k = 0; k < 1 + i % 7; k++, read++) {
            memset(out, (int)(read & 0x7f), sizeof out);
            assert_memory_equal(buf_slice(&b).p, out, sizeof out);
            buf_consume(&b, sizeof out);
        }
    }
    assert_true(b.size <= 65);
    buf_free(&b);
}

static void reserved_room_counts_when_it_is_committed(void **state)
{
    (void)state;
    struct buf b;
    uint8_t *p;
    buf_init(&b, 10);
    assert_true(is_ok(buf_reserve(&b, 10, &p)));
    memcpy(p, "0123456789", 10);
    assert_int_equal(buf_len(&b), 0);
    buf_commit(&b, 4);
    assert_true(slice_eq_str(buf_slice(&b), "0123"));
    assert_int_equal(buf_reserve(&b, 7, &p).code, ERR_LIMIT);
    assert_true(is_ok(buf_reserve(&b, 6, &p)));
    buf_free(&b);
}

static void truncating_keeps_the_front(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    put(&b, "0123456789");
    buf_consume(&b, 2);
    buf_truncate(&b, 100);
    assert_int_equal(buf_len(&b), 8);
    buf_truncate(&b, 3);
    assert_true(slice_eq_str(buf_slice(&b), "234"));
    buf_truncate(&b, 0);
    assert_int_equal(buf_len(&b), 0);
    buf_free(&b);
}

static void printing(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    for (int i = 0; i < 100; i++)
        assert_true(is_ok(buf_printf(&b, "%04d,", i)));
    assert_int_equal(buf_len(&b), 500);
    assert_memory_equal(buf_slice(&b).p + 495, "0099,", 5);
    buf_free(&b);
}

static void a_string_is_terminated_but_not_longer(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 3);
    assert_string_equal(buf_str(&b), "");
    put(&b, "abc");
    assert_string_equal(buf_str(&b), "abc");
    buf_consume(&b, 1);
    assert_string_equal(buf_str(&b), "bc");
    assert_int_equal(buf_len(&b), 2);
    buf_free(&b);
}

static void an_empty_append_needs_nothing(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 0);
    assert_true(is_ok(buf_append(&b, SLICE_EMPTY)));
    assert_null(b.mem);
    buf_free(&b);
}

static void freed_it_may_be_used_again(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    put(&b, "abc");
    buf_free(&b);
    assert_int_equal(buf_len(&b), 0);
    put(&b, "0123456789");
    assert_int_equal(buf_append_str(&b, "x").code, ERR_LIMIT);
    buf_wipe(&b);
    assert_int_equal(buf_len(&b), 0);
    buf_wipe(&b);
    buf_free(&b);
}

/* What was taken is overwritten where it stood; the rest stays. */
static void consuming_can_overwrite(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 20);
    put(&b, "secret, rest");
    const uint8_t *mem = b.mem;
    buf_consume_wiped(&b, 6);
    assert_memory_equal(mem, "\0\0\0\0\0\0", 6);
    assert_string_equal(buf_str(&b), ", rest");
    buf_consume_wiped(&b, 100);
    assert_int_equal(buf_len(&b), 0);
    assert_null(b.mem);
    buf_consume_wiped(&b, 1);
    put(&b, "again");
    assert_string_equal(buf_str(&b), "again");
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out_in_order),
        cmocka_unit_test(the_cap_is_exact_and_a_refused_write_changes_nothing),
        cmocka_unit_test(consuming_makes_room),
        cmocka_unit_test(reserved_room_counts_when_it_is_committed),
        cmocka_unit_test(truncating_keeps_the_front),
        cmocka_unit_test(printing),
        cmocka_unit_test(a_string_is_terminated_but_not_longer),
        cmocka_unit_test(an_empty_append_needs_nothing),
        cmocka_unit_test(freed_it_may_be_used_again),
        cmocka_unit_test(consuming_can_overwrite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
