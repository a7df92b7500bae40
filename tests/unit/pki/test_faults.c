/* The sentences about a certificate in its place. */
#include "pki/faults.h"

#include <string.h>

#include "tools/testpki.h"
#include "tools/unit.h"

static struct certfields cert_of(const char *subject)
{
    const struct testpki_cert *c =
        testpki_make(&(struct testpki_spec){.subject = subject, .key = 1, .san = "DNS:a.example"});
    struct certfields f;

    assert_true(is_ok(certfields_read(testpki_der(c), &f, NULL)));
    return f;
}

static void a_sentence_begins_with_whose_certificate_it_is(void **state)
{
    static const struct {
        size_t depth;
        bool anchor;
        const char *peer, *sentence;
    } cases[] = {
        {0, false, "sip.example.com", "The certificate of sip.example.com is odd"},
        {0, false, NULL, "The certificate of Example CA is odd"},
        {0, true, "sip.example.com", "The certificate of sip.example.com is odd"}, /* pinned */
        {1, false, "sip.example.com", "The CA certificate 'Example CA' is odd"},
        {2, true, "sip.example.com", "The trusted certificate 'Example CA' is odd"},
    };
    const struct certfields c = cert_of("O=Example,CN=Example CA");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct verdict v = {.reasons_count = 0};
        struct faults f = {.verdict = &v, .peer = cases[i].peer};
        const struct place at = {&c, cases[i].depth, cases[i].anchor};

        fault(&f, REASON_MALFORMED, &at, "is %s", "odd");
        assert_int_equal(f.count, 1);
        assert_int_equal(v.reasons_count, 1);
        assert_int_equal(v.reasons[0].code, REASON_MALFORMED);
        assert_int_equal(v.reasons[0].depth, cases[i].depth);
        assert_string_equal(v.reasons[0].about, "Example CA");
        assert_string_equal(v.reasons[0].sentence, cases[i].sentence);
    }
}

static void the_setting_that_accepts_it_is_named(void **state)
{
    const struct certfields c = cert_of("CN=Example CA");
    const struct place at = {&c, 1, false};
    struct verdict v = {.reasons_count = 0};
    struct faults f = {.verdict = &v};

    (void)state;
    fault_profile(&f, REASON_MALFORMED, &at, "is odd");
    assert_string_equal(v.reasons[0].sentence,
                        "The CA certificate 'Example CA' is odd; to accept it, set "
                        "static.security.certificate_profile = compatible");
}

static void a_whole_sentence_stands_alone(void **state)
{
    const struct certfields c = cert_of("");
    const struct place at = {&c, 0, false};
    struct verdict v = {.reasons_count = 0};
    struct faults f = {.verdict = &v, .peer = "sip.example.com"};

    (void)state;
    fault_said(&f, REASON_UNKNOWN_CA, &at, "Nobody knows %s", "it");
    assert_string_equal(v.reasons[0].sentence, "Nobody knows it");
    assert_string_equal(v.reasons[0].about, "a.example"); /* it has no subject */
}

static void weighing_writes_nothing_and_counts(void **state)
{
    const struct certfields c = cert_of("CN=x");
    const struct place at = {&c, 0, false};
    struct faults f = {.verdict = NULL};

    (void)state;
    fault(&f, REASON_MALFORMED, &at, "is odd");
    fault_profile(&f, REASON_MALFORMED, &at, "is odd");
    fault_said(&f, REASON_MALFORMED, &at, "It is odd");
    assert_int_equal(f.count, 3);
}

/* Names are the peer's words: long ones leave room for what is said about them. */
static void long_names_are_cut_before_the_sentence_is(void **state)
{
    char subject[300] = "CN=";
    struct verdict v = {.reasons_count = 0};
    struct faults f = {.verdict = &v};

    (void)state;
    memset(subject + 3, 'x', 250);
    const struct certfields c = cert_of(subject);
    const struct place at = {&c, 1, false};
    fault_profile(&f, REASON_MALFORMED, &at, "has no keyUsage, which a CA must have");
    assert_non_null(strstr(v.reasons[0].sentence, "xxx' has no keyUsage"));
    const size_t n = strlen(v.reasons[0].sentence), end = strlen("= compatible");
    assert_string_equal(v.reasons[0].sentence + n - end, "= compatible");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sentence_begins_with_whose_certificate_it_is),
        cmocka_unit_test(the_setting_that_accepts_it_is_named),
        cmocka_unit_test(a_whole_sentence_stands_alone),
        cmocka_unit_test(weighing_writes_nothing_and_counts),
        cmocka_unit_test(long_names_are_cut_before_the_sentence_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
