#include "pki/identity.h"

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mac.h"
#include "pki/certfile.h"
#include "pki/dn.h"
#include "pki/pem.h"
#include "pki/privkey.h"

struct identity {
    unsigned refs;
    struct cert *chain[LIMIT_OWN_CERTS]; /* the leaf first */
    size_t chain_len;
    mbedtls_x509_crt list; /* the same, as mbedTLS wants it; the DER is the certs' */
    mbedtls_pk_context key;
};

/* The certificates of a file; those that the chain has taken are NULL. */
struct found {
    struct cert *certs[LIMIT_OWN_CERTS];
    size_t n;
};

static void found_free(struct found *f)
{
    for (size_t i = 0; i < f->n; i++)
        cert_unref(f->certs[i]);
}

static struct result add_found(void *arg, struct slice der, struct errinfo *e)
{
    struct found *f = arg;

    if (f->n == LIMIT_OWN_CERTS)
        return fail(e, ERR_LIMIT, "there are more than %d certificates in the file",
                    LIMIT_OWN_CERTS);
    TRY(cert_parse(der, &f->certs[f->n], e));
    f->n++;
    return OK;
}

/* --- the chain --- */

/* Moves number I of F to the end of the chain. */
static void take_cert(struct identity *id, struct found *f, size_t i)
{
    id->chain[id->chain_len++] = f->certs[i];
    f->certs[i] = NULL;
}

static bool has_key(const struct cert *c, const mbedtls_pk_context *key, const struct rng *rng)
{
    struct slice spki = cert_fields(c)->key;
    unsigned char *p = (unsigned char *)spki.p; /* only read */
    mbedtls_pk_context public_key;
    bool pair;

    mbedtls_pk_init(&public_key);
    pair = mbedtls_pk_parse_subpubkey(&p, spki.p + spki.n, &public_key) == 0 &&
           mbedtls_pk_check_pair(&public_key, key, rng->fill, rng->ctx) == 0;
    mbedtls_pk_free(&public_key);
    return pair;
}

static struct result take_leaf(struct identity *id, struct found *f, const struct rng *rng,
                               struct errinfo *e)
{
    for (size_t i = 0; i < f->n; i++) {
        if (has_key(f->certs[i], &id->key, rng)) {
            take_cert(id, f, i);
            return OK;
        }
    }
    return fail(e, ERR_INVALID,
                f->n == 1 ? "the private key is not that of the certificate"
                          : "the private key is that of none of the certificates");
}

/* By name and key; the signature is for the peer to check. */
static bool is_issuer(const struct cert *issuer, const struct cert *c)
{
    struct slice wanted = cert_fields(c)->authority_key_id;
    struct slice has = cert_subject_key_id(issuer);

    return dn_equal(cert_issuer(c), cert_subject(issuer)) &&
           (wanted.n == 0 || has.n == 0 || slice_eq(wanted, has));
}

/* RFC 8446 section 4.4.2, and older peers insist: each certificate certifies the one before it. */
static void take_issuers(struct identity *id, struct found *f)
{
    size_t i = 0;

    while (i < f->n && !certfields_self_issued(cert_fields(id->chain[id->chain_len - 1]))) {
        if (f->certs[i] != NULL && is_issuer(f->certs[i], id->chain[id->chain_len - 1])) {
            take_cert(id, f, i);
            i = 0;
        } else {
            i++;
        }
    }
}

static struct result make_list(struct identity *id, struct errinfo *e)
{
    for (size_t i = 0; i < id->chain_len; i++)
        TRY(cert_mbedtls_append(id->chain[i], &id->list, e));
    return OK;
}

static struct result load(struct identity *id, struct slice content, struct slice key,
                          struct slice password, unsigned iterations_max, const struct rng *rng,
                          struct errinfo *e)
{
    struct found f = {.n = 0};
    struct result r = certfile_each(content, add_found, &f, e);

    if (is_ok(r))
        r = privkey_load(key.n > 0 ? key : content, password, iterations_max, rng, &id->key, e);
    if (is_ok(r))
        r = take_leaf(id, &f, rng, e);
    if (is_ok(r)) {
        take_issuers(id, &f);
        r = make_list(id, e);
    }
    found_free(&f);
    return r;
}

/* --- whose it is --- */

/* RFC 9039 section 4.1: an EUI-64, for an EUI-48 with these in its middle; perhaps more behind it.
 * Also the EUI-48 as it is. */
static bool urn_is_mac(struct slice uri, const struct mac *mac)
{
    const struct slice scheme = SLICE_LIT("urn:dev:mac:");
    char text[2 * MAC_SIZE + 1];
    struct mac found;

    if (!slice_starts_nocase(uri, scheme))
        return false;
    uri = slice_from(uri, scheme.n);
    struct slice body = slice_cut(&uri, '_');
    const struct slice middle = slice_first(slice_from(body, 6), 4);
    if (body.n == 16 &&
        (slice_eq_nocase_str(middle, "fffe") || slice_eq_nocase_str(middle, "ffff"))) {
        (void)snprintf(text, sizeof text, "%.6s%.6s", (const char *)body.p,
                       (const char *)body.p + 10);
        body = slice_of_str(text);
    }
    return body.n == 2 * MAC_SIZE && mac_parse(body, &found) && mac_equal(&found, mac);
}

