/* Ordinary chains: what every TLS client must get right, and the sentences about what is wrong. */
#include "pki/verify.h"

#include <string.h>

#include "tools/unit.h"
#include "unit/pki/judging.h"

#define DAY 86400

static const struct testpki_cert *make_root(void)
{
    const struct testpki_spec spec = root_spec();

    return testpki_make(&spec);
}

/* --- accepted --- */

static void an_ordinary_chain_is_verified(void **state)
{
    const struct testpki_cert *root = make_root();
    const struct testpki_spec sub = sub_spec(root);
    const struct testpki_cert *ca = testpki_make(&sub);
    const struct testpki_spec spec = leaf_spec(ca);
    const struct testpki_cert *leaf = testpki_make(&spec);
    struct question q = question_new();

    (void)state;
    q.chain[0] = leaf;
    q.chain[1] = ca;
    q.trusted[0] = root;
    const struct verdict v = question_ask(&q);
    assert_verified(&v);
    assert_sentence(&v, "Verified: sip.example.com, issued by Example Issuing CA");
    assert_true(v.anchored);
    assert_int_equal(v.anchor_source, TRUST_SOURCE_CUSTOM);
    assert_int_equal(v.path_len, 3);
    assert_string_equal(v.path[0].label, "sip.example.com");
    assert_string_equal(v.path[2].label, "Example Root");
    assert_string_equal(v.matched, "sip.example.com");
    assert_true(v.name_checked);
    assert_int_equal(v.valid_until_s, TESTPKI_NOT_AFTER);
    assert_int_equal(v.signature_checks, 2);
}

static void order_duplicates_and_the_root_do_not_matter(void **state)
{
    const struct testpki_cert *root = make_root();
    const struct testpki_spec sub = sub_spec(root);
    const struct testpki_cert *ca = testpki_make(&sub);
    const struct testpki_spec spec = leaf_spec(ca);
    const struct testpki_cert *leaf = testpki_make(&spec);
    struct question q = question_new();

    (void)state;
    q.trusted[0] = root;
    const struct testpki_cert *const orders[][4] = {
        {leaf, root, ca}, {leaf, ca, ca, root}, {leaf, leaf, root, ca}, {leaf, ca, leaf}};
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        memcpy(q.chain, orders[i], sizeof orders[i]);
        const struct verdict v = question_ask(&q);
        assert_verified(&v);
        assert_int_equal(v.path_len, 3);
    }
}

static void a_leaf_of_the_anchor_itself_is_verified(void **state)
{
    const struct testpki_cert *root = make_root();
    const struct testpki_spec spec = leaf_spec(root);
    struct question q = question_new();

    (void)state;
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = root;
    const struct verdict v = question_ask(&q);
    assert_verified(&v);
    assert_sentence(&v, "Verified: sip.example.com, issued by Example Root");
}

static void an_intermediate_may_be_the_anchor(void **state)
{
    const struct testpki_cert *root = make_root();
    const struct testpki_spec sub = sub_spec(root);
    const struct testpki_cert *ca = testpki_make(&sub);
    const struct testpki_spec spec = leaf_spec(ca);
    struct question q = question_new();

    (void)state;
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = ca;
    const struct verdict v = question_ask(&q);
    assert_verified(&v);
    assert_int_equal(v.path_len, 2);
}

static void a_self_signed_certificate_may_be_pinned(void **state)
{
    struct testpki_spec spec = leaf_spec(NULL);
    struct question q = question_new();

    (void)state;
    spec.no_ski = spec.no_aki = true;
    q.chain[0] = testpki_make(&spec);
    struct verdict v = question_ask(&q);
    assert_refused(&v, REASON_SELF_SIGNED, 0);
    assert_false(v.pinned);

    q.trusted[0] = q.chain[0];
    v = question_ask(&q);
    assert_verified(&v);
    assert_true(v.pinned);
    assert_sentence(&v, "Verified: sip.example.com, whose own certificate is trusted");

    q.name = "other.example.com"; /* it is still only for its name */
    v = question_ask(&q);
    assert_refused(&v, REASON_NAME_MISMATCH, 0);
    q.name = NULL;
    q.now = TESTPKI_NOT_AFTER + 1;
    v = question_ask(&q);
    assert_refused(&v, REASON_EXPIRED, 0);
}

