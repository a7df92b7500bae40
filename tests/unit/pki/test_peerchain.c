/* peerchain: a copy of a peer's certificates that outlives the peer. */
#include "tools/unit.h"

#include <stdlib.h>
#include <string.h>

#include "pki/peerchain.h"

static void test_it_is_a_copy(void **state)
{
    uint8_t bytes[] = "leafroot";
    const struct slice sent[] = {slice_of(bytes, 4), SLICE_EMPTY, slice_of(bytes + 4, 4)};
    struct peerchain c = {0};
    (void)state;
    peerchain_set(&c, sent, 3);
    memset(bytes, 'x', sizeof bytes);
    assert_int_equal(3, c.count);
    assert_true(slice_eq_str(c.certs[0], "leaf"));
    assert_int_equal(0, c.certs[1].n);
    assert_true(slice_eq_str(c.certs[2], "root"));
    peerchain_clear(&c);
    assert_int_equal(0, c.count);
    peerchain_clear(&c);
}

static void test_what_is_too_much_leaves_nothing(void **state)
{
    uint8_t *large = calloc(1, LIMIT_PEERCHAIN_BYTES + 1);
    struct slice many[LIMIT_PEER_CERTS + 1];
    struct peerchain c = {0};
    (void)state;
    assert_non_null(large);
    for (size_t i = 0; i < LIMIT_PEER_CERTS + 1; i++)
        many[i] = slice_of(large, 1);
    peerchain_set(&c, many, LIMIT_PEER_CERTS);
    assert_int_equal(LIMIT_PEER_CERTS, c.count);
    peerchain_set(&c, many, LIMIT_PEER_CERTS + 1);
    assert_int_equal(0, c.count);
    many[0] = slice_of(large, LIMIT_PEERCHAIN_BYTES);
    peerchain_set(&c, many, 1);
    assert_int_equal(1, c.count);
    peerchain_set(&c, many, 2);
    assert_int_equal(0, c.count);
    peerchain_set(&c, many, 0);
    assert_int_equal(0, c.count);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_a_copy),
        cmocka_unit_test(test_what_is_too_much_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
