/* The rules of single certificates in their places, and what the account and the clock allow. */
#include "pki/certrules.h"

#include <string.h>

#include "tools/unit.h"
#include "unit/pki/judging.h"

#define DAY 86400

static const struct testpki_cert *make_root(void)
{
    const struct testpki_spec spec = root_spec();

    return testpki_make(&spec);
}

static void only_cas_may_issue(void **state)
{
    const struct testpki_cert *root = make_root();
    struct testpki_spec sub = sub_spec(root);
    struct question q = question_new();

    (void)state;
    q.trusted[0] = root;
    sub.ca = false;
    for (int with = 0; with < 2; with++) {
        sub.not_ca = with != 0;
        sub.pathlen = 0;
        const struct testpki_cert *ca = testpki_make(&sub);
        const struct testpki_spec spec = leaf_spec(ca);
        q.chain[0] = testpki_make(&spec);
        q.chain[1] = ca;
        const struct verdict v = question_ask(&q);
        assert_refused(&v, REASON_NOT_A_CA, 1);
        assert_sentence(&v, "The CA certificate 'Example Issuing CA' may not issue certificates: "
                            "it is not a CA's");
    }
}

static void a_ca_needs_the_right_key_usage(void **state)
{
    const struct testpki_cert *root = make_root();
    struct testpki_spec sub = sub_spec(root);
    struct question q = question_new();

    (void)state;
    sub.key_usage = TESTPKI_CRL_SIGN;
    const struct testpki_cert *ca = testpki_make(&sub);
    const struct testpki_spec spec = leaf_spec(ca);
    q.chain[0] = testpki_make(&spec);
    q.chain[1] = ca;
    q.trusted[0] = root;
    const struct verdict v = question_ask(&q);
    assert_refused(&v, REASON_KEY_USAGE, 1);
}

static void path_length_counts_intermediates(void **state)
{
    struct question q = question_new();

    (void)state;
    for (int limit = 0; limit <= 2; limit++) {
        struct testpki_spec root = {
            .subject = "CN=Root", .key = 1, .ca = true, .pathlen = TESTPKI_PATHLEN(limit)};
        const struct testpki_cert *anchor = testpki_make(&root);
        struct testpki_spec upper = {.subject = "CN=Upper", .key = 2, .ca = true, .issuer = anchor};
        const struct testpki_cert *first = testpki_make(&upper);
        struct testpki_spec lower = {.subject = "CN=Lower", .key = 4, .ca = true, .issuer = first};
        const struct testpki_cert *second = testpki_make(&lower);
        const struct testpki_spec spec = leaf_spec(second);
        q.chain[0] = testpki_make(&spec);
        q.chain[1] = second;
        q.chain[2] = first;
        q.trusted[0] = anchor;
        const struct verdict v = question_ask(&q);
        if (limit < 2)
            assert_refused(&v, REASON_PATH_LENGTH, 3);
        else
            assert_verified(&v);
    }
}

