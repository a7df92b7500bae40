/* Keys and signature algorithms, as bytes; and signatures of every kind. */
#include "pki/pubkey.h"

#include <string.h>

#include "pki/certfields.h"
#include "tools/der.h"
#include "tools/testpki.h"
#include "tools/unit.h"

/* --- keys --- */

/* SubjectPublicKeyInfo of an RSA key. */
static struct der rsa_key(struct slice modulus, struct slice exponent, bool parameters)
{
    struct der key = {0}, d = {0};
    size_t seq = der_open(&key, DER_SEQUENCE);

    der_put(&key, DER_INTEGER, modulus);
    der_put(&key, DER_INTEGER, exponent);
    der_close(&key, seq);
    const size_t spki = der_open(&d, DER_SEQUENCE);
    seq = der_open(&d, DER_SEQUENCE);
    der_oid(&d, "1.2.840.113549.1.1.1");
    if (parameters)
        der_put(&d, DER_NULL, SLICE_EMPTY);
    der_close(&d, seq);
    der_bits(&d, der_slice(&key));
    der_close(&d, spki);
    der_free(&key);
    return d;
}

/* A modulus of BITS, odd. */
static struct slice modulus(uint8_t buf[2048], unsigned bits)
{
    const size_t n = (bits + 7) / 8;
    uint8_t *p = buf + 1;

    memset(buf, 0x55, 2048);
    buf[0] = 0;
    p[0] = (uint8_t)(1U << ((bits - 1) % 8));
    p[n - 1] |= 1;
    return (p[0] & 0x80) != 0 ? slice_of(buf, n + 1) : slice_of(p, n);
}

static void rsa_keys_are_measured(void **state)
{
    static const unsigned bits[] = {512, 1024, 2047, 2048, 2049, 4096, 16000};
    uint8_t buf[2048];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bits); i++) {
        struct der d = rsa_key(modulus(buf, bits[i]), SLICE_LIT("\x01\x00\x01"), true);
        const struct pubkey k = pubkey_read(der_slice(&d));

        assert_int_equal(k.type, PUBKEY_RSA);
        assert_int_equal(k.bits, bits[i]);
        assert_false(k.bad_exponent);
        der_free(&d);
    }
}

static void unsafe_rsa_keys_are_told(void **state)
{
    static const struct {
        struct slice exponent;
        bool bad;
    } cases[] = {
        {{(const uint8_t *)"\x03", 1}, false},
        {{(const uint8_t *)"\x01\x00\x01", 3}, false},
        {{(const uint8_t *)"\x01\x00\x00\x00\x01", 5}, false},
        {{(const uint8_t *)"\x00", 1}, true},
        {{(const uint8_t *)"\x01", 1}, true},
        {{(const uint8_t *)"\x02", 1}, true},
        {{(const uint8_t *)"\x01\x00\x00", 3}, true},
        {{(const uint8_t *)"\x02\x00\x00\x00\x01", 5}, true}, /* 34 bits: only slow */
    };
    uint8_t buf[2048];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct der d = rsa_key(modulus(buf, 2048), cases[i].exponent, true);

        assert_int_equal(pubkey_read(der_slice(&d)).bad_exponent, cases[i].bad);
        der_free(&d);
    }
    struct slice even = modulus(buf, 2048);
    buf[even.n - 1] &= 0xfe;
    struct der d = rsa_key(even, SLICE_LIT("\x03"), true);
    assert_true(pubkey_read(der_slice(&d)).bad_exponent);
    der_free(&d);
}

