/* change: transactions on the credentials: all of it counts, or nothing. */
#include "tools/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "control/change.h"
#include "sys/store.h"
#include "tls/profile.h"
#include "tools/statedir.h"

static struct statedir s;
static struct change *ch;

static int set_up(void **state)
{
    (void)state;
    statedir_make(&s);
    statedir_open(&s, IDENTITY_WANT_ANY);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    statedir_remove(&s);
    return 0;
}

static void begin(void)
{
    assert_true(is_ok(change_begin(s.credentials, &ch, NULL)));
}

/* Commits and frees; the code. */
static enum err commit(void)
{
    const struct result r = change_commit(ch, NULL);
    change_free(ch);
    return r.code;
}

static enum err add_text(const char *filename, const char *text, char *name)
{
    struct change_added added;
    const struct result r = change_add_trusted(ch, filename, slice_of_str(text), &added, NULL);
    if (is_err(r))
        return r.code;
    if (name != NULL)
        memcpy(name, added.name, sizeof added.name);
    import_clear(&added.items);
    return ERR_OK;
}

static enum err add(const char *filename, const char *subject)
{
    char *pem = statedir_pem(statedir_ca(subject));
    const enum err code = add_text(filename, pem, NULL);
    free(pem);
    return code;
}

static enum err set_identity(const char *filename, const char *text)
{
    const struct upload_request r = {
        .filename = filename,
        .content = slice_of_str(text),
        .now = {.epoch_s = TESTPKI_NOW, .state = CLOCK_SET},
    };
    return change_set_identity(ch, &r, NULL).code;
}

static size_t custom(void)
{
    return trust_count(credentials_trust(s.credentials), TRUST_CUSTOM);
}

static void test_several_changes_count_together(void **state)
{
    char *identity = statedir_identity("CN=phone");
    (void)state;
    begin();
    assert_int_equal(ERR_OK, add("a.pem", "CN=A"));
    assert_int_equal(ERR_OK, add("b.pem", "CN=B"));
    assert_int_equal(ERR_OK, set_identity("mine.pem", identity));
    assert_int_equal(0, custom());
    assert_string_equal("", statedir_files(&s));
    assert_int_equal(ERR_OK, commit());
    assert_int_equal(2, custom());
    assert_int_equal(IDENTITY_CUSTOM, credentials_source(s.credentials));
    assert_int_equal(1, s.changes); /* told once */
    assert_int_equal(CREDENTIALS_TRUST | CREDENTIALS_IDENTITY, s.changed);
    assert_string_equal("ca.a.pem ca.b.pem identity.pem ", statedir_files(&s));
    free(identity);
}

static void test_nothing_counts_without_a_commit(void **state)
{
    (void)state;
    begin();
    assert_int_equal(ERR_OK, add("a.pem", "CN=A"));
    change_free(ch);
    assert_int_equal(0, custom());
    assert_string_equal("", statedir_files(&s));
}

static void test_a_step_that_fails_leaves_the_change(void **state)
{
    (void)state;
    begin();
    assert_int_equal(ERR_OK, add("a.pem", "CN=A"));
    assert_int_equal(ERR_NOT_FOUND, add_text("b.pem", "nothing\n", NULL));
    assert_int_equal(ERR_NOT_FOUND, change_remove_trusted(ch, "nobody", NULL, NULL).code);
    assert_true(set_identity("mine.pem", "nothing\n") != ERR_OK);
    assert_int_equal(ERR_OK, commit());
    assert_string_equal("ca.a.pem ", statedir_files(&s));
}

static void test_no_difference_writes_nothing(void **state)
{
    (void)state;
    begin();
    assert_int_equal(ERR_OK, add("a.pem", "CN=A"));
    size_t removed = 0;
    assert_true(is_ok(change_remove_trusted(ch, "a", &removed, NULL)));
    assert_int_equal(1, removed);
    assert_int_equal(ERR_OK, commit());
    assert_int_equal(0, s.changes);
    assert_int_equal(-1, access(statedir_path(&s, "generations"), F_OK));
}

