/* The chains that were refused: what is kept of them, and what would have helped. */
#include "control/rejected.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/unit.h"
#include "unit/pki/judging.h"

#define HOST   "sip.example.com"
#define DAY_S  INT64_C(86400)
#define CA_MAX 4

static struct rejected *kept;

static int set_up(void **state)
{
    (void)state;
    assert_true(is_ok(rejected_new(&kept)));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rejected_free(kept);
    return 0;
}

/* A refusal as link/ tells it. */
struct refusal {
    const struct testpki_cert *chain[LIMIT_PEER_CERTS];
    const struct testpki_cert *trusted[CA_MAX];
    enum trust_filter filter;
    const char *host;
    int account;
    int64_t now_s;
    enum clock_state clock;
    bool any_name;
};

static struct refusal refusal_of(const struct testpki_cert *leaf)
{
    return (struct refusal){.chain = {leaf},
                            .filter = TRUST_ALL,
                            .host = HOST,
                            .account = 1,
                            .now_s = TESTPKI_NOW,
                            .clock = CLOCK_SET};
}

static struct trust *trust_of(const struct testpki_cert *const certs[CA_MAX])
{
    struct trust_custom customs[CA_MAX];
    struct trust *trust;
    size_t n = 0;
    for (; n < CA_MAX && certs[n] != NULL; n++)
        customs[n] = (struct trust_custom){.name = "ca.pem", .der = testpki_der(certs[n])};
    assert_true(is_ok(trust_new(customs, n, NULL, NULL, &trust, NULL)));
    return trust;
}

static void refuse(const struct refusal *r)
{
    struct slice chain[LIMIT_PEER_CERTS];
    struct peername name;
    struct verdict v;
    struct trust *trust = trust_of(r->trusted);
    const struct verify_policy policy = {.check_trust = true};
    struct verify_input in = {.chain = chain,
                              .trust = trust,
                              .filter = r->filter,
                              .now = {r->now_s, r->clock},
                              .policy = &policy};
    for (; in.chain_len < LIMIT_PEER_CERTS && r->chain[in.chain_len] != NULL; in.chain_len++)
        chain[in.chain_len] = testpki_der(r->chain[in.chain_len]);
    assert_true(is_ok(peername_parse(slice_of_str(r->host), &name, NULL)));
    in.name = r->any_name ? NULL : &name;
    verify_chain(&in, &v);
    assert_int_equal(v.class, VERDICT_REJECTED);
    const struct refused_chain c = {
        .account = r->account, .host = r->host, .input = &in, .verdict = &v};
    rejected_note(kept, &c);
    trust_unref(trust);
}

/* A server's certificate that nobody trusts; CN says which one it is. */
static const struct testpki_cert *stranger(const char *subject)
{
    return testpki_make(&(struct testpki_spec){.subject = subject, .san = "DNS:" HOST, .key = 1});
}

/* --- what is kept --- */

static void test_what_is_kept(void **state)
{
    const struct testpki_cert *root =
        testpki_make(&(struct testpki_spec){.subject = "CN=Elsewhere Root", .ca = true, .key = 2});
    struct refusal r = refusal_of(testpki_make(
        &(struct testpki_spec){.subject = "CN=" HOST, .san = "DNS:" HOST, .issuer = root}));
    struct rejected_entry x;
    (void)state;
    assert_int_equal(rejected_count(kept), 0);
    r.chain[1] = root;
    refuse(&r);
    assert_int_equal(rejected_count(kept), 1);
    x = rejected_at(kept, 0);
    assert_int_equal(x.id, 1);
    assert_int_equal(x.account, 1);
    assert_string_equal(x.host, HOST);
    assert_int_equal(x.count, 1);
    assert_int_equal(x.first.epoch_s, TESTPKI_NOW);
    assert_int_equal(x.verdict->reasons[0].code, REASON_UNKNOWN_CA);
    assert_true(x.chain_kept);
    assert_int_equal(x.chain_len, 2);
    assert_true(slice_eq(x.chain[0], testpki_der(r.chain[0])));
    assert_true(slice_eq(x.chain[1], testpki_der(root)));
    assert_ptr_not_equal(x.chain[0].p, testpki_der(r.chain[0]).p);
    assert_true(rejected_find(kept, 1, &x));
    assert_false(rejected_find(kept, 2, &x));
}

