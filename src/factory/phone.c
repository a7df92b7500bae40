#include "factory/phone.h"

#include <mbedtls/pk.h>

#include "base/limits.h"
#include "factory/issued.h"
#include "pki/pem.h"
#include "pki/pkcs8.h"

static struct result put_cert(struct slice der, struct buf *pem, struct errinfo *e)
{
    const struct result r = pem_write("CERTIFICATE", der, pem);

    return is_ok(r) ? OK : fail(e, r.code, "the chain is too long, or out of memory");
}

/* The root is left out: who trusts it has it (RFC 8446 section 4.4.2). */
static struct result put_chain(const struct ca *ca, struct buf *pem, struct errinfo *e)
{
    for (size_t i = 0; i < identity_chain_len(ca->identity); i++) {
        const struct cert *c = identity_cert(ca->identity, i);
        if (!certfields_self_issued(cert_fields(c)))
            TRY(put_cert(cert_der(c), pem, e));
    }
    return OK;
}

static struct result issue(const struct ca *ca, const struct phone_plan *plan, struct slice spki,
                           const struct rng *rng, struct buf *der, bool *cut, struct errinfo *e)
{
    const struct issue_signer signer = ca_signer(ca);
    const bool unique = plan->generic_name == NULL;
    struct validity v;
    char text[MAC_TEXT_SIZE];

    TRY(validity_make(&plan->wish, signer.cert, &v, e));
    *cut = v.cut;
    mac_text(&plan->mac, text);
    const struct issue_request q = {
        .kind = ISSUE_PHONE,
        .common_name = unique ? text : plan->generic_name,
        .mac = unique ? &plan->mac : NULL,
        .key = spki,
        .not_before_s = v.not_before_s,
        .not_after_s = v.not_after_s,
    };
    return issue_certificate(&q, &signer, rng, der, e);
}

static struct result record(struct slice der, struct buf *rows, struct errinfo *e)
{
    struct cert *c;

    TRY(cert_parse(der, &c, e));
    const struct result r = issued_row(c, rows, e);
    cert_unref(c);
    return r;
}

struct result phone_certify(const struct ca *ca, const struct phone_plan *plan, struct slice spki,
                            const struct rng *rng, struct buf *pem, struct buf *rows, bool *cut,
                            struct errinfo *e)
{
    struct buf der;

    buf_init(&der, LIMIT_CERT_BYTES);
    struct result r = issue(ca, plan, spki, rng, &der, cut, e);
    if (is_ok(r))
        r = put_cert(buf_slice(&der), pem, e);
    if (is_ok(r))
        r = put_chain(ca, pem, e);
    if (is_ok(r))
        r = record(buf_slice(&der), rows, e);
    buf_free(&der);
    return r;
}

struct result phone_make(const struct ca *ca, const struct phone_plan *plan, const struct rng *rng,
                         struct buf *pem, struct buf *rows, bool *cut, struct errinfo *e)
{
    mbedtls_pk_context key;
    struct buf spki;

    mbedtls_pk_init(&key);
    buf_init(&spki, LIMIT_CERT_BYTES);
    struct result r = pkcs8_new_key(plan->rsa_bits, rng, &key, e);
    if (is_ok(r))
        r = pkcs8_public(&key, &spki, e);
    if (is_ok(r))
        r = phone_certify(ca, plan, buf_slice(&spki), rng, pem, rows, cut, e);
    if (is_ok(r))
        r = pkcs8_write(&key, pem, e);
    mbedtls_pk_free(&key); /* wipes it */
    buf_free(&spki);
    return r;
}
