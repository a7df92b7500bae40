/* Certificate policies along a path, as tables: what each certificate says, and what comes of it.
 */
#include "pki/policy.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "pki/der_value.h"
#include "tools/certext.h"
#include "tools/unit.h"

#define SKIP(n) ((n) + 1) /* a SkipCerts; 0 means that there is none */

/* What one certificate of a path has; the first one below the anchor comes first. */
struct says {
    const char *policies, *mappings; /* NULL: no such extension */
    int require_explicit, inhibit_mapping, inhibit_any;
    bool self_issued;
};

struct path_case {
    const char *what;
    struct says certs[4];
    size_t n;
    const char *acceptable; /* dotted, one; NULL: any */
    bool require_explicit, inhibit_mapping, inhibit_any;
    enum policy_result result;
    size_t at; /* where it is malformed */
};

static struct certfields cert_that(const struct says *s, size_t number)
{
    struct testpki_ext exts[4];
    struct certfields f;
    char subject[32];
    size_t n = 0;

    if (s->policies != NULL)
        exts[n++] = certext_policies(s->policies);
    if (s->mappings != NULL)
        exts[n++] = certext_mappings(s->mappings);
    if (s->require_explicit != 0 || s->inhibit_mapping != 0)
        exts[n++] = certext_policy_constraints(s->require_explicit - 1, s->inhibit_mapping - 1);
    if (s->inhibit_any != 0)
        exts[n++] = certext_inhibit_any((unsigned)s->inhibit_any - 1);
    const struct testpki_cert *issuer =
        testpki_make(&(struct testpki_spec){.subject = "CN=Issuer", .key = 1, .ca = true});
    (void)snprintf(subject, sizeof subject, "CN=%s %zu", s->self_issued ? "Issuer" : "CA", number);
    const struct testpki_cert *c =
        testpki_make(&(struct testpki_spec){.subject = s->self_issued ? "CN=Issuer" : subject,
                                            .key = 2,
                                            .issuer = issuer,
                                            .exts = exts,
                                            .exts_count = n});
    assert_true(is_ok(certfields_read(testpki_der(c), &f, NULL)));
    return f;
}

static enum policy_result ask(const struct path_case *c, size_t *at)
{
    struct certfields fields[4];
    const struct certfields *path[4];
    uint8_t oid[DER_OID_MAX];
    struct slice acceptable = {oid, 0};
    const struct policy_inputs in = {.acceptable = &acceptable,
                                     .acceptable_count = c->acceptable != NULL ? 1 : 0,
                                     .require_explicit = c->require_explicit,
                                     .inhibit_mapping = c->inhibit_mapping,
                                     .inhibit_any = c->inhibit_any};

    if (c->acceptable != NULL)
        assert_true(der_oid_from_text(c->acceptable, oid, &acceptable.n));
    for (size_t i = 0; i < c->n; i++) {
        fields[i] = cert_that(&c->certs[i], i);
        path[c->n - 1 - i] = &fields[i]; /* the leaf first */
    }
    return policy_check(&in, path, c->n, at);
}

static void check(const struct path_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = 99;
        const enum policy_result r = ask(&cases[i], &at);

        if (r != cases[i].result)
            fail_msg("%s: got %d, expected %d", cases[i].what, r, cases[i].result);
        if (r != POLICY_VALID && r != POLICY_NONE && at != cases[i].at)
            fail_msg("%s: at %zu, expected %zu", cases[i].what, at, cases[i].at);
        assert_true(at < cases[i].n);
    }
}

#define VALID POLICY_VALID
#define NONE  POLICY_NONE

static void nothing_is_asked_for_by_default(void **state)
{
    static const struct path_case cases[] = {
        {"no policies", {{NULL}, {NULL}}, 2, NULL, .result = VALID},
        {"the same", {{.policies = "1.2.3"}, {.policies = "1.2.3"}}, 2, .result = VALID},
        {"different ones", {{.policies = "1.2.3"}, {.policies = "1.2.4"}}, 2, .result = VALID},
        {"another is acceptable, but none required",
         {{.policies = "1.2.3"}, {.policies = "1.2.3"}},
         2,
         "1.2.9",
         .result = VALID},
    };

    (void)state;
    check(cases, COUNT_OF(cases));
}

