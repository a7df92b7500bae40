#include "tools/testpki.h"

#include <errno.h>
#include <mbedtls/ecp.h>
#include <mbedtls/md.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "tools/der.h"
#include "tools/dernames.h"
#include "tools/rigged_rng.h"

#define KEY_TYPES   (TESTPKI_RSA_1024 + 1)
#define KEY_NUMBERS 32
#define KEY_ID_SIZE 20

struct testpki_cert {
    struct testpki_cert *next; /* of all that were made */
    struct der der;
    struct der name;
    struct mbedtls_pk_context *key;
    uint8_t key_id[KEY_ID_SIZE];
    struct slice key_id_given; /* the spec's own, else empty */
};

static struct testpki_cert *all_certs;
static struct mbedtls_pk_context *keys[KEY_TYPES][KEY_NUMBERS];
static struct mbedtls_pk_context **unshared_keys;
static size_t unshared_count;

static void die(const char *what, const char *about)
{
    fprintf(stderr, "testpki: %s%s%s\n", what, about[0] != '\0' ? ": " : "", about);
    abort();
}

static void check(int rc, const char *what)
{
    if (rc < 0) {
        fprintf(stderr, "testpki: %s: -0x%04x\n", what, (unsigned)-rc);
        abort();
    }
}

static void *must_alloc(size_t n)
{
    void *p = calloc(1, n);

    if (p == NULL)
        die("out of memory", "");
    return p;
}

static bool repeats;
static uint64_t repeat_state;

void testpki_repeat(uint64_t seed)
{
    repeats = true;
    repeat_state = seed;
}

static int fill_random(void *ctx, unsigned char *out, size_t n)
{
    (void)ctx;
    if (repeats) {
        const struct rng rigged = rigged_rng(&repeat_state);
        return rigged.fill(rigged.ctx, out, n);
    }
    while (n > 0) {
        size_t part = n > 256 ? 256 : n; /* getentropy's limit */

        if (getentropy(out, part) != 0)
            return -1;
        out += part;
        n -= part;
    }
    return 0;
}

struct rng testpki_rng(void)
{
    return (struct rng){fill_random, NULL};
}

/* --- keys --- */

static struct mbedtls_pk_context *new_key(enum testpki_key_type type)
{
    static const struct {
        unsigned rsa_bits;
        mbedtls_ecp_group_id curve;
    } kinds[] = {
        [TESTPKI_P256] = {0, MBEDTLS_ECP_DP_SECP256R1},
        [TESTPKI_P384] = {0, MBEDTLS_ECP_DP_SECP384R1},
        [TESTPKI_P521] = {0, MBEDTLS_ECP_DP_SECP521R1},
        [TESTPKI_RSA_2048] = {2048, MBEDTLS_ECP_DP_NONE},
        [TESTPKI_RSA_3072] = {3072, MBEDTLS_ECP_DP_NONE},
        [TESTPKI_RSA_1024] = {1024, MBEDTLS_ECP_DP_NONE},
    };
    struct mbedtls_pk_context *key = must_alloc(sizeof(*key));

    mbedtls_pk_init(key);
    if (kinds[type].rsa_bits != 0) {
        check(mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA)), "key");
        check(mbedtls_rsa_gen_key(mbedtls_pk_rsa(*key), fill_random, NULL, kinds[type].rsa_bits,
                                  65537),
              "RSA key");
    } else {
        check(mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)), "key");
        check(mbedtls_ecp_gen_key(kinds[type].curve, mbedtls_pk_ec(*key), fill_random, NULL),
              "EC key");
    }
    return key;
}

static struct mbedtls_pk_context *find_key(const struct testpki_spec *spec)
{
    if (spec->key >= KEY_NUMBERS)
        die("key numbers are smaller", "");
    if (spec->key == 0) {
        unshared_keys =
            realloc(unshared_keys, (unshared_count + 1) * sizeof(struct mbedtls_pk_context *));
        if (unshared_keys == NULL)
            die("out of memory", "");
        return unshared_keys[unshared_count++] = new_key(spec->key_type);
    }
    if (keys[spec->key_type][spec->key] == NULL)
        keys[spec->key_type][spec->key] = new_key(spec->key_type);
    return keys[spec->key_type][spec->key];
}

/* NULL is fine, as for both. */
static void free_key(struct mbedtls_pk_context *key)
{
    mbedtls_pk_free(key);
    free(key);
}

