#include "pki/import.h"

#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "pki/certfile.h"
#include "pki/der_value.h"
#include "pki/dn.h"
#include "pki/pem.h"
#include "pki/pubkey.h"

#define LABEL_SIZE       96 /* a name in a sentence */
#define RSA_BITS_DEFAULT 2048

/* --- the file's name --- */

/* What is behind the last directory, of Unix or Windows. */
static struct slice base_of(const char *filename)
{
    struct slice s = slice_of_str(filename);
    for (size_t i = s.n; i > 0; i--)
        if (s.p[i - 1] == '/' || s.p[i - 1] == '\\')
            return slice_from(s, i);
    return s;
}

/* From the last dot on; empty if there is none. */
static struct slice extension_of(struct slice base)
{
    for (size_t i = base.n; i > 0; i--)
        if (base.p[i - 1] == '.')
            return slice_from(base, i - 1);
    return SLICE_EMPTY;
}

static bool is_allowed(struct slice extension)
{
    static const char *const allowed[] = {".pem", ".cer", ".crt", ".der"};
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        if (slice_eq_nocase_str(extension, allowed[i]))
            return true;
    return false;
}

static RESULT check_extension(const char *filename, struct errinfo *e)
{
    if (filename == NULL || is_allowed(extension_of(base_of(filename))))
        return OK;
    return fail(e, ERR_INVALID,
                "the name of the file must end with .pem, .cer, .crt or .der, and '%.*s' does not",
                SLICE_FMT(slice_first(base_of(filename), LABEL_SIZE)));
}

void import_name(const char *filename, char out[IMPORT_NAME_MAX + 1])
{
    struct slice base = base_of(filename);
    const struct slice extension = extension_of(base);
    size_t n = 0;
    if (is_allowed(extension))
        base.n -= extension.n;
    for (size_t i = 0; i < base.n && n < IMPORT_NAME_MAX; i++) {
        const uint8_t c = base.p[i];
        const bool kept = ascii_is_alnum(c) || c == '.' || c == '_';
        if (kept && !(n == 0 && c == '.'))
            out[n++] = (char)c;
        else if (!kept && n > 0 && out[n - 1] != '-') /* one for a run of others */
            out[n++] = '-';
    }
    out[n] = '\0';
    if (n == 0)
        (void)snprintf(out, IMPORT_NAME_MAX + 1, "upload");
}

/* --- one certificate --- */

struct label {
    char text[LABEL_SIZE];
};

static struct label label_of(const struct cert *c)
{
    struct label l = {""};
    cert_label(c, l.text, sizeof l.text);
    return l;
}

/* "2026-10-01" */
static struct label day_of(int64_t epoch_s)
{
    struct label day;
    clock_to_iso(epoch_s, day.text);
    day.text[10] = '\0';
    return day;
}

static RESULT check_dates(const struct import_request *r, const struct cert *c, struct errinfo *e)
{
    if (cert_not_after(c) < cert_not_before(c))
        return fail(e, ERR_CERT, "%s is never valid: it ends on %s, before it begins on %s",
                    label_of(c).text, day_of(cert_not_after(c)).text,
                    day_of(cert_not_before(c)).text);
    if (cert_not_after(c) < r->now.epoch_s)
        return fail(e, ERR_CERT, "%s expired on %s; get its successor from its CA",
                    label_of(c).text, day_of(cert_not_after(c)).text);
    if (cert_not_before(c) > r->now.epoch_s && r->now.state == CLOCK_SET)
        return fail(e, ERR_CERT, "%s is not valid before %s; check the date of the phone",
                    label_of(c).text, day_of(cert_not_before(c)).text);
    return OK;
}

static RESULT check_rsa(const struct import_request *r, const struct cert *c, struct pubkey key,
                        struct errinfo *e)
{
    const unsigned least = r->min_rsa_bits != 0 ? r->min_rsa_bits : RSA_BITS_DEFAULT;
    if (key.bits < least)
        return fail(e, ERR_CERT, "%s has an RSA key of %u bits, and %u are the least",
                    label_of(c).text, key.bits, least);
    return key.bad_exponent
               ? fail(e, ERR_CERT, "%s has an RSA key with an unsafe modulus or exponent",
                      label_of(c).text)
               : OK;
}

/* The same that pki/certrules asks of an anchor: what it refuses would never serve. */
static RESULT check_key(const struct import_request *r, const struct cert *c, struct errinfo *e)
{
    const struct pubkey key = pubkey_read(cert_fields(c)->key);
    switch (key.type) {
    case PUBKEY_RSA:
        return check_rsa(r, c, key, e);
    case PUBKEY_EC:
        return key.bits >= 256
                   ? OK
                   : fail(e, ERR_CERT,
                          "%s has a key on an elliptic curve that is not P-256, P-384 or P-521",
                          label_of(c).text);
    case PUBKEY_OTHER:
    default:
        return fail(e, ERR_CERT, "%s has a key that is neither RSA nor ECDSA", label_of(c).text);
    }
}

