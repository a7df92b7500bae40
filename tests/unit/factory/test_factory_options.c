#include "factory/options.h"

#include "tools/unit.h"

static const struct options_rule unique = {"mlreyp", 2, MACS_OR_LIST};
static const struct options_rule csr = {"mre", 2, ONE_MAC};

/* ARGUMENTS are words with one blank between them. */
static struct result read(const char *arguments, const struct options_rule *rule,
                          struct options *out, struct errinfo *e)
{
    static char copy[512];
    char *argv[32] = {NULL};
    int argc = 0;

    (void)strcpy(copy, arguments);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    return options_read(argc, argv, rule, out, e);
}

static void test_taken(void **state)
{
    struct options o;
    (void)state;

    assert_true(is_ok(read("unique ca --mac 001565a1b2c3 --rsa=3072 out --years 7 --mac "
                           "00:15:65:a1:b2:c4 --password-file p",
                           &unique, &o, NULL)));
    assert_string_equal("ca", o.operands[0]);
    assert_string_equal("out", o.operands[1]);
    assert_int_equal(2, o.macs.count);
    assert_int_equal(KEY_RSA, o.key_kind);
    assert_int_equal(3072, o.rsa_bits);
    assert_int_equal(7, o.years);
    assert_false(o.no_end || o.help);
    assert_string_equal("p", o.password_file);
    options_free(&o);
    assert_true(is_ok(read("unique --list l ca out --years never --rsa --ec", &unique, &o, NULL)));
    assert_true(o.no_end);
    assert_int_equal(KEY_EC, o.key_kind);
    assert_string_equal("l", o.list);
    options_free(&o);
    assert_true(is_ok(read("csr --help", &csr, &o, NULL)));
    assert_true(o.help);
    options_free(&o);
}

static void test_refused(void **state)
{
    static const struct {
        const char *arguments, *words;
        const struct options_rule *rule;
    } cases[] = {
        {"unique ca out", "either --mac or --list", &unique},
        {"unique ca out --mac 001565a1b2c3 --list l", "either --mac or --list", &unique},
        {"unique ca --mac 001565a1b2c3", "takes 2 names", &unique},
        {"unique a b c --mac 001565a1b2c3", "takes 2 names", &unique},
        {"unique a b --mac nonsense", "'nonsense' is not the MAC address", &unique},
        {"unique a b --mac ffffffffffff", "not the MAC address of a device", &unique},
        {"unique a b --mac 001565a1b2c3 --mac 00-15-65-a1-b2-c3", "given before", &unique},
        {"unique a b --list l --years 0", "from 1 to 100", &unique},
        {"unique a b --list l --years 101", "from 1 to 100", &unique},
        {"unique a b --list l --years -1", "from 1 to 100", &unique},
        {"unique a b --list l --rsa=1024", "2048, 3072 or 4096 bits, not '1024'", &unique},
        {"unique a b --list l --nonsense", "'--nonsense' is no option", &unique},
        {"unique a b --list", "lacks its value", &unique},
        {"csr k o --mac 001565a1b2c3 --years 3", "takes no option --years", &csr},
        {"csr k o", "one --mac", &csr},
        {"csr k o --mac 001565a1b2c3 --mac 001565a1b2c4", "one --mac", &csr},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct errinfo e = ERRINFO_INIT;
        struct options o;
        assert_int_equal(ERR_INVALID, read(cases[i].arguments, cases[i].rule, &o, &e).code);
        if (strstr(e.text, cases[i].words) == NULL)
            fail_msg("%s: '%s' does not say '%s'", cases[i].arguments, e.text, cases[i].words);
        options_free(&o);
    }
}

static void test_kind_of_key(void **state)
{
    static const struct {
        enum key_kind kind;
        unsigned bits;
        bool ca_is_rsa;
        unsigned want;
    } cases[] = {
        {KEY_AS_CA, 0, false, 0},  {KEY_AS_CA, 0, true, 2048},  {KEY_EC, 0, true, 0},
        {KEY_RSA, 0, false, 2048}, {KEY_RSA, 4096, true, 4096}, {KEY_RSA, 4096, false, 4096},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct options o = {.key_kind = cases[i].kind, .rsa_bits = cases[i].bits};
        assert_int_equal(cases[i].want, options_rsa_bits(&o, cases[i].ca_is_rsa, 2048));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_kind_of_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
