#include "pki/certform.h"

#include <string.h>

#include "base/ascii.h"
#include "pki/der.h"
#include "pki/dn.h"
#include "pki/ip.h"

#define SERIAL_OCTETS_MAX 20 /* RFC 5280 section 4.1.2.2 */

bool certform_applies(const struct verify_input *in)
{
    return in->policy->profile == VERIFY_PROFILE_PUBLIC && in->purpose != VERIFY_ANY;
}

static bool has(const struct certfields *c, enum cert_ext ext)
{
    return c->ext[ext].present;
}

static bool is_root(const struct place *at)
{
    return at->anchor && certfields_self_issued(at->cert);
}

/* --- every certificate --- */

/* RFC 5280 section 4.1.2.2: positive, at most 20 octets. Many a root has number 0; nobody looks for
 * an anchor by its number. */
static void check_serial(const struct place *at, struct faults *f)
{
    const struct slice serial = at->cert->serial;

    if (at->anchor)
        return;
    if (serial.n > SERIAL_OCTETS_MAX)
        fault_profile(f, REASON_MALFORMED, at, "has a serial number of more than %d bytes",
                      SERIAL_OCTETS_MAX);
    else if (serial.p[0] >= 0x80 || (serial.n == 1 && serial.p[0] == 0))
        fault_profile(f, REASON_MALFORMED, at, "has a serial number that is zero or negative");
}

/* Extensions whose criticality the standard fixes, so that everybody or nobody may pass over them.
 */
static void check_criticality(const struct place *at, struct faults *f)
{
    static const struct {
        enum cert_ext ext;
        bool critical;
    } fixed[] = {
        {CERT_EXT_AUTHORITY_KEY_ID, false},      /* RFC 5280 section 4.2.1.1 */
        {CERT_EXT_SUBJECT_KEY_ID, false},        /* 4.2.1.2 */
        {CERT_EXT_AUTHORITY_INFO_ACCESS, false}, /* 4.2.2.1 */
        {CERT_EXT_POLICY_CONSTRAINTS, true},     /* 4.2.1.11 */
        {CERT_EXT_INHIBIT_ANY_POLICY, true},     /* 4.2.1.14 */
        {CERT_EXT_EXT_KEY_USAGE, false},         /* BR 7.1.2.7.6 and 7.1.2.10.3 */
    };

    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (has(at->cert, fixed[i].ext) &&
            at->cert->ext[fixed[i].ext].critical != fixed[i].critical)
            fault_profile(f, REASON_MALFORMED, at,
                          "marks its extension %s as %scritical, which it may not",
                          cert_ext_name(fixed[i].ext), fixed[i].critical ? "not " : "");
}

/* RFC 5280 section 4.2.1.1, and BR 7.1.2.11.1: the key identifier, and nothing else. A self-signed
 * anchor needs none; if it has one, it must be its own. */
static void check_authority_key_id(const struct place *at, struct faults *f)
{
    const struct certfields *c = at->cert;

    if (!has(c, CERT_EXT_AUTHORITY_KEY_ID)) {
        if (!is_root(at))
            fault_profile(f, REASON_MALFORMED, at,
                          "does not say with which key it was signed (no authorityKeyIdentifier)");
    } else if (c->authority_key_id.n == 0) {
        fault_profile(f, REASON_MALFORMED, at,
                      "has an authorityKeyIdentifier without a key identifier");
    } else if (c->authority_issuer.n > 0 || c->authority_serial.n > 0) {
        fault_profile(f, REASON_MALFORMED, at,
                      "names its issuer's certificate in its authorityKeyIdentifier, and not its "
                      "key alone");
    } else if (is_root(at) && c->subject_key_id.n > 0 &&
               !slice_eq(c->authority_key_id, c->subject_key_id)) {
        fault_profile(f, REASON_MALFORMED, at,
                      "is self-signed, but names another key as its signer");
    }
}

static void check_any(const struct place *at, struct faults *f)
{
    check_criticality(at, f);
    check_authority_key_id(at, f);
    check_serial(at, f);
    if (at->cert->time_form_wrong) /* RFC 5280 section 4.1.2.5 */
        fault_profile(f, REASON_MALFORMED, at,
                      "writes a date before 2050 in the form for later ones (GeneralizedTime)");
    if (at->cert->unique_ids) /* section 4.1.2.8 */
        fault_profile(f, REASON_MALFORMED, at, "has a unique identifier beside its name");
}

