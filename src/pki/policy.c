#include "pki/policy.h"

#include "base/limits.h"
#include "pki/der_value.h"

/*
 * The standard's tree has one branch for every way in which a policy came down, and grows with
 * their product. Here the nodes of a level that stand for the same policy are one, with several
 * parents, and of a level only what the next one needs is kept:
 *
 *   - a node's expected policies, which is what mapping changes: its own policy, or what the
 *     certificate's mappings make of it, looked up when they are needed;
 *   - whether it is good: it comes down, over any-policy or not at all, from a policy that is
 *     acceptable to the user (section 6.1.5 (g)).
 */

static const struct slice any_policy = {(const uint8_t *)"\x55\x1d\x20\x00", 4};

struct node {
    struct slice policy; /* its valid_policy */
    bool mapped;         /* expects what the mappings say, not its own policy */
    bool good;
};

struct level {
    struct node nodes[LIMIT_POLICIES];
    size_t count;
    struct slice mappings; /* content of the certificate's policyMappings, empty if none */
};

struct state {
    const struct policy_inputs *in;
    struct level levels[2];
    struct level *now; /* of the certificate that was processed last */
    /* Certificates that may still pass before the rule holds (section 6.1.2 (d) to (f)). */
    size_t explicit_policy, policy_mapping, inhibit_any;
};

static bool is_any(struct slice policy)
{
    return slice_eq(policy, any_policy);
}

static bool is_acceptable(const struct policy_inputs *in, struct slice policy)
{
    if (in->acceptable_count == 0)
        return true;
    for (size_t i = 0; i < in->acceptable_count; i++)
        if (slice_eq(in->acceptable[i], policy) || is_any(in->acceptable[i]))
            return true;
    return false;
}

/* --- the extensions --- */

/* The next PolicyInformation ::= SEQUENCE { policyIdentifier, policyQualifiers OPTIONAL } */
static bool next_policy(struct slice *list, struct slice *policy)
{
    struct slice seq, qualifiers;

    return der_take(list, DER_SEQUENCE, &seq) && der_take(&seq, DER_OID, policy) &&
           (seq.n == 0 || (der_take(&seq, DER_SEQUENCE, &qualifiers) && seq.n == 0));
}

/* SEQUENCE { issuerDomainPolicy, subjectDomainPolicy } */
static bool next_mapping(struct slice *list, struct slice *from, struct slice *to)
{
    struct slice seq;

    return der_take(list, DER_SEQUENCE, &seq) && der_take(&seq, DER_OID, from) &&
           der_take(&seq, DER_OID, to) && seq.n == 0;
}

static struct slice content(const struct certfields *c, enum cert_ext ext)
{
    struct slice v = c->ext[ext].value, list = SLICE_EMPTY;

    return c->ext[ext].present && der_take(&v, DER_SEQUENCE, &list) ? list : SLICE_EMPTY;
}

/* Section 4.2.1.4: no policy twice. */
static enum policy_result check_policies(struct slice list)
{
    struct slice seen[LIMIT_POLICIES];
    size_t n = 0;

    while (list.n > 0) {
        struct slice policy;
        if (!next_policy(&list, &policy))
            return POLICY_MALFORMED;
        for (size_t i = 0; i < n; i++)
            if (slice_eq(seen[i], policy))
                return POLICY_MALFORMED;
        if (n == LIMIT_POLICIES)
            return POLICY_TOO_MANY;
        seen[n++] = policy;
    }
    return POLICY_VALID;
}

/* Section 6.1.4 (a): neither side of a mapping is any-policy. */
static enum policy_result check_mappings(struct slice list)
{
    struct slice from, to;

    for (size_t n = 0; list.n > 0; n++) {
        if (!next_mapping(&list, &from, &to) || is_any(from) || is_any(to))
            return POLICY_MALFORMED;
        if (n == LIMIT_POLICIES)
            return POLICY_TOO_MANY;
    }
    return POLICY_VALID;
}

static bool read_skip(struct slice *seq, uint8_t tag, bool *present, uint32_t *certs)
{
    struct slice number;

    *present = der_take(seq, tag, &number);
    return !*present || der_to_u32(number, certs);
}

/* PolicyConstraints ::= SEQUENCE { requireExplicitPolicy [0] SkipCerts OPTIONAL,
 * inhibitPolicyMapping [1] SkipCerts OPTIONAL }, not empty */
struct skips {
    bool has_explicit, has_mapping, has_any;
    uint32_t explicit_policy, policy_mapping, inhibit_any;
};