/* At the end of the process: what is left then, valgrind takes for forgotten. */
__attribute__((destructor)) static void forget_all(void)
{
    while (all_certs != NULL) {
        struct testpki_cert *c = all_certs;

        all_certs = c->next;
        der_free(&c->der);
        der_free(&c->name);
        free((void *)(uintptr_t)c->key_id_given.p);
        free(c);
    }
    for (size_t i = 0; i < unshared_count; i++)
        free_key(unshared_keys[i]);
    free(unshared_keys);
    for (size_t type = 0; type < KEY_TYPES; type++)
        for (size_t i = 0; i < KEY_NUMBERS; i++)
            free_key(keys[type][i]);
}

/* SubjectPublicKeyInfo into D, and the key identifier made of it: any unique bytes will do. */
static void put_public_key(struct der *d, struct testpki_cert *c)
{
    uint8_t spki[1024];
    uint8_t sha256[HASH_SHA256_SIZE];
    int n = mbedtls_pk_write_pubkey_der(c->key, spki, sizeof(spki)); /* at the end of the buffer */
    struct slice s;

    check(n, "public key");
    s = slice_of(spki + sizeof(spki) - n, (size_t)n);
    hash_sha256(s, sha256);
    memcpy(c->key_id, sha256, sizeof(c->key_id));
    der_raw(d, s);
}

/* --- extensions --- */

static void put_extension(struct der *d, const char *oid, bool critical, struct slice value)
{
    size_t ext = der_open(d, DER_SEQUENCE);

    der_oid(d, oid);
    if (critical)
        der_bool(d, true);
    der_put(d, DER_OCTET_STRING, value);
    der_close(d, ext);
}

/* The same, of what was built in VALUE, which is emptied for the next one. */
static void take_extension(struct der *d, const char *oid, bool critical, struct der *value)
{
    put_extension(d, oid, critical, der_slice(value));
    value->n = 0;
}

static void put_basic_constraints(struct der *d, const struct testpki_spec *spec)
{
    struct der value = {0};
    size_t seq;

    if (!spec->ca && !spec->not_ca)
        return;
    seq = der_open(&value, DER_SEQUENCE);
    if (spec->ca)
        der_bool(&value, true);
    if (spec->pathlen != 0)
        der_uint(&value, (unsigned)spec->pathlen - 1);
    der_close(&value, seq);
    take_extension(d, "2.5.29.19", true, &value);
    der_free(&value);
}

static void put_key_ids(struct der *d, const struct testpki_spec *spec,
                        const struct testpki_cert *c, const struct testpki_cert *issuer)
{
    struct der value = {0};
    struct slice aki = spec->aki.n > 0 ? spec->aki : testpki_key_id(issuer);

    if (!spec->no_ski) {
        der_put(&value, DER_OCTET_STRING, testpki_key_id(c));
        take_extension(d, "2.5.29.14", false, &value);
    }
    if (!spec->no_aki) {
        size_t seq = der_open(&value, DER_SEQUENCE);

        der_put(&value, DER_CONTEXT(0), aki);
        der_close(&value, seq);
        take_extension(d, "2.5.29.35", false, &value);
    }
    der_free(&value);
}

static void put_extensions(struct der *d, const struct testpki_spec *spec,
                           const struct testpki_cert *c, const struct testpki_cert *issuer)
{
    size_t tagged = der_open(d, DER_CONTEXT_CONSTRUCTED(3));
    size_t list = der_open(d, DER_SEQUENCE);
    struct der value = {0};
    const unsigned usage = spec->key_usage != 0 || !spec->ca || spec->no_key_usage
                               ? spec->key_usage
                               : TESTPKI_KEY_CERT_SIGN | TESTPKI_CRL_SIGN;

    put_basic_constraints(d, spec);
    if (usage != 0) {
        der_named_bits(&value, (uint16_t)usage);
        take_extension(d, "2.5.29.15", true, &value);
    }
    if (spec->eku != NULL) {
        size_t seq = der_open(&value, DER_SEQUENCE);

        for (const char *const *oid = spec->eku; *oid != NULL; oid++)
            der_oid(&value, *oid);
        der_close(&value, seq);
        take_extension(d, "2.5.29.37", false, &value);
    }
    if (spec->san != NULL) {
        der_general_names(&value, spec->san);
        take_extension(d, "2.5.29.17", spec->san_critical, &value);
    }
    put_key_ids(d, spec, c, issuer);
    for (size_t i = 0; i < spec->exts_count; i++)
        put_extension(d, spec->exts[i].oid, spec->exts[i].critical, spec->exts[i].value);
    der_close(d, list);
    if (d->n == list + 1) /* an empty list may not be there */
        d->n = tagged - 1;
    else
        der_close(d, tagged);
    der_free(&value);
}

/* --- signature --- */

