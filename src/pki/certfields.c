#include "pki/certfields.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "pki/der_value.h"
#include "pki/dn.h"

/* id-ce is 2.5.29, id-pe 1.3.6.1.5.5.7.1 (RFC 5280 appendix A). */
static const struct {
    struct slice oid;
    const char *name;
    const char *malformed; /* in a sentence */
} known[CERT_EXT_COUNT] = {
#define EXT(oid, name)                                                                         \
    {                                                                                          \
        {(const uint8_t *)(oid), sizeof(oid) - 1}, name, "its extension " name " is malformed" \
    }
#define CE(byte, name) EXT("\x55\x1d" byte, name)
    [CERT_EXT_BASIC_CONSTRAINTS] = CE("\x13", "basicConstraints"),
    [CERT_EXT_KEY_USAGE] = CE("\x0f", "keyUsage"),
    [CERT_EXT_EXT_KEY_USAGE] = CE("\x25", "extKeyUsage"),
    [CERT_EXT_SUBJECT_ALT_NAME] = CE("\x11", "subjectAltName"),
    [CERT_EXT_NAME_CONSTRAINTS] = CE("\x1e", "nameConstraints"),
    [CERT_EXT_POLICIES] = CE("\x20", "certificatePolicies"),
    [CERT_EXT_POLICY_MAPPINGS] = CE("\x21", "policyMappings"),
    [CERT_EXT_POLICY_CONSTRAINTS] = CE("\x24", "policyConstraints"),
    [CERT_EXT_INHIBIT_ANY_POLICY] = CE("\x36", "inhibitAnyPolicy"),
    [CERT_EXT_SUBJECT_KEY_ID] = CE("\x0e", "subjectKeyIdentifier"),
    [CERT_EXT_AUTHORITY_KEY_ID] = CE("\x23", "authorityKeyIdentifier"),
    [CERT_EXT_CRL_DISTRIBUTION_POINTS] = CE("\x1f", "cRLDistributionPoints"),
#undef CE
    [CERT_EXT_AUTHORITY_INFO_ACCESS] =
        EXT("\x2b\x06\x01\x05\x05\x07\x01\x01", "authorityInfoAccess"),
};

const char *cert_ext_name(enum cert_ext ext)
{
    return ext < CERT_EXT_COUNT ? known[ext].name : "unknown";
}

static void note_flaw(struct certfields *c, const char *text)
{
    if (c->flaw == NULL)
        c->flaw = text;
}

/* --- the short extensions --- */

/* SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER (0..MAX) OPTIONAL } */
static bool read_basic_constraints(struct certfields *c, struct slice v)
{
    struct slice seq, number;

    c->pathlen = CERT_NO_PATHLEN;
    if (!der_take(&v, DER_SEQUENCE, &seq) || v.n != 0 || !der_take_bool(&seq, &c->is_ca))
        return false;
    if (seq.n == 0)
        return true;
    if (!der_take_integer(&seq, &number) || seq.n != 0 || number.p[0] >= 0x80)
        return false;
    if (!der_to_u32(number, &c->pathlen) || c->pathlen == CERT_NO_PATHLEN)
        c->pathlen = CERT_NO_PATHLEN - 1; /* no path is as long */
    return true;
}

/* RFC 5280 section 4.2.1.3: at least one bit must be set. */
static bool read_key_usage(struct certfields *c, struct slice v)
{
    struct slice bits;
    unsigned unused;

    if (!der_take_bits(&v, &bits, &unused) || v.n != 0)
        return false;
    c->key_usage = der_bit_flags(bits);
    return c->key_usage != 0;
}

static bool is_sequence_of(struct slice v, uint8_t tag)
{
    struct slice seq, item;

    if (!der_take(&v, DER_SEQUENCE, &seq) || v.n != 0 || seq.n == 0)
        return false;
    while (seq.n > 0)
        if (!der_take(&seq, tag, &item))
            return false;
    return true;
}

