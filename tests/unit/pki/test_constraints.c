/* Name constraints: the five forms of names, and what is neither. */
#include "pki/constraints.h"

#include <string.h>

#include "base/limits.h"
#include "tools/certext.h"
#include "tools/unit.h"

static struct certfields fields_of(const struct testpki_spec *spec)
{
    struct certfields f;

    assert_true(is_ok(certfields_read(testpki_der(testpki_make(spec)), &f, NULL)));
    return f;
}

static struct certfields ca_with(const struct testpki_ext *ext)
{
    return fields_of(&(struct testpki_spec){
        .subject = "CN=CA", .key = 1, .ca = true, .exts = ext, .exts_count = 1});
}

static struct certfields leaf_with(const char *subject, const char *san)
{
    return fields_of(&(struct testpki_spec){.subject = subject, .key = 1, .san = san});
}

struct answer {
    enum constraints_result result;
    char name[128];
    unsigned left; /* of the budget */
};

static struct answer ask(const struct certfields *ca, const struct certfields *leaf,
                         const char *common_name, bool leading_dots)
{
    unsigned budget = LIMIT_NAME_COMPARISONS;
    struct answer a = {.name = ""};
    const struct constraints_question q = {.ca = ca,
                                           .cert = leaf,
                                           .common_name = slice_of_str(common_name),
                                           .leading_dots = leading_dots,
                                           .budget = &budget};

    a.result = constraints_check(&q, a.name, sizeof a.name);
    a.left = budget;
    return a;
}

#define KEPT      CONSTRAINTS_KEPT
#define VIOLATED  CONSTRAINTS_VIOLATED
#define MALFORMED CONSTRAINTS_MALFORMED
#define DOTTED    CONSTRAINTS_DOTTED