static void a_pin_is_of_the_exact_certificate(void **state)
{
    const struct testpki_spec spec = leaf_spec(NULL);
    struct question q = question_new();

    (void)state;
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = testpki_make(&spec); /* the same name and key, another serial number */
    const struct verdict v = question_ask(&q);
    assert_int_equal(v.class, VERDICT_REJECTED);
    assert_false(v.pinned);
}

static void an_unreadable_certificate_beside_the_path_is_ignored(void **state)
{
    const struct testpki_cert *root = make_root();
    const struct testpki_spec spec = leaf_spec(root);
    struct question q = question_new();

    (void)state;
    q.chain[0] = testpki_make(&spec);
    q.garbage = SLICE_LIT("\x30\x03garbage");
    q.trusted[0] = root;
    const struct verdict v = question_ask(&q);
    assert_verified(&v);
}

static void a_name_that_is_not_asked_for_is_not_checked(void **state)
{
    const struct testpki_cert *root = make_root();
    struct testpki_spec spec = leaf_spec(root);
    struct question q = question_new();

    (void)state;
    spec.san = "DNS:other.example";
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = root;
    q.name = "";
    const struct verdict v = question_ask(&q);
    assert_verified(&v);
    assert_false(v.name_checked);
    assert_sentence(&v, "Verified: sip.example.com, issued by Example Root");
}

/* --- refused: each with its reason and sentence --- */

static void a_wrong_name_is_refused(void **state)
{
    const struct testpki_cert *root = make_root();
    const struct testpki_spec spec = leaf_spec(root);
    struct question q = question_new();

    (void)state;
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = root;
    q.name = "pbx.example.com";
    const struct verdict v = question_ask(&q);
    assert_refused(&v, REASON_NAME_MISMATCH, 0);
    assert_sentence(&v, "The certificate is for sip.example.com, not for pbx.example.com; check "
                        "the address in the account, or have its admin get one for this name");
    assert_false(v.name_checked);
    assert_int_equal(v.reasons_count, 1);
    assert_int_equal(verdict_alert(&v), 42);
}

static void dates_are_inclusive(void **state)
{
    static const struct {
        int64_t now;
        enum reason_code code; /* REASON_NONE: verified */
    } cases[] = {
        {1000000000, REASON_NONE},
        {1000000000 - 1, REASON_NOT_YET_VALID},
        {1100000000, REASON_NONE},
        {1100000000 + 1, REASON_EXPIRED},
    };
    struct testpki_spec root_spec = {
        .subject = "CN=Root", .key = 1, .ca = true, .not_before = 900000000};
    const struct testpki_cert *root = testpki_make(&root_spec);
    struct testpki_spec spec = leaf_spec(root);
    struct question q = question_new();

    (void)state;
    spec.not_before = 1000000000;
    spec.not_after = 1100000000;
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = root;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        q.now = cases[i].now;
        const struct verdict v = question_ask(&q);
        if (cases[i].code == REASON_NONE)
            assert_verified(&v);
        else
            assert_refused(&v, cases[i].code, 0);
    }
    q.now = 1100000000 + 53 * DAY;
    const struct verdict v = question_ask(&q);
    assert_sentence(&v, "The certificate of sip.example.com expired on 2004-11-09 (53 days ago); "
                        "the server's admin must renew it");
    assert_int_equal(verdict_alert(&v), 45);
}

static void an_expired_issuer_is_named(void **state)
{
    const struct testpki_cert *root = make_root();
    struct testpki_spec sub = sub_spec(root);
    struct question q = question_new();

    (void)state;
    sub.not_after = TESTPKI_NOW - DAY;
    const struct testpki_cert *ca = testpki_make(&sub);
    const struct testpki_spec spec = leaf_spec(ca);
    q.chain[0] = testpki_make(&spec);
    q.chain[1] = ca;
    q.trusted[0] = root;
    const struct verdict v = question_ask(&q);
    assert_refused(&v, REASON_EXPIRED, 1);
    assert_sentence(&v, "The CA certificate 'Example Issuing CA' expired on 2027-01-14 (1 day "
                        "ago); the server's admin must replace it");
    assert_string_equal(v.reasons[0].about, "Example Issuing CA");
    assert_int_equal(v.reasons_count, 1);
    assert_true(v.anchored); /* the path is shown to its end */
}