/* --- the leaf's names --- */

/* RFC 5280 section 4.2.1.6: each a host name in the preferred syntax, or a wildcard. */
static void check_host_names(const struct place *at, struct faults *f)
{
    struct slice names = certfields_alt_names(at->cert);
    struct general_name g;
    char text[LIMIT_TEXT];

    while (general_name_next(&names, &g)) {
        if (g.type != GENERAL_NAME_DNS || peername_is_presented(g.value))
            continue;
        dn_value_text(&(struct dn_attribute){.tag = DER_IA5_STRING, .value = g.value}, text,
                      sizeof text);
        fault_profile(f, REASON_MALFORMED, at, "names '%.60s', which is no host name", text);
        return;
    }
}

/* What the labels of a text look like. */
struct labels {
    unsigned count, numbers; /* those that are decimal or hexadecimal numbers */
    bool last_is_word;       /* the last one could be a top-level domain's */
};

static bool is_number(struct slice label)
{
    const bool hex = slice_starts_nocase(label, SLICE_LIT("0x"));

    for (size_t i = hex ? 2 : 0; i < label.n; i++)
        if (hex ? ascii_hex(label.p[i]) < 0 : !ascii_is_digit(label.p[i]))
            return false;
    return label.n > 0;
}

/* False for a text with anything in it that no host name has, in A-labels or in the letters that
 * they encode. */
static bool read_labels(struct slice text, struct labels *out)
{
    *out = (struct labels){.count = 0};
    if (text.n > 0 && text.p[text.n - 1] == '.')
        text = slice_first(text, text.n - 1);
    while (text.n > 0) {
        const struct slice label = slice_cut(&text, '.');
        for (size_t i = 0; i < label.n; i++)
            if (!ascii_is_alnum(label.p[i]) && label.p[i] != '-' && label.p[i] != '_' &&
                label.p[i] != '*' && label.p[i] < 0x80)
                return false;
        out->count++;
        out->numbers += is_number(label);
        out->last_is_word = label.n >= 2 && !is_number(label);
    }
    return true;
}

enum reading { READS_AS_TEXT, READS_AS_HOST, READS_AS_ADDRESS };

static enum reading read_common_name(const char *text)
{
    const struct slice s = slice_of_str(text);
    struct labels l;
    uint8_t ip[16];

    if (ip_parse(s, ip) != 0)
        return READS_AS_ADDRESS;
    if (!read_labels(s, &l))
        return READS_AS_TEXT;
    if (l.count == 4 && l.numbers == 4)
        return READS_AS_ADDRESS;
    return l.count >= 2 && l.last_is_word ? READS_AS_HOST : READS_AS_TEXT;
}

/* What the alternative names have that a common name can be a copy of. */
struct copies {
    bool dns, ip; /* there are such */
    bool found;
};

static struct copies look_for_copy(const struct certfields *c, const char *text)
{
    struct slice names = certfields_alt_names(c);
    struct copies out = {.found = false};
    struct general_name g;
    char address[LIMIT_TEXT];

    while (general_name_next(&names, &g)) {
        if (g.type == GENERAL_NAME_DNS) {
            out.dns = true;
            out.found = out.found || slice_eq_str(g.value, text);
        } else if (g.type == GENERAL_NAME_IP) {
            out.ip = true;
            ip_text(g.value, address, sizeof address);
            out.found = out.found || strcmp(address, text) == 0;
        }
    }
    return out;
}

/*
 * BR 7.1.4.3: a common name is a copy of an alternative name, character by character; an address in
 * its canonical form. One that reads as neither host name nor address misleads nobody. Where there
 * is no dNSName, a host name in it is looked at itself (RFC 2818 section 3.1), and is no copy.
 */
static void check_common_names(const struct place *at, struct faults *f)
{
    struct dn_cursor cursor = dn_begin(at->cert->subject);
    struct dn_attribute a;
    char text[LIMIT_TEXT];

    while (dn_next(&cursor, &a)) {
        if (!slice_eq(a.oid, DN_OID_COMMON_NAME))
            continue;
        dn_value_text(&a, text, sizeof text);
        const enum reading reading = read_common_name(text);
        const struct copies names = look_for_copy(at->cert, text);
        if (names.found || reading == READS_AS_TEXT ||
            !(names.dns || (names.ip && reading == READS_AS_ADDRESS)))
            continue;
        fault_profile(f, REASON_MALFORMED, at,
                      "has the common name '%.60s', which is not one of its alternative names",
                      text);
        return;
    }
}