static bool read_subject_key_id(struct certfields *c, struct slice v)
{
    return der_take(&v, DER_OCTET_STRING, &c->subject_key_id) && v.n == 0 &&
           c->subject_key_id.n > 0;
}

/* Issuer and serial number are both there or both absent (RFC 5280 section 4.2.1.1). */
static bool read_authority_key_id(struct certfields *c, struct slice v)
{
    struct slice seq;

    if (!der_take(&v, DER_SEQUENCE, &seq) || v.n != 0)
        return false;
    (void)der_take(&seq, DER_CONTEXT(0), &c->authority_key_id);
    const bool issuer = der_take(&seq, DER_CONTEXT_CONSTRUCTED(1), &c->authority_issuer);
    const bool serial = der_take(&seq, DER_CONTEXT(2), &c->authority_serial);
    return seq.n == 0 && issuer == serial;
}

static bool is_ia5(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] >= 0x80)
            return false;
    return true;
}

static bool is_alt_name(const struct general_name *name)
{
    switch (name->type) {
    case GENERAL_NAME_EMAIL:
    case GENERAL_NAME_DNS:
    case GENERAL_NAME_URI:
        return is_ia5(name->value);
    case GENERAL_NAME_IP:
        return name->value.n == 4 || name->value.n == 16;
    default:
        return true;
    }
}

static bool read_alt_names(struct slice v)
{
    struct slice names;
    struct general_name name;

    if (!der_take(&v, DER_SEQUENCE, &names) || v.n != 0 || names.n == 0)
        return false;
    while (general_name_next(&names, &name))
        if (!is_alt_name(&name))
            return false;
    return names.n == 0;
}

/* SEQUENCE (1..MAX) OF SEQUENCE { accessMethod OBJECT IDENTIFIER, accessLocation GeneralName } */
static bool read_info_access(struct slice v)
{
    struct slice seq, access, oid;
    struct general_name where;

    if (!is_sequence_of(v, DER_SEQUENCE) || !der_take(&v, DER_SEQUENCE, &seq))
        return false;
    while (der_take(&seq, DER_SEQUENCE, &access))
        if (!der_take(&access, DER_OID, &oid) || !general_name_next(&access, &where) ||
            !is_alt_name(&where) || access.n != 0)
            return false;
    return true;
}

static bool read_known(struct certfields *c, enum cert_ext ext)
{
    const struct slice v = c->ext[ext].value;

    switch (ext) {
    case CERT_EXT_BASIC_CONSTRAINTS:
        return read_basic_constraints(c, v);
    case CERT_EXT_KEY_USAGE:
        return read_key_usage(c, v);
    case CERT_EXT_EXT_KEY_USAGE:
        return is_sequence_of(v, DER_OID);
    case CERT_EXT_SUBJECT_ALT_NAME:
        return read_alt_names(v);
    case CERT_EXT_SUBJECT_KEY_ID:
        return read_subject_key_id(c, v);
    case CERT_EXT_AUTHORITY_KEY_ID:
        return read_authority_key_id(c, v);
    case CERT_EXT_POLICIES:
    case CERT_EXT_POLICY_MAPPINGS:
    case CERT_EXT_CRL_DISTRIBUTION_POINTS:
        return is_sequence_of(v, DER_SEQUENCE);
    case CERT_EXT_AUTHORITY_INFO_ACCESS:
        return read_info_access(v);
    default:
        return true; /* read where they are judged */
    }
}

/* --- extensions --- */

/* BER has other values that are true. */
static bool take_critical(struct certfields *c, struct slice *ext, bool *critical)
{
    struct slice value;

    if (der_take_bool(ext, critical))
        return true;
    if (!der_take(ext, DER_BOOLEAN, &value) || value.n != 1)
        return false;
    *critical = true;
    note_flaw(c, "an extension is malformed");
    return true;
}

/* More than a certificate ever has; what has more is not compared pair by pair for long. */
#define EXTENSIONS_MAX 64

/* Those that are not known, to tell when one comes twice. */
struct strangers {
    struct slice oid[EXTENSIONS_MAX];
    size_t count;
};

