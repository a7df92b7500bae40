#include "pki/crl.h"

#include "pki/der_value.h"

#define REASON_REMOVE_FROM_CRL 8 /* CRLReason, section 5.3.1 */

/* --- extensions of the list --- */

static bool take_flag(struct slice *seq, uint8_t tag, bool *flag)
{
    struct slice field;

    if (!der_take(seq, tag, &field))
        return true;
    *flag = field.n == 1 && field.p[0] != 0;
    return field.n == 1;
}

static bool take_reasons(struct slice *seq, unsigned *reasons)
{
    struct slice field;

    if (!der_take(seq, DER_CONTEXT(3), &field))
        return true;
    *reasons = der_bit_flags(slice_from(field, 1)) & CRL_ALL_REASONS;
    return field.n >= 2;
}

/* IssuingDistributionPoint: all fields tagged and optional, in this order. */
static bool read_distribution(struct slice v, struct crl *out)
{
    struct slice seq;

    if (!der_take(&v, DER_SEQUENCE, &seq) || v.n != 0)
        return false;
    (void)der_take(&seq, DER_CONTEXT_CONSTRUCTED(0), &out->distribution_point);
    return take_flag(&seq, DER_CONTEXT(1), &out->only_users) &&
           take_flag(&seq, DER_CONTEXT(2), &out->only_cas) && take_reasons(&seq, &out->reasons) &&
           take_flag(&seq, DER_CONTEXT(4), &out->indirect) &&
           take_flag(&seq, DER_CONTEXT(5), &out->only_attributes) && seq.n == 0;
}

static bool read_integer(struct slice v, struct slice *bytes)
{
    return der_take_integer(&v, bytes) && v.n == 0;
}

static bool read_key_id(struct slice v, struct slice *key_id)
{
    struct slice seq;

    if (!der_take(&v, DER_SEQUENCE, &seq) || v.n != 0)
        return false;
    (void)der_take(&seq, DER_CONTEXT(0), key_id);
    return true;
}

static bool read_extension(struct slice oid, bool critical, struct slice v, struct crl *out)
{
    if (slice_eq(oid, SLICE_LIT("\x55\x1d\x14"))) { /* cRLNumber: never critical (5.2.3) */
        out->unusable = out->unusable || critical;
        return read_integer(v, &out->number);
    }
    if (slice_eq(oid, SLICE_LIT("\x55\x1d\x1b"))) { /* deltaCRLIndicator */
        out->is_delta = true;
        return read_integer(v, &out->base_number);
    }
    if (slice_eq(oid, SLICE_LIT("\x55\x1d\x1c"))) /* issuingDistributionPoint */
        return read_distribution(v, out);
    if (slice_eq(oid, SLICE_LIT("\x55\x1d\x23"))) /* authorityKeyIdentifier */
        return read_key_id(v, &out->authority_key_id);
    out->unusable = out->unusable || critical;
    return true;
}

/* Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING } */
static bool next_extension(struct slice *list, struct slice *oid, bool *critical,
                           struct slice *value)
{
    struct slice seq;

    return der_take(list, DER_SEQUENCE, &seq) && der_take(&seq, DER_OID, oid) &&
           der_take_bool(&seq, critical) && der_take(&seq, DER_OCTET_STRING, value) && seq.n == 0;
}

static bool read_extensions(struct slice v, struct crl *out)
{
    struct slice list, oid, value;
    bool critical;

    if (!der_take(&v, DER_SEQUENCE, &list) || v.n != 0)
        return false;
    while (list.n > 0)
        if (!next_extension(&list, &oid, &critical, &value) ||
            !read_extension(oid, critical, value, out))
            return false;
    return true;
}

/* --- entries --- */

struct entry {
    struct slice serial;
    int64_t revoked_s;
    unsigned reason;
    bool unknown_critical;
};

/* Section 5.3. certificateIssuer stands in indirect lists only, which are not used. */
static bool read_entry_extensions(struct slice list, struct entry *out)
{
    struct slice oid, value, reason;
    bool critical;

    while (list.n > 0) {
        if (!next_extension(&list, &oid, &critical, &value))
            return false;
        if (slice_eq(oid, SLICE_LIT("\x55\x1d\x15"))) { /* cRLReasons */
            if (!der_take(&value, DER_ENUMERATED, &reason) || value.n != 0 || reason.n != 1)
                return false;
            out->reason = reason.p[0];
        } else if (!slice_eq(oid, SLICE_LIT("\x55\x1d\x18"))) { /* invalidityDate */
            out->unknown_critical = out->unknown_critical || critical;
        }
    }
    return true;
}