static void test_the_same_again_counts_up(void **state)
{
    struct refusal a = refusal_of(stranger("CN=a")), b = refusal_of(stranger("CN=b"));
    (void)state;
    refuse(&a);
    refuse(&b);
    a.now_s += DAY_S;
    refuse(&a);
    assert_int_equal(rejected_count(kept), 2);
    const struct rejected_entry x = rejected_at(kept, 0); /* the newest again */
    assert_int_equal(x.id, 1);
    assert_int_equal(x.count, 2);
    assert_int_equal(x.first.epoch_s, TESTPKI_NOW);
    assert_int_equal(x.last.epoch_s, TESTPKI_NOW + DAY_S);
    assert_int_equal(rejected_at(kept, 1).id, 2);
}

/* Another account, name, or reason: another entry. */
static void test_what_makes_another_one(void **state)
{
    struct refusal r = refusal_of(stranger("CN=a"));
    (void)state;
    refuse(&r);
    r.account = 2;
    refuse(&r);
    r.host = "other.example.com";
    refuse(&r);
    r.any_name = true;
    refuse(&r);
    assert_int_equal(rejected_count(kept), 4);
    refuse(&r);
    assert_int_equal(rejected_count(kept), 4);
}

static void test_room_is_made_where_most_is(void **state)
{
    struct refusal other = refusal_of(stranger("CN=other"));
    struct rejected_entry x;
    (void)state;
    other.account = 7;
    refuse(&other);
    for (int i = 0; i < 3 * LIMIT_REJECTED; i++) {
        char subject[32];
        (void)snprintf(subject, sizeof subject, "CN=face %d", i);
        const struct refusal face = refusal_of(stranger(subject));
        refuse(&face);
    }
    assert_int_equal(rejected_count(kept), LIMIT_REJECTED);
    assert_true(rejected_find(kept, 1, &x)); /* account 7 keeps its only one */
    assert_int_equal(rejected_at(kept, 0).id, 1 + 3 * LIMIT_REJECTED);
    for (size_t i = 0; i + 1 < LIMIT_REJECTED; i++) /* of account 1 the newest ones */
        assert_int_equal(rejected_at(kept, i).id, 1 + 3 * LIMIT_REJECTED - (int)i);
}

static void test_each_account_has_room(void **state)
{
    (void)state;
    for (int n = 0; n < 3; n++)
        for (int account = 1; account <= LIMIT_ACCOUNTS; account++) {
            char subject[32];
            (void)snprintf(subject, sizeof subject, "CN=%d.%d", account, n);
            struct refusal r = refusal_of(stranger(subject));
            r.account = account;
            refuse(&r);
        }
    unsigned seen = 0;
    for (size_t i = 0; i < rejected_count(kept); i++)
        seen |= 1u << rejected_at(kept, i).account;
    assert_int_equal(seen, 0x1fffe);
}

static void test_a_chain_that_is_too_large(void **state)
{
    char san[2500] = "DNS:" HOST;
    struct rejected_candidate c;
    struct refusal r = {0};
    (void)state;
    for (int i = 0; strlen(san) < sizeof san - 40; i++)
        (void)snprintf(san + strlen(san), sizeof san - strlen(san), " DNS:host%d.example.com", i);
    r = refusal_of(testpki_make(&(struct testpki_spec){.subject = "CN=" HOST, .san = san}));
    for (size_t i = 1; i < 10; i++)
        r.chain[i] = testpki_make(&(struct testpki_spec){.subject = "CN=filler", .san = san});
    refuse(&r);
    assert_int_equal(rejected_count(kept), 1);
    assert_false(rejected_at(kept, 0).chain_kept);
    assert_int_equal(rejected_at(kept, 0).chain_len, 0);
    refuse(&r);
    assert_int_equal(rejected_at(kept, 0).count, 2); /* it is known all the same */
    struct trust *trust = trust_of(r.trusted);
    assert_true(is_ok(
        rejected_candidate(kept, 1, trust, (struct wallclock){TESTPKI_NOW, CLOCK_SET}, &c, NULL)));
    assert_int_equal(c.remedy, REJECTED_NOTHING_HELPS);
    assert_non_null(strstr(c.sentence, "too large"));
    trust_unref(trust);
}

