/* Ways through what a peer sends: several, wrong ones, endless ones, and none. */
#include "pki/path.h"

#include <string.h>

#include "base/limits.h"
#include "tools/certext.h"
#include "tools/unit.h"
#include "unit/pki/judging.h"

static const struct testpki_cert *root_named(const char *subject, unsigned key)
{
    struct testpki_spec spec = root_spec();

    spec.subject = subject;
    spec.key = key;
    return testpki_make(&spec);
}

/* A CA below ISSUER. */
static const struct testpki_cert *ca_named(const struct testpki_cert *issuer, const char *subject,
                                           unsigned key)
{
    struct testpki_spec spec = sub_spec(issuer);

    spec.subject = subject;
    spec.key = key;
    spec.pathlen = 0;
    return testpki_make(&spec);
}

static const struct testpki_cert *leaf_of(const struct testpki_cert *issuer)
{
    const struct testpki_spec spec = leaf_spec(issuer);

    return testpki_make(&spec);
}

static void cross_signed_cas_are_tried_both_ways(void **state)
{
    const struct testpki_cert *one = root_named("CN=Root One", 1);
    const struct testpki_cert *two = root_named("CN=Root Two", 4);
    const struct testpki_cert *by_one = ca_named(one, "CN=CA", 2);
    const struct testpki_cert *by_two = ca_named(two, "CN=CA", 2);
    const struct testpki_cert *leaf = leaf_of(by_one);
    const struct testpki_cert *const orders[][3] = {{leaf, by_one, by_two}, {leaf, by_two, by_one}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(orders); i++)
        for (int trusted = 0; trusted < 2; trusted++) {
            struct question q = question_new();

            memcpy(q.chain, orders[i], sizeof orders[i]);
            q.trusted[0] = trusted == 0 ? one : two;
            const struct verdict v = question_ask(&q);
            assert_verified(&v);
            assert_string_equal(v.path[2].label, trusted == 0 ? "Root One" : "Root Two");
        }
}

static void a_dead_end_is_left_again(void **state)
{
    const struct testpki_cert *one = root_named("CN=Root One", 1);
    const struct testpki_cert *two = root_named("CN=Root Two", 4);
    const struct testpki_ext wrong = certext_constraints("DNS:other.example", NULL);
    struct testpki_spec narrow = sub_spec(one);
    struct question q = question_new();

    (void)state;
    narrow.subject = "CN=CA";
    narrow.exts = &wrong;
    narrow.exts_count = 1;
    q.chain[1] = testpki_make(&narrow);
    q.chain[2] = ca_named(two, "CN=CA", 2);
    q.chain[0] = leaf_of(q.chain[1]);
    q.trusted[0] = one;
    q.trusted[1] = two;
    struct verdict v = question_ask(&q);
    assert_verified(&v);
    assert_string_equal(v.path[2].label, "Root Two");

    q.chain[2] = NULL; /* without the other way, the end is told */
    v = question_ask(&q);
    assert_refused(&v, REASON_NAME_CONSTRAINTS, 0);
    assert_sentence(&v, "The certificate of sip.example.com is for 'sip.example.com', which its CA "
                        "'CA' may not issue for");
}

static void the_key_identifier_chooses_among_cas_of_one_name(void **state)
{
    const struct testpki_cert *root = root_named("CN=Root", 1);
    const struct testpki_cert *cas[6];
    struct question q = question_new();

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(cas); i++) {
        cas[i] = ca_named(root, "CN=CA", 5 + i);
        q.chain[1 + i] = cas[i];
    }
    q.chain[0] = leaf_of(cas[5]);
    q.trusted[0] = root;
    const struct verdict v = question_ask(&q);
    assert_verified(&v);
    assert_int_equal(v.signature_checks, 2); /* none in vain */
}