static void purposes_must_fit(void **state)
{
    static const char *const server[] = {TESTPKI_OID_SERVER_AUTH, NULL};
    static const char *const client[] = {TESTPKI_OID_CLIENT_AUTH, NULL};
    static const char *const both[] = {TESTPKI_OID_CLIENT_AUTH, TESTPKI_OID_SERVER_AUTH, NULL};
    static const char *const any[] = {TESTPKI_OID_ANY_EKU, NULL};
    static const char *const sip[] = {TESTPKI_OID_SIP_DOMAIN, NULL};
    static const struct {
        const char *const *eku;
        enum verify_purpose purpose;
        enum verify_profile profile;
        bool ok;
    } cases[] = {
        {server, VERIFY_SERVER, VERIFY_PROFILE_PUBLIC, true},
        {NULL, VERIFY_SERVER, VERIFY_PROFILE_PUBLIC, true},
        {both, VERIFY_SERVER, VERIFY_PROFILE_PUBLIC, true},
        {sip, VERIFY_SERVER, VERIFY_PROFILE_PUBLIC, true},
        {client, VERIFY_SERVER, VERIFY_PROFILE_PUBLIC, false},
        {client, VERIFY_ANY, VERIFY_PROFILE_PUBLIC, true},
        {any, VERIFY_SERVER, VERIFY_PROFILE_PUBLIC, false},
        {any, VERIFY_SERVER, VERIFY_PROFILE_COMPATIBLE, true},
        {client, VERIFY_CLIENT, VERIFY_PROFILE_PUBLIC, true},
        {both, VERIFY_CLIENT, VERIFY_PROFILE_PUBLIC, true},
        {server, VERIFY_CLIENT, VERIFY_PROFILE_PUBLIC, false},
    };
    const struct testpki_cert *root = make_root();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct testpki_spec spec = leaf_spec(root);
        struct question q = question_new();

        spec.eku = cases[i].eku;
        q.chain[0] = testpki_make(&spec);
        q.trusted[0] = root;
        q.purpose = cases[i].purpose;
        q.policy.profile = cases[i].profile;
        q.policy.client_eku_required = true;
        const struct verdict v = question_ask(&q);
        if (cases[i].ok)
            assert_verified(&v);
        else
            assert_refused(&v, REASON_EXT_KEY_USAGE, 0);
    }
}

static void a_clients_purpose_may_be_left_open(void **state)
{
    const struct testpki_cert *root = make_root();
    const struct testpki_spec spec = leaf_spec(root);
    struct question q = question_new();

    (void)state;
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = root;
    q.purpose = VERIFY_CLIENT;
    const struct verdict v = question_ask(&q);
    assert_verified(&v);
}

static void weak_keys_and_digests_are_refused(void **state)
{
    static const struct {
        enum testpki_key_type issuer, leaf;
        enum testpki_digest digest;
        bool allow_sha1;
        unsigned min_rsa_bits;
        enum reason_code code;
        int depth;
    } cases[] = {
        {TESTPKI_RSA_2048, TESTPKI_P384, TESTPKI_SHA256, false, 0, REASON_NONE, 0},
        {TESTPKI_RSA_2048, TESTPKI_P256, TESTPKI_SHA1, false, 0, REASON_WEAK_SIGNATURE, 0},
        {TESTPKI_RSA_2048, TESTPKI_P256, TESTPKI_SHA1, true, 0, REASON_NONE, 0},
        {TESTPKI_RSA_2048, TESTPKI_P256, TESTPKI_MD5, true, 0, REASON_WEAK_SIGNATURE, 0},
        {TESTPKI_RSA_2048, TESTPKI_RSA_1024, TESTPKI_SHA256, false, 0, REASON_WEAK_KEY, 0},
        {TESTPKI_RSA_2048, TESTPKI_RSA_1024, TESTPKI_SHA256, false, 1024, REASON_NONE, 0},
        {TESTPKI_RSA_1024, TESTPKI_P256, TESTPKI_SHA256, false, 0, REASON_WEAK_KEY, 1},
        {TESTPKI_RSA_2048, TESTPKI_P256, TESTPKI_SHA256, false, 3072, REASON_WEAK_KEY, 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct testpki_spec root = {
            .subject = "CN=Root", .key_type = cases[i].issuer, .key = 1, .ca = true};
        const struct testpki_cert *anchor = testpki_make(&root);
        struct testpki_spec spec = leaf_spec(anchor);
        struct question q = question_new();

        spec.key_type = cases[i].leaf;
        spec.digest = cases[i].digest;
        q.chain[0] = testpki_make(&spec);
        q.trusted[0] = anchor;
        q.policy.allow_sha1 = cases[i].allow_sha1;
        q.policy.min_rsa_bits = cases[i].min_rsa_bits;
        const struct verdict v = question_ask(&q);
        if (cases[i].code == REASON_NONE)
            assert_verified(&v);
        else
            assert_refused(&v, cases[i].code, cases[i].depth);
    }
}

static void the_anchors_own_signature_does_not_matter(void **state)
{
    static const enum testpki_digest digests[] = {TESTPKI_SHA1, TESTPKI_MD5};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(digests); i++) {
        struct testpki_spec root = {.subject = "CN=Root",
                                    .key_type = TESTPKI_RSA_2048,
                                    .key = 1,
                                    .ca = true,
                                    .digest = digests[i],
                                    .bad_signature = true};
        const struct testpki_cert *anchor = testpki_make(&root);
        const struct testpki_spec spec = leaf_spec(anchor);
        struct question q = question_new();

        q.chain[0] = testpki_make(&spec);
        q.trusted[0] = anchor;
        const struct verdict v = question_ask(&q);
        assert_verified(&v);
    }
}

