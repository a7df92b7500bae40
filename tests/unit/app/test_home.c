#include "tools/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/home.h"
#include "base/log.h"

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

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_makes_a_directory_once),
        TEST(test_a_user_who_does_not_exist),
        cmocka_unit_test(test_mac_of_an_interface),
        cmocka_unit_test(test_no_such_interface),
    };
    log_open(LOG_SINK_NONE, LOG_LEVEL_ERROR, "test");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
