#include "pki/upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "tools/testpki.h"
#include "tools/unit.h"

static const char *const server_auth[] = {TESTPKI_OID_SERVER_AUTH, NULL};
static const char *const client_auth[] = {TESTPKI_OID_CLIENT_AUTH, NULL};
static const char *const any_eku[] = {TESTPKI_OID_ANY_EKU, NULL};

static const struct testpki_cert *root;

static int set_up(void **state)
{
    (void)state;
    root = testpki_make(&(struct testpki_spec){.subject = "CN=Root", .ca = true, .key = 1});
    return 0;
}

/* Certificates and key in one text, to free(). */
static char *file_of(const struct testpki_cert *const *chain, size_t n,
                     const struct testpki_cert *key_of)
{
    char *certs = testpki_pem(chain, n);
    char *key = testpki_key_pem(key_of);

    certs = realloc(certs, strlen(certs) + strlen(key) + 1);
    assert_non_null(certs);
    strcat(certs, key);
    free(key);
    return certs;
}

static struct result upload(struct upload_request q, struct identity **out, struct errinfo *e)
{
    const struct rng rng = testpki_rng();

    if (q.now.epoch_s == 0)
        q.now = (struct wallclock){TESTPKI_NOW, CLOCK_SET};
    *out = NULL;
    *e = ERRINFO_INIT;
    return upload_identity(&q, &rng, out, e);
}

/* The leaf of SPEC, with ISSUER in the file if it is one; the code, and a part of the sentence. */
static void check(struct testpki_spec spec, enum err code, const char *words)
{
    const struct testpki_cert *chain[2] = {NULL, spec.issuer};
    struct errinfo e;
    struct identity *id;

    if (spec.subject == NULL)
        spec.subject = "CN=phone";
    chain[0] = testpki_make(&spec);
    char *file = file_of(chain, spec.issuer != NULL ? 2 : 1, chain[0]);
    const struct result r = upload((struct upload_request){.content = slice_of_str(file)}, &id, &e);
    if (r.code != code || (words != NULL && strstr(e.text, words) == NULL))
        fail_msg("%s '%s', not %s '%s'", err_name(r.code), e.text, err_name(code), words);
    assert_int_equal(code == ERR_OK, id != NULL);
    assert_int_equal(code == ERR_CERT ? 0 : -1, e.depth);
    identity_unref(id);
    free(file);
}

static void test_leaves(void **state)
{
    (void)state;
    check((struct testpki_spec){.issuer = root}, ERR_OK, NULL);
    check((struct testpki_spec){.issuer = root,
                                .not_ca = true,
                                .eku = server_auth,
                                .key_usage = TESTPKI_DIGITAL_SIGNATURE},
          ERR_OK, NULL);
    check((struct testpki_spec){.issuer = root, .eku = any_eku}, ERR_OK, NULL);
    check((struct testpki_spec){.key_type = TESTPKI_RSA_2048}, ERR_OK, NULL);
    check((struct testpki_spec){.key_type = TESTPKI_P521}, ERR_OK, NULL);
    check((struct testpki_spec){.not_ca = true, .digest = TESTPKI_SHA1}, ERR_OK, NULL);

    check((struct testpki_spec){.issuer = root, .ca = true}, ERR_CERT,
          "the certificate of 'phone' is one of a CA");
    check((struct testpki_spec){.issuer = root, .eku = client_auth}, ERR_CERT, "lacks serverAuth");
    check((struct testpki_spec){.issuer = root, .key_usage = TESTPKI_KEY_ENCIPHERMENT}, ERR_CERT,
          "lacks digitalSignature");
    check((struct testpki_spec){.key_type = TESTPKI_RSA_1024}, ERR_CERT,
          "an RSA key of 1024 bits, and 2048 are the least");
    check((struct testpki_spec){.issuer = root, .not_after = TESTPKI_NOW - 1}, ERR_CERT,
          "expired on 2027-01-15");
    check((struct testpki_spec){.issuer = root, .not_before = TESTPKI_NOW + 1}, ERR_CERT,
          "is not valid before 2027-01-15");
    check((struct testpki_spec){.issuer = root, .digest = TESTPKI_SHA1}, ERR_CERT,
          "do not accept any more");
    check((struct testpki_spec){.issuer = root, .bad_signature = true}, ERR_CERT,
          "was not signed by its issuer");
}

