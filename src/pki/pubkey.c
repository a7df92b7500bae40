#include "pki/pubkey.h"

#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>

#include "pki/der_value.h"

/* Nobody uses larger ones than 2^32: they only serve to make checks slow. */
#define RSA_EXPONENT_BITS_MAX 33

/* --- keys --- */

#define OID(bytes)                                  \
    {                                               \
        (const uint8_t *)(bytes), sizeof(bytes) - 1 \
    }

static const struct slice oid_rsa = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01");
static const struct slice oid_ec = OID("\x2a\x86\x48\xce\x3d\x02\x01");

/* AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL } */
static bool read_algorithm(struct slice *in, struct slice *oid, struct slice *parameters)
{
    struct slice seq;

    if (!der_take(in, DER_SEQUENCE, &seq) || !der_take(&seq, DER_OID, oid))
        return false;
    *parameters = seq;
    return true;
}

static bool is_null(struct slice p)
{
    struct slice null;

    return der_take(&p, DER_NULL, &null) && null.n == 0 && p.n == 0;
}

/* Signatures with RSA and digests have NULL as parameters, and "implementations MUST accept the
 * parameters being absent as well as present" (RFC 4055 sections 2.1 and 5). */
static bool no_parameters(struct slice p)
{
    return p.n == 0 || is_null(p);
}

static unsigned bit_length(struct slice integer)
{
    unsigned bits = (unsigned)integer.n * 8;

    for (size_t i = 0; i < integer.n; i++)
        for (unsigned mask = 0x80; mask != 0; mask >>= 1, bits--)
            if ((integer.p[i] & mask) != 0)
                return bits;
    return 0;
}

/* RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER } */
static void read_rsa(struct slice bits, struct pubkey *out)
{
    struct slice seq, n, e;

    if (!der_take(&bits, DER_SEQUENCE, &seq) || bits.n != 0 || !der_take_integer(&seq, &n) ||
        !der_take_integer(&seq, &e) || seq.n != 0 || n.p[0] >= 0x80 || e.p[0] >= 0x80)
        return;
    out->type = PUBKEY_RSA;
    out->bits = bit_length(n);
    const unsigned e_bits = bit_length(e);
    out->bad_exponent = (e.p[e.n - 1] & 1) == 0 || e_bits < 2 || e_bits > RSA_EXPONENT_BITS_MAX ||
                        (n.p[n.n - 1] & 1) == 0;
}

/* Named curves only (RFC 5480 section 2.1.1). */
static unsigned curve_bits(struct slice parameters)
{
    static const struct {
        struct slice oid;
        unsigned bits;
    } curves[] = {
        {OID("\x2a\x86\x48\xce\x3d\x03\x01\x07"), 256},
        {OID("\x2b\x81\x04\x00\x22"), 384},
        {OID("\x2b\x81\x04\x00\x23"), 521},
        {OID("\x2a\x86\x48\xce\x3d\x03\x01\x01"), 192},
        {OID("\x2b\x81\x04\x00\x21"), 224},
    };
    struct slice oid;

    if (der_take(&parameters, DER_OID, &oid) && parameters.n == 0)
        for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++)
            if (slice_eq(oid, curves[i].oid))
                return curves[i].bits;
    return 0;
}

/* RFC 5480 section 2.2: uncompressed, or compressed. */
static bool is_point(struct slice point, unsigned bits)
{
    const size_t n = (bits + 7) / 8;

    return (point.n == 1 + 2 * n && point.p[0] == 4) ||
           (point.n == 1 + n && (point.p[0] == 2 || point.p[0] == 3));
}

struct pubkey pubkey_read(struct slice spki)
{
    struct pubkey out = {.type = PUBKEY_OTHER};
    struct slice seq, oid, parameters, bits;
    unsigned unused;

