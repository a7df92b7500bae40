#include "pki/path.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "pki/certrules.h"
#include "pki/dn.h"
#include "pki/pathrules.h"
#include "pki/pubkey.h"
#include "pki/revocation.h"

/* How far a path is from a good one; the leaf's faults are the same for all and do not count. */
enum {
    DISTANCE_FAULT = 10,         /* each */
    DISTANCE_BAD_SIGNATURE = 60, /* it is hardly a path at all */
    DISTANCE_NO_ANCHOR = 100,
    DISTANCE_NONE = INT32_MAX,
};

/* What a path that has reached an anchor counts in LIMIT_PATH_STEPS: its policies can be many. */
#define WHOLE_PATH_STEPS 100

enum signed_by { SIGNED_UNKNOWN, SIGNED_YES, SIGNED_NO };

/* Issuers that a certificate may have, as indices, the likeliest first. */
struct candidates {
    bool known;
    uint8_t count;
    uint8_t index[PATH_CERTS_MAX], rank[PATH_CERTS_MAX];
};

struct path_search {
    const struct verify_input *in;
    size_t peer_count, count; /* of certs */
    struct errinfo leaf_error, other_error;

    /* What was found out about them. */
    uint8_t issuer_faults[PATH_CERTS_MAX]; /* as an issuer; 0: not looked at, else + 1 */
    uint8_t signed_by[PATH_CERTS_MAX][PATH_CERTS_MAX]; /* [issuer][subject], enum signed_by */
    struct pathrules rules;
    unsigned signature_checks; /* made */
    unsigned signature_cost;   /* of those, in LIMIT_SIGNATURE_CHECKS */
    unsigned steps;
    bool exhausted;

    bool tolerant;    /* goes on over faults */
    struct path path; /* where the search is */
    int distance;     /* of its issuers so far */
    struct path best;
    enum path_end best_end;
    int best_distance;

    /* From here on, an element is as enter() leaves it; what is behind the last one is not set. */
    struct path_cert certs[PATH_CERTS_MAX]; /* the leaf, the peer's others, anchors as found */
    struct candidates candidates[PATH_CERTS_MAX]; /* of each one's issuers */
};

/* --- what there is to build from --- */

/* The fields of certs[count] were set: what else is kept of it. ANCHOR is NULL for a peer's. */
static void enter(struct path_search *s, const struct trust_anchor *anchor)
{
    struct path_cert *c = &s->certs[s->count];

    c->anchor = anchor != NULL;
    c->source = anchor != NULL ? anchor->source : TRUST_SOURCE_BUILTIN;
    c->ref = anchor != NULL ? cert_ref(anchor->cert) : NULL;
    s->candidates[s->count].known = false;
    c->index = (uint8_t)s->count;
    c->entity = c->index;
    c->self_issued = certfields_self_issued(&c->fields);
    for (size_t i = 0; i < s->count && c->entity == c->index; i++)
        if (slice_eq(s->certs[i].fields.key, c->fields.key) &&
            dn_equal(s->certs[i].fields.subject, c->fields.subject))
            c->entity = s->certs[i].entity;
    s->count++;
}

static bool is_known(const struct path_search *s, size_t from, struct slice der)
{
    for (size_t i = from; i < s->count; i++)
        if (slice_eq(s->certs[i].fields.der, der))
            return true;
    return false;
}

/* The same certificate twice is one. */
static void read_peer_chain(struct path_search *s)
{
    for (size_t i = 0; i < s->in->chain_len && s->count < LIMIT_PEER_CERTS; i++) {
        const struct slice der = s->in->chain[i];
        struct errinfo e = ERRINFO_INIT;
        struct result r;

        if (is_known(s, 0, der))
            continue;
        r = der.n <= LIMIT_CERT_BYTES ? certfields_read(der, &s->certs[s->count].fields, &e)
                                      : fail(&e, ERR_LIMIT, "it is too large");
        if (is_ok(r)) {
            enter(s, NULL);
        } else if (i == 0) {
            s->leaf_error = e;
            return;
        } else if (s->other_error.code == ERR_OK) {
            s->other_error = e;
        }
    }
    s->peer_count = s->count;
}

struct path_search *path_search_new(const struct verify_input *in)
{
    struct path_search *s = malloc(sizeof *s);

    if (s == NULL)
        return NULL;
    memset(s, 0, offsetof(struct path_search, certs));
    s->in = in;
    s->rules.in = in;
    s->leaf_error = ERRINFO_INIT;
    s->other_error = ERRINFO_INIT;
    read_peer_chain(s);
    return s;
}

