#include "pki/certrules.h"

#include <inttypes.h>
#include <stdio.h>

#include "pki/certform.h"
#include "pki/der_value.h"
#include "pki/dn.h"
#include "pki/pubkey.h"

#define DAY_S            86400
#define RSA_BITS_DEFAULT 2048

static bool has(const struct certfields *c, enum cert_ext ext)
{
    return c->ext[ext].present;
}

/* Who must act, in a sentence. */
static const char *peer_word(const struct verify_input *in)
{
    return in->purpose == VERIFY_CLIENT ? "client" : "server";
}

/* --- dates --- */

/* "2026-10-01" */
struct day {
    char text[CLOCK_ISO_SIZE];
};

static struct day day_of(int64_t epoch_s)
{
    struct day d;

    clock_to_iso(epoch_s, d.text);
    d.text[10] = '\0';
    return d;
}

/* "53 days", "1 day", "2 hours" */
static const char *duration(int64_t seconds, char *out, size_t size)
{
    const bool days = seconds >= DAY_S;
    const int64_t n = days ? seconds / DAY_S : seconds / 3600;

    if (n == 0)
        (void)snprintf(out, size, "less than an hour");
    else
        (void)snprintf(out, size, "%" PRId64 " %s%s", n, days ? "day" : "hour", n == 1 ? "" : "s");
    return out;
}

static void check_dates(const struct verify_input *in, const struct place *at, struct faults *f)
{
    const int64_t now = in->now.epoch_s;
    const struct certfields *c = at->cert;
    char span[40];

    if (c->not_after_s < now) {
        const char *advice = at->anchor      ? "remove it and upload its successor"
                             : at->depth > 0 ? "the server's admin must replace it"
                                             : "the server's admin must renew it";
        fault(f, REASON_EXPIRED, at, "expired on %s (%s ago); %s", day_of(c->not_after_s).text,
              duration(now - c->not_after_s, span, sizeof span), advice);
    }
    if (c->not_before_s > now && in->now.state == CLOCK_SET)
        fault(f, REASON_NOT_YET_VALID, at,
              "is not valid before %s (in %s); check the date and time of phone and %s",
              day_of(c->not_before_s).text, duration(c->not_before_s - now, span, sizeof span),
              peer_word(in));
}

bool certrules_dates_uncertain(const struct verify_input *in, const struct certfields *c)
{
    return in->now.state == CLOCK_UNSET ||
           (in->now.state == CLOCK_FLOOR && c->not_before_s > in->now.epoch_s);
}

/* --- key and signature --- */

static void check_rsa(const struct verify_input *in, const struct place *at, struct pubkey key,
                      struct faults *f)
{
    const unsigned least =
        in->policy->min_rsa_bits != 0 ? in->policy->min_rsa_bits : RSA_BITS_DEFAULT;

    if (key.bits < least)
        fault(f, REASON_WEAK_KEY, at, "has an RSA key of %u bits, and %u are the least", key.bits,
              least);
    else if (key.bad_exponent)
        fault(f, REASON_WEAK_KEY, at, "has an RSA key with an unsafe modulus or exponent");
    else if (key.bits % 8 != 0 && certform_applies(in))
        fault_profile(f, REASON_WEAK_KEY, at,
                      "has an RSA key of %u bits, which is no whole number of bytes", key.bits);
}

static void check_key(const struct verify_input *in, const struct place *at, struct faults *f)
{
    const struct pubkey key = pubkey_read(at->cert->key);

    if (key.bad_point || (key.type == PUBKEY_EC && key.bits >= 256 && at->depth == 0 &&
                          !pubkey_is_sound(at->cert->key))) {
        fault(f, REASON_WEAK_KEY, at, "has a key that is no point of its elliptic curve");
        return;
    }
    switch (key.type) {
    case PUBKEY_RSA:
        check_rsa(in, at, key, f);
        break;
    case PUBKEY_EC:
        if (key.bits < 256)
            fault(f, REASON_WEAK_KEY, at,
                  "has a key on an elliptic curve that is not P-256, P-384 or P-521");
        break;
    case PUBKEY_OTHER:
    default:
        fault(f, REASON_WEAK_KEY, at, "has a key that is neither RSA nor ECDSA");
        break;
    }
}

/* An anchor is trusted for what it is, not for its signature. */
static void check_signature_algorithm(const struct verify_input *in, const struct place *at,
                                      struct faults *f)
{
    const struct certfields *c = at->cert;
    struct sig_algorithm a;

    /* RFC 5280 section 4.1.1.2 */
    if (!slice_eq(c->algorithm, c->outer_algorithm))
        fault(f, REASON_MALFORMED, at, "names two different signature algorithms");
    else if (at->anchor)
        return;
    else if (!sig_algorithm_read(c->algorithm, &a))
        fault(f, REASON_WEAK_SIGNATURE, at,
              "is signed with an algorithm that is neither RSA nor ECDSA with SHA-2");
    else if (a.digest == SIG_MD5 || (a.digest == SIG_SHA1 && !in->policy->allow_sha1))
        fault(f, REASON_WEAK_SIGNATURE, at,
              "is signed with %s, which can be forged; its CA must issue a new one",
              a.digest == SIG_MD5 ? "MD5" : "SHA-1");
    else if (a.digest == SIG_SHA224 && certform_applies(in)) /* BR 7.1.3.2 */
        fault_profile(f, REASON_WEAK_SIGNATURE, at,
                      "is signed with SHA-224, which public CAs may not use");
}