static void malformed_keys_are_no_keys(void **state)
{
    static const struct slice moduli[] = {
        {(const uint8_t *)"\x80\x01", 2},     /* negative */
        {(const uint8_t *)"\x00\x01\x01", 3}, /* padded */
        {(const uint8_t *)"", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(moduli); i++) {
        struct der d = rsa_key(moduli[i], SLICE_LIT("\x03"), true);

        assert_int_equal(pubkey_read(der_slice(&d)).type, PUBKEY_OTHER);
        der_free(&d);
    }
    uint8_t buf[2048]; /* RFC 3279 section 2.3.1: the parameters are NULL, and not absent */
    struct der absent = rsa_key(modulus(buf, 2048), SLICE_LIT("\x03"), false);
    assert_int_equal(pubkey_read(der_slice(&absent)).type, PUBKEY_OTHER);
    der_free(&absent);
    assert_int_equal(pubkey_read(SLICE_EMPTY).type, PUBKEY_OTHER);
    assert_int_equal(pubkey_read(SLICE_LIT("\x30\x00")).type, PUBKEY_OTHER);
}

/* An EC key with these PARAMETERS. */
static struct der ec_key(const char *curve, struct slice parameters, struct slice point)
{
    struct der d = {0};
    const size_t spki = der_open(&d, DER_SEQUENCE);
    const size_t seq = der_open(&d, DER_SEQUENCE);

    der_oid(&d, "1.2.840.10045.2.1");
    if (curve != NULL)
        der_oid(&d, curve);
    der_raw(&d, parameters);
    der_close(&d, seq);
    der_bits(&d, point);
    der_close(&d, spki);
    return d;
}

static void curves_are_known_by_name(void **state)
{
    static const struct {
        const char *curve;
        struct slice parameters;
        unsigned bits;
    } cases[] = {
        {"1.2.840.10045.3.1.7", {NULL, 0}, 256},
        {"1.3.132.0.34", {NULL, 0}, 384},
        {"1.3.132.0.35", {NULL, 0}, 521},
        {"1.3.132.0.33", {NULL, 0}, 224},
        {"1.2.840.10045.3.1.1", {NULL, 0}, 192},
        {"1.3.132.0.10", {NULL, 0}, 0},              /* secp256k1 */
        {NULL, {(const uint8_t *)"\x30\x00", 2}, 0}, /* explicit */
        {NULL, {(const uint8_t *)"\x05\x00", 2}, 0}, /* implicit */
        {NULL, {NULL, 0}, 0},
        {"1.2.840.10045.3.1.7", {(const uint8_t *)"\x05\x00", 2}, 0}, /* something behind */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct der d = ec_key(cases[i].curve, cases[i].parameters, SLICE_LIT("\x04xy"));
        const struct pubkey k = pubkey_read(der_slice(&d));

        assert_int_equal(k.type, PUBKEY_EC);
        assert_int_equal(k.bits, cases[i].bits);
        der_free(&d);
    }
}

static void points_have_the_length_of_their_curve(void **state)
{
    static const struct {
        const char *curve;
        uint8_t form;
        size_t length;
        bool bad;
    } cases[] = {
        {"1.2.840.10045.3.1.7", 4, 65, false}, {"1.2.840.10045.3.1.7", 2, 33, false},
        {"1.2.840.10045.3.1.7", 3, 33, false}, {"1.2.840.10045.3.1.7", 4, 64, true},
        {"1.2.840.10045.3.1.7", 4, 66, true},  {"1.2.840.10045.3.1.7", 4, 33, true},
        {"1.2.840.10045.3.1.7", 2, 65, true},  {"1.2.840.10045.3.1.7", 6, 65, true}, /* hybrid */
        {"1.2.840.10045.3.1.7", 0, 1, true}, /* at infinity */
        {"1.3.132.0.34", 4, 97, false},        {"1.3.132.0.34", 4, 65, true},
        {"1.3.132.0.35", 4, 133, false}, /* 521 bits are 66 bytes */
        {"1.3.132.0.35", 4, 131, true},
    };
    uint8_t point[140];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        memset(point, 0x55, sizeof point);
        point[0] = cases[i].form;
        struct der d = ec_key(cases[i].curve, SLICE_EMPTY, slice_of(point, cases[i].length));

        if (pubkey_read(der_slice(&d)).bad_point != cases[i].bad)
            fail_msg("%s, form %u, %zu bytes", cases[i].curve, cases[i].form, cases[i].length);
        der_free(&d);
    }
}

/* --- algorithms --- */

static struct der algorithm(const char *oid, struct slice parameters)
{
    struct der d = {0};
    const size_t seq = der_open(&d, DER_SEQUENCE);

    der_oid(&d, oid);
    der_raw(&d, parameters);
    der_close(&d, seq);
    return d;
}