static bool read_skips(const struct certfields *c, struct skips *out)
{
    struct slice v = c->ext[CERT_EXT_POLICY_CONSTRAINTS].value, seq;

    *out = (struct skips){.has_any = c->ext[CERT_EXT_INHIBIT_ANY_POLICY].present};
    if (c->ext[CERT_EXT_POLICY_CONSTRAINTS].present &&
        (!der_take(&v, DER_SEQUENCE, &seq) || v.n != 0 || seq.n == 0 ||
         !read_skip(&seq, DER_CONTEXT(0), &out->has_explicit, &out->explicit_policy) ||
         !read_skip(&seq, DER_CONTEXT(1), &out->has_mapping, &out->policy_mapping) || seq.n != 0))
        return false;
    v = c->ext[CERT_EXT_INHIBIT_ANY_POLICY].value;
    return !out->has_any ||
           (der_take_integer(&v, &seq) && v.n == 0 && der_to_u32(seq, &out->inhibit_any));
}

/* --- levels --- */

static struct node *find_node(struct level *l, struct slice policy)
{
    for (size_t i = 0; i < l->count; i++)
        if (slice_eq(l->nodes[i].policy, policy))
            return &l->nodes[i];
    return NULL;
}

/* Adds POLICY below PARENT to L, or a parent more to what is there. */
static bool add_child(const struct state *s, struct level *l, struct slice policy,
                      const struct node *parent)
{
    struct node *n = find_node(l, policy);

    if (n == NULL) {
        if (l->count == LIMIT_POLICIES)
            return false;
        n = &l->nodes[l->count++];
        *n = (struct node){.policy = policy};
    }
    /* Under any-policy a policy begins; under another one it came to stand for that. */
    if (!is_any(parent->policy))
        n->good = n->good || parent->good;
    else if (!is_any(policy))
        n->good = n->good || is_acceptable(s->in, policy);
    return true;
}

/* Whether PARENT, of level L, expects POLICY of the next certificate. */
static bool expects(const struct level *l, const struct node *parent, struct slice policy)
{
    struct slice list = l->mappings, from, to;

    if (!parent->mapped)
        return slice_eq(parent->policy, policy);
    while (next_mapping(&list, &from, &to))
        if (slice_eq(from, parent->policy) && slice_eq(to, policy))
            return true;
    return false;
}

/* Section 6.1.3 (d) (1). */
static bool add_policy(const struct state *s, struct level *below, struct slice policy)
{
    struct node *any = find_node(s->now, any_policy);
    bool expected = false;

    for (size_t i = 0; i < s->now->count; i++)
        if (expects(s->now, &s->now->nodes[i], policy)) {
            expected = true;
            if (!add_child(s, below, policy, &s->now->nodes[i]))
                return false;
        }
    return expected || any == NULL || add_child(s, below, policy, any);
}

/* Section 6.1.3 (d) (2), for one node above: all that it expects and that is not there yet. LISTED
 * are the certificate's own policies. */
static bool add_expected(const struct state *s, struct level *below, const struct node *parent,
                         struct slice listed)
{
    struct slice list = s->now->mappings, from, to, policy;

    if (!parent->mapped) {
        while (next_policy(&listed, &policy))
            if (slice_eq(policy, parent->policy) && !is_any(policy))
                return true;
        return add_child(s, below, parent->policy, parent);
    }
    while (next_mapping(&list, &from, &to)) {
        bool there = false;
        struct slice rest = listed;
        while (next_policy(&rest, &policy))
            there = there || slice_eq(policy, to);
        if (slice_eq(from, parent->policy) && !there && !add_child(s, below, to, parent))
            return false;
    }
    return true;
}

/* Section 6.1.3 (d) and (e): the level of a certificate with these policies. */
static bool descend(struct state *s, struct slice listed, bool any_allowed)
{
    struct level *below = s->now == &s->levels[0] ? &s->levels[1] : &s->levels[0];
    struct slice rest = listed, policy;
    bool has_any = false;

    below->count = 0;
    below->mappings = SLICE_EMPTY;
    while (next_policy(&rest, &policy)) {
        if (is_any(policy))
            has_any = true;
        else if (!add_policy(s, below, policy))
            return false;
    }
    if (has_any && any_allowed)
        for (size_t i = 0; i < s->now->count; i++)
            if (!add_expected(s, below, &s->now->nodes[i], listed))
                return false;
    s->now = below;
    return true;
}

/* Section 6.1.4 (b) (1): what the certificate maps, other than by any-policy, expects the mapped
 * policies; where only any-policy is there, it stands for the policy that is mapped. */
static bool map_policies(struct state *s, struct slice mappings)
{
    struct slice list = mappings, from, to;
    const struct node above_any = {.policy = any_policy};

    s->now->mappings = mappings;
    while (next_mapping(&list, &from, &to)) {
        struct node *n = find_node(s->now, from);
        if (n == NULL && find_node(s->now, any_policy) != NULL) {
            if (!add_child(s, s->now, from, &above_any))
                return false;
            n = find_node(s->now, from);
        }
        if (n != NULL)
            n->mapped = true;
    }
    return true;
}

