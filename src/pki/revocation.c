#include "pki/revocation.h"

#include <inttypes.h>

#include "pki/certrules.h"
#include "pki/distpoint.h"
#include "pki/dn.h"
#include "pki/pubkey.h"

/* What is asked about: a certificate, who issued it, and who issued that (NULL above an anchor). */
struct question {
    const struct revocation *r;
    const struct path_cert *cert, *issuer, *above;
};

static bool good_standing(const struct question *q, bool nested, int64_t *revoked_s);

/* --- is a list to be believed? --- */

static bool is_current(const struct verify_input *in, const struct crl *crl)
{
    return crl->next_update_s >= in->now.epoch_s &&
           (crl->this_update_s <= in->now.epoch_s || in->now.state != CLOCK_SET);
}

static bool is_strong(const struct verify_input *in, const struct crl *crl)
{
    struct sig_algorithm a;

    return slice_eq(crl->algorithm, crl->outer_algorithm) &&
           sig_algorithm_read(crl->algorithm, &a) && a.digest != SIG_MD5 &&
           (a.digest != SIG_SHA1 || in->policy->allow_sha1);
}

/*
 * A CA may sign its lists with a key of its own, for which its CA, or itself, made a certificate of
 * the same name (section 6.3.3 (f): by the same trust anchor). NESTED: such a certificate's own
 * standing is asked for; its list must be signed by the CA's main key.
 */
static bool is_signer(const struct question *q, const struct path_cert *c, bool nested)
{
    const struct revocation *r = q->r;
    const struct place at = {&c->fields, 1, false};
    struct faults f = {.verdict = NULL};

    if (nested || c->entity == q->issuer->entity || c->anchor ||
        !dn_equal(c->fields.subject, q->issuer->fields.subject))
        return false;
    certrules_crl_signer(r->in, &at, &f);
    if (f.count > 0)
        return false;
    struct question own = {.r = r, .cert = c, .issuer = q->issuer, .above = q->above};
    if (!r->check.cert(r->check.arg, c, q->issuer)) {
        if (q->above == NULL || !r->check.cert(r->check.arg, c, q->above))
            return false;
        own.issuer = q->above;
        own.above = NULL;
    }
    return good_standing(&own, true, NULL);
}

static bool is_signed(const struct question *q, const struct crl *crl, bool nested)
{
    const struct revocation *r = q->r;
    const struct certfields *ca = &q->issuer->fields;

    if ((!ca->ext[CERT_EXT_KEY_USAGE].present || (ca->key_usage & KEY_USAGE_CRL_SIGN) != 0) &&
        r->check.crl(r->check.arg, crl, q->issuer))
        return true;
    for (size_t i = 0; i < r->count; i++)
        if (is_signer(q, &r->certs[i], nested) && r->check.crl(r->check.arg, crl, &r->certs[i]))
            return true;
    return false;
}

static bool is_issuers(const struct question *q, const struct crl *crl)
{
    return dn_equal(crl->issuer, q->cert->fields.issuer);
}

static bool is_usable(const struct question *q, const struct crl *crl, bool nested)
{
    return !crl->unusable && !crl->indirect && is_current(q->r->in, crl) &&
           is_strong(q->r->in, crl) && is_signed(q, crl, nested);
}

/* --- what do they say? --- */

/* A <= B, as positive INTEGERs. */
static bool at_most(struct slice a, struct slice b)
{
    if (a.n != b.n)
        return a.n < b.n;
    for (size_t i = 0; i < a.n; i++)
        if (a.p[i] != b.p[i])
            return a.p[i] < b.p[i];
    return true;
}

/* Section 6.3.3 (c): DELTA continues COMPLETE. */
static bool continues(const struct crl *delta, const struct crl *complete)
{
    return delta->is_delta && complete->number.n > 0 && dn_equal(delta->issuer, complete->issuer) &&
           distpoint_same_scope(delta, complete) &&
           slice_eq(delta->authority_key_id, complete->authority_key_id) &&
           at_most(delta->base_number, complete->number) &&
           at_most(complete->number, delta->number);
}