static void test_each_step_sees_the_ones_before(void **state)
{
    char *pem = statedir_pem(statedir_ca("CN=A"));
    char name[IMPORT_NAME_MAX + 1];
    (void)state;
    begin();
    assert_int_equal(ERR_OK, add_text("corp.pem", pem, name));
    assert_string_equal("corp", name);
    assert_int_equal(ERR_OK, add_text("other.pem", pem, name)); /* it is there already */
    assert_string_equal("", name);
    free(pem);
    pem = statedir_pem(statedir_ca("CN=B"));
    assert_int_equal(ERR_OK, add_text("dir/corp.crt", pem, name));
    assert_string_equal("corp-2", name);
    free(pem);
    for (int i = 2; i < LIMIT_CUSTOM_CAS; i++) {
        char subject[32];
        (void)snprintf(subject, sizeof subject, "CN=%d", i);
        assert_int_equal(ERR_OK, add("corp.pem", subject));
    }
    assert_int_equal(ERR_LIMIT, add("corp.pem", "CN=one too many"));
    assert_int_equal(ERR_OK, commit());
    assert_int_equal(LIMIT_CUSTOM_CAS, custom());
    begin();
    assert_int_equal(LIMIT_CUSTOM_CAS, change_clear_trusted(ch));
    assert_int_equal(ERR_OK, add("corp.pem", "CN=room again"));
    assert_int_equal(ERR_OK, commit());
    assert_string_equal("ca.corp.pem ", statedir_files(&s));
}

static void sha256_of(const struct testpki_cert *c, char out[HASH_HEX_SIZE(HASH_SHA256_SIZE)])
{
    uint8_t digest[HASH_SHA256_SIZE];
    hash_sha256(testpki_der(c), digest);
    hash_hex(slice_of(digest, sizeof digest), out);
}

static void test_removing_one_of_an_upload(void **state)
{
    const struct testpki_cert *both[] = {statedir_ca("CN=A"), statedir_ca("CN=B")};
    char *pem = testpki_pem(both, 2);
    char hex[HASH_HEX_SIZE(HASH_SHA256_SIZE)], colons[32];
    (void)state;
    begin();
    assert_int_equal(ERR_OK, add_text("both.pem", pem, NULL));
    sha256_of(both[0], hex);
    hex[7] = '\0';
    assert_int_equal(ERR_NOT_FOUND, change_remove_trusted(ch, hex, NULL, NULL).code);
    sha256_of(both[0], hex);
    (void)snprintf(colons, sizeof colons, "%.2s:%.2s:%.2s:%.2s", hex, hex + 2, hex + 4, hex + 6);
    assert_true(is_ok(change_remove_trusted(ch, colons, NULL, NULL)));
    assert_int_equal(ERR_OK, commit());
    assert_string_equal("ca.both.pem ", statedir_files(&s));
    assert_int_equal(1, custom());
    begin();
    assert_true(is_ok(change_remove_trusted(ch, "both.pem", NULL, NULL)));
    assert_int_equal(ERR_OK, commit());
    assert_string_equal("", statedir_files(&s));
    free(pem);
}

static bool first_builtin(void *arg, const struct trust_anchor *a)
{
    uint8_t digest[HASH_SHA256_SIZE];
    cert_sha256(a->cert, digest);
    hash_hex(slice_of(digest, sizeof digest), arg);
    return false;
}

static void test_a_built_in_one_stays(void **state)
{
    char hex[HASH_HEX_SIZE(HASH_SHA256_SIZE)];
    struct errinfo e = ERRINFO_INIT;
    (void)state;
    trust_each(credentials_trust(s.credentials), TRUST_DEFAULT, first_builtin, hex);
    begin();
    assert_int_equal(ERR_INVALID, change_remove_trusted(ch, hex, NULL, &e).code);
    assert_non_null(strstr(e.text, "built in"));
    change_free(ch);
}

static void test_files_that_cannot_be_read(void **state)
{
    (void)state;
    credentials_free(s.credentials);
    statedir_put(&s, "ca.bad.pem", "nothing");
    statedir_put(&s, "ca.worse.pem", "nothing");
    statedir_put(&s, "identity.pem", "nothing");
    statedir_put(&s, "settings.cfg", "#!version:1.0.0.1\n");
    statedir_open(&s, IDENTITY_WANT_ANY);
    begin();
    assert_int_equal(ERR_OK, add("a.pem", "CN=A"));
    assert_int_equal(ERR_OK, commit());
    assert_string_equal("ca.a.pem ca.bad.pem ca.worse.pem identity.pem settings.cfg ",
                        statedir_files(&s));
    assert_int_equal(3, credentials_complaints(s.credentials)->count);
    begin();
    size_t removed = 9;
    assert_true(is_ok(change_remove_trusted(ch, "bad", &removed, NULL)));
    assert_int_equal(0, removed);
    assert_int_equal(ERR_OK, commit());
    assert_string_equal("ca.a.pem ca.worse.pem identity.pem settings.cfg ", statedir_files(&s));
    begin();
    assert_int_equal(1, change_clear_trusted(ch));
    assert_true(change_remove_identity(ch));
    assert_int_equal(ERR_OK, commit());
    assert_string_equal("settings.cfg ", statedir_files(&s));
    assert_int_equal(0, credentials_complaints(s.credentials)->count);
    begin();
    assert_false(change_remove_identity(ch));
    assert_int_equal(ERR_OK, commit());
}