static RESULT check_form(const struct cert *c, struct errinfo *e)
{
    const struct certfields *f = cert_fields(c);
    char oid[64];
    if (!slice_eq(f->algorithm, f->outer_algorithm)) /* RFC 5280 section 4.1.1.2 */
        return fail(e, ERR_CERT, "%s names two different signature algorithms", label_of(c).text);
    if (dn_is_empty(f->issuer)) /* section 4.1.2.4 */
        return fail(e, ERR_CERT, "%s does not name its issuer", label_of(c).text);
    if (!f->unknown_critical) /* section 4.2 */
        return OK;
    der_oid_text(f->unknown_oid, oid, sizeof oid);
    return fail(e, ERR_CERT, "%s has a critical extension that sipsd does not know (%s)",
                label_of(c).text, oid);
}

/* Without the extension it is for every purpose (RFC 5280 section 4.2.1.12). */
static bool is_for_tls(const struct certfields *f)
{
    return !f->ext[CERT_EXT_EXT_KEY_USAGE].present || certfields_has_eku(f, OID_SERVER_AUTH) ||
           certfields_has_eku(f, OID_CLIENT_AUTH) || certfields_has_eku(f, OID_SIP_DOMAIN) ||
           certfields_has_eku(f, OID_ANY_EKU);
}

/* RFC 5280 section 6.1.4 (k) and (n). */
static RESULT check_ca(const struct cert *c, struct errinfo *e)
{
    const struct certfields *f = cert_fields(c);
    if (f->ext[CERT_EXT_KEY_USAGE].present && (f->key_usage & KEY_USAGE_KEY_CERT_SIGN) == 0)
        return fail(e, ERR_CERT, "%s is a CA's, but its key may not sign certificates (keyUsage)",
                    label_of(c).text);
    return dn_is_empty(f->subject) /* section 4.1.2.6 */
               ? fail(e, ERR_CERT, "it is a CA's without a name")
               : OK;
}

/* It is no CA's. Signed by itself it is some server's own, and can be trusted as such. */
static RESULT check_pin(const struct cert *c, struct errinfo *e)
{
    const struct certfields *f = cert_fields(c);
    struct label issuer;
    if (!certfields_self_issued(f)) {
        name_label(f->issuer, issuer.text, sizeof issuer.text);
        return fail(e, ERR_CERT, "%s is not a CA's certificate; upload that of its CA instead: %s",
                    label_of(c).text, issuer.text);
    }
    return sig_check(f->algorithm, f->tbs, f->signature, f->key)
               ? OK
               : fail(e, ERR_CERT,
                      "%s is not a CA's certificate, and not signed by itself, though it says so",
                      label_of(c).text);
}

static RESULT check_purpose(const struct cert *c, bool *pin, struct errinfo *e)
{
    *pin = !cert_fields(c)->is_ca;
    TRY(*pin ? check_pin(c, e) : check_ca(c, e));
    return is_for_tls(cert_fields(c))
               ? OK
               : fail(e, ERR_CERT, "%s is for other purposes than TLS (extKeyUsage)",
                      label_of(c).text);
}

static RESULT judge(const struct import_request *r, struct import_item *item, struct errinfo *e)
{
    const char *flaw = cert_fields(item->cert)->flaw;
    if (flaw != NULL)
        return fail(e, ERR_CERT, "%s cannot be trusted: %s", label_of(item->cert).text, flaw);
    TRY(check_purpose(item->cert, &item->pin, e));
    TRY(check_dates(r, item->cert, e));
    TRY(check_key(r, item->cert, e));
    return check_form(item->cert, e);
}

/* --- what is there already --- */

static bool note_known(void *arg, const struct trust_anchor *a)
{
    struct import_item *item = arg;
    item->fate = a->source == TRUST_SOURCE_CUSTOM ? IMPORT_KNOWN : IMPORT_BUILTIN;
    item->known_as = a->name;
    return false;
}

/* --- the file --- */

/* The certificates so far. SEEN has the first bytes of their hashes: what goes over the number that
 * can be kept is counted, too, so that the refusal can say by how many. */
struct reading {
    const struct import_request *r;
    struct import *out;
    uint64_t seen[LIMIT_IMPORT_COUNTED];
    size_t seen_count;
    size_t fresh;  /* counted on when there is no room in OUT any more */
    size_t number; /* of the certificate in the file */
};

static size_t custom_count(const struct reading *g)
{
    return trust_count(g->r->trust, TRUST_CUSTOM);
}