static void signature_algorithms_are_known(void **state)
{
    static const struct {
        const char *oid;
        struct slice parameters;
        bool known;
        enum sig_scheme scheme;
        enum sig_digest digest;
    } cases[] = {
#define WITH_NULL {(const uint8_t *)"\x05\x00", 2}
        {"1.2.840.113549.1.1.4", WITH_NULL, true, SIG_RSA_PKCS1, SIG_MD5},
        {"1.2.840.113549.1.1.5", WITH_NULL, true, SIG_RSA_PKCS1, SIG_SHA1},
        {"1.2.840.113549.1.1.11", WITH_NULL, true, SIG_RSA_PKCS1, SIG_SHA256},
        {"1.2.840.113549.1.1.11", {NULL, 0}, true, SIG_RSA_PKCS1, SIG_SHA256},
        {"1.2.840.113549.1.1.13", WITH_NULL, true, SIG_RSA_PKCS1, SIG_SHA512},
        {"1.2.840.10045.4.1", {NULL, 0}, true, SIG_ECDSA, SIG_SHA1},
        {"1.2.840.10045.4.3.2", {NULL, 0}, true, SIG_ECDSA, SIG_SHA256},
        {"1.2.840.10045.4.3.4", {NULL, 0}, true, SIG_ECDSA, SIG_SHA512},
        {"1.2.840.113549.1.1.11", {(const uint8_t *)"\x30\x00", 2}, false, 0, 0},
        {"1.2.840.10045.4.3.2", WITH_NULL, false, 0, 0},   /* RFC 5758: absent */
        {"1.2.840.113549.1.1.2", WITH_NULL, false, 0, 0},  /* MD2 */
        {"1.2.840.10040.4.3", {NULL, 0}, false, 0, 0},     /* DSA */
        {"1.3.101.112", {NULL, 0}, false, 0, 0},           /* Ed25519 */
        {"1.2.840.113549.1.1.10", WITH_NULL, false, 0, 0}, /* PSS without its parameters */
#undef WITH_NULL
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct der d = algorithm(cases[i].oid, cases[i].parameters);
        struct sig_algorithm a;

        assert_int_equal(sig_algorithm_read(der_slice(&d), &a), cases[i].known);
        if (cases[i].known) {
            assert_int_equal(a.scheme, cases[i].scheme);
            assert_int_equal(a.digest, cases[i].digest);
        }
        der_free(&d);
    }
}

#define OID_SHA256 "2.16.840.1.101.3.4.2.1"
#define OID_SHA384 "2.16.840.1.101.3.4.2.2"
#define OID_MGF1   "1.2.840.113549.1.1.8"

static void put_digest(struct der *d, const char *oid)
{
    const size_t seq = der_open(d, DER_SEQUENCE);

    der_oid(d, oid);
    der_put(d, DER_NULL, SLICE_EMPTY);
    der_close(d, seq);
}

static void put_number(struct der *d, uint8_t tag, unsigned value)
{
    const size_t field = der_open(d, tag);

    der_uint(d, value);
    der_close(d, field);
}

/* RSASSA-PSS-params; NULL or a negative number leaves a field out. */
static struct der pss(const char *digest, const char *mask, const char *mask_digest, int salt,
                      int trailer)
{
    struct der p = {0};
    const size_t seq = der_open(&p, DER_SEQUENCE);
    size_t field, mgf;

    if (digest != NULL) {
        field = der_open(&p, DER_CONTEXT_CONSTRUCTED(0));
        put_digest(&p, digest);
        der_close(&p, field);
    }
    if (mask != NULL) {
        field = der_open(&p, DER_CONTEXT_CONSTRUCTED(1));
        mgf = der_open(&p, DER_SEQUENCE);
        der_oid(&p, mask);
        put_digest(&p, mask_digest);
        der_close(&p, mgf);
        der_close(&p, field);
    }
    if (salt >= 0)
        put_number(&p, DER_CONTEXT_CONSTRUCTED(2), (unsigned)salt);
    if (trailer >= 0)
        put_number(&p, DER_CONTEXT_CONSTRUCTED(3), (unsigned)trailer);
    der_close(&p, seq);
    return p;
}

