/* credentials: what is read, whatever state it is in; and which identity is shown. */
#include "tools/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/store.h"
#include "tools/statedir.h"

static struct statedir s;

static int set_up(void **state)
{
    (void)state;
    statedir_make(&s);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    statedir_remove(&s);
    return 0;
}

static size_t custom(void)
{
    return trust_count(credentials_trust(s.credentials), TRUST_CUSTOM);
}

static void put_factory(const char *name, const char *text)
{
    char inside[64];
    (void)snprintf(inside, sizeof inside, "factory/%s", name);
    assert_true(is_ok(store_write(statedir_path(&s, inside), 0600, slice_of_str(text), NULL)));
}

static void put_factory_identity(const char *name, const char *subject)
{
    char *pem = statedir_identity(subject);
    put_factory(name, pem);
    free(pem);
}

/* What is said of FILE; NULL: nothing. */
static const char *complaint(const char *file)
{
    const struct complaints *c = credentials_complaints(s.credentials);
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->list[i].file, file) == 0)
            return c->list[i].text;
    return NULL;
}

static void test_nothing_is_fine(void **state)
{
    (void)state;
    statedir_open(&s, IDENTITY_WANT_ANY);
    assert_int_equal(0, custom());
    assert_null(credentials_identity(s.credentials));
    assert_int_equal(IDENTITY_NONE, credentials_source(s.credentials));
    assert_true(strlen(credentials_why(s.credentials)) > 0);
    assert_int_equal(0, credentials_complaints(s.credentials)->count);
    assert_int_equal(0, s.changes);
}

static void test_each_file_is_judged_alone(void **state)
{
    char *identity = statedir_identity("CN=phone");
    (void)state;
    statedir_put_ca(&s, "ca.good.pem", "CN=Good");
    statedir_put(&s, "ca.empty.pem", "");
    statedir_put(&s, "ca.text.pem", "no certificate at all\n");
    statedir_put(&s, "ca.hash.pem",
                 "# sha256 "
                 "0000000000000000000000000000000000000000000000000000000000000000"
                 "\nother\n");
    statedir_put(&s, "settings.cfg", "#!version:1.0.0.1\n");
    statedir_put(&s, "identity.pem", identity);
    assert_int_equal(0, mkdir(statedir_path(&s, "generations/00000001/ca.dir.pem"), 0700));
    assert_int_equal(0, symlink("/etc/passwd", statedir_path(&s, "generations/00000001/ca.l.pem")));
    statedir_open(&s, IDENTITY_WANT_ANY);
    assert_int_equal(1, custom());
    assert_int_equal(IDENTITY_CUSTOM, credentials_source(s.credentials));
    for (const char *const *file =
             (const char *const[]){"ca.empty.pem", "ca.text.pem", "ca.hash.pem", "ca.dir.pem",
                                   "ca.l.pem", NULL};
         *file != NULL; file++)
        assert_non_null(complaint(*file));
    assert_int_equal(5, credentials_complaints(s.credentials)->count);
    free(identity);
}

/* What is good in a broken file does not count. */
static void test_a_file_counts_as_a_whole(void **state)
{
    char *good = statedir_pem(statedir_ca("CN=First")), *broken = NULL;
    (void)state;
    assert_true(asprintf(&broken, "%s-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
                         good) > 0);
    statedir_put(&s, "ca.a.pem", broken);
    statedir_put_ca(&s, "ca.b.pem", "CN=Second");
    statedir_open(&s, IDENTITY_WANT_ANY);
    assert_int_equal(1, custom());
    assert_non_null(complaint("ca.a.pem"));
    free(good);
    free(broken);
}

static void test_no_more_than_the_limit(void **state)
{
    char name[32], subject[32];
    (void)state;
    for (int i = 0; i < LIMIT_CUSTOM_CAS + 2; i++) {
        (void)snprintf(name, sizeof name, "ca.%02d.pem", i);
        (void)snprintf(subject, sizeof subject, "CN=%d", i);
        statedir_put_ca(&s, name, subject);
    }
    statedir_open(&s, IDENTITY_WANT_ANY);
    assert_int_equal(LIMIT_CUSTOM_CAS, custom());
    assert_non_null(complaint("ca.10.pem"));
    assert_non_null(complaint("ca.11.pem"));
}