static void note_twice(struct certfields *c)
{
    note_flaw(c, "it has an extension twice"); /* RFC 5280 section 4.2 */
}

static RESULT note_stranger(struct certfields *c, struct strangers *s, struct slice oid,
                            bool critical, struct errinfo *e)
{
    for (size_t i = 0; i < s->count; i++)
        if (slice_eq(s->oid[i], oid))
            note_twice(c);
    if (s->count == EXTENSIONS_MAX)
        return fail(e, ERR_LIMIT, "it has more than %d extensions", EXTENSIONS_MAX);
    s->oid[s->count++] = oid;
    if (critical && !c->unknown_critical) {
        c->unknown_critical = true;
        c->unknown_oid = oid;
    }
    return OK;
}

/* Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING } */
static RESULT read_extension(struct certfields *c, struct strangers *s, struct slice ext,
                             struct errinfo *e)
{
    struct slice oid;
    struct cert_ext_field field = {.present = true};
    size_t i = 0;

    if (!der_take(&ext, DER_OID, &oid) || !take_critical(c, &ext, &field.critical) ||
        !der_take(&ext, DER_OCTET_STRING, &field.value) || ext.n != 0)
        return fail(e, ERR_PARSE, "an extension is malformed");
    while (i < CERT_EXT_COUNT && !slice_eq(known[i].oid, oid))
        i++;
    if (i == CERT_EXT_COUNT)
        return note_stranger(c, s, oid, field.critical, e);
    if (c->ext[i].present)
        note_twice(c);
    c->ext[i] = field;
    if (!read_known(c, (enum cert_ext)i)) {
        c->ext[i].value = SLICE_EMPTY;
        note_flaw(c, known[i].malformed);
    }
    return OK;
}

static RESULT read_extensions(struct certfields *c, struct slice all, struct errinfo *e)
{
    struct slice list, ext;
    struct strangers s;

    s.count = 0;
    if (!der_take(&all, DER_SEQUENCE, &list) || all.n != 0)
        return fail(e, ERR_PARSE, "its extensions are malformed");
    if (list.n == 0)
        note_flaw(c, "its list of extensions is empty");
    while (list.n > 0) {
        if (!der_take(&list, DER_SEQUENCE, &ext))
            return fail(e, ERR_PARSE, "its extensions are malformed");
        TRY(read_extension(c, &s, ext, e));
    }
    return OK;
}

/* --- the body --- */

/* Version ::= INTEGER { v1(0), v2(1), v3(2) }, [0] EXPLICIT DEFAULT v1 */
static bool read_version(struct slice *tbs, struct certfields *c)
{
    struct slice explicit, number;
    uint32_t v = 0;

    if (der_take(tbs, DER_CONTEXT_CONSTRUCTED(0), &explicit)) {
        if (!der_take_integer(&explicit, &number) || explicit.n != 0)
            return false;
        if (!der_to_u32(number, &v) || v > 2) {
            note_flaw(c, "its version is not 1, 2 or 3");
            v = 2;
        }
    }
    c->version = v + 1;
    return true;
}

#define YEAR_2050_S 2524608000

/* RFC 5280 section 4.1.2.5: UTCTime through the year 2049, GeneralizedTime from 2050. */
static bool take_date(struct slice *in, struct certfields *c, int64_t *epoch_s)
{
    const bool generalized = in->n > 0 && in->p[0] == DER_GENERALIZED_TIME;
    struct slice text;

    if (der_take_time(in, epoch_s)) {
        c->time_form_wrong = c->time_form_wrong || (generalized && *epoch_s < YEAR_2050_S);
        return true;
    }
    *epoch_s = 0;
    note_flaw(c, "its dates are malformed");
    return der_take(in, DER_UTC_TIME, &text) || der_take(in, DER_GENERALIZED_TIME, &text);
}

