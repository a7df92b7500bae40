/* The command that shows what is in a file: certificates, a request, and whether a key is with
 * them. The key itself is never shown. */
#include <stdio.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "factory/factory.h"
#include "pki/certfile.h"
#include "pki/csr.h"
#include "pki/dn.h"
#include "pki/identity.h"
#include "pki/pubkey.h"

#define TEXT_SIZE LIMIT_REPORT_TEXT

static const char *kind_of(const struct certfields *f)
{
    if (!f->is_ca)
        return "end entity";
    return certfields_self_issued(f) ? "root" : "issuing CA";
}

static void show_alt_names(const struct certfields *f)
{
    struct slice names = certfields_alt_names(f);
    struct general_name name;
    char text[TEXT_SIZE];

    while (general_name_next(&names, &name)) {
        if (name.type != GENERAL_NAME_DNS && name.type != GENERAL_NAME_URI &&
            name.type != GENERAL_NAME_EMAIL)
            continue;
        utf8_clean(name.value, text, sizeof text);
        (void)printf("  also     %s\n", text);
    }
}

static void show_dates(const struct cert *c)
{
    char from[CLOCK_ISO_SIZE], until[CLOCK_ISO_SIZE];

    clock_to_iso(cert_not_before(c), from);
    clock_to_iso(cert_not_after(c), until);
    (void)printf("  valid    %s to %s\n", from, until);
}

static void show_cert(const struct cert *c)
{
    const struct certfields *f = cert_fields(c);
    char text[TEXT_SIZE], serial[HASH_HEX_SIZE(LIMIT_TEXT)],
        sha256[HASH_HEX_SIZE(HASH_SHA256_SIZE)];
    uint8_t digest[HASH_SHA256_SIZE];

    cert_subject_text(c, text, sizeof text);
    (void)printf("certificate: %s (%s)\n", text, kind_of(f));
    cert_issuer_text(c, text, sizeof text);
    (void)printf("  issuer   %s\n", text);
    show_alt_names(f);
    hash_hex(slice_first(f->serial, LIMIT_TEXT), serial);
    (void)printf("  serial   %s\n", serial);
    show_dates(c);
    cert_key_text(c, text, sizeof text);
    (void)printf("  key      %s\n", text);
    cert_sha256(c, digest);
    hash_hex(slice_of(digest, sizeof digest), sha256);
    (void)printf("  SHA-256  %s\n", sha256);
}

static struct result show_der(void *arg, struct slice der, struct errinfo *e)
{
    struct cert *c;

    (void)arg;
    TRY(cert_parse(der, &c, e));
    show_cert(c);
    cert_unref(c);
    return OK;
}

/* Whether there is a key, and whose. */
static void show_key(const struct options *o, struct slice content)
{
    struct errinfo why = ERRINFO_INIT;
    struct identity *id;
    char text[TEXT_SIZE];

    const struct result r = identity_load(content, SLICE_EMPTY, SLICE_EMPTY, o->rng, &id, &why);
    if (is_ok(r)) {
        cert_subject_text(identity_leaf(id), text, sizeof text);
        (void)printf("private key: that of %s\n", text);
        identity_unref(id);
    } else if (r.code != ERR_NOT_FOUND) {
        (void)printf("private key: %s\n", errinfo_text(&why, r));
    }
}

static struct result show_request(struct slice content, struct errinfo *e)
{
    struct csr c;
    char text[TEXT_SIZE];

    TRY(csr_read(content, &c, e));
    dn_text(c.subject, text, sizeof text);
    const struct pubkey key = pubkey_read(c.key);
    (void)printf("certificate request: %s\n  key      %s %u\n", text,
                 key.type == PUBKEY_RSA ? "RSA" : "EC", key.bits);
    csr_free(&c);
    return OK;
}

struct result factory_show(const struct options *o, struct errinfo *e)
{
    const char *path = o->operands[0];
    struct errinfo no_request = ERRINFO_INIT;
    struct buf content;

    struct result r = factory_read(path, &content, e); /* its mode is the owner's business here */
    if (is_ok(r)) {
        const struct slice file = buf_slice(&content);
        const struct result request = show_request(file, &no_request);
        if (is_err(request)) {
            r = certfile_each(file, show_der, NULL, e);
            if (is_ok(r))
                show_key(o, file);
            else
                errinfo_context(e, "%s", path);
        }
    }
    buf_wipe(&content);
    return r;
}