static bool is_full(const struct reading *g)
{
    return g->fresh + custom_count(g) > LIMIT_CUSTOM_CAS || g->out->count == LIMIT_CUSTOM_CAS;
}

/* Whether it is one of the items: then it stands there once more. */
static bool is_repeated(struct import *out, struct slice der)
{
    for (size_t i = 0; i < out->count; i++)
        if (slice_eq(cert_der(out->items[i].cert), der)) {
            out->items[i].times++;
            return true;
        }
    return false;
}

/* Whether it was never seen; without room to remember it, it was. */
static bool is_unseen(struct reading *g, const struct cert *c)
{
    uint8_t hash[HASH_SHA256_SIZE];
    uint64_t start;
    cert_sha256(c, hash);
    memcpy(&start, hash, sizeof start);
    for (size_t i = 0; i < g->seen_count; i++)
        if (g->seen[i] == start)
            return false;
    if (g->seen_count == LIMIT_IMPORT_COUNTED)
        return false;
    g->seen[g->seen_count++] = start;
    return true;
}

static RESULT take(struct reading *g, struct import_item *item, struct errinfo *e)
{
    const bool fresh = item->fate != IMPORT_KNOWN;
    if (is_unseen(g, item->cert) && fresh)
        g->fresh++;
    if (is_full(g)) /* it is refused in the end */
        return OK;
    if (fresh)
        TRY(judge(g->r, item, e));
    g->out->items[g->out->count] = *item;
    (void)cert_ref(item->cert);
    g->out->count++;
    g->out->fresh += fresh;
    return OK;
}

static RESULT add(void *arg, struct slice der, struct errinfo *e)
{
    struct reading *g = arg;
    struct import_item item = {.fate = IMPORT_NEW, .times = 1};
    g->number++;
    if (is_repeated(g->out, der))
        return OK;
    struct result r = cert_load(der, &item.cert, e);
    if (is_ok(r)) {
        (void)trust_find_exact(g->r->trust, TRUST_ALL, der, note_known, &item);
        r = take(g, &item, e);
        cert_unref(item.cert);
    }
    if (is_err(r))
        errinfo_context(e, "certificate %zu", g->number);
    return r;
}

static RESULT refuse_key(void *arg, struct errinfo *e)
{
    (void)arg;
    return fail(e, ERR_DENIED,
                "there is a private key in the file, which belongs into no list of trusted "
                "certificates; nothing of it was kept; upload the certificates alone");
}

static RESULT refuse_too_many(const struct reading *g, struct errinfo *e)
{
    return fail(e, ERR_LIMIT,
                "%d custom certificates can be kept; %zu are there, and the file adds %s%zu",
                LIMIT_CUSTOM_CAS, custom_count(g),
                g->seen_count == LIMIT_IMPORT_COUNTED ? "at least " : "", g->fresh);
}

RESULT import_trusted(const struct import_request *r, struct import *out, struct errinfo *e)
{
    struct reading g = {.r = r, .out = out};
    const struct certfile_handler handler = {add, refuse_key, &g};
    *out = (struct import){0};
    TRY(check_extension(r->filename, e));
    struct result res = certfile_read(r->content, &handler, e);
    if (is_ok(res) && is_full(&g) && g.fresh > out->fresh)
        res = refuse_too_many(&g, e);
    if (is_err(res))
        import_clear(out);
    return res;
}

void import_clear(struct import *i)
{
    if (i == NULL)
        return;
    for (size_t n = 0; n < i->count; n++)
        cert_unref(i->items[n].cert);
    *i = (struct import){0};
}

/* --- what comes of it --- */

void import_item_text(const struct import_item *item, char *out, size_t size)
{
    const struct label label = label_of(item->cert);
    const char *pin = item->pin ? "; it is no CA's, so only the server that has it is trusted" : "";
    switch (item->fate) {
    case IMPORT_KNOWN:
        (void)snprintf(out, size, "%s: is there already, as %s", label.text, item->known_as);
        break;
    case IMPORT_BUILTIN:
        (void)snprintf(out, size, "%s: is added, though it is built in as well (%s)%s", label.text,
                       item->known_as, pin);
        break;
    case IMPORT_NEW:
    default:
        (void)snprintf(out, size, "%s: is added%s", label.text, pin);
        break;
    }
}

RESULT import_write(const struct import *i, struct buf *out)
{
    for (size_t n = 0; n < i->count; n++) {
        const struct import_item *item = &i->items[n];
        if (item->fate == IMPORT_KNOWN)
            continue;
        const struct label label = label_of(item->cert);
        if (strstr(label.text, "--") == NULL) /* it could look like a BEGIN line */
            TRY(buf_printf(out, "# %s\n", label.text));
        TRY(pem_write("CERTIFICATE", cert_der(item->cert), out));
    }
    return OK;
}