static const struct digest {
    mbedtls_md_type_t md;
    const char *oid, *rsa, *ecdsa;
} digests[] = {
    [TESTPKI_SHA256] = {MBEDTLS_MD_SHA256, "2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.1.11",
                        "1.2.840.10045.4.3.2"},
    [TESTPKI_SHA384] = {MBEDTLS_MD_SHA384, "2.16.840.1.101.3.4.2.2", "1.2.840.113549.1.1.12",
                        "1.2.840.10045.4.3.3"},
    [TESTPKI_SHA512] = {MBEDTLS_MD_SHA512, "2.16.840.1.101.3.4.2.3", "1.2.840.113549.1.1.13",
                        "1.2.840.10045.4.3.4"},
    [TESTPKI_SHA1] = {MBEDTLS_MD_SHA1, "1.3.14.3.2.26", "1.2.840.113549.1.1.5",
                      "1.2.840.10045.4.1"},
    [TESTPKI_MD5] = {MBEDTLS_MD_MD5, "1.2.840.113549.2.5", "1.2.840.113549.1.1.4", NULL},
};

static size_t digest_size(const struct digest *digest)
{
    return mbedtls_md_get_size(mbedtls_md_info_from_type(digest->md));
}

static void put_digest_algorithm(struct der *d, const struct digest *digest)
{
    size_t seq = der_open(d, DER_SEQUENCE);

    der_oid(d, digest->oid);
    der_put(d, DER_NULL, SLICE_EMPTY);
    der_close(d, seq);
}

/* RFC 4055 section 3.1: hash, mask generation with the same hash, salt as long as the hash. */
static void put_pss_parameters(struct der *d, const struct digest *digest)
{
    size_t params = der_open(d, DER_SEQUENCE);
    size_t tagged = der_open(d, DER_CONTEXT_CONSTRUCTED(0));
    size_t mgf;

    put_digest_algorithm(d, digest);
    der_close(d, tagged);
    tagged = der_open(d, DER_CONTEXT_CONSTRUCTED(1));
    mgf = der_open(d, DER_SEQUENCE);
    der_oid(d, "1.2.840.113549.1.1.8");
    put_digest_algorithm(d, digest);
    der_close(d, mgf);
    der_close(d, tagged);
    tagged = der_open(d, DER_CONTEXT_CONSTRUCTED(2));
    der_uint(d, (unsigned)digest_size(digest));
    der_close(d, tagged);
    der_close(d, params);
}

static bool is_rsa(const struct testpki_cert *c)
{
    return mbedtls_pk_get_type(c->key) == MBEDTLS_PK_RSA;
}

static void put_signature_algorithm(struct der *d, const struct testpki_spec *spec,
                                    const struct testpki_cert *issuer)
{
    const struct digest *digest = &digests[spec->digest];
    size_t seq = der_open(d, DER_SEQUENCE);

    if (!is_rsa(issuer)) {
        if (digest->ecdsa == NULL || spec->pss)
            die("not for an EC key", "");
        der_oid(d, digest->ecdsa);
    } else if (spec->pss) {
        der_oid(d, "1.2.840.113549.1.1.10");
        put_pss_parameters(d, digest);
    } else {
        der_oid(d, digest->rsa);
        der_put(d, DER_NULL, SLICE_EMPTY);
    }
    der_close(d, seq);
}

static void put_signature(struct der *d, const struct testpki_spec *spec,
                          const struct testpki_cert *issuer, struct slice tbs)
{
    const struct digest *digest = &digests[spec->digest];
    uint8_t hash[MBEDTLS_MD_MAX_SIZE];
    uint8_t signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
    size_t n;

    check(mbedtls_md(mbedtls_md_info_from_type(digest->md), tbs.p, tbs.n, hash), "digest");
    if (spec->pss) {
        n = mbedtls_pk_get_len(issuer->key);
        check(
            mbedtls_rsa_set_padding(mbedtls_pk_rsa(*issuer->key), MBEDTLS_RSA_PKCS_V21, digest->md),
            "padding");
        check(mbedtls_rsa_rsassa_pss_sign_ext(mbedtls_pk_rsa(*issuer->key), fill_random, NULL,
                                              digest->md, (unsigned)digest_size(digest), hash,
                                              (int)digest_size(digest), signature),
              "PSS signature");
        check(mbedtls_rsa_set_padding(mbedtls_pk_rsa(*issuer->key), MBEDTLS_RSA_PKCS_V15,
                                      MBEDTLS_MD_NONE),
              "padding");
    } else {
        check(mbedtls_pk_sign(issuer->key, digest->md, hash, digest_size(digest), signature,
                              sizeof(signature), &n, fill_random, NULL),
              "signature");
    }
    if (spec->bad_signature)
        signature[n - 1] ^= 1;
    der_bits(d, slice_of(signature, n));
}

/* --- the certificate --- */

