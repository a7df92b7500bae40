#include "pki/upload.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/limits.h"
#include "pki/pubkey.h"

#define RSA_BITS_DEFAULT 2048

/* --- one certificate in its chain --- */

/* What the checks look at. */
struct link {
    const struct certfields *cert;
    const struct certfields *issuer; /* NULL: it is not in the file */
    int depth;                       /* 0 is the leaf */
    char who[128];                   /* "the certificate of 'phone'" */
};

static struct link link_at(const struct identity *id, size_t i)
{
    const struct cert *issuer = identity_cert(id, i + 1);
    struct link l = {.cert = cert_fields(identity_cert(id, i)),
                     .issuer = issuer != NULL ? cert_fields(issuer) : NULL,
                     .depth = (int)i};
    char label[96];

    certfields_label(l.cert, label, sizeof label);
    (void)snprintf(l.who, sizeof l.who,
                   i == 0 ? "the certificate of '%s'" : "the CA certificate '%s'", label);
    return l;
}

static struct result refuse(const struct link *l, struct errinfo *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The sentence is whom it is about, and then FMT. */
static struct result refuse(const struct link *l, struct errinfo *e, const char *fmt, ...)
{
    char what[ERRINFO_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return fail(e, ERR_CERT, "%s %s", l->who, what);
}

static struct result check_dates(const struct link *l, struct wallclock now, struct errinfo *e)
{
    char date[CLOCK_ISO_SIZE];

    if (l->cert->not_after_s < now.epoch_s) {
        clock_to_iso(l->cert->not_after_s, date);
        return refuse(l, e, "expired on %.10s", date);
    }
    if (l->cert->not_before_s > now.epoch_s && now.state == CLOCK_SET) {
        clock_to_iso(l->cert->not_before_s, date);
        return refuse(l, e, "is not valid before %.10s", date);
    }
    return OK;
}

/* Also those above the leaf: peers refuse the chain for any of them. */
static struct result check_issuer(const struct link *l, struct errinfo *e)
{
    struct sig_algorithm a;

    if (l->depth > 0 && l->cert->version == 3 && !l->cert->is_ca)
        return refuse(l, e, "is not one of a CA, and may not have issued the one below it");
    if (certfields_self_issued(l->cert)) /* who trusts it does not look at its signature */
        return OK;
    if (!sig_algorithm_read(l->cert->algorithm, &a) || a.digest == SIG_MD5 || a.digest == SIG_SHA1)
        return refuse(l, e, "is signed with an algorithm that peers do not accept any more");
    if (l->issuer != NULL &&
        !sig_check(l->cert->algorithm, l->cert->tbs, l->cert->signature, l->issuer->key))
        return refuse(l, e, "was not signed by its issuer that is in the file");
    return OK;
}

/* --- the leaf --- */

static struct result check_rsa(const struct link *l, struct pubkey key, unsigned min_bits,
                               struct errinfo *e)
{
    const unsigned least = min_bits != 0 ? min_bits : RSA_BITS_DEFAULT;

    if (key.bits < least)
        return refuse(l, e, "has an RSA key of %u bits, and %u are the least", key.bits, least);
    if (key.bits > LIMIT_OWN_RSA_BITS)
        return refuse(l, e, "has an RSA key of %u bits, and a phone is too slow for more than %d",
                      key.bits, LIMIT_OWN_RSA_BITS);
    if (key.bad_exponent)
        return refuse(l, e, "has an RSA key with an unsafe modulus or exponent");
    return OK;
}

static struct result check_key(const struct link *l, unsigned min_rsa_bits, struct errinfo *e)
{
    const struct pubkey key = pubkey_read(l->cert->key);

    if (key.type == PUBKEY_RSA)
        return check_rsa(l, key, min_rsa_bits, e);
    if (key.type != PUBKEY_EC || key.bits < 256)
        return refuse(l, e, "has a key that is neither RSA nor on P-256, P-384 or P-521");
    return OK;
}

static struct result check_usage(const struct link *l, struct errinfo *e)
{
    const struct certfields *c = l->cert;

    if (c->is_ca)
        return refuse(l, e,
                      "is one of a CA, and the phone needs one of its own; to make one that is "
                      "self-signed add to openssl req -x509: -addext "
                      "basicConstraints=critical,CA:FALSE");
    /* Every handshake that the phone does signs with it: RFC 8446 section 4.4.2.2. */
    if (c->ext[CERT_EXT_KEY_USAGE].present && (c->key_usage & KEY_USAGE_DIGITAL_SIGNATURE) == 0)
        return refuse(l, e, "may not be used for TLS: its key usage lacks digitalSignature");
    if (c->ext[CERT_EXT_EXT_KEY_USAGE].present && !certfields_has_eku(c, OID_SERVER_AUTH) &&
        !certfields_has_eku(c, OID_ANY_EKU))
        return refuse(l, e,
                      "may not be used by a TLS server: its extended key usage lacks serverAuth");
    return OK;
}

/* --- the whole --- */

static struct result check(const struct identity *id, struct wallclock now, unsigned min_rsa_bits,
                           int *depth, struct errinfo *e)
{
    const struct link leaf = link_at(id, 0);

    TRY(check_usage(&leaf, e));
    TRY(check_key(&leaf, min_rsa_bits, e));
    for (size_t i = 0; i < identity_chain_len(id); i++) {
        const struct link l = link_at(id, i);
        *depth = l.depth;
        TRY(check_dates(&l, now, e));
        TRY(check_issuer(&l, e));
    }
    return OK;
}

struct result upload_check(const struct identity *id, struct wallclock now, unsigned min_rsa_bits,
                           struct errinfo *e)
{
    int depth = 0;
    const struct result r = check(id, now, min_rsa_bits, &depth, e);

    if (is_err(r) && e != NULL)
        e->depth = depth;
    return r;
}

/* --- the files --- */

static struct result check_name(const char *name, const char *const *endings, const char *list,
                                const char *what, struct errinfo *e)
{
    const struct slice text = slice_of_str(name);

    if (name == NULL)
        return OK;
    for (; *endings != NULL; endings++) {
        const struct slice ending = slice_of_str(*endings);
        if (text.n > ending.n && slice_eq_nocase(slice_from(text, text.n - ending.n), ending))
            return OK;
    }
    return fail(e, ERR_INVALID, "'%.64s' cannot be uploaded as %s: files have to be %s", name, what,
                list);
}

static struct result check_size(struct slice content, const char *what, struct errinfo *e)
{
    if (content.n > LIMIT_CERT_FILE_BYTES)
        return fail(e, ERR_LIMIT, "the file with %s has %zu bytes, and %d MB are the most", what,
                    content.n, LIMIT_CERT_FILE_BYTES / (1024 * 1024));
    return OK;
}

static struct result check_files(const struct upload_request *q, struct errinfo *e)
{
    static const char *const certs[] = {".pem", ".cer", NULL};
    static const char *const keys[] = {".pem", ".key", ".cer", NULL};

    TRY(check_name(q->filename, certs, "*.pem or *.cer", "the server certificate", e));
    TRY(check_name(q->key_filename, keys, "*.pem, *.key or *.cer", "its private key", e));
    TRY(check_size(q->content, "the certificate", e));
    return check_size(q->key, "the private key", e);
}

struct result upload_identity(const struct upload_request *q, const struct rng *rng,
                              struct identity **out, struct errinfo *e)
{
    struct identity *id;

    TRY(check_files(q, e));
    TRY(identity_load(q->content, q->key, q->password, rng, &id, e));
    const struct result r = upload_check(id, q->now, q->min_rsa_bits, e);
    if (is_err(r)) {
        identity_unref(id);
        return r;
    }
    *out = id;
    return OK;
}