static bool read_validity(struct slice *tbs, struct certfields *c)
{
    struct slice validity;

    return der_take(tbs, DER_SEQUENCE, &validity) && take_date(&validity, c, &c->not_before_s) &&
           take_date(&validity, c, &c->not_after_s) && validity.n == 0;
}

/* The next element, which must be a SEQUENCE, with its header. */
static bool take_whole(struct slice *in, struct slice *whole)
{
    struct der_item item;

    if (!der_next(in, &item) || item.tag != DER_SEQUENCE)
        return false;
    *whole = item.whole;
    return true;
}

/* Attribute values are of universal types: strings, as far as anybody uses. */
static bool is_name(struct slice name)
{
    struct slice rdns, rdn, pair, oid;
    struct der_item value;

    if (!der_take(&name, DER_SEQUENCE, &rdns))
        return false;
    while (rdns.n > 0) {
        if (!der_take(&rdns, DER_SET, &rdn)) /* an empty one says nothing, and does no harm */
            return false;
        while (rdn.n > 0)
            if (!der_take(&rdn, DER_SEQUENCE, &pair) || !der_take(&pair, DER_OID, &oid) ||
                !der_next(&pair, &value) || (value.tag & 0xc0) != 0 || pair.n != 0)
                return false;
    }
    return true;
}

#define FOREIGN_FIELDS "it has fields that a certificate of its version cannot have"

static RESULT read_tbs(struct slice tbs, struct certfields *c, struct errinfo *e)
{
    struct slice unique_id, extensions;

    if (!read_version(&tbs, c))
        return fail(e, ERR_PARSE, "its version is not 1, 2 or 3");
    if (!der_take_integer(&tbs, &c->serial))
        return fail(e, ERR_PARSE, "its serial number is malformed");
    if (!take_whole(&tbs, &c->algorithm))
        return fail(e, ERR_PARSE, "its signature algorithm is malformed");
    if (!take_whole(&tbs, &c->issuer) || !is_name(c->issuer))
        return fail(e, ERR_PARSE, "the name of its issuer is malformed");
    if (!read_validity(&tbs, c))
        return fail(e, ERR_PARSE, "its dates are malformed");
    if (!take_whole(&tbs, &c->subject) || !is_name(c->subject))
        return fail(e, ERR_PARSE, "its name is malformed");
    if (!take_whole(&tbs, &c->key))
        return fail(e, ERR_PARSE, "its public key is malformed");
    const bool issuer_id = der_take(&tbs, DER_CONTEXT(1), &unique_id);
    const bool subject_id = der_take(&tbs, DER_CONTEXT(2), &unique_id);
    c->unique_ids = issuer_id || subject_id;
    if (c->unique_ids && c->version < 2)
        note_flaw(c, FOREIGN_FIELDS);
    if (der_take(&tbs, DER_CONTEXT_CONSTRUCTED(3), &extensions)) {
        if (c->version < 3)
            note_flaw(c, FOREIGN_FIELDS);
        TRY(read_extensions(c, extensions, e));
    }
    return tbs.n == 0 ? OK : fail(e, ERR_PARSE, FOREIGN_FIELDS);
}

/* The signature of every algorithm is whole bytes. */
static bool take_signature(struct slice *cert, struct certfields *c)
{
    struct slice bits;
    unsigned unused;

    if (der_take_bits(cert, &bits, &unused) && unused == 0) {
        c->signature = bits;
        return true;
    }
    note_flaw(c, "its signature is malformed");
    return cert->n == 0 || (der_take(cert, DER_BIT_STRING, &bits) && bits.n > 0);
}

RESULT certfields_load(struct slice der, struct certfields *out, struct errinfo *e)
{
    struct slice rest = der, cert, tbs;

    *out = (struct certfields){.der = der, .pathlen = CERT_NO_PATHLEN};
    if (!der_take(&rest, DER_SEQUENCE, &cert))
        return fail(e, ERR_PARSE, "it is not a certificate, or it was cut off");
    if (rest.n != 0)
        return fail(e, ERR_PARSE, "there are %zu bytes behind its end", rest.n);
    if (!take_whole(&cert, &out->tbs) || !take_whole(&cert, &out->outer_algorithm) ||
        !take_signature(&cert, out) || cert.n != 0)
        return fail(e, ERR_PARSE, "its structure is not that of a certificate");
    rest = out->tbs;
    if (!der_take(&rest, DER_SEQUENCE, &tbs))
        return fail(e, ERR_PARSE, "its structure is not that of a certificate");
    return read_tbs(tbs, out, e);
}