static void every_kind_of_signature_is_checked(void **state)
{
    static const struct {
        enum testpki_key_type key;
        enum testpki_digest digest;
        bool pss;
    } kinds[] = {
        {TESTPKI_P256, TESTPKI_SHA256, false},     {TESTPKI_P384, TESTPKI_SHA384, false},
        {TESTPKI_P521, TESTPKI_SHA512, false},     {TESTPKI_RSA_2048, TESTPKI_SHA256, false},
        {TESTPKI_RSA_2048, TESTPKI_SHA512, false}, {TESTPKI_RSA_2048, TESTPKI_SHA256, true},
        {TESTPKI_RSA_3072, TESTPKI_SHA384, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        for (int bad = 0; bad < 2; bad++) {
            struct testpki_spec root = {
                .subject = "CN=Root", .key_type = kinds[i].key, .key = 1, .ca = true};
            const struct testpki_cert *anchor = testpki_make(&root);
            struct testpki_spec spec = leaf_spec(anchor);
            struct question q = question_new();

            spec.digest = kinds[i].digest;
            spec.pss = kinds[i].pss;
            spec.bad_signature = bad != 0;
            q.chain[0] = testpki_make(&spec);
            q.trusted[0] = anchor;
            const struct verdict v = question_ask(&q);
            if (bad == 0)
                assert_verified(&v);
            else
                assert_refused(&v, REASON_BAD_SIGNATURE, 0);
        }
    }
}

/* --- policies of the account --- */

static void without_trust_checking_everybody_is_accepted(void **state)
{
    const struct testpki_cert *root = make_root();
    struct testpki_spec spec = leaf_spec(root);
    struct question q = question_new();

    (void)state;
    q.policy.check_trust = false;
    q.chain[0] = testpki_make(&spec);
    struct verdict v = question_ask(&q);
    assert_int_equal(v.class, VERDICT_UNVERIFIED);
    assert_true(verdict_accepted(&v));
    assert_int_equal(v.reasons[0].code, REASON_UNKNOWN_CA);
    assert_int_equal(v.reasons[v.reasons_count - 1].code, REASON_NOT_CHECKED);

    q.trusted[0] = root; /* and whoever is right is verified all the same */
    v = question_ask(&q);
    assert_verified(&v);
}

static void the_clock_decides_as_far_as_it_is_known(void **state)
{
    static const struct {
        enum clock_state clock;
        enum verify_clock_policy policy;
        int64_t now; /* the lower bound */
        enum verdict_class class;
        enum reason_code code;
    } cases[] = {
#define BEFORE 900000000 /* the leaf is valid from 1000000000 to 1100000000 */
#define WITHIN 1050000000
#define BEHIND 1100000001
        {CLOCK_SET, VERIFY_CLOCK_WAIT, WITHIN, VERDICT_VERIFIED, REASON_NONE},
        {CLOCK_SET, VERIFY_CLOCK_REFUSE, WITHIN, VERDICT_VERIFIED, REASON_NONE},
        {CLOCK_SET, VERIFY_CLOCK_PROVISIONAL, BEFORE, VERDICT_REJECTED, REASON_NOT_YET_VALID},
        {CLOCK_FLOOR, VERIFY_CLOCK_WAIT, WITHIN, VERDICT_VERIFIED, REASON_NONE},
        {CLOCK_FLOOR, VERIFY_CLOCK_WAIT, BEFORE, VERDICT_REJECTED, REASON_CLOCK_UNSET},
        {CLOCK_FLOOR, VERIFY_CLOCK_PROVISIONAL, BEFORE, VERDICT_PROVISIONAL, REASON_CLOCK_UNSET},
        {CLOCK_FLOOR, VERIFY_CLOCK_REFUSE, WITHIN, VERDICT_REJECTED, REASON_CLOCK_UNSET},
        {CLOCK_FLOOR, VERIFY_CLOCK_PROVISIONAL, BEHIND, VERDICT_REJECTED, REASON_EXPIRED},
        {CLOCK_UNSET, VERIFY_CLOCK_WAIT, WITHIN, VERDICT_REJECTED, REASON_CLOCK_UNSET},
        {CLOCK_UNSET, VERIFY_CLOCK_PROVISIONAL, WITHIN, VERDICT_PROVISIONAL, REASON_CLOCK_UNSET},
        {CLOCK_UNSET, VERIFY_CLOCK_PROVISIONAL, BEFORE, VERDICT_PROVISIONAL, REASON_CLOCK_UNSET},
        {CLOCK_UNSET, VERIFY_CLOCK_PROVISIONAL, BEHIND, VERDICT_REJECTED, REASON_EXPIRED},
        {CLOCK_UNSET, VERIFY_CLOCK_WAIT, BEHIND, VERDICT_REJECTED, REASON_EXPIRED},
    };
    struct testpki_spec root_spec = {
        .subject = "CN=Root", .key = 1, .ca = true, .not_before = 800000000};
    const struct testpki_cert *root = testpki_make(&root_spec);
    struct testpki_spec spec = leaf_spec(root);
    struct question q = question_new();

    (void)state;
    spec.not_before = 1000000000;
    spec.not_after = 1100000000;
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = root;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        q.clock = cases[i].clock;
        q.policy.clock = cases[i].policy;
        q.now = cases[i].now;
        const struct verdict v = question_ask(&q);
        if (v.class != cases[i].class ||
            (v.reasons_count > 0 ? v.reasons[0].code : REASON_NONE) != cases[i].code)
            fail_msg("case %zu: %s: %s", i, verdict_class_name(v.class), verdict_sentence(&v));
    }
}

