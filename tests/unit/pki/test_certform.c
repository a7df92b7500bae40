/* The public profile's own rules: that they hold for TLS alone, that the other profile leaves them
 * out, and where a common name is more than a text. tests/certs has a chain for each rule. */
#include "pki/certform.h"

#include <string.h>

#include "tools/unit.h"
#include "unit/pki/judging.h"

static const struct testpki_cert *make_root(void)
{
    const struct testpki_spec spec = root_spec();

    return testpki_make(&spec);
}

/* A chain of root and leaf, judged by both profiles. */
static struct question ask_about(const struct testpki_spec *leaf, const struct testpki_cert *root)
{
    struct question q = question_new();

    q.chain[0] = testpki_make(leaf);
    q.trusted[0] = root;
    return q;
}

static void the_rules_are_the_public_profiles_for_tls(void **state)
{
    const struct testpki_cert *root = make_root();
    struct testpki_spec spec = leaf_spec(root);

    (void)state;
    spec.no_aki = true;
    struct question q = ask_about(&spec, root);
    const struct verdict v = question_ask(&q);
    assert_refused(&v, REASON_MALFORMED, 0);
    assert_sentence(&v,
                    "The certificate of sip.example.com does not say with which key it was signed "
                    "(no authorityKeyIdentifier); to accept it, set "
                    "static.security.certificate_profile = compatible");
    q.policy.profile = VERIFY_PROFILE_COMPATIBLE;
    const struct verdict compatible = question_ask(&q);
    assert_verified(&compatible);
    q.policy.profile = VERIFY_PROFILE_PUBLIC;
    q.purpose = VERIFY_ANY;
    const struct verdict any = question_ask(&q);
    assert_verified(&any);
}

/* What stands in both profiles is not said to be accepted by one. */
static void other_faults_name_no_setting(void **state)
{
    const struct testpki_cert *root = make_root();
    struct testpki_spec spec = leaf_spec(root);

    (void)state;
    spec.key_usage = TESTPKI_KEY_ENCIPHERMENT;
    struct question q = ask_about(&spec, root);
    const struct verdict v = question_ask(&q);
    assert_refused(&v, REASON_KEY_USAGE, 0);
    assert_null(strstr(verdict_sentence(&v), "certificate_profile"));
}

static void a_ca_says_what_its_key_is_for(void **state)
{
    struct testpki_spec root = root_spec();

    (void)state;
    root.key_usage = 0;
    root.no_key_usage = true;
    const struct testpki_cert *ca = testpki_make(&root);
    const struct testpki_spec leaf = leaf_spec(ca);
    struct question q = ask_about(&leaf, ca);
    const struct verdict v = question_ask(&q);
    assert_refused(&v, REASON_MALFORMED, 1);
    assert_sentence(&v, "The trusted certificate 'Example Root' has no keyUsage, which a CA must "
                        "have; to accept it, set static.security.certificate_profile = compatible");
}

static void common_names_that_read_as_names_are_copies(void **state)
{
    static const struct {
        const char *subject, *san;
        bool good;
    } cases[] = {
        {"CN=sip.example.com", "DNS:sip.example.com", true},
        {"CN=Sip.example.com", "DNS:sip.example.com", false},
        {"CN=a.example.com", "DNS:sip.example.com DNS:a.example.com", true},
        {"CN=a.example.com", "DNS:sip.example.com", false},
        {"CN=a.example.com.", "DNS:sip.example.com", false},
        {"CN=*.example.com", "DNS:sip.example.com", false},
        {"CN=pbx", "DNS:sip.example.com", true},
        {"CN=pbx.", "DNS:sip.example.com", true},
        {"CN=Asterisk PBX", "DNS:sip.example.com", true},
        {"CN=1.2.3", "DNS:sip.example.com", true},
        {"CN=a@example.com", "DNS:sip.example.com", true},
        {"CN=192.0.2.1", "DNS:sip.example.com", false},
        {"CN=192.0.2.1", "DNS:sip.example.com IP:192.0.2.1", true},
        {"CN=1.2.3.4", "DNS:sip.example.com", false},
        {"CN=0x7f.0.0.1", "DNS:sip.example.com", false},
        {"CN=2001:db8:0::1", "DNS:sip.example.com IP:2001:db8::1", false},
        {"CN=2001:db8::1", "DNS:sip.example.com IP:2001:db8::1", true},
        {"O=a.example.com", "DNS:sip.example.com", true}, /* no common name */
    };
    const struct testpki_cert *root = make_root();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct testpki_spec spec = leaf_spec(root);

        spec.subject = cases[i].subject;
        spec.san = cases[i].san;
        struct question q = ask_about(&spec, root);
        const struct verdict v = question_ask(&q);
        if (verdict_accepted(&v) != cases[i].good)
            fail_msg("%s with %s: %s", cases[i].subject, cases[i].san, verdict_sentence(&v));
    }
}

/* "Any name will do", as the settings can say. */
static void without_a_name_asked_for_common_names_are_not_looked_at(void **state)
{
    const struct testpki_cert *root = make_root();
    struct testpki_spec spec = leaf_spec(root);

    (void)state;
    spec.subject = "CN=a.example.com";
    struct question q = ask_about(&spec, root);
    q.name = "";
    const struct verdict v = question_ask(&q);
    assert_verified(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rules_are_the_public_profiles_for_tls),
        cmocka_unit_test(other_faults_name_no_setting),
        cmocka_unit_test(a_ca_says_what_its_key_is_for),
        cmocka_unit_test(common_names_that_read_as_names_are_copies),
        cmocka_unit_test(without_a_name_asked_for_common_names_are_not_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