static void test_no_certificate_at_all(void **state)
{
    const struct refusal r = refusal_of(NULL);
    (void)state;
    refuse(&r);
    assert_int_equal(rejected_at(kept, 0).chain_len, 0);
    assert_int_equal(rejected_at(kept, 0).verdict->reasons[0].code, REASON_NO_CERTIFICATE);
}

/* --- what would help --- */

/* Refuses R, and asks what would help, with the trust of R. CERT: what is to be offered. */
static void expect(const struct refusal *r, enum rejected_remedy remedy,
                   const struct testpki_cert *cert, const char *part)
{
    struct rejected_candidate c;
    refuse(r);
    struct trust *trust = trust_of(r->trusted);
    assert_true(is_ok(rejected_candidate(kept, rejected_at(kept, 0).id, trust,
                                         (struct wallclock){r->now_s, r->clock}, &c, NULL)));
    if (c.remedy != remedy || strstr(c.sentence, part) == NULL)
        fail_msg("%s: %s", rejected_remedy_name(c.remedy), c.sentence);
    if (cert != NULL)
        assert_true(slice_eq(cert_der(c.cert), testpki_der(cert)));
    else
        assert_null(c.cert);
    rejected_candidate_clear(&c);
    trust_unref(trust);
}

struct pki {
    const struct testpki_cert *root, *sub, *leaf;
};

static struct pki pki_new(void)
{
    struct pki p;
    struct testpki_spec s = root_spec();
    p.root = testpki_make(&s);
    s = sub_spec(p.root);
    p.sub = testpki_make(&s);
    s = leaf_spec(p.sub);
    p.leaf = testpki_make(&s);
    return p;
}

static const struct testpki_cert *other_root(void)
{
    return testpki_make(&(struct testpki_spec){.subject = "CN=Another Root", .ca = true, .key = 9});
}

static void test_the_root_that_was_sent(void **state)
{
    const struct pki p = pki_new();
    struct refusal r = refusal_of(p.leaf);
    (void)state;
    r.chain[1] = p.root; /* in any order */
    r.chain[2] = p.sub;
    expect(&r, REJECTED_TRUST_ROOT, p.root, "the root CA");
}

static void test_the_topmost_ca_where_no_root_was_sent(void **state)
{
    const struct pki p = pki_new();
    struct refusal r = refusal_of(p.leaf);
    (void)state;
    r.chain[1] = p.sub;
    expect(&r, REJECTED_TRUST_CA, p.sub, "the CA '");
}

static void test_the_right_root_of_two(void **state)
{
    const struct pki p = pki_new();
    struct refusal r = refusal_of(p.leaf);
    (void)state;
    r.chain[1] = other_root();
    r.chain[2] = p.sub;
    r.chain[3] = p.root;
    expect(&r, REJECTED_TRUST_ROOT, p.root, "");
}

static void test_a_pin(void **state)
{
    const struct testpki_cert *leaf = stranger("CN=" HOST);
    const struct refusal r = refusal_of(leaf);
    (void)state;
    expect(&r, REJECTED_TRUST_LEAF, leaf, "compare its SHA-256");
}

static void test_a_leaf_alone_needs_its_ca_from_elsewhere(void **state)
{
    const struct pki p = pki_new();
    const struct refusal r = refusal_of(p.leaf);
    (void)state;
    expect(&r, REJECTED_NOTHING_HELPS, NULL, "sent no certificate that could be trusted");
}

static void test_no_ca_helps_against_another_name(void **state)
{
    const struct pki p = pki_new();
    struct refusal r = refusal_of(p.leaf);
    (void)state;
    r.chain[1] = p.sub;
    r.chain[2] = p.root;
    r.host = "other.example.net";
    expect(&r, REJECTED_NOTHING_HELPS, NULL, "not for other.example.net");
}