static void put_serial(struct der *d, struct slice serial)
{
    uint8_t fresh[16];

    if (serial.n == 0) {
        check(fill_random(NULL, fresh, sizeof(fresh)), "random numbers");
        fresh[0] = (uint8_t)((fresh[0] & 0x3f) | 0x40); /* positive, without a leading zero */
        serial = slice_of(fresh, sizeof(fresh));
    }
    der_put(d, DER_INTEGER, serial);
}

static void put_tbs(struct der *d, const struct testpki_spec *spec, struct testpki_cert *c,
                    const struct testpki_cert *issuer)
{
    unsigned version = spec->version != 0 ? spec->version : 3;
    size_t tbs = der_open(d, DER_SEQUENCE);
    size_t opened;

    if (version != 1) { /* the default, which DER leaves out */
        opened = der_open(d, DER_CONTEXT_CONSTRUCTED(0));
        der_uint(d, version - 1);
        der_close(d, opened);
    }
    put_serial(d, spec->serial);
    put_signature_algorithm(d, spec, issuer);
    der_raw(d, spec->issuer_der.n > 0 ? spec->issuer_der : der_slice(&issuer->name));
    opened = der_open(d, DER_SEQUENCE);
    der_time(d, spec->not_before != 0 ? spec->not_before : TESTPKI_NOT_BEFORE);
    der_time(d, spec->not_after != 0 ? spec->not_after : TESTPKI_NOT_AFTER);
    der_close(d, opened);
    der_raw(d, der_slice(&c->name));
    put_public_key(d, c);
    if (version == 3)
        put_extensions(d, spec, c, issuer);
    der_close(d, tbs);
}

const struct testpki_cert *testpki_make(const struct testpki_spec *spec)
{
    struct testpki_cert *c = must_alloc(sizeof(*c));
    const struct testpki_cert *issuer = spec->issuer != NULL ? spec->issuer : c;
    struct der tbs = {0};
    size_t opened;

    c->key = find_key(spec);
    if (spec->subject_der.n > 0)
        der_raw(&c->name, spec->subject_der);
    else
        der_name(&c->name, spec->subject);
    if (spec->ski.n > 0) {
        uint8_t *copy = must_alloc(spec->ski.n);

        memcpy(copy, spec->ski.p, spec->ski.n);
        c->key_id_given = slice_of(copy, spec->ski.n);
    }
    put_tbs(&tbs, spec, c, issuer);
    opened = der_open(&c->der, DER_SEQUENCE);
    der_raw(&c->der, der_slice(&tbs));
    put_signature_algorithm(&c->der, spec, issuer);
    put_signature(&c->der, spec, issuer, der_slice(&tbs));
    der_close(&c->der, opened);
    der_free(&tbs);

    c->next = all_certs;
    all_certs = c;
    return c;
}

struct slice testpki_der(const struct testpki_cert *c)
{
    return der_slice(&c->der);
}

struct slice testpki_name(const struct testpki_cert *c)
{
    return der_slice(&c->name);
}

struct slice testpki_key_id(const struct testpki_cert *c)
{
    return c->key_id_given.n > 0 ? c->key_id_given : slice_of(c->key_id, sizeof(c->key_id));
}

struct mbedtls_pk_context *testpki_key(const struct testpki_cert *c)
{
    return c->key;
}

uint8_t *testpki_name_der(const char *text, size_t *n)
{
    struct der d = {0};

    der_name(&d, text);
    *n = d.n;
    return d.p;
}

/* --- PEM --- */

char *testpki_pem_of(struct slice der, const char *label)
{
    char begin[64], end[64];
    size_t n = 0;
    char *text;

    (void)snprintf(begin, sizeof(begin), "-----BEGIN %s-----\n", label);
    (void)snprintf(end, sizeof(end), "-----END %s-----\n", label);
    (void)mbedtls_pem_write_buffer(begin, end, der.p, der.n, NULL, 0, &n);
    text = must_alloc(n);
    check(mbedtls_pem_write_buffer(begin, end, der.p, der.n, (unsigned char *)text, n, &n), "PEM");
    return text;
}

char *testpki_pem(const struct testpki_cert *const *certs, size_t n)
{
    char *all = must_alloc(1);
    size_t length = 0;

    for (size_t i = 0; i < n; i++) {
        char *one = testpki_pem_of(testpki_der(certs[i]), "CERTIFICATE");
        size_t more = strlen(one);

        all = realloc(all, length + more + 1);
        if (all == NULL)
            die("out of memory", "");
        memcpy(all + length, one, more + 1);
        length += more;
        free(one);
    }
    return all;
}

char *testpki_key_pem(const struct testpki_cert *c)
{
    const size_t size = 4096;
    char *text = must_alloc(size);

    check(mbedtls_pk_write_key_pem(c->key, (unsigned char *)text, size), "key");
    return text;
}
