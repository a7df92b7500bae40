/* Ordinary chains: what every TLS client must get right, and the sentences about what is wrong. */
#include "pki/verify.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "tools/testpki.h"
#include "tools/unit.h"

#define DAY 86400

static const char *const server_auth[] = {TESTPKI_OID_SERVER_AUTH, NULL};

/* --- a small PKI: root, intermediate, leaf --- */

static const struct testpki_cert *make_root(void)
{
    return testpki_make(
        &(struct testpki_spec){.subject = "O=Example,CN=Example Root",
                               .key = 1,
                               .ca = true,
                               .key_usage = TESTPKI_KEY_CERT_SIGN | TESTPKI_CRL_SIGN});
}

static struct testpki_spec sub_spec(const struct testpki_cert *root)
{
    return (struct testpki_spec){.subject = "O=Example,CN=Example Issuing CA",
                                 .issuer = root,
                                 .key = 2,
                                 .ca = true,
                                 .pathlen = TESTPKI_PATHLEN(0),
                                 .key_usage = TESTPKI_KEY_CERT_SIGN | TESTPKI_CRL_SIGN};
}

static struct testpki_spec leaf_spec(const struct testpki_cert *issuer)
{
    return (struct testpki_spec){.subject = "CN=sip.example.com",
                                 .issuer = issuer,
                                 .key = 3,
                                 .not_ca = true,
                                 .key_usage = TESTPKI_DIGITAL_SIGNATURE,
                                 .eku = server_auth,
                                 .san = "DNS:sip.example.com"};
}

/* --- one judgement --- */

struct question {
    const struct testpki_cert *chain[8];
    const struct testpki_cert *trusted[4];
    const char *name; /* NULL: sip.example.com; "": unchecked */
    int64_t now;      /* 0: TESTPKI_NOW */
    enum clock_state clock;
    enum verify_purpose purpose;
    struct verify_policy policy;
};

static struct question question(void)
{
    return (struct question){.clock = CLOCK_SET, .policy = {.check_trust = true}};
}

static struct trust *trust_of(const struct testpki_cert *const *certs)
{
    struct trust_custom custom[4];
    struct trust *trust;
    size_t n = 0;

    for (; n < COUNT_OF(custom) && certs[n] != NULL; n++)
        custom[n] = (struct trust_custom){"ca.pem", testpki_der(certs[n])};
    assert_true(is_ok(trust_new(custom, n, NULL, NULL, &trust, NULL)));
    return trust;
}

static struct verdict ask(const struct question *q)
{
    struct slice chain[COUNT_OF(q->chain)];
    struct peername name;
    struct trust *trust = trust_of(q->trusted);
    struct verdict v;
    size_t n = 0;

    for (; n < COUNT_OF(chain) && q->chain[n] != NULL; n++)
        chain[n] = testpki_der(q->chain[n]);
    assert_true(is_ok(peername_parse(
        slice_of_str(q->name != NULL && q->name[0] != '\0' ? q->name : "sip.example.com"), &name,
        NULL)));
    const struct verify_input in = {
        .chain = chain,
        .chain_len = n,
        .trust = trust,
        .filter = TRUST_CUSTOM,
        .name = q->name != NULL && q->name[0] == '\0' ? NULL : &name,
        .now = {q->now != 0 ? q->now : TESTPKI_NOW, q->clock},
        .purpose = q->purpose,
        .policy = &q->policy,
    };
    verify_chain(&in, &v);
    trust_unref(trust);
    return v;
}

static void assert_verified(const struct verdict *v)
{
    if (v->class != VERDICT_VERIFIED || v->reasons_count != 0)
        fail_msg("%s: %s", verdict_class_name(v->class), verdict_sentence(v));
}

static void assert_refused(const struct verdict *v, enum reason_code code, int depth)
{
    if (v->class != VERDICT_REJECTED || v->reasons_count == 0 || v->reasons[0].code != code ||
        v->reasons[0].depth != depth)
        fail_msg("expected %s at %d, got %s, %s at %d: %s", reason_name(code), depth,
                 verdict_class_name(v->class), reason_name(v->reasons[0].code), v->reasons[0].depth,
                 verdict_sentence(v));
}