static void every_form_is_compared_by_its_rules(void **state)
{
    static const struct {
        const char *permitted, *excluded, *san;
        enum constraints_result result;
    } cases[] = {
        /* host names: whole labels, without case; the empty base is above all */
        {"DNS:example.com", NULL, "DNS:example.com", KEPT},
        {"DNS:example.com", NULL, "DNS:a.b.EXAMPLE.com", KEPT},
        {"DNS:example.com", NULL, "DNS:badexample.com", VIOLATED},
        {"DNS:example.com", NULL, "DNS:com", VIOLATED},
        {"DNS:example.com", NULL, "DNS:a.example.com DNS:b.example.org", VIOLATED},
        {"DNS:example.com DNS:example.org", NULL, "DNS:a.example.com DNS:b.example.org", KEPT},
        {NULL, "DNS:example.com", "DNS:a.example.com", VIOLATED},
        {NULL, "DNS:a.example.com", "DNS:example.com", KEPT},
        {"DNS:", NULL, "DNS:any.example", KEPT},
        {NULL, "DNS:", "DNS:any.example", VIOLATED},
        {"DNS:example.com", "DNS:bad.example.com", "DNS:bad.example.com", VIOLATED},
        /* wildcards: all that they stand for must be permitted, none excluded */
        {"DNS:example.com", NULL, "DNS:*.example.com", KEPT},
        {"DNS:a.example.com", NULL, "DNS:*.example.com", VIOLATED},
        {NULL, "DNS:a.example.com", "DNS:*.example.com", VIOLATED},
        {NULL, "DNS:a.b.example.com", "DNS:*.example.com", KEPT},
        {NULL, "DNS:a.example.org", "DNS:*.example.com", KEPT},
        {NULL, "DNS:sip.example.com", "DNS:s*.example.com", VIOLATED},
        /* what is no host name is within nothing */
        {"DNS:example.com", NULL, "DNS:a..example.com", VIOLATED},
        {NULL, "DNS:example.org", "DNS:example.com.", VIOLATED},
        {"DNS:", NULL, "DNS:\\20", VIOLATED},
        /* addresses */
        {"IP:192.0.2.0/24", NULL, "IP:192.0.2.255", KEPT},
        {"IP:192.0.2.0/24", NULL, "IP:192.0.3.0", VIOLATED},
        {"IP:192.0.2.4/31", NULL, "IP:192.0.2.5", KEPT},
        {"IP:192.0.2.4/31", NULL, "IP:192.0.2.6", VIOLATED},
        {"IP:0.0.0.0/0", NULL, "IP:192.0.2.1", KEPT},
        {"IP:0.0.0.0/0", NULL, "IP:2001:db8::1", VIOLATED},
        {NULL, "IP:0.0.0.0/0", "IP:2001:db8::1", KEPT},
        {"IP:2001:db8::/33", NULL, "IP:2001:db8:7fff::", KEPT},
        {"IP:2001:db8::/33", NULL, "IP:2001:db8:8000::", VIOLATED},
        /* e-mail: a mailbox, a host, or what is below one */
        {"email:a@example.com", NULL, "email:a@example.COM", KEPT},
        {"email:a@example.com", NULL, "email:b@example.com", VIOLATED},
        {"email:example.com", NULL, "email:a@example.com", KEPT},
        {"email:example.com", NULL, "email:a@b.example.com", VIOLATED},
        {"email:.example.com", NULL, "email:a@b.example.com", KEPT},
        {"email:.example.com", NULL, "email:a@example.com", VIOLATED},
        {NULL, "email:.example.com", "email:a@example.com", KEPT},
        {NULL, "email:example.com", "email:example.com", VIOLATED}, /* no mailbox */
        {NULL, "email:example.com", "email:@example.com", VIOLATED},
        {"email:example.com", NULL, "email:x@y@example.com",
         KEPT}, /* the host is behind the last */
        /* URIs: their host, which must be a name */
        {"URI:example.com", NULL, "URI:https://example.com:8443/a@b", KEPT},
        {"URI:example.com", NULL, "URI:https://u:p@example.com?x", KEPT},
        {"URI:example.com", NULL, "URI:https://example.com#x", KEPT},
        {"URI:example.com", NULL, "URI:https://a.example.com/", VIOLATED},
        {"URI:.example.com", NULL, "URI:https://a.example.com/", KEPT},
        {"URI:.example.com", NULL, "URI:https://example.com/", VIOLATED},
        {"URI:example.com", NULL, "URI:https://evil.test/example.com", VIOLATED},
        {"URI:example.com", NULL, "URI:https://example.com@evil.test/", VIOLATED},
        {"URI:example.com", NULL, "URI:sip:alice@example.com;transport=tls", KEPT},
        {"URI:example.com", NULL, "URI:sips:example.com", KEPT},
        {"URI:example.com", NULL, "URI:sip:evil.test", VIOLATED},
        {NULL, "URI:evil.test", "URI:https://192.0.2.1/", VIOLATED},
        {NULL, "URI:evil.test", "URI:mailto:a@example.com", VIOLATED},
        {NULL, "URI:evil.test", "URI:https:///x", VIOLATED},
        /* directory names, here the subject: its first attributes */
        {"dir:O=Example", NULL, "DNS:a.example", KEPT},
        {"dir:O=EXAMPLE", NULL, "DNS:a.example", KEPT},
        {"dir:O=Example,CN=leaf", NULL, "DNS:a.example", KEPT},
        {"dir:O=Example,CN=other", NULL, "DNS:a.example", VIOLATED},
        {"dir:CN=leaf", NULL, "DNS:a.example", VIOLATED},
        {NULL, "dir:O=Example", "DNS:a.example", VIOLATED},
        {NULL, "dir:O=Other", "DNS:a.example", KEPT},
        /* a form without constraints is free */
        {"DNS:example.com", NULL, "IP:192.0.2.1", KEPT},
        {"IP:192.0.2.0/24", NULL, "DNS:example.com", KEPT},
        /* bases that are none */
        {"DNS:.example.com", NULL, "DNS:a.example.com", DOTTED},
        {"DNS:..example.com", NULL, "DNS:a.example.com", MALFORMED},
        {"DNS:.", NULL, "DNS:a.example.com", MALFORMED},
        {"DNS:*.example.com", NULL, "DNS:a.example.com", MALFORMED},
        {NULL, "DNS:example.com.", "IP:192.0.2.1", MALFORMED},
        {"URI:https://example.com", NULL, "DNS:a.example", MALFORMED},
        {"email:a@", NULL, "DNS:a.example", MALFORMED},
        {"IP:192.0.2.1", NULL, "DNS:a.example", MALFORMED}, /* without a mask */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct testpki_ext ext = certext_constraints(cases[i].permitted, cases[i].excluded);
        const struct certfields ca = ca_with(&ext);
        const struct certfields leaf = leaf_with("O=Example,CN=leaf", cases[i].san);
        const struct answer a = ask(&ca, &leaf, "", false);

        if (a.result != cases[i].result)
            fail_msg("permitted %s, excluded %s, %s: got %d, expected %d", cases[i].permitted,
                     cases[i].excluded, cases[i].san, a.result, cases[i].result);
    }
}