static void a_required_policy_must_hold_all_the_way(void **state)
{
    static const struct path_case cases[] = {
        {"all have it",
         {{.policies = "1.2.3"}, {.policies = "1.2.3"}},
         2,
         .require_explicit = true,
         .result = VALID},
        {"none has any", {{NULL}, {NULL}}, 2, .require_explicit = true, .result = NONE},
        {"the leaf has none",
         {{.policies = "1.2.3"}, {NULL}},
         2,
         .require_explicit = true,
         .result = NONE},
        {"the CA has none",
         {{NULL}, {.policies = "1.2.3"}},
         2,
         .require_explicit = true,
         .result = NONE},
        {"they differ",
         {{.policies = "1.2.3"}, {.policies = "1.2.4"}},
         2,
         .require_explicit = true,
         .result = NONE},
        {"one of several",
         {{.policies = "1.2.3 1.2.4"}, {.policies = "1.2.4 1.2.5"}},
         2,
         .require_explicit = true,
         .result = VALID},
        {"any-policy above",
         {{.policies = "any"}, {.policies = "1.2.3"}},
         2,
         .require_explicit = true,
         .result = VALID},
        {"any-policy below",
         {{.policies = "1.2.3"}, {.policies = "any"}},
         2,
         .require_explicit = true,
         .result = VALID},
        {"any-policy all the way",
         {{.policies = "any"}, {.policies = "any"}},
         2,
         .require_explicit = true,
         .result = VALID},
        {"asked for by the CA",
         {{.policies = "1.2.3", .require_explicit = SKIP(0)}, {NULL}},
         2,
         .result = NONE},
        {"from two below on: the leaf is",
         {{.policies = "1.2.3", .require_explicit = SKIP(1)}, {.policies = "1.2.3"}, {NULL}},
         3,
         .result = NONE},
        {"from three below on: there are none",
         {{.policies = "1.2.3", .require_explicit = SKIP(3)}, {.policies = "1.2.3"}, {NULL}},
         3,
         .result = VALID},
        {"asked for by the leaf itself",
         {{NULL}, {.require_explicit = SKIP(0)}},
         2,
         .result = NONE},
        {"self-issued ones do not count",
         {{.require_explicit = SKIP(2)}, {.self_issued = true}, {NULL}},
         3,
         .result = VALID},
    };

    (void)state;
    check(cases, COUNT_OF(cases));
}

static void only_acceptable_ones_do(void **state)
{
    static const struct path_case cases[] = {
        {"the one",
         {{.policies = "1.2.3"}, {.policies = "1.2.3"}},
         2,
         "1.2.3",
         .require_explicit = true,
         .result = VALID},
        {"another",
         {{.policies = "1.2.3"}, {.policies = "1.2.3"}},
         2,
         "1.2.4",
         .require_explicit = true,
         .result = NONE},
        {"among others",
         {{.policies = "1.2.3 1.2.4"}, {.policies = "1.2.3 1.2.4"}},
         2,
         "1.2.4",
         .require_explicit = true,
         .result = VALID},
        {"not down to the leaf",
         {{.policies = "1.2.3 1.2.4"}, {.policies = "1.2.3"}},
         2,
         "1.2.4",
         .require_explicit = true,
         .result = NONE},
        {"any-policy all the way",
         {{.policies = "any"}, {.policies = "any"}},
         2,
         "1.2.4",
         .require_explicit = true,
         .result = VALID},
        {"below any-policy",
         {{.policies = "any"}, {.policies = "1.2.4"}},
         2,
         "1.2.4",
         .require_explicit = true,
         .result = VALID},
        {"below any-policy, another",
         {{.policies = "any"}, {.policies = "1.2.3"}},
         2,
         "1.2.4",
         .require_explicit = true,
         .result = NONE},
        {"mapped to what the leaf has: the upper one counts",
         {{.policies = "1.2.3", .mappings = "1.2.3=1.2.4"}, {.policies = "1.2.4"}},
         2,
         "1.2.3",
         .require_explicit = true,
         .result = VALID},
        {"mapped: the lower one does not",
         {{.policies = "1.2.3", .mappings = "1.2.3=1.2.4"}, {.policies = "1.2.4"}},
         2,
         "1.2.4",
         .require_explicit = true,
         .result = NONE},
    };

    (void)state;
    check(cases, COUNT_OF(cases));
}