    if (!der_take(&spki, DER_SEQUENCE, &seq) || !read_algorithm(&seq, &oid, &parameters) ||
        !der_take_bits(&seq, &bits, &unused) || unused != 0 || seq.n != 0)
        return out;
    if (slice_eq(oid, oid_rsa) && is_null(parameters)) { /* RFC 3279 section 2.3.1 */
        read_rsa(bits, &out);
    } else if (slice_eq(oid, oid_ec)) {
        out.type = PUBKEY_EC;
        out.bits = curve_bits(parameters);
        out.bad_point = out.bits != 0 && !is_point(bits, out.bits);
    }
    return out;
}

static bool parse_key(struct slice spki, mbedtls_pk_context *pk)
{
    unsigned char *p = (unsigned char *)(uintptr_t)spki.p; /* read only, for all its type */

    return mbedtls_pk_parse_subpubkey(&p, spki.p + spki.n, pk) == 0 && p == spki.p + spki.n;
}

bool pubkey_is_sound(struct slice spki)
{
    mbedtls_pk_context pk;

    mbedtls_pk_init(&pk);
    const bool sound = parse_key(spki, &pk);
    mbedtls_pk_free(&pk);
    return sound;
}

/* --- signature algorithms --- */

static const struct {
    struct slice oid;
    enum sig_digest digest;
} digests[] = {
    {OID("\x2a\x86\x48\x86\xf7\x0d\x02\x05"), SIG_MD5},
    {OID("\x2b\x0e\x03\x02\x1a"), SIG_SHA1},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x02\x04"), SIG_SHA224},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x02\x01"), SIG_SHA256},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x02\x02"), SIG_SHA384},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x02\x03"), SIG_SHA512},
};

static const struct {
    struct slice oid;
    struct sig_algorithm algorithm;
} algorithms[] = {
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"), {SIG_RSA_PKCS1, SIG_MD5, 0}},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"), {SIG_RSA_PKCS1, SIG_SHA1, 0}},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e"), {SIG_RSA_PKCS1, SIG_SHA224, 0}},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"), {SIG_RSA_PKCS1, SIG_SHA256, 0}},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"), {SIG_RSA_PKCS1, SIG_SHA384, 0}},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"), {SIG_RSA_PKCS1, SIG_SHA512, 0}},
    {OID("\x2a\x86\x48\xce\x3d\x04\x01"), {SIG_ECDSA, SIG_SHA1, 0}},
    {OID("\x2a\x86\x48\xce\x3d\x04\x03\x01"), {SIG_ECDSA, SIG_SHA224, 0}},
    {OID("\x2a\x86\x48\xce\x3d\x04\x03\x02"), {SIG_ECDSA, SIG_SHA256, 0}},
    {OID("\x2a\x86\x48\xce\x3d\x04\x03\x03"), {SIG_ECDSA, SIG_SHA384, 0}},
    {OID("\x2a\x86\x48\xce\x3d\x04\x03\x04"), {SIG_ECDSA, SIG_SHA512, 0}},
};

static const struct slice oid_pss = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a");
static const struct slice oid_mgf1 = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08");

static bool read_digest(struct slice *in, enum sig_digest *out)
{
    struct slice oid, parameters;

    if (!read_algorithm(in, &oid, &parameters) || !no_parameters(parameters))
        return false;
    for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++)
        if (slice_eq(oid, digests[i].oid)) {
            *out = digests[i].digest;
            return true;
        }
    return false;
}

/*
 * RSASSA-PSS-params (RFC 4055 section 3.1), all fields tagged and with defaults. The mask must use
 * the same digest, and the trailer be the only one that there is.
 */
