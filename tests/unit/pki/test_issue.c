/* issue: what it makes is read by pki/x509 and judged by pki/verify, as any peer's would be. */
#include "pki/issue.h"

#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>

#include "pki/dn.h"
#include "pki/pkcs8.h"
#include "pki/trust.h"
#include "pki/verify.h"
#include "tools/testpki.h"
#include "tools/unit.h"

#define NOW  TESTPKI_NOW
#define YEAR (365LL * 86400)

static struct rng rng;

/* A certificate that was issued, with its key. */
struct issued {
    struct buf der, spki;
    struct cert *cert;
    mbedtls_pk_context *key; /* testpki's */
};

static mbedtls_pk_context *key_of(enum testpki_key_type type, unsigned number)
{
    return testpki_key(
        testpki_make(&(struct testpki_spec){.subject = "CN=key", .key_type = type, .key = number}));
}

static void start(struct issued *x, mbedtls_pk_context *key)
{
    *x = (struct issued){.key = key};
    buf_init(&x->der, 20000);
    buf_init(&x->spki, 20000);
    assert_true(is_ok(pkcs8_public(key, &x->spki, NULL)));
}

static void drop(struct issued *x)
{
    cert_unref(x->cert);
    buf_free(&x->der);
    buf_free(&x->spki);
}

static struct result issue(struct issued *x, struct issue_request q, const struct issued *issuer,
                           struct errinfo *e)
{
    const struct issue_signer signer = {issuer != NULL ? cert_fields(issuer->cert) : NULL,
                                        issuer != NULL ? issuer->key : x->key};

    q.key = buf_slice(&x->spki);
    const struct result r = issue_certificate(&q, &signer, &rng, &x->der, e);
    if (is_ok(r))
        assert_true(is_ok(cert_parse(buf_slice(&x->der), &x->cert, NULL)));
    return r;
}

static struct issue_request root_request(void)
{
    return (struct issue_request){ISSUE_ROOT,  "Maker Root CA", "Maker",        NULL,
                                  SLICE_EMPTY, NOW - 86400,     NOW + 40 * YEAR};
}

static struct issue_request issuing_request(void)
{
    return (struct issue_request){ISSUE_ISSUING, "Maker Issuing CA", "Maker",        NULL,
                                  SLICE_EMPTY,   NOW - 86400,        NOW + 30 * YEAR};
}

static const struct mac phone_mac = {{0x00, 0x15, 0x65, 0xa1, 0xb2, 0xc3}};

static struct issue_request phone_request(void)
{
    return (struct issue_request){ISSUE_PHONE, "001565A1B2C3", NULL,           &phone_mac,
                                  SLICE_EMPTY, NOW - 86400,    NOW + 20 * YEAR};
}

/* Root, issuing CA, phone. One RSA key is enough, in the middle: to make them takes long. */
static void make_chain(struct issued chain[3], enum testpki_key_type type)
{
    const bool rsa = type == TESTPKI_RSA_2048;

    start(&chain[0], key_of(rsa ? TESTPKI_P256 : type, 1));
    start(&chain[1], key_of(type, 2));
    start(&chain[2], key_of(rsa ? TESTPKI_P256 : type, 3));
    assert_true(is_ok(issue(&chain[0], root_request(), NULL, NULL)));
    assert_true(is_ok(issue(&chain[1], issuing_request(), &chain[0], NULL)));
    assert_true(is_ok(issue(&chain[2], phone_request(), &chain[1], NULL)));
}

static void drop_chain(struct issued chain[3])
{
    for (size_t i = 0; i < 3; i++)
        drop(&chain[i]);
}

/* The phone's certificate and the issuing CA's are sent, the root is trusted. */
static struct verdict judge(const struct issued chain[3], enum verify_purpose purpose)
{
    static const struct verify_policy policy = {
        .check_trust = true, .client_eku_required = true, .profile = VERIFY_PROFILE_PUBLIC};
    const struct slice sent[] = {buf_slice(&chain[2].der), buf_slice(&chain[1].der)};
    const struct trust_custom custom = {"root.pem", buf_slice(&chain[0].der)};
    struct trust *trust;
    struct verdict v;

    assert_true(is_ok(trust_new(&custom, 1, NULL, NULL, &trust, NULL)));
    const struct verify_input in = {
        .chain = sent,
        .chain_len = COUNT_OF(sent),
        .trust = trust,
        .filter = TRUST_CUSTOM,
        .now = {NOW, CLOCK_SET},
        .purpose = purpose,
        .policy = &policy,
    };
    verify_chain(&in, &v);
    trust_unref(trust);
    return v;
}