/* What COMPLETE says of the certificate, and the deltas that continue it. */
static enum crl_entry look_up(const struct question *q, const struct crl *complete, bool nested,
                              int64_t *revoked_s)
{
    const struct verify_input *in = q->r->in;
    enum crl_entry found = crl_find(complete, q->cert->fields.serial, revoked_s);

    for (size_t i = 0; i < in->crls_count; i++) {
        const struct crl *delta = &in->crls[i];
        if (!continues(delta, complete) || !is_usable(q, delta, nested))
            continue;
        const enum crl_entry said = crl_find(delta, q->cert->fields.serial, revoked_s);
        if (said != CRL_NOT_LISTED)
            found = said;
    }
    return found;
}

/* True if good lists speak for the certificate for all reasons, and none says that it is revoked.
 * REVOKED_S (may be NULL) is set if one does. */
static bool good_standing(const struct question *q, bool nested, int64_t *revoked_s)
{
    const struct verify_input *in = q->r->in;
    unsigned reasons = 0;
    int64_t when;

    for (size_t i = 0; i < in->crls_count; i++) {
        const struct crl *crl = &in->crls[i];
        if (crl->is_delta || !is_issuers(q, crl))
            continue;
        const unsigned these = distpoint_reasons(crl, &q->cert->fields);
        if (these == 0 || !is_usable(q, crl, nested))
            continue;
        if (look_up(q, crl, nested, &when) == CRL_REVOKED) {
            if (revoked_s != NULL)
                *revoked_s = when;
            return false;
        }
        reasons |= these;
    }
    return reasons == CRL_ALL_REASONS;
}

/* --- the path --- */

/* A list of its issuer that has expired is the likeliest cause, and worth a name. */
static const struct crl *expired_list(const struct question *q)
{
    const struct verify_input *in = q->r->in;

    for (size_t i = 0; i < in->crls_count; i++)
        if (is_issuers(q, &in->crls[i]) && in->crls[i].next_update_s < in->now.epoch_s)
            return &in->crls[i];
    return NULL;
}

static void report(const struct question *q, const struct place *at, int64_t revoked_s,
                   struct faults *f)
{
    const struct crl *expired = expired_list(q);
    char ca[LIMIT_TEXT], day[CLOCK_ISO_SIZE];

    certfields_label(&q->issuer->fields, ca, sizeof ca);
    if (revoked_s != CRL_NO_NEXT_UPDATE) {
        clock_to_iso(revoked_s, day);
        fault(f, REASON_REVOKED, at,
              "was revoked on %.10s by '%.80s'; its owner must get a new one", day, ca);
    } else if (expired != NULL) {
        clock_to_iso(expired->next_update_s, day);
        fault(
            f, REASON_CRL, at,
            "cannot be checked: the revocation list of '%.80s' expired on %.10s; provide a new one",
            ca, day);
    } else {
        fault(f, REASON_CRL, at,
              "cannot be checked: there is no valid revocation list of '%.80s' for it", ca);
    }
}

/* Whether there is a list of one of the path's CAs. */
static bool concerns(const struct verify_input *in, const struct path *path)
{
    for (size_t i = 0; i < in->crls_count; i++)
        for (size_t k = 1; k < path->len; k++)
            if (dn_equal(in->crls[i].issuer, path->certs[k]->fields.subject))
                return true;
    return false;
}

void revocation_check(const struct revocation *r, const struct path *path, struct faults *f)
{
    if (!r->in->policy->crl_required && !concerns(r->in, path))
        return;
    for (size_t i = 0; i + 1 < path->len; i++) {
        const struct question q = {.r = r,
                                   .cert = path->certs[i],
                                   .issuer = path->certs[i + 1],
                                   .above = i + 2 < path->len ? path->certs[i + 2] : NULL};
        const struct place at = {&path->certs[i]->fields, i, false};
        int64_t revoked_s = CRL_NO_NEXT_UPDATE;
        if (!good_standing(&q, false, &revoked_s))
            report(&q, &at, revoked_s, f);
    }
}