static bool read_pss(struct slice parameters, struct sig_algorithm *out)
{
    enum sig_digest mask = SIG_SHA1;
    uint32_t salt = 20, trailer = 1;
    struct slice seq, field, number, oid, inner;

    *out = (struct sig_algorithm){SIG_RSA_PSS, SIG_SHA1, 0};
    if (!der_take(&parameters, DER_SEQUENCE, &seq) || parameters.n != 0)
        return false;
    if (der_take(&seq, DER_CONTEXT_CONSTRUCTED(0), &field) &&
        (!read_digest(&field, &out->digest) || field.n != 0))
        return false;
    if (der_take(&seq, DER_CONTEXT_CONSTRUCTED(1), &field) &&
        (!read_algorithm(&field, &oid, &inner) || !slice_eq(oid, oid_mgf1) ||
         !read_digest(&inner, &mask) || inner.n != 0))
        return false;
    if (der_take(&seq, DER_CONTEXT_CONSTRUCTED(2), &field) &&
        (!der_take_integer(&field, &number) || !der_to_u32(number, &salt)))
        return false;
    if (der_take(&seq, DER_CONTEXT_CONSTRUCTED(3), &field) &&
        (!der_take_integer(&field, &number) || !der_to_u32(number, &trailer)))
        return false;
    out->salt_len = salt;
    return seq.n == 0 && mask == out->digest && trailer == 1 && salt <= 512;
}

bool sig_algorithm_read(struct slice algorithm, struct sig_algorithm *out)
{
    struct slice oid, parameters;

    if (!read_algorithm(&algorithm, &oid, &parameters) || algorithm.n != 0)
        return false;
    if (slice_eq(oid, oid_pss))
        return read_pss(parameters, out);
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
        if (slice_eq(oid, algorithms[i].oid)) {
            *out = algorithms[i].algorithm;
            /* ECDSA's must be absent (RFC 5758 section 3.2). */
            return out->scheme == SIG_ECDSA ? parameters.n == 0 : no_parameters(parameters);
        }
    return false;
}

/* --- checking --- */

static mbedtls_md_type_t md_type(enum sig_digest d)
{
    static const mbedtls_md_type_t types[] = {
        [SIG_MD5] = MBEDTLS_MD_MD5,       [SIG_SHA1] = MBEDTLS_MD_SHA1,
        [SIG_SHA224] = MBEDTLS_MD_SHA224, [SIG_SHA256] = MBEDTLS_MD_SHA256,
        [SIG_SHA384] = MBEDTLS_MD_SHA384, [SIG_SHA512] = MBEDTLS_MD_SHA512,
    };
    return types[d];
}

static bool check_with(mbedtls_pk_context *pk, const struct sig_algorithm *a, struct slice hash,
                       struct slice signature)
{
    const mbedtls_pk_rsassa_pss_options pss = {md_type(a->digest), (int)a->salt_len};
    static const mbedtls_pk_type_t types[] = {[SIG_RSA_PKCS1] = MBEDTLS_PK_RSA,
                                              [SIG_RSA_PSS] = MBEDTLS_PK_RSASSA_PSS,
                                              [SIG_ECDSA] = MBEDTLS_PK_ECDSA};

    return mbedtls_pk_can_do(pk, types[a->scheme]) != 0 &&
           mbedtls_pk_verify_ext(types[a->scheme], a->scheme == SIG_RSA_PSS ? &pss : NULL, pk,
                                 md_type(a->digest), hash.p, hash.n, signature.p, signature.n) == 0;
}

bool sig_check(struct slice algorithm, struct slice signed_bytes, struct slice signature,
               struct slice spki)
{
    struct sig_algorithm a;
    uint8_t hash[MBEDTLS_MD_MAX_SIZE];
    mbedtls_pk_context pk;
    bool good = false;

    if (!sig_algorithm_read(algorithm, &a))
        return false;
    const mbedtls_md_info_t *md = mbedtls_md_info_from_type(md_type(a.digest));
    if (md == NULL || mbedtls_md(md, signed_bytes.p, signed_bytes.n, hash) != 0)
        return false;
    mbedtls_pk_init(&pk);
    if (parse_key(spki, &pk))
        good = check_with(&pk, &a, slice_of(hash, mbedtls_md_get_size(md)), signature);
    mbedtls_pk_free(&pk);
    return good;
}