/* Only what is sure counts while the clock is not set. */
static void test_clock(void **state)
{
    const struct testpki_cert *cert = testpki_make(&(struct testpki_spec){
        .subject = "CN=phone", .not_before = TESTPKI_NOW, .not_after = TESTPKI_NOW + 10});
    char *file = file_of(&cert, 1, cert);
    static const struct {
        int64_t now;
        enum clock_state state;
        bool good;
    } cases[] = {
        {TESTPKI_NOW - 1, CLOCK_SET, false},    {TESTPKI_NOW, CLOCK_SET, true},
        {TESTPKI_NOW + 10, CLOCK_SET, true},    {TESTPKI_NOW + 11, CLOCK_SET, false},
        {TESTPKI_NOW - 1, CLOCK_UNSET, true},   {TESTPKI_NOW - 1, CLOCK_FLOOR, true},
        {TESTPKI_NOW + 11, CLOCK_UNSET, false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct errinfo e;
        struct identity *id;
        const struct result r =
            upload((struct upload_request){.content = slice_of_str(file),
                                           .now = {cases[i].now, cases[i].state}},
                   &id, &e);
        assert_int_equal(cases[i].good, is_ok(r));
        identity_unref(id);
    }
    free(file);
}

/* What stands above the leaf in the file is sent, too. */
static void check_above(struct testpki_spec above, struct testpki_spec leaf, const char *words)
{
    const struct testpki_cert *chain[3];
    struct errinfo e;
    struct identity *id;

    above.subject = "CN=Issuing";
    above.issuer = root;
    above.key = 2;
    leaf.subject = "CN=phone";
    chain[1] = testpki_make(&above);
    chain[2] = root;
    if (leaf.issuer == NULL)
        leaf.issuer = chain[1];
    chain[0] = testpki_make(&leaf);
    char *file = file_of(chain, 3, chain[0]);
    const struct result r = upload((struct upload_request){.content = slice_of_str(file)}, &id, &e);
    if (words == NULL && is_err(r))
        fail_msg("%s", e.text);
    if (words != NULL && (r.code != ERR_CERT || strstr(e.text, words) == NULL))
        fail_msg("%s '%s' does not say '%s'", err_name(r.code), e.text, words);
    if (words == NULL)
        assert_int_equal(3, identity_chain_len(id));
    identity_unref(id);
    free(file);
}

static void test_chains(void **state)
{
    (void)state;
    check_above((struct testpki_spec){.ca = true}, (struct testpki_spec){0}, NULL);
    check_above((struct testpki_spec){.ca = true, .not_after = TESTPKI_NOW - 1},
                (struct testpki_spec){0}, "the CA certificate 'Issuing' expired");
    check_above((struct testpki_spec){.not_ca = true}, (struct testpki_spec){0},
                "the CA certificate 'Issuing' is not one of a CA");
    check_above((struct testpki_spec){.ca = true, .digest = TESTPKI_SHA1}, (struct testpki_spec){0},
                "'Issuing' is signed with an algorithm");
}

/* The same name and another key: what a CA leaves behind that was made anew. */
static void test_another_ca_of_the_same_name(void **state)
{
    const struct testpki_cert *old = testpki_make(
        &(struct testpki_spec){.subject = "CN=Root", .ca = true, .key = 3, .no_ski = true});
    const struct testpki_cert *leaf =
        testpki_make(&(struct testpki_spec){.subject = "CN=phone", .issuer = root});
    const struct testpki_cert *chain[] = {leaf, old};
    char *file = file_of(chain, 2, leaf);
    struct errinfo e;
    struct identity *id;
    (void)state;

    assert_int_equal(ERR_CERT,
                     upload((struct upload_request){.content = slice_of_str(file)}, &id, &e).code);
    assert_string_equal("the certificate of 'phone' was not signed by its issuer that is in the "
                        "file",
                        e.text);
    free(file);
}

static void test_files(void **state)
{
    const struct testpki_cert *cert = testpki_make(&(struct testpki_spec){.subject = "CN=phone"});
    char *file = file_of(&cert, 1, cert), *key = testpki_key_pem(cert);
    char *huge = malloc(LIMIT_CERT_FILE_BYTES + 1);
    static const struct {
        const char *name, *key_name;
        enum err code;
        const char *words;
    } cases[] = {
        {"phone.pem", NULL, ERR_OK, ""},
        {"PHONE.CER", "phone.KEY", ERR_OK, ""},
        {"a.b.Pem", "phone.pem", ERR_OK, ""},
        {"phone.crt", NULL, ERR_INVALID,
         "'phone.crt' cannot be uploaded as the server certificate: files have to be *.pem or "
         "*.cer"},
        {"phone.pem.exe", NULL, ERR_INVALID, "*.pem or *.cer"},
        {".pem", NULL, ERR_INVALID, "*.pem or *.cer"},
        {"", NULL, ERR_INVALID, "*.pem or *.cer"},
        {"phone.pem", "phone.der", ERR_INVALID, "its private key: files have to be *.pem, *.key"},
    };
    struct errinfo e;
    struct identity *id;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct upload_request q = {.filename = cases[i].name,
                                         .content = slice_of_str(file),
                                         .key_filename = cases[i].key_name,
                                         .key = slice_of_str(cases[i].key_name != NULL ? key : "")};
        assert_int_equal(cases[i].code, upload(q, &id, &e).code);
        if (strstr(e.text, cases[i].words) == NULL)
            fail_msg("%s: '%s' does not say '%s'", cases[i].name, e.text, cases[i].words);
        identity_unref(id);
    }
    assert_non_null(huge);
    memset(huge, '\n', LIMIT_CERT_FILE_BYTES + 1);
    const struct slice too_large = slice_of(huge, LIMIT_CERT_FILE_BYTES + 1);
    assert_int_equal(ERR_LIMIT,
                     upload((struct upload_request){.content = too_large}, &id, &e).code);
    assert_string_equal("the file with the certificate has 5242881 bytes, and 5 MB are the most",
                        e.text);
    assert_int_equal(
        ERR_LIMIT,
        upload((struct upload_request){.content = slice_of_str(file), .key = too_large}, &id, &e)
            .code);
    memcpy(huge, file, strlen(file));
    assert_true(is_ok(upload(
        (struct upload_request){.content = slice_of(huge, LIMIT_CERT_FILE_BYTES)}, &id, &e)));
    identity_unref(id);
    free(huge);
    free(key);
    free(file);
}

