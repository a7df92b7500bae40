#include "pki/pathrules.h"

#include "pki/constraints.h"

/*
 * RFC 5280 section 4.2.1.9: pathLenConstraint is the number of intermediate certificates that may
 * follow, those that are self-issued and the last certificate (the leaf) not counted.
 */
static void check_path_length(const struct path *path, const struct place *at, struct faults *f)
{
    size_t below = 0;

    if (at->cert->pathlen == CERT_NO_PATHLEN)
        return;
    for (size_t i = 1; i + 1 < path->len; i++)
        if (!path->certs[i]->self_issued)
            below++;
    if (below > at->cert->pathlen)
        fault(f, REASON_PATH_LENGTH, at, "may have at most %u CAs below it, and here there are %zu",
              (unsigned)at->cert->pathlen, below);
}

/* --- name constraints --- */

static enum constraints_result ask_constraints(struct pathrules *r, const struct path_cert *ca,
                                               const struct path_cert *below, bool leaf, char *name,
                                               size_t name_size)
{
    unsigned budget = LIMIT_NAME_COMPARISONS - r->comparisons;
    struct constraints_question q = {
        .ca = &ca->fields,
        .cert = &below->fields,
        .leading_dots = r->in->policy->profile == VERIFY_PROFILE_COMPATIBLE,
        .budget = &budget,
    };

    /* What could pass as a host name is constrained like one. */
    if (!leaf || r->in->name == NULL ||
        !peername_common_name(&below->fields, r->in->policy->rules, &q.common_name))
        q.common_name = SLICE_EMPTY;
    const enum constraints_result result = constraints_check(&q, name, name_size);
    r->comparisons = LIMIT_NAME_COMPARISONS - budget;
    return result;
}

static void report_constraints(enum constraints_result result, const struct path_cert *ca,
                               const struct place *below, const struct place *at, const char *name,
                               struct faults *f)
{
    char label[LIMIT_TEXT];

    switch (result) {
    case CONSTRAINTS_VIOLATED:
        certfields_label(&ca->fields, label, sizeof label);
        fault(f, REASON_NAME_CONSTRAINTS, below,
              "is for '%.80s', which its CA '%.80s' may not "
              "issue for",
              name, label);
        break;
    case CONSTRAINTS_MALFORMED:
        fault(f, REASON_MALFORMED, at, "has malformed name constraints");
        break;
    case CONSTRAINTS_DOTTED:
        fault_profile(f, REASON_MALFORMED, at,
                      "has name constraints that begin with a dot, which those for host names do "
                      "not");
        break;
    case CONSTRAINTS_TOO_MANY:
        fault(f, REASON_LIMIT, at, "has too many name constraints for the names below it");
        break;
    case CONSTRAINTS_KEPT:
    default:
        break;
    }
}

/* RFC 5280 section 6.1.3 (b) and (c): every certificate below, but self-issued ones between. */
static void check_constraints(struct pathrules *r, const struct path *path, const struct place *at,
                              struct faults *f)
{
    const struct path_cert *ca = path->certs[at->depth];
    char name[LIMIT_TEXT] = "";

    if (!ca->fields.ext[CERT_EXT_NAME_CONSTRAINTS].present)
        return;
    for (size_t i = 0; i < at->depth; i++) {
        const struct path_cert *below = path->certs[i];
        uint8_t *known = &r->constraints[ca->index][below->index];
        if (i > 0 && below->self_issued)
            continue;
        if (*known == 0 || f->verdict != NULL)
            *known = (uint8_t)(1 + ask_constraints(r, ca, below, i == 0, name, sizeof name));
        const struct place place = {&below->fields, i, false};
        report_constraints((enum constraints_result)(*known - 1), ca, &place, at, name, f);
    }
}

void pathrules_step(struct pathrules *r, const struct path *path, struct faults *f)
{
    const struct path_cert *last = path->certs[path->len - 1];
    const struct place at = {&last->fields, path->len - 1, last->anchor};

    check_path_length(path, &at, f);
    check_constraints(r, path, &at, f);
}

/* --- policies --- */

void pathrules_whole(struct pathrules *r, const struct path *path, struct faults *f)
{
    const struct certfields *certs[LIMIT_PATH_DEPTH];
    size_t at_index;

    for (size_t i = 0; i + 1 < path->len; i++)
        certs[i] = &path->certs[i]->fields;
    const enum policy_result result =
        policy_check(&r->in->policy->policies, certs, path->len - 1, &at_index);
    const struct place at = {certs[at_index], at_index, false};

    switch (result) {
    case POLICY_NONE:
        fault(f, REASON_POLICY, &at,
              "has no certificate policy that its whole chain shares, and "
              "one is required");
        break;
    case POLICY_MALFORMED:
        fault(f, REASON_MALFORMED, &at, "has malformed certificate policies");
        break;
    case POLICY_TOO_MANY:
        fault(f, REASON_LIMIT, &at, "has too many certificate policies");
        break;
    case POLICY_VALID:
    default:
        break;
    }
}