static void assert_sentence(const struct verdict *v, const char *sentence)
{
    assert_string_equal(verdict_sentence(v), sentence);
}

/* --- accepted --- */

static void an_ordinary_chain_is_verified(void **state)
{
    const struct testpki_cert *root = make_root();
    const struct testpki_spec sub = sub_spec(root);
    const struct testpki_cert *ca = testpki_make(&sub);
    const struct testpki_spec spec = leaf_spec(ca);
    const struct testpki_cert *leaf = testpki_make(&spec);
    struct question q = question();

    (void)state;
    q.chain[0] = leaf;
    q.chain[1] = ca;
    q.trusted[0] = root;
    const struct verdict v = ask(&q);
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
    struct question q = question();

    (void)state;
    q.trusted[0] = root;
    const struct testpki_cert *const orders[][4] = {
        {leaf, root, ca}, {leaf, ca, ca, root}, {leaf, leaf, root, ca}, {leaf, ca, leaf}};
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        memcpy(q.chain, orders[i], sizeof orders[i]);
        const struct verdict v = ask(&q);
        assert_verified(&v);
        assert_int_equal(v.path_len, 3);
    }
}

static void a_leaf_of_the_anchor_itself_is_verified(void **state)
{
    const struct testpki_cert *root = make_root();
    const struct testpki_spec spec = leaf_spec(root);
    struct question q = question();

    (void)state;
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = root;
    const struct verdict v = ask(&q);
    assert_verified(&v);
    assert_sentence(&v, "Verified: sip.example.com, issued by Example Root");
}

static void an_intermediate_may_be_the_anchor(void **state)
{
    const struct testpki_cert *root = make_root();
    const struct testpki_spec sub = sub_spec(root);
    const struct testpki_cert *ca = testpki_make(&sub);
    const struct testpki_spec spec = leaf_spec(ca);
    struct question q = question();

    (void)state;
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = ca;
    const struct verdict v = ask(&q);
    assert_verified(&v);
    assert_int_equal(v.path_len, 2);
}

static void a_self_signed_certificate_may_be_pinned(void **state)
{
    struct testpki_spec spec = leaf_spec(NULL);
    struct question q = question();

    (void)state;
    spec.no_ski = spec.no_aki = true;
    q.chain[0] = testpki_make(&spec);
    struct verdict v = ask(&q);
    assert_refused(&v, REASON_SELF_SIGNED, 0);
    assert_false(v.pinned);

    q.trusted[0] = q.chain[0];
    v = ask(&q);
    assert_verified(&v);
    assert_true(v.pinned);
    assert_sentence(&v, "Verified: sip.example.com, whose own certificate is trusted");

    q.name = "other.example.com"; /* it is still only for its name */
    v = ask(&q);
    assert_refused(&v, REASON_NAME_MISMATCH, 0);
    q.name = NULL;
    q.now = TESTPKI_NOT_AFTER + 1;
    v = ask(&q);
    assert_refused(&v, REASON_EXPIRED, 0);
}

static void a_pin_is_of_the_exact_certificate(void **state)
{
    const struct testpki_spec spec = leaf_spec(NULL);
    struct question q = question();

    (void)state;
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = testpki_make(&spec); /* the same name and key, another serial number */
    const struct verdict v = ask(&q);
    assert_int_equal(v.class, VERDICT_REJECTED);
    assert_false(v.pinned);
}

static void an_unreadable_certificate_beside_the_path_is_ignored(void **state)
{
    const struct testpki_cert *root = make_root();
    const struct testpki_spec spec = leaf_spec(root);
    const struct slice chain[] = {testpki_der(testpki_make(&spec)), SLICE_LIT("\x30\x03garbage")};
    const struct testpki_cert *trusted[] = {root, NULL};
    struct trust *trust = trust_of(trusted);
    const struct verify_policy policy = {.check_trust = true};
    struct verdict v;

    (void)state;
    verify_chain(&(struct verify_input){.chain = chain,
                                        .chain_len = 2,
                                        .trust = trust,
                                        .filter = TRUST_ALL,
                                        .now = {TESTPKI_NOW, CLOCK_SET},
                                        .policy = &policy},
                 &v);
    assert_verified(&v);
    assert_false(v.name_checked);
    trust_unref(trust);
}