static void any_policy_can_be_inhibited(void **state)
{
    static const struct path_case cases[] = {
        {"by the account",
         {{.policies = "1.2.3"}, {.policies = "any"}},
         2,
         .require_explicit = true,
         .inhibit_any = true,
         .result = NONE},
        {"by the CA",
         {{.policies = "1.2.3", .inhibit_any = SKIP(0)}, {.policies = "any"}},
         2,
         .require_explicit = true,
         .result = NONE},
        {"one more may",
         {{.policies = "1.2.3", .inhibit_any = SKIP(1)}, {.policies = "any"}},
         2,
         .require_explicit = true,
         .result = VALID},
        {"not the second",
         {{.policies = "1.2.3", .inhibit_any = SKIP(1)}, {.policies = "any"}, {.policies = "any"}},
         3,
         .require_explicit = true,
         .result = NONE},
        {"a self-issued intermediate may",
         {{.policies = "1.2.3", .inhibit_any = SKIP(0)},
          {.policies = "any", .self_issued = true},
          {.policies = "1.2.3"}},
         3,
         .require_explicit = true,
         .result = VALID},
    };

    (void)state;
    check(cases, COUNT_OF(cases));
}

static void policies_are_mapped(void **state)
{
    static const struct path_case cases[] = {
        {"to the leaf's",
         {{.policies = "1.2.3", .mappings = "1.2.3=1.2.4"}, {.policies = "1.2.4"}},
         2,
         .require_explicit = true,
         .result = VALID},
        {"and no longer the old one",
         {{.policies = "1.2.3", .mappings = "1.2.3=1.2.4"}, {.policies = "1.2.3"}},
         2,
         .require_explicit = true,
         .result = NONE},
        {"one to several",
         {{.policies = "1.2.3", .mappings = "1.2.3=1.2.4 1.2.3=1.2.5"}, {.policies = "1.2.5"}},
         2,
         .require_explicit = true,
         .result = VALID},
        {"twice",
         {{.policies = "1.2.3", .mappings = "1.2.3=1.2.4"},
          {.policies = "1.2.4", .mappings = "1.2.4=1.2.5"},
          {.policies = "1.2.5"}},
         3,
         .require_explicit = true,
         .result = VALID},
        {"where only any-policy is there",
         {{.policies = "any", .mappings = "1.2.3=1.2.4"}, {.policies = "1.2.4"}},
         2,
         "1.2.3",
         .require_explicit = true,
         .result = VALID},
        {"by any-policy below",
         {{.policies = "1.2.3", .mappings = "1.2.3=1.2.4"}, {.policies = "any"}},
         2,
         .require_explicit = true,
         .result = VALID},
        {"of what is not there",
         {{.policies = "1.2.9", .mappings = "1.2.3=1.2.4"}, {.policies = "1.2.4"}},
         2,
         .require_explicit = true,
         .result = NONE},
        {"inhibited by the account",
         {{.policies = "1.2.3", .mappings = "1.2.3=1.2.4"}, {.policies = "1.2.4"}},
         2,
         .require_explicit = true,
         .inhibit_mapping = true,
         .result = NONE},
        {"inhibited: what is mapped is lost",
         {{.policies = "1.2.3", .mappings = "1.2.3=1.2.4"}, {.policies = "1.2.3"}},
         2,
         .require_explicit = true,
         .inhibit_mapping = true,
         .result = NONE},
        {"inhibited from above",
         {{.policies = "1.2.3", .inhibit_mapping = SKIP(0)},
          {.policies = "1.2.3", .mappings = "1.2.3=1.2.4"},
          {.policies = "1.2.4"}},
         3,
         .require_explicit = true,
         .result = NONE},
        {"inhibited, but one more may",
         {{.policies = "1.2.3", .inhibit_mapping = SKIP(1)},
          {.policies = "1.2.3", .mappings = "1.2.3=1.2.4"},
          {.policies = "1.2.4"}},
         3,
         .require_explicit = true,
         .result = VALID},
    };

    (void)state;
    check(cases, COUNT_OF(cases));
}

