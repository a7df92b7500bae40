#include "tools/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/anchors.h"
#include "base/limits.h"
#include "base/log.h"
#include "sys/store.h"
#include "tools/testpki.h"

static char dir[64];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "/tmp/sipsd-anchors-XXXXXX");
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static void remove_one(void *arg, const char *name)
{
    char path[320];
    (void)arg;
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    (void)unlink(path);
}

static int tear_down(void **state)
{
    (void)state;
    IGNORE(store_list(dir, 100, remove_one, NULL, NULL)); /* then rmdir fails, and tells */
    return rmdir(dir);
}

static void put(const char *name, const char *text)
{
    char path[320];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_true(is_ok(store_write(path, 0644, slice_of_str(text), NULL)));
}

static const struct testpki_cert *ca(const char *subject)
{
    return testpki_make(&(struct testpki_spec){.subject = subject, .ca = true});
}

static void put_certs(const char *name, const struct testpki_cert *const *certs, size_t n)
{
    char *pem = testpki_pem(certs, n);
    put(name, pem);
    free(pem);
}

static void put_ca(const char *name, const char *subject)
{
    const struct testpki_cert *c = ca(subject);
    put_certs(name, &c, 1);
}

static struct anchors *read_dir(void)
{
    struct anchors *a = NULL;
    assert_true(is_ok(anchors_read(dir, &a, NULL)));
    return a;
}

/* How many of the files' certificates are in the trust store made of them. */
static size_t custom_count(void)
{
    struct anchors *a = read_dir();
    struct trust *t;
    assert_true(is_ok(anchors_trust(a, &t, NULL)));
    const size_t n = trust_count(t, TRUST_CUSTOM);
    trust_unref(t);
    anchors_free(a);
    return n;
}

static void test_no_directory_is_an_empty_one(void **state)
{
    (void)state;
    struct anchors *a = NULL;
    assert_true(is_ok(anchors_read("/nonexistent/trust", &a, NULL)));
    anchors_free(a);
}

static void test_takes_pem_files(void **state)
{
    (void)state;
    put_ca("a.pem", "CN=A");
    put_ca("b.pem", "CN=B");
    put_ca("notes.txt", "CN=C");
    assert_int_equal(custom_count(), 2);
}

static void test_several_in_one_file(void **state)
{
    (void)state;
    const struct testpki_cert *both[] = {ca("CN=A"), ca("CN=B")};
    put_certs("both.pem", both, 2);
    assert_int_equal(custom_count(), 2);
}

/* A file counts as a whole: what is good in a broken one does not count. */
static void test_a_broken_file_harms_only_itself(void **state)
{
    (void)state;
    const struct testpki_cert *first = ca("CN=First");
    char *good = testpki_pem(&first, 1);
    char broken[8192];
    (void)snprintf(broken, sizeof broken,
                   "%s-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n", good);
    free(good);
    put("a.pem", broken);
    put("b.pem", "no certificate at all\n");
    put("c.pem", "");
    put_ca("d.pem", "CN=Last");
    assert_int_equal(custom_count(), 1);
    struct stat st;
    char path[320];
    (void)snprintf(path, sizeof path, "%s/a.pem", dir);
    assert_int_equal(stat(path, &st), 0); /* it is kept */
}

static void test_no_more_than_the_limit(void **state)
{
    (void)state;
    char name[32], subject[32];
    for (int i = 0; i < LIMIT_CUSTOM_CAS + 2; i++) {
        (void)snprintf(name, sizeof name, "%02d.pem", i);
        (void)snprintf(subject, sizeof subject, "CN=%d", i);
        put_ca(name, subject);
    }
    assert_int_equal(custom_count(), LIMIT_CUSTOM_CAS);
}

static void test_equal(void **state)
{
    (void)state;
    put_ca("a.pem", "CN=A");
    struct anchors *before = read_dir();
    struct anchors *same = read_dir();
    assert_true(anchors_equal(before, same));
    put_ca("b.pem", "CN=B");
    struct anchors *more = read_dir();
    assert_false(anchors_equal(before, more));
    remove_one(NULL, "b.pem");
    put_ca("a.pem", "CN=A"); /* another key */
    struct anchors *other = read_dir();
    assert_false(anchors_equal(before, other));
    anchors_free(before);
    anchors_free(same);
    anchors_free(more);
    anchors_free(other);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_directory_is_an_empty_one),
        TEST(test_takes_pem_files),
        TEST(test_several_in_one_file),
        TEST(test_a_broken_file_harms_only_itself),
        TEST(test_no_more_than_the_limit),
        TEST(test_equal),
    };
    log_open(LOG_SINK_NONE, LOG_LEVEL_ERROR, "test");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
