/* What revocation lists do to a path: which are believed, and what is missing. */
#include "pki/revocation.h"

#include "tools/testpki.h"
#include "tools/unit.h"

#define DAY 86400

/* A path of leaf, CA and root, and signatures that are right unless a test says otherwise. */
struct world {
    struct path_cert certs[4];
    struct path path;
    struct crl crls[4];
    size_t crls_count;
    struct verify_policy policy;
    struct wallclock now;
    const struct path_cert *signed_by; /* only its signatures are right; NULL: all are */
    unsigned checks;
};

static struct path_cert cert_of(const struct testpki_cert *c, uint8_t index)
{
    struct path_cert out = {.index = index, .entity = index};

    assert_true(is_ok(certfields_read(testpki_der(c), &out.fields, NULL)));
    out.self_issued = certfields_self_issued(&out.fields);
    return out;
}

static struct world world_new(void)
{
    const unsigned usage = TESTPKI_KEY_CERT_SIGN | TESTPKI_CRL_SIGN;
    const struct testpki_cert *root = testpki_make(
        &(struct testpki_spec){.subject = "CN=Root", .key = 1, .ca = true, .key_usage = usage});
    const struct testpki_cert *ca = testpki_make(&(struct testpki_spec){
        .subject = "CN=CA", .key = 2, .ca = true, .key_usage = usage, .issuer = root});
    const struct testpki_cert *leaf = testpki_make(&(struct testpki_spec){
        .subject = "CN=leaf", .key = 3, .issuer = ca, .serial = SLICE_LIT("\x05")});
    /* the CA's other key, which is for lists alone */
    const struct testpki_cert *other = testpki_make(&(struct testpki_spec){
        .subject = "CN=CA", .key = 4, .issuer = ca, .key_usage = TESTPKI_CRL_SIGN});

    return (struct world){
        .certs = {cert_of(leaf, 0), cert_of(ca, 1), cert_of(root, 2), cert_of(other, 3)},
        .policy = {.check_trust = true},
        .now = {TESTPKI_NOW, CLOCK_SET}};
}

/* A good and empty list of the CA at INDEX of the path. */
static struct crl *add_list(struct world *w, size_t index)
{
    const struct certfields *ca = &w->certs[index].fields;
    struct crl *crl = &w->crls[w->crls_count++];

    *crl = (struct crl){.issuer = ca->subject,
                        .algorithm = ca->algorithm,
                        .outer_algorithm = ca->algorithm,
                        .number = SLICE_LIT("\x01"),
                        .reasons = CRL_ALL_REASONS,
                        .this_update_s = TESTPKI_NOW - DAY,
                        .next_update_s = TESTPKI_NOW + DAY};
    return crl;
}

static bool check_crl(void *arg, const struct crl *crl, const struct path_cert *signer)
{
    struct world *w = arg;

    (void)crl;
    w->checks++;
    return w->signed_by == NULL || w->signed_by == signer;
}

static bool check_cert(void *arg, const struct path_cert *cert, const struct path_cert *issuer)
{
    struct world *w = arg;

    w->checks++;
    return cert == &w->certs[3] && issuer == &w->certs[1];
}

static struct verdict ask(struct world *w)
{
    const struct verify_input in = {
        .policy = &w->policy, .now = w->now, .crls = w->crls, .crls_count = w->crls_count};
    const struct revocation r = {
        .in = &in, .certs = w->certs, .count = 4, .check = {w, check_crl, check_cert}};
    struct verdict v = {.reasons_count = 0};
    struct faults f = {.verdict = &v};

    w->path = (struct path){.certs = {&w->certs[0], &w->certs[1], &w->certs[2]}, .len = 3};
    revocation_check(&r, &w->path, &f);
    assert_int_equal(f.count, v.reasons_count);
    return v;
}

static void assert_good(struct world *w)
{
    const struct verdict v = ask(w);

    if (v.reasons_count > 0)
        fail_msg("%s", v.reasons[0].sentence);
}

static void assert_fault(struct world *w, enum reason_code code, int depth, const char *sentence)
{
    const struct verdict v = ask(w);

    assert_int_equal(v.reasons_count, 1);
    assert_int_equal(v.reasons[0].code, code);
    assert_int_equal(v.reasons[0].depth, depth);
    assert_string_equal(v.reasons[0].sentence, sentence);
}

#define NO_LIST_FOR_THE_LEAF \
    "The certificate of leaf cannot be checked: there is no valid revocation list of 'CA' for it"

static void without_lists_nothing_is_asked(void **state)
{
    struct world w = world_new();

    (void)state;
    assert_good(&w);
    w.policy.crl_required = true;
    const struct verdict v = ask(&w);
    assert_int_equal(v.reasons_count, 2);
    /* a list of somebody else is none */
    w.policy.crl_required = false;
    add_list(&w, 0);
    assert_good(&w);
    assert_int_equal(w.checks, 0);
}