static void test_a_damaged_identity_gives_way(void **state)
{
    (void)state;
    statedir_put(&s, "identity.pem", "damaged");
    put_factory_identity("generic.pem", "CN=Phone");
    statedir_open(&s, IDENTITY_WANT_CUSTOM);
    assert_int_equal(IDENTITY_GENERIC, credentials_source(s.credentials));
    assert_non_null(strstr(credentials_why(s.credentials), "no certificate"));
    assert_int_not_equal(ERR_OK, credentials_slots(s.credentials)->custom.problem.code);
}

static void test_the_maker_and_the_setting(void **state)
{
    char *identity = statedir_identity("CN=uploaded");
    (void)state;
    statedir_put(&s, "identity.pem", identity);
    put_factory_identity("generic.pem", "CN=Phone");
    put_factory_identity("unique.pem", "CN=001565123456");
    statedir_open(&s, IDENTITY_WANT_DEFAULT);
    assert_int_equal(IDENTITY_UNIQUE, credentials_source(s.credentials));
    credentials_want(s.credentials, IDENTITY_WANT_CUSTOM);
    assert_int_equal(IDENTITY_CUSTOM, credentials_source(s.credentials));
    assert_int_equal(CREDENTIALS_IDENTITY, s.changed);
    credentials_want(s.credentials, IDENTITY_WANT_ANY);
    assert_int_equal(1, s.changes); /* the same one */
    assert_ptr_equal(credentials_identity(s.credentials), credentials_held_at(s.credentials, 0));
    assert_null(credentials_held_at(s.credentials, 1));
    credentials_want(s.credentials, IDENTITY_WANT_DEFAULT);
    assert_non_null(credentials_held_at(s.credentials, 1));
    assert_null(credentials_held_at(s.credentials, 2));
    free(identity);
}

static void test_a_unique_one_of_another_phone(void **state)
{
    (void)state;
    put_factory_identity("generic.pem", "CN=Phone");
    put_factory_identity("unique.pem", "CN=AAAAAAAAAAAA");
    statedir_open(&s, IDENTITY_WANT_DEFAULT);
    assert_int_equal(IDENTITY_GENERIC, credentials_source(s.credentials));
    assert_non_null(strstr(credentials_why(s.credentials), "AAAAAAAAAAAA"));
}

static void test_reading_again(void **state)
{
    (void)state;
    statedir_put_ca(&s, "ca.a.pem", "CN=A");
    statedir_open(&s, IDENTITY_WANT_ANY);
    const uint64_t generation = trust_generation(credentials_trust(s.credentials));
    assert_true(is_ok(credentials_reload(s.credentials, NULL)));
    assert_int_equal(0, s.changes);
    assert_int_equal(generation, trust_generation(credentials_trust(s.credentials)));
    statedir_put_ca(&s, "ca.b.pem", "CN=B");
    assert_true(is_ok(credentials_reload(s.credentials, NULL)));
    assert_int_equal(CREDENTIALS_TRUST, s.changed);
    assert_int_equal(2, custom());
    put_factory_identity("generic.pem", "CN=Phone");
    s.changed = 0;
    assert_true(is_ok(credentials_reload(s.credentials, NULL)));
    assert_int_equal(CREDENTIALS_IDENTITY, s.changed);
    assert_int_equal(0, unlink(statedir_path(&s, "generations/00000001/ca.a.pem")));
    put_factory_identity("generic.pem", "CN=Other");
    assert_true(is_ok(credentials_reload(s.credentials, NULL)));
    assert_int_equal(CREDENTIALS_TRUST | CREDENTIALS_IDENTITY, s.changed);
    assert_int_equal(1, custom());
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_is_fine),
        TEST(test_each_file_is_judged_alone),
        TEST(test_a_file_counts_as_a_whole),
        TEST(test_no_more_than_the_limit),
        TEST(test_a_damaged_identity_gives_way),
        TEST(test_the_maker_and_the_setting),
        TEST(test_a_unique_one_of_another_phone),
        TEST(test_reading_again),
    };
    log_open(LOG_SINK_NONE, LOG_LEVEL_ERROR, "test");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