static void test_what_cannot_be_written_changes_nothing(void **state)
{
    struct errinfo e = ERRINFO_INIT;
    (void)state;
    const uint64_t generation = trust_generation(credentials_trust(s.credentials));
    assert_true(
        is_ok(store_write(statedir_path(&s, "generations"), 0600, SLICE_LIT("in the way"), NULL)));
    begin();
    assert_int_equal(ERR_OK, add("a.pem", "CN=A"));
    assert_true(is_err(change_commit(ch, &e)));
    change_free(ch);
    assert_true(strlen(e.text) > 0);
    assert_int_equal(0, s.changes);
    assert_int_equal(generation, trust_generation(credentials_trust(s.credentials)));
}

static void test_another_process_has_written(void **state)
{
    const struct generation_file f = {"ca.theirs.pem", SLICE_LIT("theirs")};
    (void)state;
    begin();
    assert_int_equal(ERR_OK, add("a.pem", "CN=A"));
    assert_true(is_ok(generation_write(s.path, &f, 1, NULL, NULL)));
    assert_int_equal(ERR_STATE, commit());
    assert_string_equal("ca.theirs.pem ", statedir_files(&s));
    assert_true(is_ok(credentials_reload(s.credentials, NULL)));
    begin();
    assert_int_equal(ERR_OK, add("a.pem", "CN=A"));
    assert_int_equal(ERR_OK, commit());
    assert_string_equal("ca.a.pem ca.theirs.pem ", statedir_files(&s));
}

static void test_the_second_of_two_changes(void **state)
{
    (void)state;
    begin();
    struct change *first = ch;
    assert_int_equal(ERR_OK, add("a.pem", "CN=A"));
    begin();
    assert_int_equal(ERR_OK, add("b.pem", "CN=B"));
    assert_int_equal(ERR_OK, commit());
    ch = first;
    assert_int_equal(ERR_STATE, commit());
    assert_string_equal("ca.b.pem ", statedir_files(&s));
}

static void test_what_is_kept_is_read_back(void **state)
{
    char *identity = statedir_identity("CN=phone");
    (void)state;
    begin();
    assert_int_equal(ERR_OK, add("a.pem", "CN=A"));
    assert_int_equal(ERR_OK, set_identity("mine.pem", identity));
    assert_int_equal(ERR_OK, commit());
    s.changes = 0;
    assert_true(is_ok(credentials_reload(s.credentials, NULL)));
    assert_int_equal(0, s.changes); /* the very same */
    credentials_free(s.credentials);
    statedir_open(&s, IDENTITY_WANT_ANY);
    assert_int_equal(1, custom());
    assert_int_equal(IDENTITY_CUSTOM, credentials_source(s.credentials));
    free(identity);
}

/* One after the other: two generations are there in the end, and no leak (the
 * sanitizers look). */
static void test_many(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        begin();
        assert_int_equal(ERR_OK, add("a.pem", "CN=A"));
        assert_int_equal(ERR_OK, commit());
        begin();
        assert_true(is_ok(change_remove_trusted(ch, "a", NULL, NULL)));
        assert_int_equal(ERR_OK, commit());
    }
    assert_int_equal(100, s.changes);
    assert_int_equal(0, access(statedir_path(&s, "generations/00000100"), F_OK));
    assert_int_equal(0, access(statedir_path(&s, "generations/00000099"), F_OK));
    assert_int_equal(-1, access(statedir_path(&s, "generations/00000098"), F_OK));
}

static void set_file(const char *name, const char *content)
{
    assert_true(is_ok(change_set_file(ch, name, slice_of_str(content), NULL)));
}