static void a_path_is_checked_whole(void **state)
{
    struct world w = world_new();

    (void)state;
    add_list(&w, 2);
    assert_fault(&w, REASON_CRL, 0, NO_LIST_FOR_THE_LEAF);
    add_list(&w, 1);
    assert_good(&w);
}

static void what_is_listed_is_revoked(void **state)
{
    struct world w = world_new();

    (void)state;
    add_list(&w, 2);
    /* serial number 5, on 2026-10-01 */
    add_list(&w, 1)->entries = SLICE_LIT(
        "\x30\x12\x02\x01\x05\x17\x0d\x32\x36\x31\x30\x30\x31\x30\x30\x30\x30\x30\x30\x5a");
    assert_fault(&w, REASON_REVOKED, 0,
                 "The certificate of leaf was revoked on 2026-10-01 by 'CA'; its owner must get a "
                 "new one");
}

static void a_list_has_its_days(void **state)
{
    struct world w = world_new();

    (void)state;
    add_list(&w, 2);
    struct crl *crl = add_list(&w, 1);
    crl->next_update_s = TESTPKI_NOW;
    assert_good(&w);
    crl->next_update_s = TESTPKI_NOW - 1;
    assert_fault(
        &w, REASON_CRL, 0,
        "The certificate of leaf cannot be checked: the revocation list of 'CA' expired on "
        "2027-01-15; provide a new one");
    crl->next_update_s = CRL_NO_NEXT_UPDATE;
    crl->this_update_s = TESTPKI_NOW + 1;
    assert_fault(&w, REASON_CRL, 0, NO_LIST_FOR_THE_LEAF);
    w.now.state = CLOCK_FLOOR; /* the list may well be right */
    assert_good(&w);
}

static void only_good_lists_are_believed(void **state)
{
    struct world w = world_new();
    const struct slice sha1 = SLICE_LIT("\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01");

    (void)state;
    add_list(&w, 2);
    struct crl *crl = add_list(&w, 1);
    const struct crl good = *crl;
    crl->unusable = true;
    assert_fault(&w, REASON_CRL, 0, NO_LIST_FOR_THE_LEAF);
    *crl = good;
    crl->indirect = true;
    assert_fault(&w, REASON_CRL, 0, NO_LIST_FOR_THE_LEAF);
    *crl = good;
    crl->outer_algorithm = sha1;
    assert_fault(&w, REASON_CRL, 0, NO_LIST_FOR_THE_LEAF);
    crl->algorithm = sha1;
    assert_fault(&w, REASON_CRL, 0, NO_LIST_FOR_THE_LEAF);
    w.policy.allow_sha1 = true;
    assert_good(&w);
    *crl = good;
    crl->reasons = CRL_ALL_REASONS & ~(1U << 1);
    assert_fault(&w, REASON_CRL, 0, NO_LIST_FOR_THE_LEAF);
    struct crl *rest = add_list(&w, 1);
    rest->reasons = 1U << 1;
    assert_good(&w); /* two that tell all reasons together */
}

static void a_ca_may_sign_lists_with_another_key(void **state)
{
    struct world w = world_new();

    (void)state;
    add_list(&w, 1);
    add_list(&w, 2);
    w.signed_by = &w.certs[0]; /* nobody's of that name */
    const struct verdict v = ask(&w);
    assert_int_equal(v.reasons_count, 2);
    /* the key that is for lists alone, for which the CA itself made a certificate: its own standing
     * is looked up in the lists that the CA's other key signed, and there are none */
    w.signed_by = &w.certs[3];
    assert_int_equal(ask(&w).reasons_count, 2);
}

static void deltas_continue_their_list(void **state)
{
    struct world w = world_new();
    const struct slice revoked = SLICE_LIT(
        "\x30\x12\x02\x01\x05\x17\x0d\x32\x36\x31\x30\x30\x31\x30\x30\x30\x30\x30\x30\x5a");

    (void)state;
    add_list(&w, 2);
    struct crl *complete = add_list(&w, 1), *delta = add_list(&w, 1);
    delta->is_delta = true;
    delta->entries = revoked;
    delta->number = SLICE_LIT("\x02");
    delta->base_number = SLICE_LIT("\x01");
    assert_int_equal(ask(&w).reasons[0].code, REASON_REVOKED);
    delta->base_number = SLICE_LIT("\x02"); /* a later complete one's */
    assert_good(&w);
    delta->base_number = SLICE_LIT("\x01");
    complete->number = SLICE_LIT("\x03"); /* it has what the delta says already */
    assert_good(&w);
    complete->number = SLICE_LIT("\x01");
    delta->only_users = true; /* another scope */
    assert_good(&w);
    delta->only_users = false;
    delta->next_update_s = TESTPKI_NOW - 1;
    assert_good(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_lists_nothing_is_asked),
        cmocka_unit_test(a_path_is_checked_whole),
        cmocka_unit_test(what_is_listed_is_revoked),
        cmocka_unit_test(a_list_has_its_days),
        cmocka_unit_test(only_good_lists_are_believed),
        cmocka_unit_test(a_ca_may_sign_lists_with_another_key),
        cmocka_unit_test(deltas_continue_their_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
