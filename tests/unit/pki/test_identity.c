#include "pki/identity.h"

#include <mbedtls/cipher.h>
#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <mbedtls/pkcs5.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "pki/privkey.h"
#include "tools/der.h"
#include "tools/testpki.h"
#include "tools/unit.h"

static const struct testpki_cert *root, *issuing, *leaf, *other;
static char *root_pem, *issuing_pem, *leaf_pem, *leaf_key, *other_pem, *other_key;

static int set_up(void **state)
{
    (void)state;
    root = testpki_make(&(struct testpki_spec){.subject = "CN=Root", .ca = true, .key = 1});
    issuing = testpki_make(
        &(struct testpki_spec){.subject = "CN=Issuing", .issuer = root, .ca = true, .key = 2});
    leaf = testpki_make(&(struct testpki_spec){.subject = "CN=phone", .issuer = issuing, .key = 3});
    other = testpki_make(&(struct testpki_spec){.subject = "CN=other", .key = 4});
    root_pem = testpki_pem(&root, 1);
    issuing_pem = testpki_pem(&issuing, 1);
    leaf_pem = testpki_pem(&leaf, 1);
    leaf_key = testpki_key_pem(leaf);
    other_pem = testpki_pem(&other, 1);
    other_key = testpki_key_pem(other);
    return 0;
}

static int tear_down(void **state)
{
    char *all[] = {root_pem, issuing_pem, leaf_pem, leaf_key, other_pem, other_key};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(all); i++)
        free(all[i]);
    return 0;
}

/* "R", "I", "L", "O" are the certificates, "l", "o" the keys, in this order in one file. */
static char *file_of(const char *letters)
{
    size_t size = 1;
    char *all = calloc(1, size);

    for (; *letters != '\0'; letters++) {
        const char *part = *letters == 'R'   ? root_pem
                           : *letters == 'I' ? issuing_pem
                           : *letters == 'L' ? leaf_pem
                           : *letters == 'l' ? leaf_key
                           : *letters == 'O' ? other_pem
                                             : other_key;

        size += strlen(part);
        all = realloc(all, size);
        strcat(all, part);
    }
    return all;
}

static struct result load(struct slice content, struct slice key, const char *password,
                          struct identity **out, struct errinfo *e)
{
    struct rng rng = testpki_rng();

    *out = NULL;
    return identity_load(content, key, slice_of_str(password), &rng, out, e);
}

/* The chain as the letters of file_of(). */
static void chain_letters(const struct identity *id, char *out)
{
    const struct testpki_cert *const certs[] = {root, issuing, leaf, other};

    for (size_t i = 0; i < identity_chain_len(id); i++)
        for (size_t k = 0; k < COUNT_OF(certs); k++)
            if (slice_eq(cert_der(identity_cert(id, i)), testpki_der(certs[k])))
                *out++ = "RILO"[k];
    *out = '\0';
}