/* SEQUENCE { userCertificate INTEGER, revocationDate Time, crlEntryExtensions OPTIONAL } */
static bool next_entry(struct slice *entries, struct entry *out)
{
    struct slice seq, extensions;

    *out = (struct entry){.reason = 0};
    if (!der_take(entries, DER_SEQUENCE, &seq) || !der_take_integer(&seq, &out->serial) ||
        !der_take_time(&seq, &out->revoked_s))
        return false;
    if (der_take(&seq, DER_SEQUENCE, &extensions) && !read_entry_extensions(extensions, out))
        return false;
    return seq.n == 0;
}

static bool read_entries(struct crl *out)
{
    struct slice rest = out->entries;
    struct entry entry;

    while (rest.n > 0) {
        if (!next_entry(&rest, &entry))
            return false;
        out->unusable = out->unusable || entry.unknown_critical;
    }
    return true;
}

enum crl_entry crl_find(const struct crl *crl, struct slice serial, int64_t *revoked_s)
{
    struct slice rest = crl->entries;
    enum crl_entry found = CRL_NOT_LISTED;
    struct entry entry;

    /* To the end: what is said last holds, should one be listed twice. */
    while (next_entry(&rest, &entry)) {
        if (!slice_eq(entry.serial, serial))
            continue;
        if (revoked_s != NULL)
            *revoked_s = entry.revoked_s;
        found = entry.reason == REASON_REMOVE_FROM_CRL ? CRL_REMOVED : CRL_REVOKED;
    }
    return found;
}

/* --- the list --- */

static bool take_whole(struct slice *in, struct slice *whole)
{
    struct der_item item;

    if (!der_next(in, &item) || item.tag != DER_SEQUENCE)
        return false;
    *whole = item.whole;
    return true;
}

static bool at_time(struct slice s)
{
    return s.n > 0 && (s.p[0] == DER_UTC_TIME || s.p[0] == DER_GENERALIZED_TIME);
}

static RESULT read_tbs(struct slice tbs, struct crl *out, struct errinfo *e)
{
    struct slice version = SLICE_EMPTY, extensions;
    uint32_t number = 0;

    /* Version 1 lists have neither a version nor extensions. */
    if (der_take(&tbs, DER_INTEGER, &version) && (!der_to_u32(version, &number) || number != 1))
        return fail(e, ERR_PARSE, "the version of the revocation list is not 1 or 2");
    if (!take_whole(&tbs, &out->algorithm) || !take_whole(&tbs, &out->issuer) ||
        !der_take_time(&tbs, &out->this_update_s) ||
        (at_time(tbs) && !der_take_time(&tbs, &out->next_update_s)))
        return fail(e, ERR_PARSE, "the revocation list is malformed");
    if (der_take(&tbs, DER_SEQUENCE, &out->entries) && !read_entries(out))
        return fail(e, ERR_PARSE, "an entry of the revocation list is malformed");
    if (number == 1 && der_take(&tbs, DER_CONTEXT_CONSTRUCTED(0), &extensions) &&
        !read_extensions(extensions, out))
        return fail(e, ERR_PARSE, "an extension of the revocation list is malformed");
    if (tbs.n != 0)
        return fail(e, ERR_PARSE, "the revocation list is malformed");
    return OK;
}

RESULT crl_read(struct slice der, struct crl *out, struct errinfo *e)
{
    struct slice rest = der, list, tbs, signature;

    *out =
        (struct crl){.der = der, .next_update_s = CRL_NO_NEXT_UPDATE, .reasons = CRL_ALL_REASONS};
    if (!der_take(&rest, DER_SEQUENCE, &list) || rest.n != 0 || !take_whole(&list, &out->tbs) ||
        !take_whole(&list, &out->outer_algorithm) || !der_take(&list, DER_BIT_STRING, &signature) ||
        list.n != 0)
        return fail(e, ERR_PARSE, "it is not a certificate revocation list, or it was cut off");
    /* Whole bytes, and nothing but; one that is not so was not signed by anybody. */
    out->unusable = signature.n < 2 || signature.p[0] != 0;
    out->signature = slice_from(signature, 1);
    rest = out->tbs;
    if (!der_take(&rest, DER_SEQUENCE, &tbs))
        return fail(e, ERR_PARSE, "the revocation list is malformed");
    return read_tbs(tbs, out, e);
}