/* Section 6.1.4 (b) (2): mapping is inhibited, so what would be mapped is lost. */
static void drop_mapped(struct level *l, struct slice mappings)
{
    struct slice from, to;

    while (next_mapping(&mappings, &from, &to)) {
        struct node *n = find_node(l, from);
        if (n != NULL)
            *n = l->nodes[--l->count];
    }
}

/* --- the path --- */

static void count_down(size_t *counter)
{
    if (*counter > 0)
        --*counter;
}

static void lower(size_t *counter, bool present, uint32_t to)
{
    if (present && to < *counter)
        *counter = to;
}

/* Section 6.1.4: from one certificate to the next one below. */
static enum policy_result prepare_next(struct state *s, const struct certfields *c,
                                       bool self_issued, const struct skips *skips)
{
    const struct slice mappings = content(c, CERT_EXT_POLICY_MAPPINGS);
    const enum policy_result form = check_mappings(mappings);

    if (form != POLICY_VALID)
        return form;
    if (s->policy_mapping == 0)
        drop_mapped(s->now, mappings);
    else if (!map_policies(s, mappings))
        return POLICY_TOO_MANY;
    if (!self_issued) {
        count_down(&s->explicit_policy);
        count_down(&s->policy_mapping);
        count_down(&s->inhibit_any);
    }
    lower(&s->explicit_policy, skips->has_explicit, skips->explicit_policy);
    lower(&s->policy_mapping, skips->has_mapping, skips->policy_mapping);
    lower(&s->inhibit_any, skips->has_any, skips->inhibit_any);
    return POLICY_VALID;
}

static enum policy_result process(struct state *s, const struct certfields *c, bool last)
{
    const bool self_issued = certfields_self_issued(c);
    const struct slice listed = content(c, CERT_EXT_POLICIES);
    const enum policy_result form = check_policies(listed);
    struct skips skips;

    if (form != POLICY_VALID)
        return form;
    if (!read_skips(c, &skips))
        return POLICY_MALFORMED;
    if (!descend(s, listed, s->inhibit_any > 0 || (!last && self_issued)))
        return POLICY_TOO_MANY;
    if (s->explicit_policy == 0 && s->now->count == 0) /* 6.1.3 (f) */
        return POLICY_NONE;
    if (!last)
        return prepare_next(s, c, self_issued, &skips);
    /* 6.1.5 (a) and (b) */
    count_down(&s->explicit_policy);
    if (skips.has_explicit && skips.explicit_policy == 0)
        s->explicit_policy = 0;
    return POLICY_VALID;
}

/* Section 6.1.5 (g): is there a policy of the whole path that the user accepts? */
static bool has_acceptable(const struct state *s)
{
    for (size_t i = 0; i < s->now->count; i++)
        if (s->now->nodes[i].good || is_any(s->now->nodes[i].policy))
            return true;
    return false;
}

/* Whether anything about the path's policies can matter: mostly nothing can. */
static bool matters(const struct policy_inputs *in, const struct certfields *const *path,
                    size_t len)
{
    bool found = in->require_explicit;

    for (size_t i = 0; i < len; i++)
        found = found || path[i]->ext[CERT_EXT_POLICY_CONSTRAINTS].present ||
                path[i]->ext[CERT_EXT_POLICY_MAPPINGS].present ||
                path[i]->ext[CERT_EXT_INHIBIT_ANY_POLICY].present;
    return found;
}

static enum policy_result check_form(const struct certfields *const *path, size_t len, size_t *at)
{
    enum policy_result r = POLICY_VALID;

    for (*at = len; *at > 0 && r == POLICY_VALID;) {
        --*at;
        r = check_policies(content(path[*at], CERT_EXT_POLICIES));
    }
    return r;
}

static void begin(struct state *s, const struct policy_inputs *in, size_t len)
{
    s->in = in;
    s->explicit_policy = in->require_explicit ? 0 : len + 1;
    s->policy_mapping = in->inhibit_mapping ? 0 : len + 1;
    s->inhibit_any = in->inhibit_any ? 0 : len + 1;
    s->now = &s->levels[0];
    s->now->mappings = SLICE_EMPTY;
    s->now->count = 1;
    s->now->nodes[0] = (struct node){.policy = any_policy};
}

enum policy_result policy_check(const struct policy_inputs *in,
                                const struct certfields *const *path, size_t len, size_t *at)
{
    struct state s;

    if (!matters(in, path, len))
        return check_form(path, len, at);
    begin(&s, in, len);
    for (*at = len; *at > 0;) {
        --*at;
        const enum policy_result r = process(&s, path[*at], *at == 0);
        if (r != POLICY_VALID)
            return r;
    }
    return s.explicit_policy > 0 || has_acceptable(&s) ? POLICY_VALID : POLICY_NONE;
}