static void test_our_own_validator_accepts_it(void **state)
{
    static const enum testpki_key_type types[] = {TESTPKI_P256, TESTPKI_P384, TESTPKI_P521,
                                                  TESTPKI_RSA_2048};
    static const enum verify_purpose purposes[] = {VERIFY_SERVER, VERIFY_CLIENT};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct issued chain[3];
        make_chain(chain, types[i]);
        for (size_t k = 0; k < COUNT_OF(purposes); k++) {
            const struct verdict v = judge(chain, purposes[k]);
            if (v.class != VERDICT_VERIFIED || v.reasons_count != 0)
                fail_msg("key type %zu: %s", i, verdict_sentence(&v));
        }
        drop_chain(chain);
    }
}

static void assert_serial(const struct certfields *f)
{
    assert_int_equal(ISSUE_SERIAL_SIZE, f->serial.n);
    assert_in_range(f->serial.p[0], 0x40, 0x7f);
}

static void test_profile_of_cas(void **state)
{
    struct issued chain[3];
    char text[128];
    (void)state;

    make_chain(chain, TESTPKI_P256);
    for (size_t i = 0; i < 2; i++) {
        const struct certfields *f = cert_fields(chain[i].cert);
        assert_int_equal(3, f->version);
        assert_serial(f);
        assert_true(f->is_ca && f->ext[CERT_EXT_BASIC_CONSTRAINTS].critical);
        assert_int_equal(i == 0 ? CERT_NO_PATHLEN : 0, f->pathlen);
        assert_true(f->ext[CERT_EXT_KEY_USAGE].critical);
        assert_int_equal(KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN, f->key_usage);
        assert_int_equal(20, f->subject_key_id.n);
        assert_false(f->ext[CERT_EXT_EXT_KEY_USAGE].present);
        assert_int_equal(NOW - 86400, f->not_before_s);
        assert_int_equal(NOW + (i == 0 ? 40 : 30) * YEAR, f->not_after_s);
    }
    assert_true(certfields_self_issued(cert_fields(chain[0].cert)));
    assert_int_equal(0, cert_fields(chain[0].cert)->authority_key_id.n);
    assert_true(slice_eq(cert_fields(chain[1].cert)->authority_key_id,
                         cert_fields(chain[0].cert)->subject_key_id));
    cert_subject_text(chain[1].cert, text, sizeof text);
    assert_string_equal("CN=Maker Issuing CA,O=Maker", text);
    drop_chain(chain);
}

static void test_profile_of_a_phone(void **state)
{
    struct issued chain[3];
    struct slice names;
    struct general_name name;
    char text[128];
    (void)state;

    make_chain(chain, TESTPKI_P256);
    const struct certfields *f = cert_fields(chain[2].cert);
    assert_serial(f);
    assert_false(f->is_ca || f->unknown_critical);
    assert_true(f->ext[CERT_EXT_KEY_USAGE].critical);
    assert_int_equal(KEY_USAGE_DIGITAL_SIGNATURE, f->key_usage);
    assert_true(certfields_has_eku(f, OID_SERVER_AUTH) && certfields_has_eku(f, OID_CLIENT_AUTH));
    assert_true(slice_eq(f->authority_key_id, cert_fields(chain[1].cert)->subject_key_id));
    assert_true(slice_eq(f->issuer, cert_subject(chain[1].cert)));
    names = certfields_alt_names(f);
    assert_true(general_name_next(&names, &name));
    assert_int_equal(GENERAL_NAME_URI, name.type);
    assert_true(slice_eq_str(name.value, "urn:dev:mac:001565ffffa1b2c3"));
    assert_int_equal(0, names.n);
    cert_subject_text(chain[2].cert, text, sizeof text);
    assert_string_equal("CN=001565A1B2C3,O=Maker", text);
    drop_chain(chain);
}