static void test_other_files_change_with_the_certificates(void **state)
{
    (void)state;
    begin();
    assert_true(change_summary(ch).nothing);
    assert_int_equal(ERR_OK, add("a.pem", "CN=A"));
    set_file("common.cfg", "one");
    set_file("local.cfg", "first");
    set_file("local.cfg", "last");
    assert_string_equal("", statedir_files(&s));
    assert_int_equal(ERR_OK, commit());
    assert_string_equal("ca.a.pem common.cfg local.cfg ", statedir_files(&s));
    begin();
    set_file("common.cfg", "");
    assert_false(change_summary(ch).nothing);
    assert_int_equal(ERR_OK, commit());
    assert_string_equal("ca.a.pem local.cfg ", statedir_files(&s));
    assert_int_equal(2, credentials_generation(s.credentials));
    assert_int_equal(1, s.changes); /* the second one was about no certificate */
    struct buf content;
    buf_init(&content, 100);
    assert_true(
        is_ok(store_read(statedir_path(&s, "generations/00000002/local.cfg"), &content, NULL)));
    assert_true(slice_ends(buf_slice(&content), SLICE_LIT("\nlast")));
    buf_free(&content);
}

static void test_a_summary_says_what_it_would_come_to(void **state)
{
    char *identity = statedir_identity("CN=phone"), *pem = statedir_pem(statedir_ca("CN=B"));
    struct trust *trust;
    (void)state;
    begin();
    assert_int_equal(ERR_OK, add("a.pem", "CN=A"));
    assert_int_equal(ERR_OK, add_text("b.pem", pem, NULL));
    assert_int_equal(ERR_OK, commit());
    begin();
    (void)change_clear_trusted(ch);
    assert_int_equal(ERR_OK, add_text("b-again.pem", pem, NULL));
    assert_int_equal(ERR_OK, add("c.pem", "CN=C"));
    assert_int_equal(ERR_OK, set_identity("mine.pem", identity));
    const struct change_summary is = change_summary(ch);
    assert_int_equal(1, is.trusted_added);
    assert_int_equal(1, is.trusted_removed);
    assert_true(is.identity && !is.nothing);
    assert_true(is_ok(change_trust(ch, &trust, NULL)));
    assert_int_equal(2, trust_count(trust, TRUST_CUSTOM));
    assert_non_null(change_identity(ch));
    assert_true(is_ok(change_check(ch, NULL)));
    assert_string_equal("ca.a.pem ca.b.pem ", statedir_files(&s));
    change_free(ch);
    free(identity);
    free(pem);
}

static void test_a_roll_back_brings_back_what_was_before(void **state)
{
    (void)state;
    begin();
    assert_int_equal(ERR_OK, add("a.pem", "CN=A"));
    assert_int_equal(ERR_OK, commit());
    begin();
    (void)change_clear_trusted(ch);
    set_file("common.cfg", "new");
    assert_int_equal(ERR_OK, commit());
    assert_int_equal(0, custom());
    s.changed = 0;
    assert_true(is_ok(credentials_roll_back(s.credentials, NULL)));
    assert_string_equal("ca.a.pem ", statedir_files(&s));
    assert_int_equal(1, custom());
    assert_int_equal(CREDENTIALS_TRUST, s.changed);
    assert_int_equal(3, credentials_generation(s.credentials));
}

static void test_nothing_commits_while_somebody_holds(void **state)
{
    struct errinfo e = ERRINFO_INIT;
    (void)state;
    credentials_hold(s.credentials, "a trial runs");
    begin();
    assert_int_equal(ERR_OK, add("a.pem", "CN=A"));
    assert_int_equal(ERR_BUSY, change_commit(ch, &e).code);
    assert_string_equal("a trial runs", e.text);
    credentials_hold(s.credentials, NULL);
    assert_int_equal(ERR_OK, commit());
}

static int64_t epoch_s(void)
{
    return TESTPKI_NOW;
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_several_changes_count_together),
        TEST(test_nothing_counts_without_a_commit),
        TEST(test_a_step_that_fails_leaves_the_change),
        TEST(test_no_difference_writes_nothing),
        TEST(test_each_step_sees_the_ones_before),
        TEST(test_removing_one_of_an_upload),
        TEST(test_a_built_in_one_stays),
        TEST(test_files_that_cannot_be_read),
        TEST(test_what_cannot_be_written_changes_nothing),
        TEST(test_another_process_has_written),
        TEST(test_the_second_of_two_changes),
        TEST(test_what_is_kept_is_read_back),
        TEST(test_many),
        TEST(test_other_files_change_with_the_certificates),
        TEST(test_a_summary_says_what_it_would_come_to),
        TEST(test_a_roll_back_brings_back_what_was_before),
        TEST(test_nothing_commits_while_somebody_holds),
    };
    const struct rng rng = testpki_rng();
    log_open(LOG_SINK_NONE, LOG_LEVEL_ERROR, "test");
    if (is_err(tls_global_init(&rng, epoch_s, NULL))) /* identities are tried with handshakes */
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    tls_global_free();
    return failed;
}
