#include "pki/verify.h"

#include <stdio.h>
#include <string.h>

#include "pki/certrules.h"
#include "pki/dn.h"
#include "pki/path.h"

/* --- a path that ends without an anchor --- */

/* The organisation of a name, if it has one. */
static bool organization(struct slice name, struct slice *out)
{
    struct dn_attribute a;

    if (!dn_last(name, DN_OID_ORGANIZATION, &a) || a.value.n == 0)
        return false;
    *out = a.value;
    return true;
}

struct relative {
    struct slice organization;
    bool found;
};

static bool visit_relative(void *arg, const struct trust_anchor *a)
{
    struct relative *r = arg;
    struct slice o;

    r->found = organization(cert_subject(a->cert), &o) && slice_eq_nocase(o, r->organization);
    return !r->found;
}

/*
 * Whether the unknown issuer of LEAF, which came alone, is likely an intermediate that the peer
 * should have sent: the leaf says where its issuer's certificate can be fetched, which CAs write
 * for intermediates, or a trusted CA is of the same organisation.
 */
static bool intermediate_is_missing(const struct verify_input *in, const struct certfields *leaf)
{
    struct relative r = {.found = false};

    if (certfields_has_ca_issuers(leaf))
        return true;
    if (organization(leaf->issuer, &r.organization))
        trust_each(in->trust, in->filter, visit_relative, &r);
    return r.found;
}

static const char *peer_word(const struct verify_input *in)
{
    return in->purpose == VERIFY_CLIENT ? "client" : "server";
}

/* TOP is self-issued, and no anchor. */
static void explain_root(const struct place *top, const char *label, struct faults *f)
{
    if (top->depth == 0)
        fault(f, REASON_SELF_SIGNED, top,
              "is self-signed and not among the trusted certificates; upload it as a trusted "
              "certificate if you know that it is the right one");
    else
        fault_said(f, REASON_UNKNOWN_CA, top,
                   "The CA '%.100s' is not among the trusted certificates; upload its certificate "
                   "if you trust it",
                   label);
}

static void explain_no_issuer(const struct verify_input *in, const struct path *path,
                              const struct errinfo *unreadable, struct faults *f)
{
    const struct certfields *top = &path->certs[path->len - 1]->fields;
    const struct place at = {top, path->len - 1, false};
    const bool missing = at.depth == 0 && intermediate_is_missing(in, top);
    char issuer[LIMIT_TEXT];

    name_label(top->issuer, issuer, sizeof issuer);
    if (dn_is_empty(top->issuer))
        return; /* that is a fault of its own */
    if (certfields_self_issued(top))
        explain_root(&at, issuer, f);
    else if (missing && unreadable != NULL)
        fault_said(f, REASON_MALFORMED, &at,
                   "The %s sent a certificate that cannot be read, perhaps that of '%.80s': %s",
                   peer_word(in), issuer, unreadable->text);
    else if (missing)
        fault_said(f, REASON_MISSING_INTERMEDIATE, &at,
                   "The %s did not send its intermediate certificate '%.100s'; its admin must add "
                   "it to the chain",
                   peer_word(in), issuer);
    else
        fault(f, REASON_UNKNOWN_CA, &at,
              "is signed by '%.100s', which is not among the trusted certificates; upload that CA "
              "if you trust it",
              issuer);
    if (!missing && unreadable != NULL)
        verdict_add(f->verdict, REASON_MALFORMED, -1, "",
                    "A certificate that came with it cannot be read: %s", unreadable->text);
}

static void explain_end(const struct verify_input *in, struct path_search *s, struct faults *f)
{
    enum path_end end;
    const struct path *path = path_search_found(s, &end);
    const struct place leaf = {&path->certs[0]->fields, 0, false};

    switch (end) {
    case PATH_NO_ISSUER:
        explain_no_issuer(in, path, path_search_unreadable(s), f);
        break;
    case PATH_TOO_LONG:
        fault_said(f, REASON_LIMIT, &leaf,
                   "The chain has more than %d certificates and no trusted one among them",
                   LIMIT_PATH_DEPTH);
        break;
    case PATH_EXHAUSTED:
        fault_said(f, REASON_LIMIT, &leaf,
                   "The chain is too tangled to be checked; its admin must send only the "
                   "certificates that are needed");
        break;
    case PATH_ANCHORED:
    default:
        break;
    }
}