static bool text_is_mac(struct slice text, const struct mac *mac)
{
    struct mac found;

    return mac_parse(text, &found) && mac_equal(&found, mac);
}

/* A name that is the address, or has it between two dots. */
static bool name_has_mac(struct slice name, const struct mac *mac)
{
    bool found = text_is_mac(name, mac);

    while (!found && name.n > 0)
        found = text_is_mac(slice_cut(&name, '.'), mac);
    return found;
}

static bool alt_names_have_mac(const struct certfields *c, const struct mac *mac)
{
    struct slice names = certfields_alt_names(c);
    struct general_name name;

    while (general_name_next(&names, &name))
        if ((name.type == GENERAL_NAME_DNS && name_has_mac(name.value, mac)) ||
            (name.type == GENERAL_NAME_URI && urn_is_mac(name.value, mac)))
            return true;
    return false;
}

bool identity_is_for_mac(const struct identity *id, const char *text)
{
    const struct cert *leaf = identity_leaf(id);
    struct dn_attribute cn;
    char name[256];
    struct mac mac;

    if (!mac_parse(slice_of_str(text), &mac))
        return false;
    if (dn_last(cert_subject(leaf), DN_OID_COMMON_NAME, &cn)) {
        dn_value_text(&cn, name, sizeof name);
        if (name_has_mac(slice_of_str(name), &mac))
            return true;
    }
    return alt_names_have_mac(cert_fields(leaf), &mac);
}

/* --- the object --- */

static struct result load_new(struct slice content, struct slice key, struct slice password,
                              unsigned iterations_max, const struct rng *rng, struct identity **out,
                              struct errinfo *e)
{
    struct identity *id = malloc(sizeof(*id));
    struct result r;

    if (id == NULL)
        return fail(e, ERR_NOMEM, "out of memory");
    id->refs = 1;
    id->chain_len = 0;
    mbedtls_x509_crt_init(&id->list);
    mbedtls_pk_init(&id->key);
    r = load(id, content, key, password, iterations_max, rng, e);
    if (is_err(r)) {
        identity_unref(id);
        return r;
    }
    *out = id;
    return OK;
}

struct result identity_load(struct slice content, struct slice key, struct slice password,
                            const struct rng *rng, struct identity **out, struct errinfo *e)
{
    return load_new(content, key, password, LIMIT_KEY_ITERATIONS, rng, out, e);
}

struct result identity_load_patiently(struct slice content, struct slice key, struct slice password,
                                      const struct rng *rng, struct identity **out,
                                      struct errinfo *e)
{
    return load_new(content, key, password, LIMIT_TOOL_KEY_ITERATIONS, rng, out, e);
}

struct identity *identity_ref(struct identity *id)
{
    id->refs++;
    return id;
}

void identity_unref(struct identity *id)
{
    if (id == NULL || --id->refs > 0)
        return;
    mbedtls_pk_free(&id->key); /* wipes it */
    mbedtls_x509_crt_free(&id->list);
    for (size_t i = 0; i < id->chain_len; i++)
        cert_unref(id->chain[i]);
    free(id);
}

const struct cert *identity_leaf(const struct identity *id)
{
    return id->chain[0];
}

const struct cert *identity_cert(const struct identity *id, size_t i)
{
    return i < id->chain_len ? id->chain[i] : NULL;
}

size_t identity_chain_len(const struct identity *id)
{
    return id->chain_len;
}

struct result identity_write(const struct identity *id, struct buf *out, struct errinfo *e)
{
    for (size_t i = 0; i < id->chain_len; i++) {
        const struct result r = pem_write("CERTIFICATE", cert_der(id->chain[i]), out);
        if (is_err(r))
            return fail(e, r.code, "the certificates cannot be written: %s", err_text(r.code));
    }
    return privkey_write(&id->key, cert_fields(id->chain[0])->key, out, e);
}

bool identity_same(const struct identity *a, const struct identity *b)
{
    if (a == b || a == NULL || b == NULL || a->chain_len != b->chain_len)
        return a == b;
    for (size_t i = 0; i < a->chain_len; i++)
        if (!slice_eq(cert_der(a->chain[i]), cert_der(b->chain[i])))
            return false;
    return true;
}

struct mbedtls_x509_crt *identity_mbedtls_chain(struct identity *id)
{
    return &id->list;
}

struct mbedtls_pk_context *identity_mbedtls_key(struct identity *id)
{
    return &id->key;
}