static void test_generic_and_without_end(void **state)
{
    struct issued root, generic;
    struct issue_request q = root_request();
    (void)state;

    start(&root, key_of(TESTPKI_P256, 1));
    start(&generic, key_of(TESTPKI_P256, 3));
    q.organization = NULL;
    q.not_after_s = ISSUE_NO_END;
    assert_true(is_ok(issue(&root, q, NULL, NULL)));
    q = phone_request();
    q.common_name = "Generic SIP phone \xe2\x98\x8e";
    q.mac = NULL;
    q.not_after_s = ISSUE_NO_END;
    assert_true(is_ok(issue(&generic, q, &root, NULL)));
    const struct certfields *f = cert_fields(generic.cert);
    assert_false(f->ext[CERT_EXT_SUBJECT_ALT_NAME].present);
    assert_int_equal(253402300799, f->not_after_s);
    struct dn_attribute a;
    assert_false(dn_last(f->subject, DN_OID_ORGANIZATION, &a));
    drop(&root);
    drop(&generic);
}

/* A maker's older CA: another string type, no key identifier. Its name is taken as it is. */
static void test_a_ca_from_elsewhere(void **state)
{
    const struct testpki_cert *old = testpki_make(&(struct testpki_spec){
        .subject = "C=DE,O=Old\\, Maker,CN=Old CA", .ca = true, .no_ski = true, .key = 5});
    struct issued phone, issuer = {.key = testpki_key(old)};
    struct dn_attribute a;
    (void)state;

    start(&phone, key_of(TESTPKI_P256, 3));
    assert_true(is_ok(cert_parse(testpki_der(old), &issuer.cert, NULL)));
    assert_true(is_ok(issue(&phone, phone_request(), &issuer, NULL)));
    const struct certfields *f = cert_fields(phone.cert);
    assert_true(slice_eq(f->issuer, testpki_name(old)));
    assert_int_equal(20, f->authority_key_id.n);
    assert_true(dn_last(f->subject, DN_OID_ORGANIZATION, &a));
    assert_true(slice_eq_str(a.value, "Old, Maker"));
    cert_unref(issuer.cert);
    drop(&phone);
}

static void test_serials_differ(void **state)
{
    struct issued root, phones[16];
    (void)state;

    start(&root, key_of(TESTPKI_P256, 1));
    assert_true(is_ok(issue(&root, root_request(), NULL, NULL)));
    for (size_t i = 0; i < COUNT_OF(phones); i++) {
        start(&phones[i], key_of(TESTPKI_P256, 3));
        assert_true(is_ok(issue(&phones[i], phone_request(), &root, NULL)));
        for (size_t k = 0; k < i; k++)
            assert_false(
                slice_eq(cert_fields(phones[i].cert)->serial, cert_fields(phones[k].cert)->serial));
    }
    for (size_t i = 0; i < COUNT_OF(phones); i++)
        drop(&phones[i]);
    drop(&root);
}

/* --- what is refused --- */

static struct issue_request broken_request(size_t i)
{
    static const struct mac group = {{0x01, 0x15, 0x65, 0xa1, 0xb2, 0xc3}};
    struct issue_request q = phone_request();

    switch (i) {
    case 0:
        q.common_name = "";
        break;
    case 1:
        q.common_name = "1234567890123456789012345678901234567890123456789012345678901234x";
        break;
    case 2:
        q.common_name = "a\nb";
        break;
    case 3:
        q.common_name = "\xff";
        break;
    case 4:
        q.mac = &group;
        break;
    case 5:
        q.not_after_s = NOW + 31 * YEAR;
        break;
    case 6:
        q.not_before_s = NOW - 2 * 86400;
        break;
    case 7:
        q.not_after_s = q.not_before_s;
        break;
    case 8:
        q = issuing_request(); /* below one whose pathLenConstraint is 0 */
        break;
    default:
        q = root_request();
        break;
    }
    return q;
}

static void test_refused(void **state)
{
    static const char *const words[] = {
        "the common name is empty",
        "longer than 64 characters",
        "control characters",
        "not UTF-8",
        "not one that a device can have",
        "cannot outlive the CA",
        "cannot outlive the CA",
        "wrong order",
        "may not sign other CAs",
        "a root signs itself",
    };
    struct issued chain[3], x;
    (void)state;

    make_chain(chain, TESTPKI_P256);
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        struct errinfo e = ERRINFO_INIT;
        start(&x, key_of(TESTPKI_P256, 4));
        assert_int_equal(ERR_INVALID, issue(&x, broken_request(i), &chain[1], &e).code);
        if (strstr(e.text, words[i]) == NULL)
            fail_msg("%zu: '%s' does not say '%s'", i, e.text, words[i]);
        assert_int_equal(0, buf_len(&x.der));
        drop(&x);
    }
    drop_chain(chain);
}