static void an_unknown_ca_is_named(void **state)
{
    const struct testpki_cert *root = make_root();
    struct testpki_spec other = {.subject = "CN=Other CA", .key = 4, .ca = true};
    const struct testpki_spec spec = leaf_spec(testpki_make(&other));
    struct question q = question_new();

    (void)state;
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = root;
    struct verdict v = question_ask(&q);
    assert_refused(&v, REASON_UNKNOWN_CA, 0);
    assert_sentence(&v, "The certificate of sip.example.com is signed by 'Other CA', which is not "
                        "among the trusted certificates; upload that CA if you trust it");
    assert_int_equal(verdict_alert(&v), 48);
    assert_false(v.anchored);

    q.chain[1] = testpki_make(&other); /* of the same name and key, sent by the peer */
    v = question_ask(&q);
    assert_refused(&v, REASON_UNKNOWN_CA, 1);
    assert_sentence(&v, "The CA 'Other CA' is not among the trusted certificates; upload its "
                        "certificate if you trust it");
}

static void a_missing_intermediate_is_named(void **state)
{
    const struct testpki_cert *root = make_root();
    const struct testpki_spec sub = sub_spec(root);
    const struct testpki_spec spec = leaf_spec(testpki_make(&sub));
    struct question q = question_new();

    (void)state;
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = root;
    const struct verdict v = question_ask(&q);
    assert_refused(&v, REASON_MISSING_INTERMEDIATE, 0);
    assert_sentence(&v, "The server did not send its intermediate certificate 'Example Issuing "
                        "CA'; its admin must add it to the chain");
    assert_int_equal(verdict_alert(&v), 48);
}

/* The server's PKI was made anew under the old names, or somebody has made one like it: the CA that
 * it sends has the name of the trusted one, and another key. */
static void a_ca_of_the_same_name_is_told_as_such(void **state)
{
    const struct testpki_cert *root = make_root();
    struct testpki_spec spec = root_spec();
    struct question q = question_new();

    (void)state;
    q.trusted[0] = root;
    for (int form = 0; form < 2; form++) {
        spec.key = 9;
        spec.no_aki = form == 1; /* may be so in an anchor only */
        const struct testpki_cert *other = testpki_make(&spec);
        const struct testpki_spec of_it = leaf_spec(other), sub = sub_spec(other);
        q.chain[0] = testpki_make(&of_it);
        q.chain[1] = other;
        q.chain[2] = NULL;
        struct verdict v = question_ask(&q);
        assert_int_equal(v.class, VERDICT_REJECTED);
        assert_int_equal(v.reasons[0].code, REASON_BAD_SIGNATURE);
        assert_non_null(strstr(verdict_sentence(&v),
                               " is signed by another key than the trusted CA 'Example Root' has: "
                               "the CA that the server sent only has the same name; upload that "
                               "one if you trust it"));
        const struct testpki_cert *ca = testpki_make(&sub);
        const struct testpki_spec leaf = leaf_spec(ca);
        q.chain[0] = testpki_make(&leaf);
        q.chain[1] = ca;
        q.chain[2] = other;
        v = question_ask(&q);
        assert_int_equal(v.reasons[0].code, REASON_BAD_SIGNATURE);
        assert_non_null(strstr(verdict_sentence(&v), "only has the same name"));
        q.trusted[1] = other; /* as it says */
        v = question_ask(&q);
        assert_verified(&v);
        q.trusted[1] = NULL;
    }
}

/* The same of a server that is its own CA, whose certificate is trusted and was made anew. */
static void a_pinned_server_with_another_key_is_told_as_such(void **state)
{
    struct testpki_spec spec = leaf_spec(NULL);
    struct question q = question_new();

    (void)state;
    q.trusted[0] = testpki_make(&spec);
    spec.key = 11;
    q.chain[0] = testpki_make(&spec);
    struct verdict v = question_ask(&q);
    assert_refused(&v, REASON_BAD_SIGNATURE, 0);
    assert_sentence(&v, "The certificate of sip.example.com is self-signed, with another key than "
                        "the trusted certificate of that name has; upload it as a trusted "
                        "certificate if you know that it is the right one");
    q.trusted[1] = q.chain[0];
    v = question_ask(&q);
    assert_verified(&v);
}