/* --- what holds for every certificate --- */

static void check_common(const struct verify_input *in, const struct place *at, struct faults *f)
{
    const struct certfields *c = at->cert;
    char oid[64];

    check_dates(in, at, f);
    check_key(in, at, f);
    check_signature_algorithm(in, at, f);
    if (c->unknown_critical) { /* section 4.2 */
        der_oid_text(c->unknown_oid, oid, sizeof oid);
        fault(f, REASON_CRITICAL_EXTENSION, at,
              "has a critical extension that sipsd does not know (%s)", oid);
    }
    if (dn_is_empty(c->issuer)) /* section 4.1.2.4 */
        fault(f, REASON_MALFORMED, at, "does not name its issuer");
}

/* --- the leaf --- */

static void check_leaf_purpose(const struct verify_input *in, const struct place *at,
                               struct faults *f)
{
    const struct certfields *c = at->cert;
    const bool server = in->purpose == VERIFY_SERVER;

    /* The key signs the handshake (RFC 8446 section 4.4.2.2, RFC 8422 section 5.3). */
    if (has(c, CERT_EXT_KEY_USAGE) && (c->key_usage & KEY_USAGE_DIGITAL_SIGNATURE) == 0)
        fault(f, REASON_KEY_USAGE, at,
              "has a key that may not sign handshakes (no digitalSignature in its keyUsage)");
    /* Without the extension the key is for every purpose (RFC 5280 section 4.2.1.12). */
    if (!has(c, CERT_EXT_EXT_KEY_USAGE) || (!server && !in->policy->client_eku_required))
        return;
    if (certfields_has_eku(c, server ? OID_SERVER_AUTH : OID_CLIENT_AUTH) ||
        certfields_has_eku(c, OID_SIP_DOMAIN)) /* RFC 5924 section 4 */
        return;
    /* "May reject certificates that include anyExtendedKeyUsage but not the particular OID" */
    if (!certfields_has_eku(c, OID_ANY_EKU))
        fault(f, REASON_EXT_KEY_USAGE, at, "is not for a TLS %s (no %sAuth in its extKeyUsage)",
              peer_word(in), peer_word(in));
    else if (certform_applies(in))
        fault_profile(f, REASON_EXT_KEY_USAGE, at,
                      "is not for a TLS %s but for anything (no %sAuth in its extKeyUsage)",
                      peer_word(in), peer_word(in));
}

static void check_name(const struct verify_input *in, const struct place *at, struct faults *f)
{
    struct errinfo e = ERRINFO_INIT;
    char *matched = f->verdict != NULL ? f->verdict->matched : NULL;

    if (in->name == NULL)
        return;
    if (is_ok(peername_match(in->name, at->cert, in->policy->rules, matched,
                             sizeof f->verdict->matched, &e))) {
        if (f->verdict != NULL)
            f->verdict->name_checked = true;
        return;
    }
    e.text[0] = 'T'; /* "The certificate is for ..." */
    fault_said(f, REASON_NAME_MISMATCH, at,
               "%s; check the address in the account, or have its admin get one for this name",
               e.text);
}

void certrules_leaf(const struct verify_input *in, const struct place *at, bool pinned,
                    struct faults *f)
{
    check_name(in, at, f);
    check_common(in, at, f);
    if (in->purpose != VERIFY_ANY)
        check_leaf_purpose(in, at, f);
    if (!pinned)
        certform_leaf(in, at, f);
}

/* --- issuers --- */

/* The purposes that a CA may issue for: all without the extension, else those that it lists. */
static bool may_issue_for(const struct certfields *c, enum verify_purpose purpose)
{
    if (purpose == VERIFY_ANY || !has(c, CERT_EXT_EXT_KEY_USAGE) ||
        certfields_has_eku(c, OID_ANY_EKU))
        return true;
    return certfields_has_eku(c, purpose == VERIFY_SERVER ? OID_SERVER_AUTH : OID_CLIENT_AUTH) ||
           certfields_has_eku(c, OID_SIP_DOMAIN);
}

void certrules_issuer(const struct verify_input *in, const struct place *at, struct faults *f)
{
    const struct certfields *c = at->cert;

    check_common(in, at, f);
    /* RFC 5280 section 6.1.4 (k) and (n). Older versions cannot say that they are a CA's. */
    if (!c->is_ca)
        fault(f, REASON_NOT_A_CA, at, "may not issue certificates: it is not a CA's");
    else if (has(c, CERT_EXT_KEY_USAGE) && (c->key_usage & KEY_USAGE_KEY_CERT_SIGN) == 0)
        fault(f, REASON_KEY_USAGE, at, "has a key that may not sign certificates");
    if (dn_is_empty(c->subject)) /* section 4.1.2.6 */
        fault(f, REASON_MALFORMED, at, "is a CA's without a name");
    if (!may_issue_for(c, in->purpose))
        fault(f, REASON_EXT_KEY_USAGE, at, "may not issue certificates for TLS %ss", peer_word(in));
    certform_issuer(in, at, f);
}

void certrules_crl_signer(const struct verify_input *in, const struct place *at, struct faults *f)
{
    const struct certfields *c = at->cert;

    check_common(in, at, f);
    if (has(c, CERT_EXT_KEY_USAGE) && (c->key_usage & KEY_USAGE_CRL_SIGN) == 0)
        fault(f, REASON_KEY_USAGE, at, "has a key that may not sign revocation lists");
}