static void pss_parameters_must_make_sense(void **state)
{
    static const struct {
        const char *digest, *mask, *mask_digest;
        int salt, trailer;
        bool known;
        unsigned salt_len;
    } cases[] = {
        {OID_SHA256, OID_MGF1, OID_SHA256, 32, -1, true, 32},
        {OID_SHA256, OID_MGF1, OID_SHA256, 0, 1, true, 0},
        {OID_SHA384, OID_MGF1, OID_SHA384, -1, -1, true, 20},
        {NULL, NULL, NULL, -1, -1, true, 20}, /* all defaults: SHA-1, refused elsewhere */
        {OID_SHA256, OID_MGF1, OID_SHA384, 32, -1, false, 0},
        {OID_SHA256, NULL, NULL, 32, -1, false, 0}, /* the mask's default is SHA-1 */
        {OID_SHA256, "1.2.3", OID_SHA256, 32, -1, false, 0},
        {OID_SHA256, OID_MGF1, OID_SHA256, 32, 2, false, 0},
        {OID_SHA256, OID_MGF1, OID_SHA256, 100000, -1, false, 0},
        {"1.2.3", OID_MGF1, "1.2.3", 32, -1, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct der p = pss(cases[i].digest, cases[i].mask, cases[i].mask_digest, cases[i].salt,
                           cases[i].trailer);
        struct der d = algorithm("1.2.840.113549.1.1.10", der_slice(&p));
        struct sig_algorithm a;

        if (sig_algorithm_read(der_slice(&d), &a) != cases[i].known)
            fail_msg("case %zu", i);
        if (cases[i].known) {
            assert_int_equal(a.scheme, SIG_RSA_PSS);
            assert_int_equal(a.salt_len, cases[i].salt_len);
        }
        der_free(&d);
        der_free(&p);
    }
}

/* --- signatures --- */

static const struct testpki_cert *signed_by(enum testpki_key_type type, bool with_pss, unsigned key)
{
    const struct testpki_cert *ca = testpki_make(
        &(struct testpki_spec){.subject = "CN=CA", .key_type = type, .key = key, .ca = true});

    return testpki_make(
        &(struct testpki_spec){.subject = "CN=x", .key = 2, .issuer = ca, .pss = with_pss});
}

static void one_changed_bit_or_another_key_is_noticed(void **state)
{
    static const struct {
        enum testpki_key_type type;
        bool pss;
    } kinds[] = {{TESTPKI_P256, false}, {TESTPKI_RSA_2048, false}, {TESTPKI_RSA_2048, true}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        const struct testpki_cert *c = signed_by(kinds[i].type, kinds[i].pss, 1);
        const struct testpki_cert *ca = testpki_make(&(struct testpki_spec){
            .subject = "CN=CA", .key_type = kinds[i].type, .key = 1, .ca = true});
        const struct testpki_cert *other = testpki_make(&(struct testpki_spec){
            .subject = "CN=CA", .key_type = kinds[i].type, .key = 3, .ca = true});
        struct certfields f, issuer, stranger;
        uint8_t changed[2048];

        assert_true(is_ok(certfields_read(testpki_der(c), &f, NULL)));
        assert_true(is_ok(certfields_read(testpki_der(ca), &issuer, NULL)));
        assert_true(is_ok(certfields_read(testpki_der(other), &stranger, NULL)));
        assert_true(sig_check(f.algorithm, f.tbs, f.signature, issuer.key));
        assert_false(sig_check(f.algorithm, f.tbs, f.signature, stranger.key));
        assert_false(sig_check(f.algorithm, f.serial, f.signature, issuer.key));
        assert_false(sig_check(f.algorithm, f.tbs, SLICE_EMPTY, issuer.key));
        assert_true(f.signature.n <= sizeof changed);
        memcpy(changed, f.signature.p, f.signature.n);
        changed[f.signature.n / 2] ^= 1;
        assert_false(sig_check(f.algorithm, f.tbs, slice_of(changed, f.signature.n), issuer.key));
    }
}

static void a_key_of_another_kind_checks_nothing(void **state)
{
    const struct testpki_cert *rsa = signed_by(TESTPKI_RSA_2048, false, 1);
    const struct testpki_cert *ec = signed_by(TESTPKI_P256, false, 1);
    struct certfields f, g;

    (void)state;
    assert_true(is_ok(certfields_read(testpki_der(rsa), &f, NULL)));
    assert_true(is_ok(certfields_read(testpki_der(ec), &g, NULL)));
    assert_false(sig_check(f.algorithm, f.tbs, f.signature, g.key)); /* RSA's, with an EC key */
    assert_false(sig_check(g.algorithm, f.tbs, f.signature, g.key));
    assert_false(sig_check(f.algorithm, f.tbs, f.signature, SLICE_LIT("\x30\x00")));
    assert_false(sig_check(SLICE_LIT("\x30\x00"), f.tbs, f.signature, g.key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsa_keys_are_measured),
        cmocka_unit_test(unsafe_rsa_keys_are_told),
        cmocka_unit_test(malformed_keys_are_no_keys),
        cmocka_unit_test(curves_are_known_by_name),
        cmocka_unit_test(points_have_the_length_of_their_curve),
        cmocka_unit_test(signature_algorithms_are_known),
        cmocka_unit_test(pss_parameters_must_make_sense),
        cmocka_unit_test(one_changed_bit_or_another_key_is_noticed),
        cmocka_unit_test(a_key_of_another_kind_checks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
