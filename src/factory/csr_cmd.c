/*
 * The commands by which a phone keeps its key: csr and join run on the phone, sign where the CA is.
 */
#include <mbedtls/pk.h>
#include <stdio.h>

#include "base/limits.h"
#include "factory/factory.h"
#include "factory/job.h"
#include "pki/csr.h"
#include "pki/dn.h"
#include "pki/pem.h"
#include "pki/pkcs8.h"
#include "pki/privkey.h"
#include "sys/store.h"

#define RSA_BITS 2048

/* --- csr --- */

static struct result make_key(const struct options *o, const char *path, mbedtls_pk_context *key,
                              struct errinfo *e)
{
    struct buf pem;

    buf_init(&pem, LIMIT_CERT_BYTES);
    struct result r = pkcs8_new_key(options_rsa_bits(o, false, RSA_BITS), o->rng, key, e);
    if (is_ok(r))
        r = pkcs8_write(key, &pem, e);
    if (is_ok(r))
        r = store_create(path, 0600, buf_slice(&pem), e);
    buf_wipe(&pem);
    return r;
}

/* The key that is there already is used again: the request may have been lost. */
static struct result load_or_make_key(const struct options *o, const char *path,
                                      mbedtls_pk_context *key, struct errinfo *e)
{
    struct buf pem;

    if (is_ok(factory_check_free(path, NULL)))
        return make_key(o, path, key, e);
    struct result r = factory_read_secret(path, &pem, e);
    if (is_ok(r)) {
        r = privkey_load(buf_slice(&pem), SLICE_EMPTY, LIMIT_TOOL_KEY_ITERATIONS, o->rng, key, e);
        if (is_err(r))
            errinfo_context(e, "%s", path);
    }
    buf_wipe(&pem);
    return r;
}

static struct result write_request(const struct options *o, mbedtls_pk_context *key,
                                   const char *path, struct errinfo *e)
{
    char name[MAC_TEXT_SIZE];
    struct buf pem;

    mac_text(&o->macs.list[0].mac, name);
    buf_init(&pem, LIMIT_CERT_BYTES);
    struct result r = csr_write(name, key, o->rng, &pem, e);
    if (is_ok(r))
        r = store_create(path, 0644, buf_slice(&pem), e);
    buf_free(&pem);
    return r;
}

struct result factory_csr(const struct options *o, struct errinfo *e)
{
    mbedtls_pk_context key;

    TRY(factory_check_free(o->operands[1], e));
    mbedtls_pk_init(&key);
    struct result r = load_or_make_key(o, o->operands[0], &key, e);
    if (is_ok(r))
        r = write_request(o, &key, o->operands[1], e);
    mbedtls_pk_free(&key); /* wipes it */
    if (is_ok(r))
        (void)printf("%s: made the request; the key stays in %s\n", o->operands[1], o->operands[0]);
    return r;
}

/* --- sign --- */

/* A request that names another phone was mixed up on its way; one that names none is fine. */
static struct result check_subject(const struct csr *c, const struct mac *mac, struct errinfo *e)
{
    struct dn_attribute name;
    struct mac named;
    char text[MAC_TEXT_SIZE], wanted[MAC_TEXT_SIZE];

    if (!dn_last(c->subject, DN_OID_COMMON_NAME, &name) || !mac_parse(name.value, &named) ||
        mac_equal(&named, mac))
        return OK;
    mac_text(&named, text);
    mac_text(mac, wanted);
    return fail(e, ERR_INVALID, "the request is that of the phone %s, not %s", text, wanted);
}

static struct result certify(struct job *j, const struct csr *c, const char *path,
                             struct errinfo *e)
{
    struct phone_plan plan = job_plan(j);
    struct buf pem, rows;

    plan.mac = j->options->macs.list[0].mac;
    buf_init(&pem, PHONE_PEM_MAX);
    buf_init(&rows, PHONE_PEM_MAX);
    struct result r =
        phone_certify(&j->ca, &plan, c->key, j->options->rng, &pem, &rows, &j->cut, e);
    if (is_ok(r))
        r = job_deliver(j, &rows, path, 0644, &pem, e);
    buf_free(&pem);
    buf_free(&rows);
    return r;
}

static struct result read_request(const struct options *o, struct csr *out, struct errinfo *e)
{
    const char *path = o->operands[1];
    struct buf content;

    struct result r = factory_read(path, &content, e);
    if (is_ok(r)) {
        r = csr_read(buf_slice(&content), out, e);
        if (is_ok(r) && is_err(r = check_subject(out, &o->macs.list[0].mac, e)))
            csr_free(out);
        if (is_err(r))
            errinfo_context(e, "%s", path);
    }
    buf_free(&content);
    return r;
}

struct result factory_sign(const struct options *o, struct errinfo *e)
{
    const char *path = o->operands[2];
    struct csr request;
    struct job j;

    TRY(factory_check_free(path, e));
    TRY(read_request(o, &request, e));
    struct result r = job_open(o, &j, e);
    if (is_ok(r)) {
        r = certify(&j, &request, path, e);
        job_close(&j);
    }
    csr_free(&request);
    if (is_ok(r))
        (void)printf("%s: made the certificate\n", path);
    return r;
}

/* --- join --- */

static struct result write_identity(struct identity *id, const char *path, struct errinfo *e)
{
    struct buf pem;
    struct result r = OK;

    buf_init(&pem, PHONE_PEM_MAX);
    for (size_t i = 0; i < identity_chain_len(id) && is_ok(r); i++)
        if (is_err(pem_write("CERTIFICATE", cert_der(identity_cert(id, i)), &pem)))
            r = fail(e, ERR_NOMEM, "out of memory");
    if (is_ok(r))
        r = pkcs8_write(identity_mbedtls_key(id), &pem, e);
    if (is_ok(r))
        r = store_create(path, 0600, buf_slice(&pem), e);
    buf_wipe(&pem);
    return r;
}

struct result factory_join(const struct options *o, struct errinfo *e)
{
    const char *path = o->operands[2];
    struct buf key, chain;
    struct identity *id = NULL;

    TRY(factory_check_free(path, e));
    buf_init(&chain, 0);
    struct result r = factory_read_secret(o->operands[0], &key, e);
    if (is_ok(r))
        r = factory_read(o->operands[1], &chain, e);
    if (is_ok(r))
        r = identity_load(buf_slice(&chain), buf_slice(&key), SLICE_EMPTY, o->rng, &id, e);
    if (is_ok(r))
        r = write_identity(id, path, e);
    identity_unref(id);
    buf_wipe(&key);
    buf_free(&chain);
    if (is_ok(r))
        (void)printf("%s: made the identity\n", path);
    return r;
}