static void test_chains(void **state)
{
    static const struct {
        const char *file, *chain;
    } cases[] = {
        {"Ll", "L"},  {"lL", "L"},    {"LIRl", "LIR"},    {"lRIL", "LIR"}, {"ILl", "LI"},
        {"LRl", "L"}, {"OLIl", "LI"}, {"LLIIRRl", "LIR"}, {"Oo", "O"},     {"OOo", "O"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *file = file_of(cases[i].file);
        struct errinfo e = ERRINFO_INIT;
        struct identity *id;
        struct result r = load(slice_of_str(file), SLICE_EMPTY, "", &id, &e);
        const struct mbedtls_x509_crt *crt;
        char got[16];

        if (is_err(r))
            fail_msg("%s: %s", cases[i].file, errinfo_text(&e, r));
        chain_letters(id, got);
        assert_string_equal(cases[i].chain, got);
        crt = identity_mbedtls_chain(id);
        for (size_t k = 0; k < identity_chain_len(id); k++, crt = crt->next)
            assert_true(
                slice_eq(cert_der(identity_cert(id, k)), slice_of(crt->raw.p, crt->raw.len)));
        assert_null(crt);
        assert_ptr_equal(identity_leaf(id), identity_cert(id, 0));
        assert_null(identity_cert(id, identity_chain_len(id)));
        identity_unref(id);
        free(file);
    }
}

static void test_key_beside_the_certificates(void **state)
{
    char *file = file_of("LI");
    struct identity *id;
    uint8_t der[256];
    int n = mbedtls_pk_write_key_der(testpki_key(leaf), der, sizeof(der));
    (void)state;

    assert_true(is_ok(load(slice_of_str(file), slice_of_str(leaf_key), "", &id, NULL)));
    identity_unref(id);
    assert_true(n > 0);
    assert_true(
        is_ok(load(testpki_der(leaf), slice_of(der + sizeof(der) - n, (size_t)n), "", &id, NULL)));
    assert_true(mbedtls_pk_check_pair(&identity_mbedtls_chain(id)->pk, identity_mbedtls_key(id),
                                      testpki_rng().fill, NULL) == 0);
    identity_unref(id);
    free(file);
}

static void test_refused(void **state)
{
    static const struct {
        const char *file;
        enum err code;
        const char *words;
    } cases[] = {
        {"", ERR_NOT_FOUND, "the file is empty"},
        {"l", ERR_NOT_FOUND, "no certificate in the file, but a private key"},
        {"L", ERR_NOT_FOUND, "no private key"},
        {"Lo", ERR_INVALID, "not that of the certificate"},
        {"LIo", ERR_INVALID, "none of the certificates"},
        {"LlLo", ERR_INVALID, "two private keys"},
        {"LLLLLLLLLLLl", ERR_LIMIT, "more than 10 certificates"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *file = file_of(cases[i].file);
        struct errinfo e = ERRINFO_INIT;
        struct identity *id;

        assert_int_equal(cases[i].code, load(slice_of_str(file), SLICE_EMPTY, "", &id, &e).code);
        assert_null(id);
        if (strstr(e.text, cases[i].words) == NULL)
            fail_msg("%s: '%s' does not say '%s'", cases[i].file, e.text, cases[i].words);
        free(file);
    }
}

static void test_der_without_a_key(void **state)
{
    struct errinfo e = ERRINFO_INIT;
    struct identity *id;
    (void)state;

    assert_int_equal(ERR_NOT_FOUND, load(testpki_der(leaf), SLICE_EMPTY, "", &id, &e).code);
    assert_string_equal("there is no private key in the file", e.text);
}

static void test_rsa(void **state)
{
    const struct testpki_cert *rsa = testpki_make(
        &(struct testpki_spec){.subject = "CN=rsa", .key_type = TESTPKI_RSA_1024, .key = 1});
    char *pem = testpki_pem(&rsa, 1), *key = testpki_key_pem(rsa);
    struct identity *id;
    (void)state;

    assert_true(is_ok(load(slice_of_str(pem), slice_of_str(key), "", &id, NULL)));
    identity_unref(id);
    assert_int_equal(ERR_INVALID,
                     load(slice_of_str(leaf_pem), slice_of_str(key), "", &id, NULL).code);
    free(pem);
    free(key);
}

/* An issuer with constraints is no reason not to send it. */
static void test_critical_extensions(void **state)
{
    static const struct testpki_ext ext = {"2.5.29.30", true, {(const uint8_t *)"\x30\x00", 2}};
    const struct testpki_cert *chain[2];
    char *pem, *key;
    struct identity *id;
    (void)state;

    chain[1] = testpki_make(&(struct testpki_spec){
        .subject = "CN=CA", .ca = true, .key = 1, .exts = &ext, .exts_count = 1});
    chain[0] =
        testpki_make(&(struct testpki_spec){.subject = "CN=a", .issuer = chain[1], .key = 2});
    pem = testpki_pem(chain, 2);
    key = testpki_key_pem(chain[0]);
    assert_true(is_ok(load(slice_of_str(pem), slice_of_str(key), "", &id, NULL)));
    assert_int_equal(2, identity_chain_len(id));
    identity_unref(id);
    free(pem);
    free(key);
}

static void test_references(void **state)
{
    char *file = file_of("Ll");
    struct identity *id;
    (void)state;

    assert_true(is_ok(load(slice_of_str(file), SLICE_EMPTY, "", &id, NULL)));
    assert_ptr_equal(id, identity_ref(id));
    identity_unref(id);
    assert_int_equal(1, identity_chain_len(id));
    identity_unref(id);
    identity_unref(NULL);
    free(file);
}

/* --- writing --- */

static struct identity *identity_of(const struct testpki_spec *spec)
{
    const struct testpki_cert *cert = testpki_make(spec);
    char *pem = testpki_pem(&cert, 1), *key = testpki_key_pem(cert);
    struct identity *id;

    struct errinfo e = ERRINFO_INIT;
    const struct result r = load(slice_of_str(pem), slice_of_str(key), "", &id, &e);

    if (is_err(r))
        fail_msg("%s: %s", spec->subject, errinfo_text(&e, r));
    free(pem);
    free(key);
    return id;
}

static void assert_written(struct identity *id)
{
    struct buf text;
    struct identity *again;
    struct errinfo e = ERRINFO_INIT;

    buf_init(&text, 65536);
    assert_true(is_ok(identity_write(id, &text, &e)));
    assert_true(slice_starts(buf_slice(&text), SLICE_LIT("-----BEGIN CERTIFICATE-----\n")));
    assert_true(slice_find_slice(buf_slice(&text), SLICE_LIT("-----BEGIN PRIVATE KEY-----\n")) <
                buf_len(&text));
    const struct result r = load(buf_slice(&text), SLICE_EMPTY, "", &again, &e);
    if (is_err(r))
        fail_msg("%s", errinfo_text(&e, r));
    assert_int_equal(identity_chain_len(id), identity_chain_len(again));
    for (size_t i = 0; i < identity_chain_len(id); i++)
        assert_true(slice_eq(cert_der(identity_cert(id, i)), cert_der(identity_cert(again, i))));
    assert_int_equal(0, mbedtls_pk_check_pair(identity_mbedtls_key(id), identity_mbedtls_key(again),
                                              testpki_rng().fill, NULL));
    identity_unref(again);
    buf_wipe(&text);
}

static void test_written_and_read_again(void **state)
{
    char *file = file_of("RlIL");
    struct identity *id;
    (void)state;

    assert_true(is_ok(load(slice_of_str(file), SLICE_EMPTY, "", &id, NULL)));
    assert_written(id);
    identity_unref(id);
    for (int type = TESTPKI_P256; type <= TESTPKI_RSA_1024; type++) {
        id = identity_of(
            &(struct testpki_spec){.subject = "CN=a", .key_type = (enum testpki_key_type)type});
        assert_written(id);
        identity_unref(id);
    }
    free(file);
}

static void test_written_into_too_little(void **state)
{
    char *file = file_of("LIRl");
    struct identity *id;
    (void)state;

    assert_true(is_ok(load(slice_of_str(file), SLICE_EMPTY, "", &id, NULL)));
    for (size_t cap = 0; cap < 1500; cap += 100) {
        struct buf text;
        struct errinfo e = ERRINFO_INIT;
        buf_init(&text, cap);
        assert_int_equal(ERR_LIMIT, identity_write(id, &text, &e).code);
        assert_non_null(strstr(e.text, "cannot be written"));
        buf_wipe(&text);
    }
    identity_unref(id);
    free(file);
}

/* --- encrypted keys --- */

#define PASSWORD "open sesame"

static void put_algorithm(struct der *d, const char *oid, struct slice params)
{
    size_t seq = der_open(d, DER_SEQUENCE);

    der_oid(d, oid);
    der_raw(d, params);
    der_close(d, seq);
}

/* PKCS#8 (RFC 5958) with the leaf's EC key. */
static void put_plain_key(struct der *d)
{
    uint8_t sec1[256];
    int n = mbedtls_pk_write_key_der(testpki_key(leaf), sec1, sizeof(sec1));
    size_t seq = der_open(d, DER_SEQUENCE);
    struct der curve = {0};

    assert_true(n > 0);
    der_oid(&curve, "1.2.840.10045.3.1.7");
    der_uint(d, 0);
    put_algorithm(d, "1.2.840.10045.2.1", der_slice(&curve));
    der_put(d, DER_OCTET_STRING, slice_of(sec1 + sizeof(sec1) - n, (size_t)n));
    der_close(d, seq);
    der_free(&curve);
}

/* PBES2 parameters (RFC 8018): PBKDF2 with SHA-256, and CIPHER with its IV. */
static struct der pbes2_params(unsigned iterations, const char *kdf, const char *cipher)
{
    static const uint8_t salt[16] = {1}, iv[16] = {2};
    struct der params = {0}, inner = {0};
    size_t seq = der_open(&inner, DER_SEQUENCE);
    size_t all;

    der_put(&inner, DER_OCTET_STRING, slice_of(salt, sizeof(salt)));
    der_uint(&inner, iterations);
    put_algorithm(&inner, "1.2.840.113549.2.9", SLICE_LIT("\x05\x00")); /* hmacWithSHA256 */
    der_close(&inner, seq);
    all = der_open(&params, DER_SEQUENCE);
    put_algorithm(&params, kdf, der_slice(&inner));
    inner.n = 0;
    der_put(&inner, DER_OCTET_STRING, slice_of(iv, sizeof(iv)));
    put_algorithm(&params, cipher, der_slice(&inner));
    der_close(&params, all);
    der_free(&inner);
    return params;
}

#define PBES2      "1.2.840.113549.1.5.13"
#define PBKDF2     "1.2.840.113549.1.5.12"
#define SCRYPT     "1.3.6.1.4.1.11591.4.11"
#define AES256_CBC "2.16.840.1.101.3.4.1.42"
#define DES3_CBC   "1.2.840.113549.3.7"

/* EncryptedPrivateKeyInfo as PEM. What is not PBKDF2 and AES is only labelled as that. */
static char *encrypted_pkcs8(const char *scheme, unsigned iterations, const char *kdf,
                             const char *cipher)
{
    struct der plain = {0}, params = pbes2_params(iterations, kdf, cipher), all = {0};
    mbedtls_asn1_buf asn1 = {0};
    uint8_t encrypted[512] = {0};
    size_t n = sizeof(encrypted), seq;
    char *pem;

    put_plain_key(&plain);
    if (strcmp(kdf, PBKDF2) == 0 && strcmp(cipher, AES256_CBC) == 0 && iterations < 100000) {
        struct slice whole = der_slice(&params), inside;

        assert_true(der_take(&whole, DER_SEQUENCE, &inside));
        asn1 = (mbedtls_asn1_buf){DER_SEQUENCE, inside.n, (unsigned char *)(uintptr_t)inside.p};
        assert_int_equal(0, mbedtls_pkcs5_pbes2_ext(&asn1, MBEDTLS_PKCS5_ENCRYPT,
                                                    (const uint8_t *)PASSWORD, strlen(PASSWORD),
                                                    plain.p, plain.n, encrypted, n, &n));
    }
    seq = der_open(&all, DER_SEQUENCE);
    put_algorithm(&all, scheme, der_slice(&params));
    der_put(&all, DER_OCTET_STRING, slice_of(encrypted, n));
    der_close(&all, seq);
    pem = testpki_pem_of(der_slice(&all), "ENCRYPTED PRIVATE KEY");
    der_free(&plain);
    der_free(&params);
    der_free(&all);
    return pem;
}

static void assert_key(const char *key, const char *password, enum err code, const char *words)
{
    struct errinfo e = ERRINFO_INIT;
    struct identity *id;
    struct result r = load(slice_of_str(leaf_pem), slice_of_str(key), password, &id, &e);

    if (r.code != code || strstr(e.text, words) == NULL)
        fail_msg("%s: '%s', not '%s'", err_name(r.code), e.text, words);
    identity_unref(id);
}

static void test_pkcs8(void **state)
{
    struct der d = {0};
    char *pem;
    (void)state;

    put_plain_key(&d);
    pem = testpki_pem_of(der_slice(&d), "PRIVATE KEY");
    assert_key(pem, "", ERR_OK, "");
    assert_key(pem, "not needed", ERR_OK, "");
    free(pem);
    der_free(&d);
}

static void test_encrypted_pkcs8(void **state)
{
    char *pem = encrypted_pkcs8(PBES2, 2048, PBKDF2, AES256_CBC);
    (void)state;

    assert_key(pem, PASSWORD, ERR_OK, "");
    assert_key(pem, "", ERR_CRYPTO, "its password is needed");
    assert_key(pem, "wrong", ERR_CRYPTO, "the password does not open");
    free(pem);
}

static void test_encryption_that_is_not_supported(void **state)
{
    static const struct {
        const char *scheme, *kdf, *cipher;
    } cases[] = {
        {PBES2, SCRYPT, AES256_CBC},
        {PBES2, PBKDF2, DES3_CBC},
        {"1.2.840.113549.1.12.1.3", PBKDF2, AES256_CBC}, /* PKCS#12's */
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *pem = encrypted_pkcs8(cases[i].scheme, 2048, cases[i].kdf, cases[i].cipher);

        assert_key(pem, PASSWORD, ERR_UNSUPPORTED, "openssl pkcs8 -topk8");
        free(pem);
    }
}

/* Or a file could keep the phone busy for hours. */
static void test_iterations_are_capped(void **state)
{
    char *pem = encrypted_pkcs8(PBES2, LIMIT_KEY_ITERATIONS + 1, PBKDF2, AES256_CBC);
    (void)state;

    assert_key(pem, PASSWORD, ERR_LIMIT, "hashed more than");
    free(pem);
    pem = encrypted_pkcs8(PBES2, 0xffffffff, PBKDF2, AES256_CBC);
    assert_key(pem, PASSWORD, ERR_LIMIT, "hashed more than");
    free(pem);
}

/* RFC 1421 as OpenSSL does it: the key is MD5(password, salt), and the salt is the IV's start. */
static char *encrypted_rfc1421(const char *cipher)
{
    static const char iv_hex[] = "000102030405060708090A0B0C0D0E0F";
    uint8_t iv[16], key[HASH_MAX_SIZE], sec1[256], out[512];
    struct slice parts[2] = {SLICE_LIT(PASSWORD), {iv, 8}};
    int n = mbedtls_pk_write_key_der(testpki_key(leaf), sec1, sizeof(sec1));
    mbedtls_cipher_context_t ctx;
    size_t len, tail;
    char *pem, *base64, *all;

    for (uint8_t i = 0; i < 16; i++)
        iv[i] = i;
    hash_parts(HASH_MD5, parts, 2, key);
    mbedtls_cipher_init(&ctx);
    assert_int_equal(
        0, mbedtls_cipher_setup(&ctx, mbedtls_cipher_info_from_type(MBEDTLS_CIPHER_AES_128_CBC)));
    assert_int_equal(0, mbedtls_cipher_setkey(&ctx, key, 128, MBEDTLS_ENCRYPT));
    assert_int_equal(0, mbedtls_cipher_set_padding_mode(&ctx, MBEDTLS_PADDING_PKCS7));
    assert_int_equal(0, mbedtls_cipher_crypt(&ctx, iv, sizeof(iv), sec1 + sizeof(sec1) - n,
                                             (size_t)n, out, &len));
    mbedtls_cipher_free(&ctx);

    pem = testpki_pem_of(slice_of(out, len), "EC PRIVATE KEY");
    base64 = strchr(pem, '\n') + 1;
    tail = strlen(pem) + 128;
    all = malloc(tail);
    (void)snprintf(all, tail,
                   "-----BEGIN EC PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\r\nDEK-Info: "
                   "%s,%s\r\n\r\n%s",
                   cipher, iv_hex, base64);
    free(pem);
    return all;
}

static void test_encrypted_by_headers(void **state)
{
    char *pem = encrypted_rfc1421("AES-128-CBC");
    (void)state;

    assert_key(pem, PASSWORD, ERR_OK, "");
    assert_key(pem, "", ERR_CRYPTO, "its password is needed");
    assert_key(pem, "wrong", ERR_CRYPTO, "the password does not open");
    free(pem);
    pem = encrypted_rfc1421("DES-EDE3-CBC");
    assert_key(pem, PASSWORD, ERR_UNSUPPORTED, "openssl pkcs8 -topk8");
    free(pem);
}

static void test_broken_keys(void **state)
{
    static const struct {
        const char *key;
        enum err code;
        const char *words;
    } cases[] = {
        {"nothing", ERR_NOT_FOUND, "no private key"},
        {"-----BEGIN PRIVATE KEY-----\n", ERR_PARSE, "line 1"},
        {"-----BEGIN PRIVATE KEY-----\nA*\n-----END PRIVATE KEY-----\n", ERR_PARSE, "not Base64"},
        {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", ERR_PARSE, "damaged"},
        {"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", ERR_PARSE, "damaged"},
        {"-----BEGIN EC PRIVATE KEY-----\nMAMCAQE=\n-----END EC PRIVATE KEY-----\n", ERR_PARSE,
         "damaged"},
        {"-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n"
         "-----END EC PRIVATE KEY-----\n",
         ERR_UNSUPPORTED, "not supported"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_key(cases[i].key, PASSWORD, cases[i].code, cases[i].words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chains),
        cmocka_unit_test(test_key_beside_the_certificates),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_der_without_a_key),
        cmocka_unit_test(test_rsa),
        cmocka_unit_test(test_critical_extensions),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_written_and_read_again),
        cmocka_unit_test(test_written_into_too_little),
        cmocka_unit_test(test_pkcs8),
        cmocka_unit_test(test_encrypted_pkcs8),
        cmocka_unit_test(test_encryption_that_is_not_supported),
        cmocka_unit_test(test_iterations_are_capped),
        cmocka_unit_test(test_encrypted_by_headers),
        cmocka_unit_test(test_broken_keys),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
