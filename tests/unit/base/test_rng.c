/* rng: numbers below a bound, and tokens. */
#include <string.h>

#include "base/rng.h"
#include "tools/unit.h"

/* Counts up, so that every byte value comes equally often; fails after LEFT bytes. */
struct counter {
    unsigned char next;
    size_t left;
};

static int fill(void *ctx, unsigned char *out, size_t n)
{
    struct counter *c = ctx;
    if (n > c->left)
        return -1;
    c->left -= n;
    for (size_t i = 0; i < n; i++)
        out[i] = c->next++;
    return 0;
}

static void numbers_stay_below_the_bound(void **state)
{
    (void)state;
    static const uint32_t bounds[] = {1, 2, 3, 1000, UINT32_MAX};
    struct counter c = {0, SIZE_MAX};
    const struct rng rng = {fill, &c};
    for (size_t i = 0; i < COUNT_OF(bounds); i++)
        for (int k = 0; k < 100; k++)
            assert_true(rng_below(&rng, bounds[i]) < bounds[i]);
}

static void every_number_below_the_bound_comes(void **state)
{
    (void)state;
    struct counter c = {0, SIZE_MAX};
    const struct rng rng = {fill, &c};
    unsigned seen = 0;
    for (int k = 0; k < 1000; k++)
        seen |= 1U << rng_below(&rng, 7);
    assert_int_equal(seen, 0x7f);
}

static void no_bound_and_no_source_give_zero(void **state)
{
    (void)state;
    struct counter c = {0, 0};
    const struct rng rng = {fill, &c};
    assert_int_equal(rng_below(&rng, 0), 0);
    assert_int_equal(rng_below(&rng, 1000), 0);
}

static void tokens_are_of_digits_and_letters(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 36, 64, 65, 200};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct counter c = {0, SIZE_MAX};
        const struct rng rng = {fill, &c};
        char out[202];
        memset(out, '#', sizeof out);
        rng_token(&rng, out, sizes[i]);
        assert_int_equal(strlen(out), sizes[i]);
        assert_int_equal(strspn(out, "0123456789abcdefghijklmnopqrstuvwxyz"), sizes[i]);
        assert_int_equal(out[sizes[i] + 1], '#');
    }
}

static void a_token_uses_all_its_randomness(void **state)
{
    (void)state;
    struct counter c = {0, SIZE_MAX};
    const struct rng rng = {fill, &c};
    char out[101];
    rng_token(&rng, out, 100);
    for (int i = 0; i < 100; i++) /* of a source that counts */
        assert_int_equal(out[i], "0123456789abcdefghijklmnopqrstuvwxyz"[i % 36]);
}

static void a_token_is_whole_although_the_source_fails(void **state)
{
    (void)state;
    struct counter c = {0, 64};
    const struct rng rng = {fill, &c};
    char out[101];
    rng_token(&rng, out, 100);
    assert_int_equal(strlen(out), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_stay_below_the_bound),
        cmocka_unit_test(every_number_below_the_bound_comes),
        cmocka_unit_test(no_bound_and_no_source_give_zero),
        cmocka_unit_test(tokens_are_of_digits_and_letters),
        cmocka_unit_test(a_token_uses_all_its_randomness),
        cmocka_unit_test(a_token_is_whole_although_the_source_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