static void malformed_ones_are_told_where(void **state)
{
    static const struct path_case cases[] = {
        {"a policy twice",
         {{NULL}, {.policies = "1.2.3 1.2.3"}},
         2,
         .result = POLICY_MALFORMED,
         .at = 0},
        {"a policy twice, and one required",
         {{.policies = "1.2.3 1.2.3"}, {NULL}},
         2,
         .require_explicit = true,
         .result = POLICY_MALFORMED,
         .at = 1},
        {"mapping from any-policy",
         {{.mappings = "any=1.2.3"}, {NULL}},
         2,
         .result = POLICY_MALFORMED,
         .at = 1},
        {"mapping to any-policy",
         {{.mappings = "1.2.3=any"}, {NULL}},
         2,
         .result = POLICY_MALFORMED,
         .at = 1},
    };

    (void)state;
    check(cases, COUNT_OF(cases));
}

static void malformed_constraints_are_told(void **state)
{
    static const struct testpki_ext exts[] = {
        {"2.5.29.36", true, {(const uint8_t *)"\x30\x00", 2}},             /* nothing in it */
        {"2.5.29.36", true, {(const uint8_t *)"\x30\x03\x80\x01\xff", 5}}, /* less than zero */
        {"2.5.29.36", true, {(const uint8_t *)"\x30\x03\x82\x01\x00", 5}}, /* no such field */
        {"2.5.29.54", true, {(const uint8_t *)"\x02\x01\xff", 3}},
        {"2.5.29.54", true, {(const uint8_t *)"\x30\x00", 2}},
    };
    const struct policy_inputs in = {.acceptable = NULL};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(exts); i++) {
        const struct testpki_cert *c = testpki_make(
            &(struct testpki_spec){.subject = "CN=x", .key = 1, .exts = &exts[i], .exts_count = 1});
        struct certfields f;
        const struct certfields *path[] = {&f};
        size_t at;

        assert_true(is_ok(certfields_read(testpki_der(c), &f, NULL)));
        assert_int_equal(policy_check(&in, path, 1, &at), POLICY_MALFORMED);
    }
}

static void their_number_is_bounded(void **state)
{
    char oids[2000] = "", pairs[4000] = "", word[64];
    struct says says = {.policies = oids};
    const struct policy_inputs in = {.require_explicit = true};
    struct certfields f[2];
    const struct certfields *path[] = {&f[0], &f[1]};
    size_t at;

    (void)state;
    for (int i = 0; i < LIMIT_POLICIES; i++) {
        (void)snprintf(word, sizeof word, "1.2.%d ", i);
        strcat(oids, word);
        (void)snprintf(word, sizeof word, "1.2.0=1.3.%d ", i);
        strcat(pairs, word);
    }
    says.mappings = pairs;
    f[1] = cert_that(&says, 1); /* the most that is allowed, and each mapped */
    f[0] = cert_that(&(struct says){.policies = "any"}, 0);
    /* 63 that are not mapped and 64 that the first one is mapped to are too many for the leaf */
    assert_int_equal(policy_check(&in, path, 2, &at), POLICY_TOO_MANY);
    assert_int_equal(at, 0);
    says.mappings = NULL;
    f[1] = cert_that(&says, 1);
    assert_int_equal(policy_check(&in, path, 2, &at), POLICY_VALID);
    strcat(oids, "1.9.9");
    f[1] = cert_that(&says, 1);
    assert_int_equal(policy_check(&in, path, 2, &at), POLICY_TOO_MANY);
    assert_int_equal(at, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_asked_for_by_default),
        cmocka_unit_test(a_required_policy_must_hold_all_the_way),
        cmocka_unit_test(only_acceptable_ones_do),
        cmocka_unit_test(any_policy_can_be_inhibited),
        cmocka_unit_test(policies_are_mapped),
        cmocka_unit_test(malformed_ones_are_told_where),
        cmocka_unit_test(malformed_constraints_are_told),
        cmocka_unit_test(their_number_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