/* --- the verdict --- */

static void fill_path(const struct path *path, enum path_end end, struct verdict *out)
{
    out->path_len = path->len;
    out->valid_until_s = INT64_MAX;
    for (size_t i = 0; i < path->len; i++) {
        const struct certfields *c = &path->certs[i]->fields;
        struct verdict_cert *v = &out->path[i];
        certfields_label(c, v->label, sizeof v->label);
        if (path->certs[i]->ref != NULL)
            cert_sha256(path->certs[i]->ref, v->sha256);
        else
            hash_sha256(c->der, v->sha256);
        v->not_before_s = c->not_before_s;
        v->not_after_s = c->not_after_s;
        if (c->not_after_s < out->valid_until_s)
            out->valid_until_s = c->not_after_s;
    }
    out->anchored = end == PATH_ANCHORED;
    if (out->anchored)
        out->anchor_source = path->certs[path->len - 1]->source;
}

/* The first certificate of PATH whose dates the clock cannot judge, or NULL. */
static const struct certfields *uncertain_cert(const struct verify_input *in,
                                               const struct path *path)
{
    for (size_t i = 0; i < path->len; i++)
        if (certrules_dates_uncertain(in, &path->certs[i]->fields))
            return &path->certs[i]->fields;
    return NULL;
}

/* A clock that nobody has set for sure may be right: the admin is told both dates. */
static void say_clock_may_be_wrong(const struct verify_input *in, const struct certfields *c,
                                   struct verdict *out)
{
    char label[96], begins[CLOCK_ISO_SIZE], now[CLOCK_ISO_SIZE];

    certfields_label(c, label, sizeof label);
    clock_to_iso(c->not_before_s, begins);
    clock_to_iso(in->now.epoch_s, now);
    verdict_add(out, REASON_CLOCK_UNSET, -1, "",
                "The certificate of %.64s is not valid before %.10s, and the phone's clock, which "
                "no time server has set, says %.10s: check the date of phone and %s",
                label, begins, now, in->purpose == VERIFY_CLIENT ? "client" : "server");
}

static void say_clock_is_unset(struct verdict *out, bool accept)
{
    verdict_add(out, REASON_CLOCK_UNSET, -1, "",
                accept ? "The phone's clock is not set: whether the certificates are valid now is "
                         "checked when it is"
                       : "The phone's clock is not set, so it cannot tell whether the "
                         "certificates are valid; it waits for the time server");
}

/* What the clock allows of a path without faults. */
static enum verdict_class judge_clock(const struct verify_input *in, const struct path *path,
                                      struct verdict *out)
{
    const enum verify_clock_policy policy = in->policy->clock;
    const bool refuse = policy == VERIFY_CLOCK_REFUSE && in->now.state != CLOCK_SET;
    const bool accept = policy == VERIFY_CLOCK_PROVISIONAL;
    const struct certfields *uncertain = uncertain_cert(in, path);

    if (!refuse && uncertain == NULL)
        return VERDICT_VERIFIED;
    if (in->now.state == CLOCK_FLOOR && uncertain != NULL)
        say_clock_may_be_wrong(in, uncertain, out);
    else
        say_clock_is_unset(out, accept);
    return accept ? VERDICT_PROVISIONAL : VERDICT_REJECTED;
}

