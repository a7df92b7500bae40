/* hash: published vectors, and digests over parts. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "tools/unit.h"

static void assert_digest(enum hash_alg alg, struct slice s, const char *expected)
{
    uint8_t out[HASH_MAX_SIZE];
    char hex[HASH_HEX_SIZE(HASH_MAX_SIZE)];
    hash_parts(alg, &s, 1, out);
    hash_hex(slice_of(out, hash_size(alg)), hex);
    assert_string_equal(hex, expected);
}

/* RFC 1321 appendix A.5 */
static void md5_vectors(void **state)
{
    (void)state;
    static const char *const vectors[][2] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"a", "0cc175b9c0f1b6a831c399e269772661"},
        {"abc", "900150983cd24fb0d6963f7d28e17f72"},
        {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
        {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         "57edf4a22be3c955ac49da2e2107b67a"},
    };
    for (size_t i = 0; i < COUNT_OF(vectors); i++)
        assert_digest(HASH_MD5, slice_of_str(vectors[i][0]), vectors[i][1]);
}

/* FIPS 180-2 appendix B */
static void sha256_vectors(void **state)
{
    (void)state;
    assert_digest(HASH_SHA256, SLICE_EMPTY,
                  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_digest(HASH_SHA256, SLICE_LIT("abc"),
                  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_digest(HASH_SHA256,
                  SLICE_LIT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char *million = malloc(1000000);
    memset(million, 'a', 1000000);
    assert_digest(HASH_SHA256, slice_of(million, 1000000),
                  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

static void assert_hmac(struct slice key, struct slice data, const char *expected)
{
    /* in two parts, cut anywhere */
    const struct slice parts[] = {slice_first(data, data.n / 3), slice_from(data, data.n / 3)};
    uint8_t out[HASH_SHA256_SIZE];
    char hex[HASH_HEX_SIZE(HASH_SHA256_SIZE)];
    hash_hmac_sha256(key, parts, COUNT_OF(parts), out);
    hash_hex(slice_of(out, sizeof out), hex);
    assert_string_equal(hex, expected);
}

/* RFC 4231 sections 4.2 to 4.4 */
static void hmac_vectors(void **state)
{
    (void)state;
    uint8_t key[20], data[50];
    memset(key, 0x0b, sizeof key);
    assert_hmac(slice_of(key, sizeof key), SLICE_LIT("Hi There"),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_hmac(SLICE_LIT("Jefe"), SLICE_LIT("what do ya want for nothing?"),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    memset(data, 0xdd, sizeof data);
    assert_hmac(slice_of(key, sizeof key), slice_of(data, sizeof data),
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
}

static void parts_are_as_one(void **state)
{
    (void)state;
    const struct slice parts[] = {SLICE_LIT("ab"), SLICE_EMPTY, SLICE_LIT("c"), SLICE_LIT("")};
    const enum hash_alg algs[] = {HASH_MD5, HASH_SHA256};
    for (size_t i = 0; i < COUNT_OF(algs); i++) {
        const struct slice whole = SLICE_LIT("abc");
        uint8_t of_parts[HASH_MAX_SIZE], of_whole[HASH_MAX_SIZE];
        hash_parts(algs[i], parts, COUNT_OF(parts), of_parts);
        hash_parts(algs[i], &whole, 1, of_whole);
        assert_memory_equal(of_parts, of_whole, hash_size(algs[i]));
    }
    uint8_t none[HASH_MAX_SIZE], direct[HASH_SHA256_SIZE];
    hash_parts(HASH_SHA256, NULL, 0, none);
    hash_sha256(SLICE_EMPTY, direct);
    assert_memory_equal(none, direct, sizeof direct);
}

static void sizes(void **state)
{
    (void)state;
    assert_int_equal(hash_size(HASH_MD5), 16);
    assert_int_equal(hash_size(HASH_SHA256), 32);
}

static void hexadecimal_text_is_lower_case(void **state)
{
    (void)state;
    char out[HASH_HEX_SIZE(4)] = "xxxxxxxx";
    hash_hex(SLICE_LIT("\x00\x7f\xab\xff"), out);
    assert_string_equal(out, "007fabff");
    hash_hex(SLICE_EMPTY, out);
    assert_string_equal(out, "");
}

static void equality_sees_every_byte(void **state)
{
    (void)state;
    uint8_t a[32] = {0}, b[32] = {0};
    assert_true(hash_equal(a, b, sizeof a));
    for (size_t i = 0; i < sizeof a; i++) {
        b[i] = 0x80;
        assert_false(hash_equal(a, b, sizeof a));
        assert_true(hash_equal(a, b, i));
        b[i] = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(md5_vectors),
        cmocka_unit_test(sha256_vectors),
        cmocka_unit_test(hmac_vectors),
        cmocka_unit_test(parts_are_as_one),
        cmocka_unit_test(sizes),
        cmocka_unit_test(hexadecimal_text_is_lower_case),
        cmocka_unit_test(equality_sees_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
