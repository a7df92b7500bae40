#include "pki/identity_choice.h"

#include <stdlib.h>
#include <string.h>

#include "tools/testpki.h"
#include "tools/unit.h"

static struct identity *any;

static int set_up(void **state)
{
    const struct testpki_cert *cert = testpki_make(&(struct testpki_spec){.subject = "CN=a"});
    const struct rng rng = testpki_rng();
    char *certs = testpki_pem(&cert, 1), *key = testpki_key_pem(cert);
    (void)state;

    assert_true(is_ok(
        identity_load(slice_of_str(certs), slice_of_str(key), SLICE_EMPTY, &rng, &any, NULL)));
    free(certs);
    free(key);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    identity_unref(any);
    return 0;
}

/* '+' is there, '-' is not, '!' is there and cannot be used. */
static struct identity_slot slot(char what)
{
    struct identity_slot s = {.problem = ERRINFO_INIT};

    if (what == '+')
        s.identity = identity_ref(any);
    if (what == '!')
        IGNORE(fail(&s.problem, ERR_PARSE, "it is damaged"));
    return s;
}

/* Each combination of what is there with what is wanted, and the sentence. */
static void test_all(void **state)
{
    static const struct {
        const char *slots; /* custom, unique, generic */
        enum identity_want want;
        enum identity_source source;
        const char *why;
    } cases[] = {
        {"+++", 0, IDENTITY_UNIQUE,
         "the unique certificate is used: the maker gave it to this very phone"},
        {"-++", 0, IDENTITY_UNIQUE,
         "the unique certificate is used: the maker gave it to this very phone"},
        {"+-+", 0, IDENTITY_GENERIC, "the generic certificate is used: there is no unique one"},
        {"+!+", 0, IDENTITY_GENERIC,
         "the generic certificate is used: the unique one cannot be used (it is damaged)"},
        {"+--", 0, IDENTITY_CUSTOM,
         "the uploaded certificate is used: there is no unique one; there is no generic one"},
        {"+!-", 0, IDENTITY_CUSTOM,
         "the uploaded certificate is used: the unique one cannot be used (it is damaged); there "
         "is no generic one"},
        {"+++", 1, IDENTITY_CUSTOM, "the uploaded certificate is used: the settings ask for it"},
        {"-++", 1, IDENTITY_UNIQUE,
         "the unique certificate is used: the settings ask for the uploaded one, and there is "
         "none"},
        {"!++", 1, IDENTITY_UNIQUE,
         "the unique certificate is used: the settings ask for the uploaded one, which cannot be "
         "used (it is damaged)"},
        {"--+", 1, IDENTITY_GENERIC,
         "the generic certificate is used: the settings ask for the uploaded one, and there is "
         "none; there is no unique one"},
        {"+++", 2, IDENTITY_CUSTOM, "the uploaded certificate is used: it goes before the maker's"},
        {"-++", 2, IDENTITY_UNIQUE, "the unique certificate is used: there is no uploaded one"},
        {"!++", 2, IDENTITY_UNIQUE,
         "the unique certificate is used: the uploaded one cannot be used (it is damaged)"},
        {"--+", 2, IDENTITY_GENERIC,
         "the generic certificate is used: there is no uploaded one; there is no unique one"},
        {"---", 0, IDENTITY_NONE,
         "no certificate is used: there is no unique one; there is no generic one; there is no "
         "uploaded one"},
        {"!-!", 1, IDENTITY_NONE,
         "no certificate is used: the settings ask for the uploaded one, which cannot be used (it "
         "is damaged); there is no unique one; the generic one cannot be used (it is damaged)"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *s = cases[i].slots;
        struct identity_slots slots = {slot(s[0]), slot(s[1]), slot(s[2])};
        char why[512];

        assert_int_equal(cases[i].source, identity_choose(&slots, cases[i].want, why, sizeof why));
        assert_string_equal(cases[i].why, why);
        identity_slots_clear(&slots);
        assert_null(slots.custom.identity);
        assert_int_equal(ERR_OK, slots.custom.problem.code);
        identity_slots_clear(&slots);
    }
}

static void test_a_short_sentence(void **state)
{
    struct identity_slots slots = IDENTITY_SLOTS_INIT;
    char why[8] = "garbage";
    (void)state;

    assert_int_equal(IDENTITY_NONE, identity_choose(&slots, IDENTITY_WANT_ANY, why, sizeof why));
    assert_string_equal("no cert", why);
}

static void test_names_and_slots(void **state)
{
    struct identity_slots slots = IDENTITY_SLOTS_INIT;
    (void)state;

    assert_string_equal("none", identity_source_name(IDENTITY_NONE));
    assert_string_equal("custom", identity_source_name(IDENTITY_CUSTOM));
    assert_string_equal("uploaded", identity_source_text(IDENTITY_CUSTOM));
    assert_string_equal("unique", identity_source_name(IDENTITY_UNIQUE));
    assert_string_equal("generic", identity_source_text(IDENTITY_GENERIC));
    assert_null(identity_slot_of(&slots, IDENTITY_NONE));
    assert_ptr_equal(&slots.custom, identity_slot_of(&slots, IDENTITY_CUSTOM));
    assert_ptr_equal(&slots.unique, identity_slot_of(&slots, IDENTITY_UNIQUE));
    assert_ptr_equal(&slots.generic, identity_slot_of(&slots, IDENTITY_GENERIC));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_a_short_sentence),
        cmocka_unit_test(test_names_and_slots),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