void path_search_free(struct path_search *s)
{
    if (s == NULL)
        return;
    for (size_t i = s->peer_count; i < s->count; i++)
        cert_unref(s->certs[i].ref);
    free(s);
}

const struct path_cert *path_search_leaf(const struct path_search *s)
{
    return s->peer_count > 0 ? &s->certs[0] : NULL;
}

const struct errinfo *path_search_leaf_error(const struct path_search *s)
{
    return &s->leaf_error;
}

const struct errinfo *path_search_unreadable(const struct path_search *s)
{
    return s->other_error.code != ERR_OK ? &s->other_error : NULL;
}

/* --- candidates --- */

/* Smaller is likelier. A key identifier that does not fit only makes a candidate unlikely: it is a
 * help for finding, not a rule (RFC 5280 section 4.2.1.1). */
static uint8_t rank_of(const struct path_search *s, const struct certfields *subject,
                       const struct path_cert *issuer)
{
    const struct slice want = subject->authority_key_id, have = issuer->fields.subject_key_id;
    const int64_t now = s->in->now.epoch_s;
    unsigned r = issuer->anchor ? 0 : 1;

    if (issuer->fields.not_after_s < now || issuer->fields.not_before_s > now)
        r += 2;
    if (want.n == 0 || have.n == 0)
        r += 4;
    else if (!slice_eq(want, have))
        r += 8;
    return (uint8_t)r;
}

static void add_candidate(const struct path_search *s, size_t subject, size_t issuer,
                          struct candidates *c)
{
    const uint8_t rank = rank_of(s, &s->certs[subject].fields, &s->certs[issuer]);
    size_t at = c->count++;

    for (; at > 0 && c->rank[at - 1] > rank; at--) {
        c->index[at] = c->index[at - 1];
        c->rank[at] = c->rank[at - 1];
    }
    c->index[at] = (uint8_t)issuer;
    c->rank[at] = rank;
}

/* The place of an anchor among the certificates, new or known; PATH_CERTS_MAX without one. */
static size_t intern_anchor(struct path_search *s, const struct trust_anchor *a)
{
    const struct slice der = cert_der(a->cert);

    for (size_t i = s->peer_count; i < s->count; i++)
        if (slice_eq(s->certs[i].fields.der, der))
            return i;
    if (s->count - s->peer_count == LIMIT_PATH_ANCHORS) {
        s->exhausted = s->exhausted || !s->tolerant;
        return PATH_CERTS_MAX;
    }
    s->certs[s->count].fields = *cert_fields(a->cert);
    enter(s, a);
    return s->count - 1;
}

struct anchor_visit {
    struct path_search *search;
    size_t subject;
    struct candidates *candidates;
};

static bool visit_anchor(void *arg, const struct trust_anchor *a)
{
    const struct anchor_visit *v = arg;
    const size_t i = intern_anchor(v->search, a);

    if (i < PATH_CERTS_MAX)
        add_candidate(v->search, v->subject, i, v->candidates);
    return true;
}

static const struct candidates *candidates_of(struct path_search *s, size_t subject)
{
    struct candidates *c = &s->candidates[subject];
    const struct certfields *f = &s->certs[subject].fields;
    struct anchor_visit v = {s, subject, c};

    if (c->known)
        return c;
    c->known = true;
    c->count = 0;
    trust_find(s->in->trust, s->in->filter, f->issuer, f->authority_key_id, visit_anchor, &v);
    for (size_t i = 0; i < s->peer_count; i++)
        if (dn_equal(s->certs[i].fields.subject, f->issuer) &&
            !is_known(s, s->peer_count, s->certs[i].fields.der)) /* an anchor's copy */
            add_candidate(s, subject, i, c);
    return c;
}

/* The same owner with the same key is in the path already: a loop, or a detour. */
static bool in_path(const struct path *p, const struct path_cert *c)
{
    for (size_t i = 0; i < p->len; i++)
        if (p->certs[i]->entity == c->entity)
            return true;
    return false;
}

/* --- signatures --- */

/* How many of the checks that are allowed one with this key is: large keys take several times the
 * time of usual ones. */
static unsigned cost_of(struct slice spki)
{
    const struct pubkey key = pubkey_read(spki);

    if (key.type == PUBKEY_EC)
        return key.bits > 384 ? 4 : key.bits > 256 ? 3 : 1;
    return key.bits > 4096 ? 4 : 1;
}