/* --- the leaf --- */

/* RFC 5280 sections 4.2.1.3, 4.2.1.9 and 4.2.1.10: what only a CA may have. */
static void check_no_ca(const struct verify_input *in, const struct place *at, struct faults *f)
{
    const struct certfields *c = at->cert;
    const unsigned signs = has(c, CERT_EXT_KEY_USAGE)
                               ? c->key_usage & (KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN)
                               : 0;

    if (c->is_ca) {
        fault_profile(f, REASON_KEY_USAGE, at, "is a CA's, and may not be a %s's own",
                      in->purpose == VERIFY_CLIENT ? "client" : "server");
        return;
    }
    if (signs != 0)
        fault_profile(f, REASON_MALFORMED, at, "may sign %s, but is not a CA's",
                      (signs & KEY_USAGE_KEY_CERT_SIGN) != 0 ? "certificates" : "revocation lists");
    if (c->pathlen != CERT_NO_PATHLEN)
        fault_profile(f, REASON_MALFORMED, at, "limits the CAs below it, but is not a CA's");
    if (has(c, CERT_EXT_NAME_CONSTRAINTS))
        fault_profile(f, REASON_MALFORMED, at, "constrains names below it, but is not a CA's");
}

/* Section 4.2.1.6: it is critical if there is no other name, and not beside one. */
static void check_subject(const struct place *at, struct faults *f)
{
    const struct cert_ext_field *san = &at->cert->ext[CERT_EXT_SUBJECT_ALT_NAME];
    const bool nameless = dn_is_empty(at->cert->subject);

    if (nameless && !(san->present && san->critical))
        fault_profile(f, REASON_MALFORMED, at,
                      "has no subject, and no critical subjectAltName instead");
    if (!nameless && san->present && san->critical)
        fault_profile(f, REASON_MALFORMED, at,
                      "marks its subjectAltName as critical beside a subject");
}

void certform_leaf(const struct verify_input *in, const struct place *at, struct faults *f)
{
    if (!certform_applies(in))
        return;
    check_any(at, f);
    if (at->cert->version < 3)
        fault_profile(f, REASON_MALFORMED, at,
                      "is of the old version %u, which cannot say what it may be used for",
                      at->cert->version);
    check_no_ca(in, at, f);
    check_subject(at, f);
    if (certfields_has_eku(at->cert, OID_SERVER_AUTH) &&
        certfields_has_eku(at->cert, OID_ANY_EKU)) /* BR 7.1.2.7.10 */
        fault_profile(f, REASON_EXT_KEY_USAGE, at, "is for anything, and not for a server alone");
    if (in->purpose == VERIFY_SERVER) {
        check_host_names(at, f);
        if (in->name != NULL) /* else any name will do */
            check_common_names(at, f);
    }
}

/* --- issuers --- */

void certform_issuer(const struct verify_input *in, const struct place *at, struct faults *f)
{
    const struct certfields *c = at->cert;

    if (!certform_applies(in))
        return;
    check_any(at, f);
    if (!has(c, CERT_EXT_SUBJECT_KEY_ID)) /* RFC 5280 section 4.2.1.2 */
        fault_profile(f, REASON_MALFORMED, at, "has no subjectKeyIdentifier, which a CA must have");
    if (!has(c, CERT_EXT_KEY_USAGE)) /* section 4.2.1.3 */
        fault_profile(f, REASON_MALFORMED, at, "has no keyUsage, which a CA must have");
    if (c->is_ca && !c->ext[CERT_EXT_BASIC_CONSTRAINTS].critical) /* section 4.2.1.9 */
        fault_profile(f, REASON_MALFORMED, at,
                      "does not mark its basicConstraints as critical, as a CA must");
    if (is_root(at) && has(c, CERT_EXT_EXT_KEY_USAGE)) /* BR 7.1.2.1.2 */
        fault_profile(f, REASON_EXT_KEY_USAGE, at,
                      "is a root with an extKeyUsage, which roots may not have");
}