RESULT certfields_read(struct slice der, struct certfields *out, struct errinfo *e)
{
    TRY(certfields_load(der, out, e));
    return out->flaw == NULL ? OK : fail(e, ERR_PARSE, "%s", out->flaw);
}

bool certfields_self_issued(const struct certfields *c)
{
    return dn_equal(c->issuer, c->subject);
}

void name_label(struct slice name, char *out, size_t size)
{
    struct dn_attribute a;

    if (dn_last(name, DN_OID_COMMON_NAME, &a) || dn_last(name, DN_OID_ORGANIZATION, &a)) {
        dn_value_text(&a, out, size);
        if (out[0] != '\0')
            return;
    }
    dn_text(name, out, size);
}

void certfields_label(const struct certfields *c, char *out, size_t size)
{
    struct slice names = certfields_alt_names(c);
    struct general_name name;

    if (!dn_is_empty(c->subject)) {
        name_label(c->subject, out, size);
        return;
    }
    while (general_name_next(&names, &name)) {
        if (name.type == GENERAL_NAME_DNS || name.type == GENERAL_NAME_URI ||
            name.type == GENERAL_NAME_EMAIL) {
            dn_value_text(&(struct dn_attribute){.tag = DER_IA5_STRING, .value = name.value}, out,
                          size);
            return;
        }
    }
    (void)snprintf(out, size, "a certificate without a name");
}

/* --- general names --- */

bool general_name_next(struct slice *names, struct general_name *out)
{
    struct slice rest = *names;
    struct der_item item;

    if (!der_next(&rest, &item))
        return false;
    const unsigned type = item.tag & 0x1fU;
    /* otherName, x400Address, directoryName and ediPartyName are constructed, the others not */
    const bool constructed = type == GENERAL_NAME_OTHER || type == GENERAL_NAME_X400 ||
                             type == GENERAL_NAME_DIRECTORY || type == GENERAL_NAME_EDI_PARTY;
    if (type > GENERAL_NAME_REGISTERED_ID ||
        item.tag != (constructed ? DER_CONTEXT_CONSTRUCTED(type) : DER_CONTEXT(type)) ||
        (type == GENERAL_NAME_DIRECTORY && !is_name(item.value)))
        return false;
    out->type = (enum general_name_type)type;
    out->value = item.value;
    *names = rest;
    return true;
}

struct slice certfields_alt_names(const struct certfields *c)
{
    struct slice v = c->ext[CERT_EXT_SUBJECT_ALT_NAME].value, names = SLICE_EMPTY;

    return der_take(&v, DER_SEQUENCE, &names) ? names : SLICE_EMPTY;
}

bool certfields_has_eku(const struct certfields *c, struct slice oid)
{
    struct slice v = c->ext[CERT_EXT_EXT_KEY_USAGE].value, list, item;

    if (!der_take(&v, DER_SEQUENCE, &list))
        return false;
    while (der_take(&list, DER_OID, &item))
        if (slice_eq(item, oid))
            return true;
    return false;
}

bool certfields_has_ca_issuers(const struct certfields *c)
{
    struct slice v = c->ext[CERT_EXT_AUTHORITY_INFO_ACCESS].value, list, access, oid;

    if (!der_take(&v, DER_SEQUENCE, &list))
        return false;
    while (der_take(&list, DER_SEQUENCE, &access))
        if (der_take(&access, DER_OID, &oid) &&
            slice_eq(oid, SLICE_LIT("\x2b\x06\x01\x05\x05\x07\x30\x02")))
            return true;
    return false;
}