/* Counts one check more, if it is allowed. */
static bool may_check(struct path_search *s, struct slice spki)
{
    const unsigned cost = cost_of(spki);

    if (s->signature_cost + cost > LIMIT_SIGNATURE_CHECKS) {
        s->exhausted = s->exhausted || !s->tolerant;
        return false;
    }
    s->signature_cost += cost;
    s->signature_checks++;
    return true;
}

/* Each pair is checked once. SIGNED_UNKNOWN when no more checks are allowed. */
static enum signed_by check_signature(struct path_search *s, const struct path_cert *issuer,
                                      const struct path_cert *subject)
{
    uint8_t *known = &s->signed_by[issuer->index][subject->index];

    if (*known == SIGNED_UNKNOWN) {
        if (!may_check(s, issuer->fields.key))
            return SIGNED_UNKNOWN;
        const struct certfields *f = &subject->fields;
        *known = sig_check(f->algorithm, f->tbs, f->signature, issuer->fields.key) ? SIGNED_YES
                                                                                   : SIGNED_NO;
    }
    return (enum signed_by) * known;
}

/* --- the search --- */

static bool search_up(struct path_search *s);

/* A path ends here. */
static void consider(struct path_search *s, enum path_end end)
{
    const int distance = s->distance + (end == PATH_ANCHORED ? 0 : DISTANCE_NO_ANCHOR);

    if (distance > s->best_distance || (distance == s->best_distance && s->path.len <= s->best.len))
        return;
    s->best = s->path;
    s->best_end = end;
    s->best_distance = distance;
}

/* How many faults the path's last certificate has as an issuer of those below it. */
static unsigned weigh_issuer(struct path_search *s)
{
    const struct path_cert *last = s->path.certs[s->path.len - 1];
    uint8_t *alone = &s->issuer_faults[last->index];
    struct faults f = {.verdict = NULL};

    if (*alone == 0) {
        const struct place at = {&last->fields, s->path.len - 1, last->anchor};
        certrules_issuer(s->in, &at, &f);
        *alone = (uint8_t)(f.count + 1);
    }
    f.count = *alone - 1U;
    pathrules_step(&s->rules, &s->path, &f);
    return f.count;
}

static bool check_crl(void *arg, const struct crl *crl, const struct path_cert *signer)
{
    return may_check(arg, signer->fields.key) &&
           sig_check(crl->algorithm, crl->tbs, crl->signature, signer->fields.key);
}

static bool check_cert(void *arg, const struct path_cert *cert, const struct path_cert *issuer)
{
    return check_signature(arg, issuer, cert) == SIGNED_YES;
}

/* The faults of a path that has reached its anchor. */
static void check_whole(struct path_search *s, const struct path *path, struct faults *f)
{
    const struct revocation r = {
        .in = s->in, .certs = s->certs, .count = s->count, .check = {s, check_crl, check_cert}};

    s->steps += WHOLE_PATH_STEPS;
    pathrules_whole(&s->rules, path, f);
    revocation_check(&r, path, f);
}

/* The path has grown by an issuer whose distance is counted. True if a good path comes of it. */
static bool go_on(struct path_search *s)
{
    struct faults faults = {.verdict = NULL};

    if (!s->path.certs[s->path.len - 1]->anchor)
        return search_up(s);
    check_whole(s, &s->path, &faults);
    s->distance += (int)faults.count * DISTANCE_FAULT;
    if (s->distance > 0 && !s->tolerant)
        return false;
    consider(s, PATH_ANCHORED);
    return s->distance == 0;
}

/* Goes one step up, to ISSUER. True if that leads to a path without faults. */
static bool step(struct path_search *s, const struct path_cert *issuer)
{
    const struct path_cert *subject = s->path.certs[s->path.len - 1];
    const int distance = s->distance;
    bool found = false;

    if (++s->steps > LIMIT_PATH_STEPS) {
        s->exhausted = true;
        return false;
    }
    s->path.certs[s->path.len++] = issuer;
    const unsigned faults = weigh_issuer(s);
    if (faults == 0 || s->tolerant) {
        /* Behind the rules, because it costs more. */
        const enum signed_by sig = check_signature(s, issuer, subject);
        s->distance += (int)faults * DISTANCE_FAULT;
        s->distance += sig == SIGNED_NO ? DISTANCE_BAD_SIGNATURE : 0;
        found = (sig == SIGNED_YES || s->tolerant) && go_on(s);
    }
    s->path.len--;
    s->distance = distance;
    return found;
}

