/*
 * wipe: nothing is left of a secret, also where a buffer moves. Freed memory cannot be looked at,
 * so explicit_bzero() is the test's own: it counts the secrets that it overwrites.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/wipe.h"
#include "tools/unit.h"

#define SECRET "correct horse"

static unsigned secrets_wiped;

static bool starts_with_secret(const volatile unsigned char *p)
{
    for (size_t i = 0; i < sizeof SECRET - 1; i++)
        if (p[i] != (unsigned char)SECRET[i])
            return false;
    return true;
}

void explicit_bzero(void *p, size_t n)
{
    volatile unsigned char *bytes = p;
    for (size_t i = 0; i < n; i++) {
        secrets_wiped += n - i >= sizeof SECRET - 1 && starts_with_secret(bytes + i);
        bytes[i] = 0;
    }
}

static int set_up(void **state)
{
    (void)state;
    secrets_wiped = 0;
    return 0;
}

static void every_byte_is_overwritten(void **state)
{
    (void)state;
    char text[64];
    memset(text, 's', sizeof text);
    wipe(text + 1, sizeof text - 2);
    assert_int_equal(text[0], 's');
    assert_int_equal(text[sizeof text - 1], 's');
    for (size_t i = 1; i < sizeof text - 1; i++)
        assert_int_equal(text[i], 0);
    wipe(text, 0);
}

static void a_string_is_wiped_before_it_is_freed(void **state)
{
    (void)state;
    wipe_free_str(strdup(SECRET));
    assert_int_equal(secrets_wiped, 1);
    wipe_free_str(NULL);
}

/* Both are filled to the last byte: what was never written holds no secret, and may not be read. */
static void a_buffer_leaves_no_copy_when_it_grows(void **state)
{
    (void)state;
    static const char block[300];
    const size_t n = sizeof SECRET - 1;
    struct buf b;
    buf_init(&b, sizeof block);
    assert_true(is_ok(buf_append_str(&b, SECRET)));
    assert_true(is_ok(buf_append(&b, slice_of(block, b.size - 1 - n))));
    assert_int_equal(secrets_wiped, 0);
    assert_true(is_ok(buf_append(&b, slice_of(block, buf_space(&b)))));
    assert_int_equal(secrets_wiped, 1); /* the small one that it came from */
    buf_wipe(&b);
    assert_int_equal(secrets_wiped, 2);
}

static void what_was_consumed_is_wiped_too(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, sizeof SECRET - 1);
    assert_true(is_ok(buf_append_str(&b, SECRET)));
    buf_consume(&b, sizeof SECRET - 1);
    buf_wipe(&b);
    assert_int_equal(secrets_wiped, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_byte_is_overwritten, set_up),
        cmocka_unit_test_setup(a_string_is_wiped_before_it_is_freed, set_up),
        cmocka_unit_test_setup(a_buffer_leaves_no_copy_when_it_grows, set_up),
        cmocka_unit_test_setup(what_was_consumed_is_wiped_too, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
