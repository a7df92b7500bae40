#include "tools/unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "control/maker.h"
#include "sys/entropy.h"
#include "sys/store.h"
#include "tools/testpki.h"

#define MAC "00:15:65:12:34:56"

static char dir[64];
static struct identity_slots slots;

static int set_up(void **state)
{
    (void)state;
    slots = IDENTITY_SLOTS_INIT;
    (void)snprintf(dir, sizeof dir, "/tmp/sipsd-maker-XXXXXX");
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
    identity_slots_clear(&slots);
    (void)unlink(path_of("unique.pem"));
    (void)unlink(path_of("generic.pem"));
    (void)rmdir(path_of("unique.pem"));
    return rmdir(dir);
}

static void put(const char *name, const char *content)
{
    assert_true(is_ok(store_write(path_of(name), 0600, slice_of_str(content), NULL)));
}

static void put_identity(const char *name, const char *subject)
{
    const struct testpki_cert *cert = testpki_make(&(struct testpki_spec){.subject = subject});
    char *chain = testpki_pem(&cert, 1), *key = testpki_key_pem(cert);
    char both[16384];
    const int n = snprintf(both, sizeof both, "%s%s", chain, key);
    assert_in_range(n, 1, sizeof both - 1);
    put(name, both);
    free(chain);
    free(key);
}

static void assert_has(const struct identity_slot *slot, const char *label)
{
    char found[64];
    if (slot->identity == NULL)
        fail_msg("there is no '%s': %s", label, slot->problem.text);
    assert_int_equal(slot->problem.code, ERR_OK);
    cert_label(identity_leaf(slot->identity), found, sizeof found);
    assert_string_equal(found, label);
}

static void assert_problem(const struct identity_slot *slot, enum err code, const char *part)
{
    assert_null(slot->identity);
    assert_int_equal(slot->problem.code, code);
    if (strstr(slot->problem.text, part) == NULL)
        fail_msg("'%s' does not say '%s'", slot->problem.text, part);
}

static void test_none(void **state)
{
    (void)state;
    maker_identities(dir, MAC, &entropy_system, &slots);
    assert_problem(&slots.unique, ERR_OK, "");
    assert_problem(&slots.generic, ERR_OK, "");
    assert_null(slots.custom.identity);
    maker_identities("/nowhere/at/all", MAC, &entropy_system, &slots);
    assert_problem(&slots.unique, ERR_OK, "");
}

static void test_both(void **state)
{
    (void)state;
    put_identity("generic.pem", "CN=Phone");
    put_identity("unique.pem", "CN=001565123456");
    maker_identities(dir, MAC, &entropy_system, &slots);
    assert_has(&slots.unique, "001565123456");
    assert_has(&slots.generic, "Phone");
}

/* A flash image of one phone, written to another. */
static void test_another_phones(void **state)
{
    (void)state;
    put_identity("generic.pem", "CN=Phone");
    put_identity("unique.pem", "CN=001565123457");
    maker_identities(dir, MAC, &entropy_system, &slots);
    assert_problem(&slots.unique, ERR_INVALID, "'001565123457'");
    assert_problem(&slots.unique, ERR_INVALID, MAC);
    assert_problem(&slots.unique, ERR_INVALID, path_of("unique.pem"));
    assert_has(&slots.generic, "Phone");
}

static void test_damaged(void **state)
{
    (void)state;
    put_identity("unique.pem", "CN=001565123456");
    put("generic.pem", "");
    maker_identities(dir, MAC, &entropy_system, &slots);
    assert_has(&slots.unique, "001565123456");
    assert_problem(&slots.generic, ERR_NOT_FOUND, "generic.pem: the file is empty");
}

static void test_no_file(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path_of("unique.pem"), 0700), 0);
    maker_identities(dir, MAC, &entropy_system, &slots);
    assert_problem(&slots.unique, ERR_INVALID, "is not a regular file");
}

/* A phone without its certificate would help nobody: it is a warning. */
static void test_readable_by_others(void **state)
{
    (void)state;
    put_identity("unique.pem", "CN=001565123456");
    assert_int_equal(chmod(path_of("unique.pem"), 0644), 0);
    maker_identities(dir, MAC, &entropy_system, &slots);
    assert_has(&slots.unique, "001565123456");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_none),    TEST(test_both),    TEST(test_another_phones),
        TEST(test_damaged), TEST(test_no_file), TEST(test_readable_by_others),
    };
    log_open(LOG_SINK_NONE, LOG_LEVEL_ERROR, "test");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
