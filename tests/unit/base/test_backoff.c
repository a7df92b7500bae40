/* backoff: bounds, spread, and that it neither hammers nor gives up. */
#include <stdbool.h>
#include <string.h>

#include "base/backoff.h"
#include "tools/unit.h"

/* A source that gives one value again and again, or fails. */
struct constant {
    uint64_t value;
    bool fails;
};

static int fill_constant(void *ctx, unsigned char *out, size_t n)
{
    const struct constant *c = ctx;
    if (c->fails)
        return -1;
    assert_int_equal(n, sizeof c->value);
    memcpy(out, &c->value, n);
    return 0;
}

/* xorshift64 */
static int fill_random(void *ctx, unsigned char *out, size_t n)
{
    uint64_t *x = ctx;
    for (size_t i = 0; i < n; i++) {
        *x ^= *x << 13;
        *x ^= *x >> 7;
        *x ^= *x << 17;
        out[i] = (unsigned char)(*x >> 32);
    }
    return 0;
}

static void the_bound_doubles_up_to_the_greatest(void **state)
{
    (void)state;
    static const uint32_t bounds[] = {2000, 4000, 8000, 16000, 30000, 30000, 30000};
    uint64_t seed = 1;
    const struct rng rng = {fill_random, &seed};
    for (int round = 0; round < 200; round++) {
        struct backoff b;
        backoff_init(&b, 2000, 30000);
        for (size_t i = 0; i < COUNT_OF(bounds); i++) {
            const uint32_t wait = backoff_next(&b, &rng);
            assert_in_range(wait, bounds[i] / 2, bounds[i]);
        }
        assert_int_equal(b.failures, COUNT_OF(bounds));
    }
}

/* RFC 5626 section 4.5: between 50 and 100 per cent, both ends possible, evenly. */
static void waits_are_spread_over_the_upper_half(void **state)
{
    (void)state;
    enum { ROUNDS = 20000, PARTS = 10 };
    uint64_t seed = 7;
    const struct rng rng = {fill_random, &seed};
    unsigned counts[PARTS] = {0};
    bool low = false, high = false;
    for (int i = 0; i < ROUNDS; i++) {
        struct backoff b;
        backoff_init(&b, 1999, 1999);
        const uint32_t wait = backoff_next(&b, &rng); /* 999 to 1999 */
        low |= wait == 999;
        high |= wait == 1999;
        counts[(wait - 999) * PARTS / 1001]++;
    }
    for (int i = 0; i < PARTS; i++)
        assert_in_range(counts[i], ROUNDS / PARTS * 85 / 100, ROUNDS / PARTS * 115 / 100);
    assert_true(low && high);
}

static void a_success_starts_it_anew(void **state)
{
    (void)state;
    struct constant top = {.value = UINT64_MAX};
    const struct rng rng = {fill_constant, &top};
    struct backoff b;
    backoff_init(&b, 1000, 100000);
    const uint32_t first = backoff_next(&b, &rng);
    (void)backoff_next(&b, &rng);
    assert_true(backoff_next(&b, &rng) > first);
    backoff_reset(&b);
    assert_int_equal(backoff_next(&b, &rng), first);
}

static void odd_settings_still_give_a_wait(void **state)
{
    (void)state;
    static const uint32_t settings[][2] = {
        {0, 0}, {0, 100}, {1, 1}, {5, 2}, {UINT32_MAX, UINT32_MAX}, {1, UINT32_MAX}};
    static const uint64_t values[] = {0, 1, UINT64_MAX, (uint64_t)1 << 32};
    for (size_t i = 0; i < COUNT_OF(settings); i++)
        for (size_t k = 0; k < COUNT_OF(values); k++) {
            struct constant c = {.value = values[k]};
            const struct rng rng = {fill_constant, &c};
            struct backoff b;
            backoff_init(&b, settings[i][0], settings[i][1]);
            for (int n = 0; n < 70; n++) {
                const uint32_t wait = backoff_next(&b, &rng);
                assert_in_range(wait, 1, b.max_ms);
            }
        }
}

static void many_failures_do_not_wrap(void **state)
{
    (void)state;
    struct constant zero = {0};
    const struct rng rng = {fill_constant, &zero};
    struct backoff b = {.base_ms = 2000, .max_ms = 1800000, .failures = UINT32_MAX};
    assert_int_equal(backoff_next(&b, &rng), 900000);
    assert_int_equal(b.failures, UINT32_MAX);
}

static void without_randomness_it_waits_half(void **state)
{
    (void)state;
    struct constant broken = {.fails = true};
    const struct rng rng = {fill_constant, &broken};
    struct backoff b;
    backoff_init(&b, 2000, 30000);
    assert_int_equal(backoff_next(&b, &rng), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bound_doubles_up_to_the_greatest),
        cmocka_unit_test(waits_are_spread_over_the_upper_half),
        cmocka_unit_test(a_success_starts_it_anew),
        cmocka_unit_test(odd_settings_still_give_a_wait),
        cmocka_unit_test(many_failures_do_not_wrap),
        cmocka_unit_test(without_randomness_it_waits_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