static void test_no_ca_helps_against_an_end(void **state)
{
    const struct pki p = pki_new();
    struct testpki_spec s = leaf_spec(p.root);
    s.not_after = TESTPKI_NOW - DAY_S;
    struct refusal r = refusal_of(testpki_make(&s));
    (void)state;
    r.chain[1] = p.root;
    expect(&r, REJECTED_NOTHING_HELPS, NULL, "expired on");
}

static void test_custom_ones_that_do_not_count(void **state)
{
    const struct pki p = pki_new();
    struct refusal r = refusal_of(p.leaf);
    (void)state;
    r.chain[1] = p.sub;
    r.chain[2] = p.root;
    r.filter = TRUST_DEFAULT;
    expect(&r, REJECTED_NOTHING_HELPS, NULL, "static.security.ca_cert");
}

/* It was the clock, or the CA has been added meanwhile. */
static void test_accepted_now(void **state)
{
    const struct pki p = pki_new();
    struct refusal r = refusal_of(p.leaf);
    struct rejected_candidate c;
    (void)state;
    r.chain[1] = p.sub;
    refuse(&r);
    r.trusted[0] = p.root;
    struct trust *trust = trust_of(r.trusted);
    assert_true(is_ok(
        rejected_candidate(kept, 1, trust, (struct wallclock){TESTPKI_NOW, CLOCK_SET}, &c, NULL)));
    assert_int_equal(c.remedy, REJECTED_ACCEPTED_NOW);
    assert_null(c.cert);
    trust_unref(trust);
}

/* The others stay trusted in the trial: the remedy is beside them, not in their place. */
static void test_what_is_trusted_already_stays(void **state)
{
    const struct pki p = pki_new();
    struct refusal r = refusal_of(p.leaf);
    (void)state;
    r.chain[1] = p.sub;
    r.chain[2] = p.root;
    r.trusted[0] = other_root();
    expect(&r, REJECTED_TRUST_ROOT, p.root, "");
}

/* However many roots a hostile server sends, the work is bounded. */
static void test_many_roots(void **state)
{
    const struct pki p = pki_new();
    struct refusal r = refusal_of(p.leaf);
    (void)state;
    for (size_t i = 1; i < LIMIT_PEER_CERTS; i++)
        r.chain[i] = other_root();
    expect(&r, REJECTED_NOTHING_HELPS, NULL, "does not help");
}

static void test_an_unknown_id(void **state)
{
    struct rejected_candidate c;
    struct errinfo e = ERRINFO_INIT;
    struct trust *trust = trust_of((const struct testpki_cert *const[CA_MAX]){NULL});
    (void)state;
    const struct result r =
        rejected_candidate(kept, 3, trust, (struct wallclock){TESTPKI_NOW, CLOCK_SET}, &c, &e);
    assert_int_equal(r.code, ERR_NOT_FOUND);
    assert_string_equal(e.text, "there is no refused chain 3 (any more)");
    rejected_candidate_clear(&c);
    trust_unref(trust);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_kept),
        TEST(test_the_same_again_counts_up),
        TEST(test_what_makes_another_one),
        TEST(test_room_is_made_where_most_is),
        TEST(test_each_account_has_room),
        TEST(test_a_chain_that_is_too_large),
        TEST(test_no_certificate_at_all),
        TEST(test_the_root_that_was_sent),
        TEST(test_the_topmost_ca_where_no_root_was_sent),
        TEST(test_the_right_root_of_two),
        TEST(test_a_pin),
        TEST(test_a_leaf_alone_needs_its_ca_from_elsewhere),
        TEST(test_no_ca_helps_against_another_name),
        TEST(test_no_ca_helps_against_an_end),
        TEST(test_custom_ones_that_do_not_count),
        TEST(test_accepted_now),
        TEST(test_what_is_trusted_already_stays),
        TEST(test_many_roots),
        TEST(test_an_unknown_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
