/* Whether a live account's server would be accepted with another trust store and configuration. */
#include "scenario/lab.h"
#include "tools/unit.h"

static struct account_config usual(void)
{
    return (struct account_config){
        .number = 1,
        .enabled = true,
        .user = "alice",
        .domain = LAB_HOST,
        .port = LAB_PORT,
        .policy = {.check_trust = true},
        .check_name = true,
        .filter = TRUST_ALL,
    };
}

static int set_up(void **state)
{
    struct lab *lab = lab_new();
    *state = lab;
    lab_serve(lab, LAB_IP, lab_good(lab));
    lab_account(lab, NULL);
    account_start(lab->account);
    assert_true(lab_until(lab, lab_is_locked, 10000));
    return 0;
}

static int tear_down(void **state)
{
    lab_free(*state);
    return 0;
}

static void test_as_it_is(void **state)
{
    const struct lab *lab = *state;
    const struct account_config cfg = usual();
    struct verdict v;
    const size_t views = lab->views_count;
    assert_true(account_would_accept(lab->account, &cfg, lab->trust, &v));
    assert_int_equal(VERDICT_VERIFIED, v.class);
    assert_int_equal(views, lab->views_count);
}

static void test_without_its_ca(void **state)
{
    const struct lab *lab = *state;
    const struct account_config cfg = usual();
    const struct testpki_cert *other =
        testpki_make(&(struct testpki_spec){.subject = "CN=Other", .ca = true});
    struct trust *trust = lab_trust(&other, 1);
    struct verdict v;
    assert_false(account_would_accept(lab->account, &cfg, trust, &v));
    assert_int_equal(REASON_UNKNOWN_CA, v.reasons[0].code);
    assert_true(lab_status(lab).encrypted); /* it was only asked */
    trust_unref(trust);
}

static void test_with_another_policy(void **state)
{
    const struct lab *lab = *state;
    struct account_config cfg = usual();
    struct verdict v;
    cfg.filter = TRUST_DEFAULT;
    assert_false(account_would_accept(lab->account, &cfg, lab->trust, &v));
    cfg.policy.check_trust = false;
    assert_true(account_would_accept(lab->account, &cfg, lab->trust, &v));
    assert_int_equal(VERDICT_UNVERIFIED, v.class);
}

static void test_what_is_not_asked(void **state)
{
    struct lab *lab = *state;
    struct trust *none = lab_trust(NULL, 0);
    struct verdict v;
    struct account_config cfg = usual();
    cfg.enabled = false;
    assert_true(account_would_accept(lab->account, &cfg, none, &v));
    cfg = usual();
    cfg.domain = "elsewhere.example.com";
    assert_true(account_would_accept(lab->account, &cfg, none, &v));
    cfg = usual();
    cfg.proxy_host = "proxy.example.com";
    assert_true(account_would_accept(lab->account, &cfg, none, &v));
    cfg = usual();
    cfg.port = 5062;
    assert_true(account_would_accept(lab->account, &cfg, none, &v));
    cfg = usual();
    cfg.domain = "proxied.example.com";
    cfg.proxy_host = LAB_HOST; /* where it connects to counts */
    assert_false(account_would_accept(lab->account, &cfg, none, &v));
    account_stop(lab->account);
    assert_true(lab_until(lab, lab_is_idle, 10000));
    cfg = usual();
    assert_true(account_would_accept(lab->account, &cfg, none, &v));
    assert_int_equal(VERDICT_NONE, v.class);
    trust_unref(none);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_as_it_is),
        TEST(test_without_its_ca),
        TEST(test_with_another_policy),
        TEST(test_what_is_not_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