static void without_key_identifiers_all_are_tried(void **state)
{
    const struct testpki_cert *root = root_named("CN=Root", 1);
    struct question q = question_new();

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        struct testpki_spec spec = sub_spec(root);
        spec.key = 5 + i;
        spec.no_ski = true;
        q.chain[1 + i] = testpki_make(&spec);
    }
    struct testpki_spec leaf = leaf_spec(q.chain[6]);
    leaf.no_aki = true;
    q.chain[0] = testpki_make(&leaf);
    q.trusted[0] = root;
    q.policy.profile = VERIFY_PROFILE_COMPATIBLE;
    const struct verdict v = question_ask(&q);
    assert_verified(&v);
    assert_int_equal(v.signature_checks, 7);
}

static void a_wrong_key_identifier_is_only_a_hint(void **state)
{
    const struct testpki_cert *root = root_named("CN=Root", 1);
    struct testpki_spec spec = leaf_spec(root);
    struct question q = question_new();

    (void)state;
    spec.aki = SLICE_LIT("another key's");
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = root;
    const struct verdict v = question_ask(&q);
    assert_verified(&v);
}

static void loops_end(void **state)
{
    const struct testpki_cert *root = root_named("CN=Root", 1);
    const struct testpki_cert *a = ca_named(root, "CN=A", 5);
    const struct testpki_cert *b = ca_named(a, "CN=B", 6);
    const struct testpki_cert *a_by_b = ca_named(b, "CN=A", 5);
    struct question q = question_new();

    (void)state;
    q.chain[0] = leaf_of(b);
    q.chain[1] = b;
    q.chain[2] = a_by_b;
    struct verdict v = question_ask(&q);
    assert_refused(&v, REASON_UNKNOWN_CA, 2);
    q.chain[3] = a;
    q.trusted[0] = root;
    v = question_ask(&q);
    assert_verified(&v);
    assert_int_equal(v.path_len, 4);
}

static void as_many_certificates_as_the_limit_says_are_looked_at(void **state)
{
    const struct testpki_cert *root = root_named("CN=Root", 1);
    const struct testpki_cert *ca = ca_named(root, "CN=CA", 2);
    struct question q = question_new();

    (void)state;
    q.chain[0] = leaf_of(ca);
    q.trusted[0] = root;
    for (unsigned i = 1; i < LIMIT_PEER_CERTS - 1; i++)
        q.chain[i] = leaf_of(root);
    q.chain[LIMIT_PEER_CERTS - 1] = ca;
    struct verdict v = question_ask(&q);
    assert_verified(&v);

    q.chain[LIMIT_PEER_CERTS] = ca;
    q.chain[LIMIT_PEER_CERTS - 1] = leaf_of(root);
    v = question_ask(&q);
    assert_int_equal(v.class, VERDICT_REJECTED);

    for (unsigned i = 1; i < LIMIT_PEER_CERTS; i++)
        q.chain[i] = q.chain[0]; /* the same one again and again is one */
    v = question_ask(&q);
    assert_verified(&v);
}

static void paths_are_as_long_as_the_limit_says(void **state)
{
    const struct testpki_cert *root = root_named("CN=Root", 1);

    (void)state;
    for (unsigned n = LIMIT_PATH_DEPTH - 3; n <= LIMIT_PATH_DEPTH - 1; n++) {
        const struct testpki_cert *top = root;
        struct question q = question_new();
        char subject[16] = "CN=CA .";

        q.trusted[0] = root;
        for (unsigned i = 0; i < n; i++) {
            subject[5] = (char)('A' + i);
            top = ca_named(top, subject, 5 + i);
            q.chain[n - i] = top;
        }
        q.chain[0] = leaf_of(top);
        const struct verdict v = question_ask(&q);
        if (n + 2 <= LIMIT_PATH_DEPTH) {
            assert_verified(&v);
        } else {
            assert_refused(&v, REASON_LIMIT, 0);
            assert_sentence(&v, "The chain has more than 8 certificates and no trusted one among "
                                "them");
        }
    }
}

/* CAs that all have one name and no key identifiers: each may have issued each. */
static struct question tangle(bool forged)
{
    struct question q = question_new();
    const struct testpki_cert *above = NULL;