static void a_forged_signature_is_refused(void **state)
{
    const struct testpki_cert *root = make_root();
    struct testpki_spec spec = leaf_spec(root);
    struct question q = question_new();

    (void)state;
    spec.bad_signature = true;
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = root;
    struct verdict v = question_ask(&q);
    assert_refused(&v, REASON_BAD_SIGNATURE, 0);
    assert_sentence(&v, "The certificate of sip.example.com was not signed by 'Example Root', or "
                        "was changed since");

    /* the right name, the wrong key */
    struct testpki_spec impostor = {.subject = "O=Example,CN=Example Root", .key = 9, .ca = true};
    spec = leaf_spec(testpki_make(&impostor));
    q.chain[0] = testpki_make(&spec);
    v = question_ask(&q);
    assert_refused(&v, REASON_BAD_SIGNATURE, 0);
}

static void nothing_sent_is_refused(void **state)
{
    struct question q = question_new();

    (void)state;
    q.trusted[0] = make_root();
    const struct verdict v = question_ask(&q);
    assert_refused(&v, REASON_NO_CERTIFICATE, -1);
    assert_int_equal(verdict_alert(&v), 116);
}

static void an_unreadable_leaf_is_refused(void **state)
{
    struct question q = question_new();

    (void)state;
    q.garbage = SLICE_LIT("\x30\x03xyz");
    q.trusted[0] = make_root();
    const struct verdict v = question_ask(&q);
    assert_refused(&v, REASON_MALFORMED, 0);
    assert_sentence(&v, "The certificate of sip.example.com cannot be read: its structure is not "
                        "that of a certificate");
}

static void an_unreadable_intermediate_is_mentioned(void **state)
{
    const struct testpki_spec spec = leaf_spec(make_root());
    struct question q = question_new();

    (void)state;
    q.chain[0] = testpki_make(&spec);
    q.garbage = SLICE_LIT("\x30\x03xyz");
    const struct verdict v = question_ask(&q);
    assert_refused(&v, REASON_UNKNOWN_CA, 0);
    assert_int_equal(v.reasons[1].code, REASON_MALFORMED);
}

static void all_that_is_wrong_is_told_the_most_useful_first(void **state)
{
    struct testpki_spec other = {.subject = "CN=Other CA", .key = 4, .ca = true};
    struct testpki_spec spec = leaf_spec(testpki_make(&other));
    struct question q = question_new();

    (void)state;
    spec.not_after = TESTPKI_NOW - DAY;
    q.chain[0] = testpki_make(&spec);
    q.name = "pbx.example.com";
    const struct verdict v = question_ask(&q);
    assert_refused(&v, REASON_NAME_MISMATCH, 0);
    assert_int_equal(v.reasons_count, 3);
    assert_int_equal(v.reasons[1].code, REASON_EXPIRED);
    assert_int_equal(v.reasons[2].code, REASON_UNKNOWN_CA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordinary_chain_is_verified),
        cmocka_unit_test(order_duplicates_and_the_root_do_not_matter),
        cmocka_unit_test(a_leaf_of_the_anchor_itself_is_verified),
        cmocka_unit_test(an_intermediate_may_be_the_anchor),
        cmocka_unit_test(a_self_signed_certificate_may_be_pinned),
        cmocka_unit_test(a_pin_is_of_the_exact_certificate),
        cmocka_unit_test(an_unreadable_certificate_beside_the_path_is_ignored),
        cmocka_unit_test(a_name_that_is_not_asked_for_is_not_checked),
        cmocka_unit_test(a_wrong_name_is_refused),
        cmocka_unit_test(dates_are_inclusive),
        cmocka_unit_test(an_expired_issuer_is_named),
        cmocka_unit_test(an_unknown_ca_is_named),
        cmocka_unit_test(a_missing_intermediate_is_named),
        cmocka_unit_test(a_forged_signature_is_refused),
        cmocka_unit_test(a_ca_of_the_same_name_is_told_as_such),
        cmocka_unit_test(a_pinned_server_with_another_key_is_told_as_such),
        cmocka_unit_test(nothing_sent_is_refused),
        cmocka_unit_test(an_unreadable_leaf_is_refused),
        cmocka_unit_test(an_unreadable_intermediate_is_mentioned),
        cmocka_unit_test(all_that_is_wrong_is_told_the_most_useful_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