static void a_mask_has_no_gaps(void **state)
{
    static const uint8_t masks[][8] = {
        {192, 0, 2, 0, 255, 255, 255, 0}, /* the only good one */
        {192, 0, 2, 0, 255, 0, 255, 0},
        {192, 0, 2, 0, 255, 255, 255, 5},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(masks); i++) {
        uint8_t value[] = {0x30, 0x0e, 0xa0, 0x0c, 0x30, 0x0a, 0x87, 0x08, 0, 0, 0, 0, 0, 0, 0, 0};
        memcpy(value + 8, masks[i], 8);
        const struct testpki_ext ext = {"2.5.29.30", true, {value, sizeof value}};
        const struct certfields ca = ca_with(&ext);
        const struct certfields leaf = leaf_with("CN=x", "IP:192.0.2.1");

        assert_int_equal(ask(&ca, &leaf, "", false).result, i == 0 ? KEPT : MALFORMED);
    }
}

static void leading_dots_can_be_tolerated(void **state)
{
    static const struct {
        const char *permitted, *excluded, *san;
        enum constraints_result result;
    } cases[] = {
        {"DNS:.example.com", NULL, "DNS:a.example.com", KEPT},
        {"DNS:.example.com", NULL, "DNS:example.com", VIOLATED},
        {"DNS:.example.com", NULL, "DNS:badexample.com", VIOLATED},
        {NULL, "DNS:.example.com", "DNS:a.example.com", VIOLATED},
        {NULL, "DNS:.example.com", "DNS:example.com", VIOLATED}, /* the safe side */
        {NULL, "DNS:.example.com", "DNS:*.com", VIOLATED},
        {"DNS:.", NULL, "DNS:a.example.com", MALFORMED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct testpki_ext ext = certext_constraints(cases[i].permitted, cases[i].excluded);
        const struct certfields ca = ca_with(&ext);
        const struct certfields leaf = leaf_with("CN=x", cases[i].san);

        assert_int_equal(ask(&ca, &leaf, "", true).result, cases[i].result);
    }
}

static void malformed_ones_are_told(void **state)
{
    static const struct slice values[] = {
        {(const uint8_t *)"\x30\x00", 2},         /* neither list */
        {(const uint8_t *)"\x30\x02\xa0\x00", 4}, /* an empty one */
        {(const uint8_t *)"\x30\x02\xa1\x00", 4},
        {(const uint8_t *)"\x04\x00", 2},
        {(const uint8_t *)"\x30\x04\xa0\x02\x30\x00", 6}, /* a subtree without a base */
        /* a minimum of 1, a maximum, something else behind */
        {(const uint8_t *)"\x30\x0a\xa0\x08\x30\x06\x82\x01x\x80\x01\x01", 12},
        {(const uint8_t *)"\x30\x0a\xa0\x08\x30\x06\x82\x01x\x81\x01\x05", 12},
        {(const uint8_t *)"\x30\x09\xa0\x07\x30\x05\x82\x01x\x05\x00", 11},
        {(const uint8_t *)"\x30\x07\xa0\x05\x30\x03\x82\x01x\x00", 10},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        const struct testpki_ext ext = {"2.5.29.30", true, values[i]};
        const struct certfields ca = ca_with(&ext);
        const struct certfields leaf = leaf_with("CN=x", "DNS:x");

        if (ask(&ca, &leaf, "", false).result != MALFORMED)
            fail_msg("value %zu was taken", i);
    }
}

static void a_minimum_of_zero_may_be_written(void **state)
{
    const struct testpki_ext ext = {
        "2.5.29.30", true, {(const uint8_t *)"\x30\x0a\xa0\x08\x30\x06\x82\x01x\x80\x01\x00", 12}};
    const struct certfields ca = ca_with(&ext);
    const struct certfields leaf = leaf_with("CN=x", "DNS:x");

    (void)state;
    assert_int_equal(ask(&ca, &leaf, "", false).result, KEPT);
}

static void the_violating_name_is_told(void **state)
{
    static const struct {
        const char *permitted, *san, *name;
    } cases[] = {
        {"DNS:example.com", "DNS:a.example.com DNS:evil.test", "evil.test"},
        {"IP:192.0.2.0/24", "IP:2001:db8::1", "2001:db8::1"},
        {"dir:O=Other", "DNS:x", "CN=leaf,O=Example"},
        {"email:example.com", "email:a@evil.test", "a@evil.test"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct testpki_ext ext = certext_constraints(cases[i].permitted, NULL);
        const struct certfields ca = ca_with(&ext);
        const struct certfields leaf = leaf_with("O=Example,CN=leaf", cases[i].san);
        const struct answer a = ask(&ca, &leaf, "", false);

        assert_int_equal(a.result, VIOLATED);
        assert_string_equal(a.name, cases[i].name);
    }
}

static void a_common_name_counts_as_a_host_name(void **state)
{
    static const struct {
        const char *cn;
        enum constraints_result result;
    } cases[] = {
        {"sip.example.com", KEPT}, {"evil.test", VIOLATED}, {"*.test", VIOLATED}, {"", KEPT},
        {"Example PBX", KEPT}, /* matches no host, so it needs no permission */
        {"evil.test.", KEPT},
    };
    const struct testpki_ext ext = certext_constraints("DNS:example.com", NULL);
    const struct certfields ca = ca_with(&ext);
    const struct certfields leaf = leaf_with("CN=x", NULL);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (ask(&ca, &leaf, cases[i].cn, false).result != cases[i].result)
            fail_msg("'%s'", cases[i].cn);
}

static void mail_addresses_in_the_subject_count_without_a_san(void **state)
{
    const struct testpki_ext ext = certext_constraints("email:example.com", NULL);
    const struct certfields ca = ca_with(&ext);
    const struct certfields alone = leaf_with("CN=x,emailAddress=a@evil.test", NULL);
    const struct certfields good = leaf_with("CN=x,emailAddress=a@example.com", NULL);
    const struct certfields beside = leaf_with("CN=x,emailAddress=a@evil.test", "DNS:x");

    (void)state;
    assert_int_equal(ask(&ca, &alone, "", false).result, VIOLATED);
    assert_int_equal(ask(&ca, &good, "", false).result, KEPT);
    assert_int_equal(ask(&ca, &beside, "", false).result, KEPT);
}

static void an_empty_subject_is_no_directory_name(void **state)
{
    const struct testpki_ext ext = certext_constraints("dir:O=Example", NULL);
    const struct certfields ca = ca_with(&ext);
    const struct certfields leaf = leaf_with("", "DNS:x");

    (void)state;
    assert_int_equal(ask(&ca, &leaf, "", false).result, KEPT);
}

static void a_form_that_is_not_understood_is_refused_where_it_is_used(void **state)
{
    /* registeredID 1.2.3, as the base and as a name */
    const struct testpki_ext excluded = {
        "2.5.29.30", true, {(const uint8_t *)"\x30\x08\xa1\x06\x30\x04\x88\x02\x2a\x03", 10}};
    const struct testpki_ext san = {
        "2.5.29.17", false, {(const uint8_t *)"\x30\x04\x88\x02\x2a\x04", 6}};
    const struct certfields ca = ca_with(&excluded);
    const struct certfields with = fields_of(
        &(struct testpki_spec){.subject = "CN=x", .key = 1, .exts = &san, .exts_count = 1});
    const struct certfields without = leaf_with("CN=x", "DNS:x");

    (void)state;
    assert_int_equal(ask(&ca, &with, "", false).result, VIOLATED);
    assert_int_equal(ask(&ca, &without, "", false).result, KEPT);
}

static void the_budget_bounds_the_work(void **state)
{
    char names[4000] = "", bases[4000] = "";

    (void)state;
    for (int i = 0; i < 300; i++) {
        strcat(names, "DNS:a.b ");
        strcat(bases, "DNS:c ");
    }
    const struct testpki_ext ext = certext_constraints(NULL, bases);
    const struct certfields ca = ca_with(&ext);
    const struct certfields leaf = leaf_with("CN=x", names);
    const struct answer a = ask(&ca, &leaf, "", false);
    assert_int_equal(a.result, KEPT);
    /* each base once for its form, and once for each name and the subject */
    assert_int_equal(LIMIT_NAME_COMPARISONS - a.left, 300 + 301 * 300);

    unsigned budget = 1000;
    char name[64];
    const struct constraints_question q = {.ca = &ca, .cert = &leaf, .budget = &budget};
    assert_int_equal(constraints_check(&q, name, sizeof name), CONSTRAINTS_TOO_MANY);
    assert_int_equal(budget, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_compared_by_its_rules),
        cmocka_unit_test(a_mask_has_no_gaps),
        cmocka_unit_test(leading_dots_can_be_tolerated),
        cmocka_unit_test(malformed_ones_are_told),
        cmocka_unit_test(a_minimum_of_zero_may_be_written),
        cmocka_unit_test(the_violating_name_is_told),
        cmocka_unit_test(a_common_name_counts_as_a_host_name),
        cmocka_unit_test(mail_addresses_in_the_subject_count_without_a_san),
        cmocka_unit_test(an_empty_subject_is_no_directory_name),
        cmocka_unit_test(a_form_that_is_not_understood_is_refused_where_it_is_used),
        cmocka_unit_test(the_budget_bounds_the_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