/* --- refused: each with its reason and sentence --- */

static void a_wrong_name_is_refused(void **state)
{
    const struct testpki_cert *root = make_root();
    const struct testpki_spec spec = leaf_spec(root);
    struct question q = question();

    (void)state;
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = root;
    q.name = "pbx.example.com";
    const struct verdict v = ask(&q);
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
    struct question q = question();

    (void)state;
    spec.not_before = 1000000000;
    spec.not_after = 1100000000;
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = root;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        q.now = cases[i].now;
        const struct verdict v = ask(&q);
        if (cases[i].code == REASON_NONE)
            assert_verified(&v);
        else
            assert_refused(&v, cases[i].code, 0);
    }
    q.now = 1100000000 + 53 * DAY;
    const struct verdict v = ask(&q);
    assert_sentence(&v, "The certificate of sip.example.com expired on 2004-11-09 (53 days ago); "
                        "the server's admin must renew it");
    assert_int_equal(verdict_alert(&v), 45);
}

static void an_expired_issuer_is_named(void **state)
{
    const struct testpki_cert *root = make_root();
    struct testpki_spec sub = sub_spec(root);
    struct question q = question();

    (void)state;
    sub.not_after = TESTPKI_NOW - DAY;
    const struct testpki_cert *ca = testpki_make(&sub);
    const struct testpki_spec spec = leaf_spec(ca);
    q.chain[0] = testpki_make(&spec);
    q.chain[1] = ca;
    q.trusted[0] = root;
    const struct verdict v = ask(&q);
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
    struct question q = question();

    (void)state;
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = root;
    struct verdict v = ask(&q);
    assert_refused(&v, REASON_UNKNOWN_CA, 0);
    assert_sentence(&v, "The certificate of sip.example.com is signed by 'Other CA', which is not "
                        "among the trusted certificates; upload that CA if you trust it");
    assert_int_equal(verdict_alert(&v), 48);
    assert_false(v.anchored);

    q.chain[1] = testpki_make(&other); /* of the same name and key, sent by the peer */
    v = ask(&q);
    assert_refused(&v, REASON_UNKNOWN_CA, 1);
    assert_sentence(&v, "The CA 'Other CA' is not among the trusted certificates; upload its "
                        "certificate if you trust it");
}

static void a_missing_intermediate_is_named(void **state)
{
    const struct testpki_cert *root = make_root();
    const struct testpki_spec sub = sub_spec(root);
    const struct testpki_spec spec = leaf_spec(testpki_make(&sub));
    struct question q = question();

    (void)state;
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = root;
    const struct verdict v = ask(&q);
    assert_refused(&v, REASON_MISSING_INTERMEDIATE, 0);
    assert_sentence(&v, "The server did not send its intermediate certificate 'Example Issuing "
                        "CA'; its admin must add it to the chain");
    assert_int_equal(verdict_alert(&v), 48);
}

static void a_forged_signature_is_refused(void **state)
{
    const struct testpki_cert *root = make_root();
    struct testpki_spec spec = leaf_spec(root);
    struct question q = question();

    (void)state;
    spec.bad_signature = true;
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = root;
    struct verdict v = ask(&q);
    assert_refused(&v, REASON_BAD_SIGNATURE, 0);
    assert_sentence(&v, "The certificate of sip.example.com was not signed by 'Example Root', or "
                        "was changed since");

    /* the right name, the wrong key */
    struct testpki_spec impostor = {.subject = "O=Example,CN=Example Root", .key = 9, .ca = true};
    spec = leaf_spec(testpki_make(&impostor));
    q.chain[0] = testpki_make(&spec);
    v = ask(&q);
    assert_refused(&v, REASON_BAD_SIGNATURE, 0);
}

static void only_cas_may_issue(void **state)
{
    const struct testpki_cert *root = make_root();
    struct testpki_spec sub = sub_spec(root);
    struct question q = question();

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
        const struct verdict v = ask(&q);
        assert_refused(&v, REASON_NOT_A_CA, 1);
        assert_sentence(&v, "The CA certificate 'Example Issuing CA' may not issue certificates: "
                            "it is not a CA's");
    }
}

