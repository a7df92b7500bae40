#include "pki/revocation.h"

#include <inttypes.h>

#include "pki/certrules.h"
#include "pki/distpoint.h"
#include "pki/dn.h"
#include "pki/pubkey.h"

/* What is asked about: a certificate, and its issuers up to the anchor. */
struct question {
    const struct revocation *r;
    const struct path_cert *cert;
    const struct path_cert *const *issuers;
    size_t issuers_len;
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

static bool may_sign_lists(const struct verify_input *in, const struct path_cert *c)
{
    const struct place at = {&c->fields, 1, c->anchor};
    struct faults f = {.verdict = NULL};

    certrules_crl_signer(in, &at, &f);
    return f.count == 0;
}

/* C is not in the path: was it made by one of the path's CAs, and is it not revoked? */
static bool is_vouched_for(const struct question *q, const struct path_cert *c)
{
    const struct revocation *r = q->r;
    struct question own = {.r = r, .cert = c};

    for (size_t i = 0; i < q->issuers_len; i++)
        if (dn_equal(c->fields.issuer, q->issuers[i]->fields.subject) &&
            r->check.cert(r->check.arg, c, q->issuers[i])) {
            own.issuers = q->issuers + i;
            own.issuers_len = q->issuers_len - i;
            return good_standing(&own, true, NULL);
        }
    return false;
}

/*
 * A CA may have several keys, and sign its lists with another one than its certificates: one of the
 * same name further up in the path (it was judged with the path), or one for which a CA of the path
 * made a certificate (section 6.3.3 (f)). NESTED: the standing of such a certificate is what is
 * asked for, and it ends here.
 */
static bool is_signed(const struct question *q, const struct crl *crl, bool nested)
{
    const struct revocation *r = q->r;

    for (size_t i = 0; i < q->issuers_len; i++)
        if (dn_equal(q->issuers[i]->fields.subject, crl->issuer) &&
            may_sign_lists(r->in, q->issuers[i]) && r->check.crl(r->check.arg, crl, q->issuers[i]))
            return true;
    for (size_t i = 0; i < r->count && !nested; i++)
        if (dn_equal(r->certs[i].fields.subject, crl->issuer) &&
            may_sign_lists(r->in, &r->certs[i]) && is_vouched_for(q, &r->certs[i]) &&
            r->check.crl(r->check.arg, crl, &r->certs[i]))
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

    certfields_label(&q->issuers[0]->fields, ca, sizeof ca);
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
                                   .issuers = path->certs + i + 1,
                                   .issuers_len = path->len - i - 1};
        const struct place at = {&path->certs[i]->fields, i, false};
        int64_t revoked_s = CRL_NO_NEXT_UPDATE;
        if (!good_standing(&q, false, &revoked_s))
            report(&q, &at, revoked_s, f);
    }
}