static void test_a_phone_signs_nothing(void **state)
{
    struct issued chain[3], x;
    struct errinfo e = ERRINFO_INIT;
    (void)state;

    make_chain(chain, TESTPKI_P256);
    start(&x, key_of(TESTPKI_P256, 4));
    assert_int_equal(ERR_INVALID, issue(&x, phone_request(), &chain[2], &e).code);
    assert_non_null(strstr(e.text, "not that of a CA"));
    assert_int_equal(ERR_INVALID, issue(&x, phone_request(), NULL, NULL).code);
    drop(&x);
    drop_chain(chain);
}

static void test_weak_keys(void **state)
{
    struct issued root, x;
    struct errinfo e = ERRINFO_INIT;
    (void)state;

    start(&root, key_of(TESTPKI_P256, 1));
    assert_true(is_ok(issue(&root, root_request(), NULL, NULL)));
    start(&x, key_of(TESTPKI_RSA_1024, 1));
    assert_int_equal(ERR_INVALID, issue(&x, phone_request(), &root, &e).code);
    assert_string_equal("the RSA key has 1024 bits; from 2048 to 8192 are taken", e.text);
    assert_int_equal(ERR_INVALID, issue_check_key(SLICE_LIT("\x30\x00"), NULL).code);
    assert_int_equal(ERR_INVALID, issue_check_key(SLICE_EMPTY, NULL).code);
    drop(&x);
    drop(&root);
}

/* --- faults of the machine --- */

static int no_random(void *ctx, unsigned char *out, size_t n)
{
    (void)ctx;
    (void)out;
    (void)n;
    return -1;
}

static void test_without_random_numbers(void **state)
{
    struct issued root;
    (void)state;

    start(&root, key_of(TESTPKI_P256, 1));
    rng = (struct rng){no_random, NULL};
    assert_int_equal(ERR_CRYPTO, issue(&root, root_request(), NULL, NULL).code);
    assert_int_equal(0, buf_len(&root.der));
    rng = testpki_rng();
    drop(&root);
}

/* The private half was damaged since it was loaded: what it signs, nobody can check. */
static void test_a_wrong_signature_is_not_given_out(void **state)
{
    mbedtls_pk_context key;
    struct issued root;
    struct errinfo e = ERRINFO_INIT;
    (void)state;

    mbedtls_pk_init(&key);
    assert_true(is_ok(pkcs8_new_key(0, &rng, &key, NULL)));
    mbedtls_ecp_keypair *pair = mbedtls_pk_ec(key);
    mbedtls_ecp_group group;
    mbedtls_ecp_point point;
    mbedtls_mpi secret;
    mbedtls_ecp_group_init(&group);
    mbedtls_ecp_point_init(&point);
    mbedtls_mpi_init(&secret);
    assert_int_equal(0, mbedtls_ecp_export(pair, &group, &secret, &point));
    assert_int_equal(0, mbedtls_mpi_add_int(&secret, &secret, 1));
    uint8_t bytes[32];
    assert_int_equal(0, mbedtls_mpi_write_binary(&secret, bytes, sizeof bytes));
    assert_int_equal(0, mbedtls_ecp_read_key(MBEDTLS_ECP_DP_SECP256R1, pair, bytes, sizeof bytes));
    start(&root, &key);
    assert_int_equal(ERR_CRYPTO, issue(&root, root_request(), NULL, &e).code);
    assert_non_null(strstr(e.text, "this machine is faulty"));
    assert_int_equal(0, buf_len(&root.der));
    drop(&root);
    mbedtls_mpi_free(&secret);
    mbedtls_ecp_point_free(&point);
    mbedtls_ecp_group_free(&group);
    mbedtls_pk_free(&key);
}

static int set_up(void **state)
{
    (void)state;
    rng = testpki_rng();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_our_own_validator_accepts_it),
        cmocka_unit_test(test_profile_of_cas),
        cmocka_unit_test(test_profile_of_a_phone),
        cmocka_unit_test(test_generic_and_without_end),
        cmocka_unit_test(test_a_ca_from_elsewhere),
        cmocka_unit_test(test_serials_differ),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_a_phone_signs_nothing),
        cmocka_unit_test(test_weak_keys),
        cmocka_unit_test(test_without_random_numbers),
        cmocka_unit_test(test_a_wrong_signature_is_not_given_out),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