static void a_ca_needs_the_right_key_usage(void **state)
{
    const struct testpki_cert *root = make_root();
    struct testpki_spec sub = sub_spec(root);
    struct question q = question();

    (void)state;
    sub.key_usage = TESTPKI_CRL_SIGN;
    const struct testpki_cert *ca = testpki_make(&sub);
    const struct testpki_spec spec = leaf_spec(ca);
    q.chain[0] = testpki_make(&spec);
    q.chain[1] = ca;
    q.trusted[0] = root;
    const struct verdict v = ask(&q);
    assert_refused(&v, REASON_KEY_USAGE, 1);
}

static void path_length_counts_intermediates(void **state)
{
    struct question q = question();

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
        const struct verdict v = ask(&q);
        if (limit < 2)
            assert_refused(&v, REASON_PATH_LENGTH, 3);
        else
            assert_verified(&v);
    }
}

static void purposes_must_fit(void **state)
{
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
        {server_auth, VERIFY_SERVER, VERIFY_PROFILE_PUBLIC, true},
        {NULL, VERIFY_SERVER, VERIFY_PROFILE_PUBLIC, true},
        {both, VERIFY_SERVER, VERIFY_PROFILE_PUBLIC, true},
        {sip, VERIFY_SERVER, VERIFY_PROFILE_PUBLIC, true},
        {client, VERIFY_SERVER, VERIFY_PROFILE_PUBLIC, false},
        {client, VERIFY_ANY, VERIFY_PROFILE_PUBLIC, true},
        {any, VERIFY_SERVER, VERIFY_PROFILE_PUBLIC, false},
        {any, VERIFY_SERVER, VERIFY_PROFILE_COMPATIBLE, true},
        {client, VERIFY_CLIENT, VERIFY_PROFILE_PUBLIC, true},
        {both, VERIFY_CLIENT, VERIFY_PROFILE_PUBLIC, true},
        {server_auth, VERIFY_CLIENT, VERIFY_PROFILE_PUBLIC, false},
    };
    const struct testpki_cert *root = make_root();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct testpki_spec spec = leaf_spec(root);
        struct question q = question();

        spec.eku = cases[i].eku;
        q.chain[0] = testpki_make(&spec);
        q.trusted[0] = root;
        q.purpose = cases[i].purpose;
        q.policy.profile = cases[i].profile;
        q.policy.client_eku_required = true;
        const struct verdict v = ask(&q);
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
    struct question q = question();

    (void)state;
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = root;
    q.purpose = VERIFY_CLIENT;
    const struct verdict v = ask(&q);
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
        struct question q = question();

        spec.key_type = cases[i].leaf;
        spec.digest = cases[i].digest;
        q.chain[0] = testpki_make(&spec);
        q.trusted[0] = anchor;
        q.policy.allow_sha1 = cases[i].allow_sha1;
        q.policy.min_rsa_bits = cases[i].min_rsa_bits;
        const struct verdict v = ask(&q);
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
        struct question q = question();

        q.chain[0] = testpki_make(&spec);
        q.trusted[0] = anchor;
        const struct verdict v = ask(&q);
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
            struct question q = question();

            spec.digest = kinds[i].digest;
            spec.pss = kinds[i].pss;
            spec.bad_signature = bad != 0;
            q.chain[0] = testpki_make(&spec);
            q.trusted[0] = anchor;
            const struct verdict v = ask(&q);
            if (bad == 0)
                assert_verified(&v);
            else
                assert_refused(&v, REASON_BAD_SIGNATURE, 0);
        }
    }
}

static void nothing_sent_is_refused(void **state)
{
    struct question q = question();

    (void)state;
    q.trusted[0] = make_root();
    const struct verdict v = ask(&q);
    assert_refused(&v, REASON_NO_CERTIFICATE, -1);
    assert_int_equal(verdict_alert(&v), 116);
}

