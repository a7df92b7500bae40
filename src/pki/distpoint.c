#include "pki/distpoint.h"

#include "base/buf.h"
#include "pki/der_value.h"
#include "pki/dn.h"

/* --- names of distribution points --- */

/* Larger ones are not compared, and so match nothing. */
#define RELATIVE_NAME_MAX 1024

/*
 * DistributionPointName ::= CHOICE { fullName [0] GeneralNames, nameRelativeToCRLIssuer [1] RDN },
 * given as the content of the tag that it stands in. A value type.
 */
struct point_name {
    struct slice full; /* content of GeneralNames */
    uint8_t relative[RELATIVE_NAME_MAX];
    size_t relative_n; /* of the whole Name that a relative one makes; 0: FULL it is */
};

/* The header of a SEQUENCE or SET of N bytes. */
static size_t write_header(uint8_t tag, size_t n, uint8_t out[4])
{
    out[0] = tag;
    if (n < 0x80) {
        out[1] = (uint8_t)n;
        return 2;
    }
    out[1] = 0x82;
    out[2] = (uint8_t)(n >> 8);
    out[3] = (uint8_t)n;
    return 4;
}

/* The Name of ISSUER with one more RDN (the content of its SET) behind. */
static size_t join_name(struct slice issuer, struct slice rdn, uint8_t out[RELATIVE_NAME_MAX])
{
    struct slice rdns;
    uint8_t outer[4], set[4];
    size_t n = 0;

    if (!der_take(&issuer, DER_SEQUENCE, &rdns) || rdns.n + rdn.n > RELATIVE_NAME_MAX - 8)
        return 0;
    const size_t set_n = write_header(DER_SET, rdn.n, set);
    const size_t outer_n = write_header(DER_SEQUENCE, rdns.n + set_n + rdn.n, outer);
    const struct slice parts[] = {{outer, outer_n}, rdns, {set, set_n}, rdn};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        for (size_t k = 0; k < parts[i].n; k++)
            out[n++] = parts[i].p[k];
    return n;
}

static bool read_point_name(struct slice in, struct slice issuer, struct point_name *out)
{
    struct slice rdn;

    out->relative_n = 0;
    if (der_take(&in, DER_CONTEXT_CONSTRUCTED(0), &out->full))
        return in.n == 0;
    if (!der_take(&in, DER_CONTEXT_CONSTRUCTED(1), &rdn) || in.n != 0)
        return false;
    out->relative_n = join_name(issuer, rdn, out->relative);
    return out->relative_n > 0;
}

static bool has_name(const struct point_name *p, const struct general_name *name)
{
    struct slice rest = p->full;
    struct general_name g;

    if (p->relative_n > 0)
        return name->type == GENERAL_NAME_DIRECTORY &&
               dn_equal(name->value, slice_of(p->relative, p->relative_n));
    while (general_name_next(&rest, &g))
        if (g.type == name->type &&
            (slice_eq(g.value, name->value) ||
             (g.type == GENERAL_NAME_DIRECTORY && dn_equal(g.value, name->value))))
            return true;
    return false;
}

static bool share_name(const struct point_name *a, const struct point_name *b)
{
    const struct general_name relative = {GENERAL_NAME_DIRECTORY,
                                          slice_of(a->relative, a->relative_n)};
    struct slice rest = a->full;
    struct general_name g;

    if (a->relative_n > 0)
        return has_name(b, &relative);
    while (general_name_next(&rest, &g))
        if (has_name(b, &g))
            return true;
    return false;
}

/* --- the scope of a list --- */

/* DistributionPoint ::= SEQUENCE { distributionPoint [0], reasons [1], cRLIssuer [2], all OPTIONAL
 * }
 */
struct point {
    struct slice name; /* of a DistributionPointName; empty if absent */
    unsigned reasons;
    bool other_issuer; /* an indirect list's */
};

static bool next_point(struct slice *list, struct point *out)
{
    struct slice seq, field;

    if (!der_take(list, DER_SEQUENCE, &seq))
        return false;
    *out = (struct point){.reasons = CRL_ALL_REASONS};
    (void)der_take(&seq, DER_CONTEXT_CONSTRUCTED(0), &out->name);
    if (der_take(&seq, DER_CONTEXT(1), &field))
        out->reasons = der_bit_flags(slice_from(field, 1)) & CRL_ALL_REASONS;
    out->other_issuer = der_take(&seq, DER_CONTEXT_CONSTRUCTED(2), &field);
    return seq.n == 0;
}

/* Whether the list's distribution point, which has a name, is the point's. */
static bool is_point(const struct crl *crl, const struct point *p, struct slice issuer)
{
    struct point_name theirs, ours;

    return p->name.n > 0 && read_point_name(crl->distribution_point, issuer, &theirs) &&
           read_point_name(p->name, issuer, &ours) && share_name(&theirs, &ours);
}

unsigned distpoint_reasons(const struct crl *crl, const struct certfields *cert)
{
    struct slice v = cert->ext[CERT_EXT_CRL_DISTRIBUTION_POINTS].value, list = SLICE_EMPTY;
    struct point point;
    unsigned reasons = 0;

    if (crl->only_attributes || (crl->only_users && cert->is_ca) || (crl->only_cas && !cert->is_ca))
        return 0;
    if (cert->ext[CERT_EXT_CRL_DISTRIBUTION_POINTS].present)
        (void)der_take(&v, DER_SEQUENCE, &list);
    /* A list without a distribution point is the CA's for all its certificates; and where a
     * certificate names none, only such a list is its. */
    if (crl->distribution_point.n == 0)
        return crl->reasons;
    while (next_point(&list, &point))
        if (!point.other_issuer && is_point(crl, &point, cert->issuer))
            reasons |= point.reasons & crl->reasons;
    return reasons;
}

bool distpoint_same_scope(const struct crl *a, const struct crl *b)
{
    return a->only_users == b->only_users && a->only_cas == b->only_cas &&
           a->only_attributes == b->only_attributes && a->reasons == b->reasons &&
           slice_eq(a->distribution_point, b->distribution_point);
}
