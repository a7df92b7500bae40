/* entropy: there is nothing to compare random numbers with but themselves. */
#include <string.h>

#include "sys/entropy.h"
#include "tools/unit.h"

static void every_byte_is_filled_and_no_more(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 255, 257, 1000};
    unsigned char out[1001], seen[1001];
    for (size_t s = 0; s < COUNT_OF(sizes); s++) {
        memset(seen, 0, sizeof seen);
        for (int round = 0; round < 16; round++) { /* that a byte stays 0 so often: 2^-128 */
            memset(out, 0, sizeof out);
            assert_int_equal(entropy_system.fill(entropy_system.ctx, out, sizes[s]), 0);
            for (size_t i = 0; i < sizeof out; i++)
                seen[i] |= out[i];
        }
        for (size_t i = 0; i < sizeof seen; i++)
            assert_int_equal(seen[i] != 0, i < sizes[s]);
    }
}

static void it_does_not_repeat(void **state)
{
    (void)state;
    unsigned char a[32], b[32];
    assert_int_equal(entropy_system.fill(entropy_system.ctx, a, sizeof a), 0);
    assert_int_equal(entropy_system.fill(entropy_system.ctx, b, sizeof b), 0);
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_is_filled_and_no_more),
        cmocka_unit_test(it_does_not_repeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