static void an_unreadable_leaf_is_refused(void **state)
{
    static const struct slice chain[] = {{(const uint8_t *)"\x30\x03xyz", 5}};
    const struct testpki_cert *trusted[] = {make_root(), NULL};
    struct trust *trust = trust_of(trusted);
    const struct verify_policy policy = {.check_trust = true};
    struct verdict v;

    (void)state;
    verify_chain(&(struct verify_input){.chain = chain,
                                        .chain_len = 1,
                                        .trust = trust,
                                        .filter = TRUST_ALL,
                                        .now = {TESTPKI_NOW, CLOCK_SET},
                                        .policy = &policy},
                 &v);
    assert_refused(&v, REASON_MALFORMED, 0);
    trust_unref(trust);
}

static void all_that_is_wrong_is_told_the_most_useful_first(void **state)
{
    struct testpki_spec other = {.subject = "CN=Other CA", .key = 4, .ca = true};
    struct testpki_spec spec = leaf_spec(testpki_make(&other));
    struct question q = question();

    (void)state;
    spec.not_after = TESTPKI_NOW - DAY;
    q.chain[0] = testpki_make(&spec);
    q.name = "pbx.example.com";
    const struct verdict v = ask(&q);
    assert_refused(&v, REASON_NAME_MISMATCH, 0);
    assert_int_equal(v.reasons_count, 3);
    assert_int_equal(v.reasons[1].code, REASON_EXPIRED);
    assert_int_equal(v.reasons[2].code, REASON_UNKNOWN_CA);
}

/* --- policies of the account --- */

static void without_trust_checking_everybody_is_accepted(void **state)
{
    const struct testpki_cert *root = make_root();
    struct testpki_spec spec = leaf_spec(root);
    struct question q = question();

    (void)state;
    q.policy.check_trust = false;
    q.chain[0] = testpki_make(&spec);
    struct verdict v = ask(&q);
    assert_int_equal(v.class, VERDICT_UNVERIFIED);
    assert_true(verdict_accepted(&v));
    assert_int_equal(v.reasons[0].code, REASON_UNKNOWN_CA);
    assert_int_equal(v.reasons[v.reasons_count - 1].code, REASON_NOT_CHECKED);

    q.trusted[0] = root; /* and whoever is right is verified all the same */
    v = ask(&q);
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
    struct question q = question();

    (void)state;
    spec.not_before = 1000000000;
    spec.not_after = 1100000000;
    q.chain[0] = testpki_make(&spec);
    q.trusted[0] = root;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        q.clock = cases[i].clock;
        q.policy.clock = cases[i].policy;
        q.now = cases[i].now;
        const struct verdict v = ask(&q);
        if (v.class != cases[i].class ||
            (v.reasons_count > 0 ? v.reasons[0].code : REASON_NONE) != cases[i].code)
            fail_msg("case %zu: %s: %s", i, verdict_class_name(v.class), verdict_sentence(&v));
    }
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
        cmocka_unit_test(a_wrong_name_is_refused),
        cmocka_unit_test(dates_are_inclusive),
        cmocka_unit_test(an_expired_issuer_is_named),
        cmocka_unit_test(an_unknown_ca_is_named),
        cmocka_unit_test(a_missing_intermediate_is_named),
        cmocka_unit_test(a_forged_signature_is_refused),
        cmocka_unit_test(only_cas_may_issue),
        cmocka_unit_test(a_ca_needs_the_right_key_usage),
        cmocka_unit_test(path_length_counts_intermediates),
        cmocka_unit_test(purposes_must_fit),
        cmocka_unit_test(a_clients_purpose_may_be_left_open),
        cmocka_unit_test(weak_keys_and_digests_are_refused),
        cmocka_unit_test(the_anchors_own_signature_does_not_matter),
        cmocka_unit_test(every_kind_of_signature_is_checked),
        cmocka_unit_test(nothing_sent_is_refused),
        cmocka_unit_test(an_unreadable_leaf_is_refused),
        cmocka_unit_test(all_that_is_wrong_is_told_the_most_useful_first),
        cmocka_unit_test(without_trust_checking_everybody_is_accepted),
        cmocka_unit_test(the_clock_decides_as_far_as_it_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