    q.policy.profile = VERIFY_PROFILE_COMPATIBLE;
    for (unsigned i = LIMIT_PEER_CERTS; i-- > 0;) {
        struct testpki_spec spec = sub_spec(above);
        spec.subject = "CN=CA";
        spec.key = 5 + i;
        spec.ca = i > 0;
        spec.pathlen = 0;
        spec.no_ski = spec.no_aki = true;
        spec.bad_signature = forged;
        above = testpki_make(&spec);
        q.chain[i] = above;
    }
    q.name = "";
    q.purpose = VERIFY_ANY;
    return q;
}

static void a_tangle_is_given_up_within_the_limits(void **state)
{
    (void)state;
    for (int forged = 0; forged < 2; forged++) {
        const struct question q = tangle(forged != 0);
        const struct verdict v = question_ask(&q);

        assert_int_equal(v.class, VERDICT_REJECTED);
        assert_true(v.signature_checks <= LIMIT_SIGNATURE_CHECKS);
    }
}

static void being_given_up_is_told(void **state)
{
    const struct question q = tangle(false);
    const struct verdict v = question_ask(&q);
    bool told = false;

    (void)state;
    for (size_t i = 0; i < v.reasons_count; i++)
        told = told || v.reasons[i].code == REASON_LIMIT;
    assert_true(told);
}

static void the_nearest_path_is_the_one_that_is_explained(void **state)
{
    const struct testpki_cert *root = root_named("CN=Root", 1);
    const struct testpki_cert *stranger = root_named("CN=Stranger", 4);
    struct testpki_spec expired = sub_spec(root);
    struct question q = question_new();

    (void)state;
    /* one way is whole, but for a date; the other leads nowhere */
    expired.subject = "CN=CA";
    expired.not_after = TESTPKI_NOW - 1;
    q.chain[1] = ca_named(stranger, "CN=CA", 2);
    q.chain[2] = testpki_make(&expired);
    q.chain[0] = leaf_of(q.chain[1]);
    q.trusted[0] = root;
    const struct verdict v = question_ask(&q);
    assert_refused(&v, REASON_EXPIRED, 1);
    assert_int_equal(v.reasons_count, 1);
    assert_true(v.anchored);
    assert_int_equal(v.path_len, 3);
}

static void every_fault_of_that_path_is_told(void **state)
{
    const struct testpki_cert *root = root_named("CN=Root", 1);
    struct testpki_spec sub = sub_spec(root), leaf;
    struct question q = question_new();

    (void)state;
    sub.not_after = TESTPKI_NOW - 1;
    sub.key_usage = TESTPKI_CRL_SIGN;
    q.chain[1] = testpki_make(&sub);
    leaf = leaf_spec(q.chain[1]);
    leaf.not_after = TESTPKI_NOW - 1;
    leaf.bad_signature = true;
    q.chain[0] = testpki_make(&leaf);
    q.trusted[0] = root;
    const struct verdict v = question_ask(&q);
    assert_int_equal(v.reasons_count, 4);
    assert_refused(&v, REASON_EXPIRED, 0);
    assert_int_equal(v.reasons[1].code, REASON_EXPIRED);
    assert_int_equal(v.reasons[1].depth, 1);
    assert_int_equal(v.reasons[2].code, REASON_BAD_SIGNATURE);
    assert_int_equal(v.reasons[3].code, REASON_KEY_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cross_signed_cas_are_tried_both_ways),
        cmocka_unit_test(a_dead_end_is_left_again),
        cmocka_unit_test(the_key_identifier_chooses_among_cas_of_one_name),
        cmocka_unit_test(without_key_identifiers_all_are_tried),
        cmocka_unit_test(a_wrong_key_identifier_is_only_a_hint),
        cmocka_unit_test(loops_end),
        cmocka_unit_test(as_many_certificates_as_the_limit_says_are_looked_at),
        cmocka_unit_test(paths_are_as_long_as_the_limit_says),
        cmocka_unit_test(a_tangle_is_given_up_within_the_limits),
        cmocka_unit_test(being_given_up_is_told),
        cmocka_unit_test(the_nearest_path_is_the_one_that_is_explained),
        cmocka_unit_test(every_fault_of_that_path_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