static void test_keys(void **state)
{
    const struct testpki_cert *cert = testpki_make(&(struct testpki_spec){.subject = "CN=phone"});
    const struct testpki_cert *other = testpki_make(&(struct testpki_spec){.subject = "CN=b"});
    char *certs = testpki_pem(&cert, 1), *key = testpki_key_pem(cert);
    char *wrong = testpki_key_pem(other);
    struct errinfo e;
    struct identity *id;
    (void)state;

    assert_int_equal(ERR_NOT_FOUND,
                     upload((struct upload_request){.content = slice_of_str(certs)}, &id, &e).code);
    assert_string_equal("there is no private key in the file", e.text);
    assert_int_equal(ERR_INVALID, upload((struct upload_request){.content = slice_of_str(certs),
                                                                 .key = slice_of_str(wrong)},
                                         &id, &e)
                                      .code);
    assert_int_equal(ERR_NOT_FOUND,
                     upload((struct upload_request){.content = slice_of_str(key)}, &id, &e).code);
    assert_true(is_ok(upload(
        (struct upload_request){.content = testpki_der(cert), .key = slice_of_str(key)}, &id, &e)));
    identity_unref(id);
    free(wrong);
    free(key);
    free(certs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leaves), cmocka_unit_test(test_clock),
        cmocka_unit_test(test_chains), cmocka_unit_test(test_another_ca_of_the_same_name),
        cmocka_unit_test(test_files),  cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