static void summarize(const struct verify_input *in, struct verdict *out)
{
    const char *who = in->name != NULL ? in->name->text : out->path[0].label;

    if (out->pinned)
        (void)snprintf(out->summary, sizeof out->summary,
                       "Verified: %.100s, whose own certificate is trusted", who);
    else
        (void)snprintf(out->summary, sizeof out->summary, "Verified: %.100s, issued by %.100s", who,
                       out->path[out->path_len > 1 ? 1 : 0].label);
}

static void decide(const struct verify_input *in, unsigned faults, const struct path *path,
                   struct verdict *out)
{
    out->class = faults == 0 ? judge_clock(in, path, out) : VERDICT_REJECTED;
    if (out->class == VERDICT_VERIFIED)
        summarize(in, out);
    if (out->class == VERDICT_REJECTED && !in->policy->check_trust) {
        out->class = VERDICT_UNVERIFIED;
        verdict_add(out, REASON_NOT_CHECKED, -1, "",
                    "Trust checking is off: the connection is encrypted, but nobody has checked "
                    "who the peer is");
    }
}

/* --- pinned certificates --- */

static bool visit_pin(void *arg, const struct trust_anchor *a)
{
    *(bool *)arg = a->source == TRUST_SOURCE_CUSTOM;
    return !*(bool *)arg;
}

/* The leaf itself, self-signed, was uploaded as trusted: nobody needs to vouch for it. */
static bool is_pinned(const struct verify_input *in, const struct certfields *leaf)
{
    bool custom = false;

    return certfields_self_issued(leaf) &&
           trust_find_exact(in->trust, in->filter, leaf->der, visit_pin, &custom) && custom;
}

static void judge_pinned(const struct verify_input *in, const struct path_cert *leaf,
                         struct verdict *out)
{
    const struct path path = {.certs = {leaf}, .len = 1};
    const struct place at = {&leaf->fields, 0, true};
    struct faults f = {.verdict = out, .peer = in->name != NULL ? in->name->text : NULL};

    out->pinned = true;
    certrules_leaf(in, &at, true, &f);
    fill_path(&path, PATH_ANCHORED, out);
    out->anchor_source = TRUST_SOURCE_CUSTOM;
    decide(in, f.count, &path, out);
}

/* --- chains --- */

static void judge_chain(const struct verify_input *in, struct path_search *s, struct verdict *out)
{
    const struct place leaf = {&path_search_leaf(s)->fields, 0, false};
    struct faults f = {.verdict = out, .peer = in->name != NULL ? in->name->text : NULL};
    enum path_end end;

    certrules_leaf(in, &leaf, false, &f);
    if (!path_search_run(s)) {
        path_search_nearest(s);
        path_search_explain(s, &f);
        explain_end(in, s, &f);
    }
    const struct path *path = path_search_found(s, &end);
    fill_path(path, end, out);
    decide(in, f.count, path, out);
}

static void refuse_leaf(const struct verify_input *in, const struct path_search *s,
                        struct verdict *out)
{
    const struct path none = {.len = 0};

    if (in->chain_len == 0)
        verdict_add(out, REASON_NO_CERTIFICATE, -1, "", "The %s sent no certificate",
                    peer_word(in));
    else
        verdict_add(out, REASON_MALFORMED, 0, "", "The certificate of %s cannot be read: %s",
                    in->name != NULL ? in->name->text : "the peer",
                    path_search_leaf_error(s)->text);
    decide(in, 1, &none, out);
}

void verify_chain(const struct verify_input *in, struct verdict *out)
{
    memset(out, 0, sizeof *out);
    struct path_search *s = path_search_new(in);
    if (s == NULL) {
        verdict_add(out, REASON_INTERNAL, -1, "", "There is no memory to check the certificates");
        out->class = VERDICT_REJECTED;
        return;
    }
    const struct path_cert *leaf = path_search_leaf(s);
    if (leaf == NULL)
        refuse_leaf(in, s, out);
    else if (is_pinned(in, &leaf->fields))
        judge_pinned(in, leaf, out);
    else
        judge_chain(in, s, out);
    out->signature_checks = path_search_signature_checks(s);
    path_search_free(s);
}