static void a_clock_that_may_be_wrong_is_told_with_both_dates(void **state)
{
    struct testpki_spec root_spec = {.subject = "CN=Root", .ca = true, .not_before = 800000000};
    const struct testpki_cert *root = testpki_make(&root_spec);
    struct testpki_spec spec = leaf_spec(root);
    struct question q = question_new();

    (void)state;
    spec.not_before = 1000000000;
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = root;
    q.clock = CLOCK_FLOOR;
    q.now = 900000000;
    const struct verdict v = question_ask(&q);
    assert_non_null(strstr(verdict_sentence(&v), "not valid before 2001-09-09"));
    assert_non_null(strstr(verdict_sentence(&v), "says 1998-07-09"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_may_be_wrong_is_told_with_both_dates),
        cmocka_unit_test(only_cas_may_issue),
        cmocka_unit_test(a_ca_needs_the_right_key_usage),
        cmocka_unit_test(path_length_counts_intermediates),
        cmocka_unit_test(purposes_must_fit),
        cmocka_unit_test(a_clients_purpose_may_be_left_open),
        cmocka_unit_test(weak_keys_and_digests_are_refused),
        cmocka_unit_test(the_anchors_own_signature_does_not_matter),
        cmocka_unit_test(every_kind_of_signature_is_checked),
        cmocka_unit_test(without_trust_checking_everybody_is_accepted),
        cmocka_unit_test(the_clock_decides_as_far_as_it_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