static bool search_up(struct path_search *s)
{
    bool tried = false;

    if (s->path.len == LIMIT_PATH_DEPTH) {
        consider(s, PATH_TOO_LONG);
        return false;
    }
    const struct candidates *c = candidates_of(s, s->path.certs[s->path.len - 1]->index);
    for (size_t i = 0; i < c->count && !s->exhausted; i++) {
        const struct path_cert *issuer = &s->certs[c->index[i]];
        if (in_path(&s->path, issuer))
            continue;
        tried = true;
        if (step(s, issuer))
            return true;
    }
    if (!tried)
        consider(s, PATH_NO_ISSUER);
    return false;
}

static bool search(struct path_search *s, bool tolerant)
{
    s->tolerant = tolerant;
    s->exhausted = false;
    s->steps = 0;
    s->rules.comparisons = 0;
    s->distance = 0;
    s->best_distance = DISTANCE_NONE;
    s->path.len = 1;
    s->path.certs[0] = &s->certs[0];
    s->best = s->path;
    s->best_end = PATH_NO_ISSUER;
    return search_up(s);
}

bool path_search_run(struct path_search *s)
{
    return search(s, false);
}

void path_search_nearest(struct path_search *s)
{
    const bool exhausted = s->exhausted;

    (void)search(s, true);
    /* A good path may be among those that were not looked at any more. */
    if (exhausted)
        s->best_end = PATH_EXHAUSTED;
}

const struct path *path_search_found(const struct path_search *s, enum path_end *end)
{
    *end = s->best_end;
    return &s->best;
}

/* What is said of an algorithm or key that is not known is enough. */
static bool can_be_checked(const struct path_cert *issuer, const struct path_cert *subject)
{
    const struct pubkey key = pubkey_read(issuer->fields.key);
    struct sig_algorithm a;

    return sig_algorithm_read(subject->fields.algorithm, &a) &&
           (key.type == PUBKEY_RSA || (key.type == PUBKEY_EC && key.bits >= 256));
}

/* Whether a CA that the peer sent (it may be SUBJECT itself) has the name of the trusted ISSUER,
 * and SUBJECT's signature is by its key, which is another one. */
static bool signed_by_namesake(struct path_search *s, const struct path_cert *issuer,
                               const struct path_cert *subject)
{
    for (size_t i = 0; issuer->anchor && i < s->peer_count; i++) {
        const struct path_cert *c = &s->certs[i];
        if (!slice_eq(c->fields.key, issuer->fields.key) &&
            dn_equal(c->fields.subject, issuer->fields.subject) && can_be_checked(c, subject) &&
            check_signature(s, c, subject) == SIGNED_YES)
            return true;
    }
    return false;
}

static void explain_signature(struct path_search *s, const struct path_cert *issuer,
                              const struct path_cert *subject, const struct place *at,
                              struct faults *f)
{
    const char *peer = s->in->purpose == VERIFY_CLIENT ? "client" : "server";
    char label[LIMIT_TEXT];

    certfields_label(&issuer->fields, label, sizeof label);
    if (!signed_by_namesake(s, issuer, subject))
        fault(f, REASON_BAD_SIGNATURE, at, "was not signed by '%.100s', or was changed since",
              label);
    else if (at->depth == 0 && subject->self_issued)
        fault(f, REASON_BAD_SIGNATURE, at,
              "is self-signed, with another key than the trusted certificate of that name has; "
              "upload it as a trusted certificate if you know that it is the right one");
    else
        fault(f, REASON_BAD_SIGNATURE, at,
              "is signed by another key than the trusted CA '%.80s' has: the CA that the %s sent "
              "only has the same name; upload that one if you trust it",
              label, peer);
}

void path_search_explain(struct path_search *s, struct faults *f)
{
    struct path path = {.len = 1};

    path.certs[0] = s->best.certs[0];
    while (path.len < s->best.len) {
        const struct path_cert *issuer = s->best.certs[path.len];
        const struct path_cert *subject = path.certs[path.len - 1];
        const struct place at = {&subject->fields, path.len - 1, subject->anchor};

        path.certs[path.len++] = issuer;
        const struct place above = {&issuer->fields, path.len - 1, issuer->anchor};
        certrules_issuer(s->in, &above, f);
        pathrules_step(&s->rules, &path, f);
        if (can_be_checked(issuer, subject) && check_signature(s, issuer, subject) == SIGNED_NO)
            explain_signature(s, issuer, subject, &at, f);
    }
    if (s->best_end == PATH_ANCHORED)
        check_whole(s, &s->best, f);
}

unsigned path_search_signature_checks(const struct path_search *s)
{
    return s->signature_checks;
}
