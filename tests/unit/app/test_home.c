#include "tools/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/home.h"
#include "base/log.h"
#include "sys/entropy.h"
#include "sys/store.h"
#include "tools/testpki.h"

static char dir[64];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "/tmp/sipsd-home-XXXXXX");
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static const char *path_of(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path_of("unique.pem"));
    (void)unlink(path_of("generic.pem"));
    (void)rmdir(path_of("sub"));
    return rmdir(dir);
}

/* --- the directories --- */

static void test_makes_a_directory_once(void **state)
{
    (void)state;
    struct stat st;
    const char *sub = path_of("sub");
    assert_true(is_ok(home_make_dir(sub, 0700, NULL, NULL)));
    assert_true(is_ok(home_make_dir(sub, 0755, NULL, NULL)));
    assert_int_equal(stat(sub, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700); /* what is there is left alone */
}

static void test_a_user_who_does_not_exist(void **state)
{
    (void)state;
    struct errinfo e = ERRINFO_INIT;
    if (geteuid() != 0)
        skip();
    assert_int_equal(home_make_dir(path_of("sub"), 0700, "no-such-user", &e).code, ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, "no-such-user"));
}

/* --- the MAC address --- */

static void test_mac_of_an_interface(void **state)
{
    (void)state;
    char mac[32];
    if (access("/sys/class/net/lo/address", R_OK) != 0)
        skip();
    assert_true(is_ok(home_mac("lo", mac, sizeof mac, NULL)));
    assert_string_equal(mac, "00:00:00:00:00:00");
}

static void test_no_such_interface(void **state)
{
    (void)state;
    char mac[32];
    struct errinfo e = ERRINFO_INIT;
    assert_true(is_err(home_mac("none0", mac, sizeof mac, &e)));
    assert_non_null(strstr(e.text, "interface none0"));
    assert_int_equal(home_mac("../../../etc", mac, sizeof mac, NULL).code, ERR_INVALID);
}

/* --- the maker's certificate --- */

static void put_identity(const char *name, const char *subject)
{
    const struct testpki_cert *cert = testpki_make(&(struct testpki_spec){.subject = subject});
    char *chain = testpki_pem(&cert, 1), *key = testpki_key_pem(cert);
    char both[16384];
    const int n = snprintf(both, sizeof both, "%s%s", chain, key);
    assert_in_range(n, 1, sizeof both - 1);
    assert_true(is_ok(store_write(path_of(name), 0600, slice_of_str(both), NULL)));
    free(chain);
    free(key);
}

static void assert_identity(const char *label)
{
    char found[64];
    struct identity *id = home_identity(dir, &entropy_system);
    assert_non_null(id);
    cert_label(identity_leaf(id), found, sizeof found);
    assert_string_equal(found, label);
    identity_unref(id);
}

static void test_the_unique_certificate_goes_first(void **state)
{
    (void)state;
    assert_null(home_identity(dir, &entropy_system));
    put_identity("generic.pem", "CN=Phone");
    assert_identity("Phone");
    put_identity("unique.pem", "CN=001565123456");
    assert_identity("001565123456");
}

static void test_a_damaged_one_is_passed_over(void **state)
{
    (void)state;
    put_identity("generic.pem", "CN=Phone");
    assert_true(is_ok(store_write(path_of("unique.pem"), 0600, SLICE_LIT("damaged"), NULL)));
    assert_identity("Phone");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_makes_a_directory_once),
        TEST(test_a_user_who_does_not_exist),
        cmocka_unit_test(test_mac_of_an_interface),
        cmocka_unit_test(test_no_such_interface),
        TEST(test_the_unique_certificate_goes_first),
        TEST(test_a_damaged_one_is_passed_over),
    };
    log_open(LOG_SINK_NONE, LOG_LEVEL_ERROR, "test");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
