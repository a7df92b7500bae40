#include "pki/csr.h"

#include <mbedtls/pk.h>

#include "base/limits.h"
#include "pki/der_value.h"
#include "pki/der_write.h"
#include "pki/dn.h"
#include "pki/issue.h"
#include "pki/pem.h"
#include "pki/pkcs8.h"
#include "pki/pubkey.h"

/* --- reading --- */

static struct result malformed(struct errinfo *e)
{
    return fail(e, ERR_PARSE, "the certificate request is malformed or cut off");
}

/* CertificationRequestInfo ::= SEQUENCE { version, subject, subjectPKInfo, attributes [0] } */
static bool read_info(struct slice info, struct csr *out)
{
    struct der_item subject, key, attributes;
    struct slice version;

    if (!der_take_integer(&info, &version) || version.n != 1 || version.p[0] != 0 ||
        !der_next(&info, &subject) || subject.tag != DER_SEQUENCE || !der_next(&info, &key) ||
        key.tag != DER_SEQUENCE)
        return false;
    out->subject = subject.whole;
    out->key = key.whole;
    /* The attributes are not optional, but there are writers that leave an empty set out. */
    return info.n == 0 || (der_next(&info, &attributes) &&
                           attributes.tag == DER_CONTEXT_CONSTRUCTED(0) && info.n == 0);
}

/* CertificationRequest ::= SEQUENCE { certificationRequestInfo, signatureAlgorithm, signature } */
static struct result read_request(struct csr *out, struct errinfo *e)
{
    struct slice rest = buf_slice(&out->der), seq, signature;
    struct der_item info, algorithm;
    unsigned unused;

    if (!der_take(&rest, DER_SEQUENCE, &seq) || rest.n != 0 || !der_next(&seq, &info) ||
        info.tag != DER_SEQUENCE || !der_next(&seq, &algorithm) ||
        !der_take_bits(&seq, &signature, &unused) || unused != 0 || seq.n != 0 ||
        !read_info(info.value, out))
        return malformed(e);
    TRY(issue_check_key(out->key, e)); /* before the signature: it bounds the work */
    if (!sig_check(algorithm.whole, info.whole, signature, out->key))
        return fail(e, ERR_CRYPTO,
                    "the certificate request is not signed with the key that it is for");
    return OK;
}

static struct result find_block(struct slice text, struct buf *der, struct errinfo *e)
{
    struct pem_reader at = pem_begin(text);
    struct pem_block block;
    struct result r;

    while (is_ok(r = pem_next(&at, &block, e)))
        if (pem_label_is(&block, "CERTIFICATE REQUEST") ||
            pem_label_is(&block, "NEW CERTIFICATE REQUEST")) /* RFC 7468 section 7 */
            return pem_decode(&block, der, e);
    return r.code == ERR_NOT_FOUND
               ? fail(e, ERR_NOT_FOUND, "there is no certificate request in the file")
               : r;
}

struct result csr_read(struct slice content, struct csr *out, struct errinfo *e)
{
    struct result r;

    *out = (struct csr){.subject = SLICE_EMPTY};
    buf_init(&out->der, LIMIT_CERT_BYTES);
    if (content.n > 0 && content.p[0] == DER_SEQUENCE) {
        r = buf_append(&out->der, content);
        if (is_err(r))
            r = fail(e, r.code, "the certificate request is larger than %d KB",
                     LIMIT_CERT_BYTES / 1024);
    } else {
        r = find_block(content, &out->der, e);
    }
    if (is_ok(r))
        r = read_request(out, e);
    if (is_err(r))
        csr_free(out);
    return r;
}

void csr_free(struct csr *c)
{
    buf_free(&c->der);
    c->subject = c->key = SLICE_EMPTY;
}

/* --- writing --- */

static void put_common_name(struct der_writer *w, const char *text)
{
    const size_t name = der_write_open(w, DER_SEQUENCE);
    const size_t set = der_write_open(w, DER_SET);
    const size_t seq = der_write_open(w, DER_SEQUENCE);

    der_write_oid(w, DN_OID_COMMON_NAME);
    der_write_value(w, DER_UTF8_STRING, slice_of_str(text));
    der_write_close(w, seq);
    der_write_close(w, set);
    der_write_close(w, name);
}

static struct result write_info(const char *common_name, const mbedtls_pk_context *key,
                                struct buf *out, struct errinfo *e)
{
    struct der_writer w = der_write_to(out);
    struct buf spki;

    buf_init(&spki, LIMIT_CERT_BYTES);
    struct result r = pkcs8_public(key, &spki, e);
    const size_t seq = der_write_open(&w, DER_SEQUENCE);
    der_write_uint(&w, 0);
    put_common_name(&w, common_name);
    der_write_raw(&w, buf_slice(&spki));
    der_write_value(&w, DER_CONTEXT_CONSTRUCTED(0), SLICE_EMPTY);
    der_write_close(&w, seq);
    buf_free(&spki);
    if (is_ok(r))
        r = der_write_end(&w, e);
    return r;
}

struct result csr_write(const char *common_name, mbedtls_pk_context *key, const struct rng *rng,
                        struct buf *pem, struct errinfo *e)
{
    struct buf info, der;

    buf_init(&info, LIMIT_CERT_BYTES);
    buf_init(&der, LIMIT_CERT_BYTES);
    struct result r = write_info(common_name, key, &info, e);
    if (is_ok(r))
        r = issue_sign(buf_slice(&info), key, rng, &der, e);
    if (is_ok(r) && is_err(pem_write("CERTIFICATE REQUEST", buf_slice(&der), pem)))
        r = fail(e, ERR_NOMEM, "out of memory");
    buf_free(&info);
    buf_free(&der);
    return r;
}
