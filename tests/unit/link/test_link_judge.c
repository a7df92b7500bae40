#include "tools/unit.h"

#include <string.h>

#include "base/limits.h"
#include "link/judge.h"

static struct judge judge_of(const char *name)
{
    struct judge j;
    struct trust *trust;
    assert_true(is_ok(trust_new(NULL, 0, NULL, NULL, &trust, NULL)));
    assert_true(is_ok(judge_init(&j, trust, name, NULL, NULL)));
    trust_unref(trust);
    j.policy.check_trust = true;
    j.check_name = true;
    return j;
}

static void key_of(const struct judge *j, int account, enum tls_versions v, char *out, size_t size)
{
    struct buf key;
    buf_init(&key, LIMIT_SETTINGS_LINE);
    assert_true(is_ok(judge_flow_key(j, account, v, &key)));
    assert_true(slice_to_str(buf_slice(&key), out, size));
    buf_free(&key);
}

/* Whatever a verdict depends on makes another key, so that nothing is resumed across it. */
static void test_flow_key_has_all_that_a_verdict_depends_on(void **state)
{
    (void)state;
    char keys[12][512];
    size_t n = 0;
    struct judge j = judge_of("sip.example.com");
    key_of(&j, 1, TLS_1_2_AND_1_3, keys[n++], sizeof keys[0]);
    key_of(&j, 2, TLS_1_2_AND_1_3, keys[n++], sizeof keys[0]);
    key_of(&j, 1, TLS_1_2_ONLY, keys[n++], sizeof keys[0]);
    j.check_name = false;
    key_of(&j, 1, TLS_1_2_AND_1_3, keys[n++], sizeof keys[0]);
    j.check_name = true;
    j.filter = TRUST_ALL;
    key_of(&j, 1, TLS_1_2_AND_1_3, keys[n++], sizeof keys[0]);
    j.filter = TRUST_DEFAULT;
    j.policy.check_trust = false;
    key_of(&j, 1, TLS_1_2_AND_1_3, keys[n++], sizeof keys[0]);
    j.policy.check_trust = true;
    j.policy.rules = PEERNAME_RFC5922;
    key_of(&j, 1, TLS_1_2_AND_1_3, keys[n++], sizeof keys[0]);
    j.policy.rules = PEERNAME_RFC2818;
    j.policy.profile = VERIFY_PROFILE_COMPATIBLE;
    key_of(&j, 1, TLS_1_2_AND_1_3, keys[n++], sizeof keys[0]);
    j.policy.profile = VERIFY_PROFILE_PUBLIC;
    j.policy.clock = VERIFY_CLOCK_PROVISIONAL;
    key_of(&j, 1, TLS_1_2_AND_1_3, keys[n++], sizeof keys[0]);
    judge_clear(&j);
    j = judge_of("sip.example.com"); /* another generation */
    key_of(&j, 1, TLS_1_2_AND_1_3, keys[n++], sizeof keys[0]);
    judge_clear(&j);
    j = judge_of("sip.example.net");
    key_of(&j, 1, TLS_1_2_AND_1_3, keys[n++], sizeof keys[0]);
    judge_clear(&j);
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++)
            if (strcmp(keys[a], keys[b]) == 0)
                fail_msg("keys %zu and %zu are both '%s'", a, b, keys[a]);
}

static void test_server_name(void **state)
{
    (void)state;
    struct judge j = judge_of("SIP.Example.com.");
    assert_string_equal(judge_server_name(&j), "sip.example.com");
    judge_clear(&j);
    j = judge_of("[2001:db8::1]");
    assert_null(judge_server_name(&j)); /* an address is none */
    judge_clear(&j);
}

static void test_a_name_that_is_none(void **state)
{
    (void)state;
    struct judge j;
    struct errinfo e = ERRINFO_INIT;
    assert_int_equal(judge_init(&j, NULL, "not a name", NULL, &e).code, ERR_INVALID);
    assert_string_not_equal(e.text, "");
}

static struct verdict because(enum reason_code reason)
{
    struct verdict v = {.class = VERDICT_REJECTED};
    verdict_add(&v, reason, 0, "leaf", "%s", "because");
    return v;
}

static void test_clock_matters(void **state)
{
    (void)state;
    static const struct {
        enum reason_code reason;
        bool matters;
    } cases[] = {
        {REASON_EXPIRED, true},     {REASON_NOT_YET_VALID, true},  {REASON_CLOCK_UNSET, true},
        {REASON_UNKNOWN_CA, false}, {REASON_NAME_MISMATCH, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct verdict v = because(cases[i].reason);
        assert_int_equal(judge_clock_matters(&v), cases[i].matters);
    }
    assert_true(judge_clock_matters(&(struct verdict){.class = VERDICT_PROVISIONAL}));
    assert_false(judge_clock_matters(&(struct verdict){.class = VERDICT_VERIFIED}));
}

static void test_same(void **state)
{
    (void)state;
    const struct verdict base = because(REASON_EXPIRED);
    struct verdict other = base;
    assert_true(judge_same(&base, &other));
    other.valid_until_s = 5; /* nobody is shown that */
    assert_true(judge_same(&base, &other));
    other = because(REASON_UNKNOWN_CA);
    assert_false(judge_same(&base, &other));
    other = base;
    other.class = VERDICT_UNVERIFIED;
    assert_false(judge_same(&base, &other));
    other = base;
    other.path_len = 1;
    assert_false(judge_same(&base, &other));
    other = base;
    verdict_add(&other, REASON_WEAK_KEY, 1, "ca", "%s", "too");
    assert_false(judge_same(&base, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flow_key_has_all_that_a_verdict_depends_on),
        cmocka_unit_test(test_server_name),
        cmocka_unit_test(test_a_name_that_is_none),
        cmocka_unit_test(test_clock_matters),
        cmocka_unit_test(test_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
