/* command: lists of orders, and what a delete URL says. */
#include "tools/unit.h"

#include <string.h>

#include "control/command.h"

static void test_every_command_has_its_key(void **state)
{
    size_t rows, commands = 0;
    const struct key *table = keys_table(&rows);

    (void)state;
    for (const struct key *k = table; k != table + rows; k++) {
        if (!key_is_command(k))
            continue;
        assert_string_equal(k->name, command_key(command_kind(k)));
        commands++;
    }
    assert_int_equal(4, commands);
}

static void check_target(const char *url, const char *name, bool all)
{
    char found[COMMAND_NAME_SIZE];
    bool found_all;
    struct errinfo e = ERRINFO_INIT;

    if (is_err(command_delete_target(slice_of_str(url), found, &found_all, &e)))
        fail_msg("%s: %s", url, e.text);
    assert_int_equal(all, found_all);
    assert_string_equal(name, found);
}

static void test_what_is_to_be_deleted(void **state)
{
    (void)state;
    check_target("http://localhost/all", "all", true);
    check_target("HTTPS://LocalHost/all", "all", true);
    check_target("http://localhost/%61ll", "all", true);
    check_target("http://localhost/ALL", "ALL", false); /* a file can be called so */
    check_target("http://localhost/corp.pem", "corp.pem", false);
    check_target("http://localhost/Our%20CA%20%28new%29.crt", "Our CA (new).crt", false);
    check_target("http://localhost/%C3%A4.pem", "\xc3\xa4.pem", false);
    check_target("http://localhost/AA:BB:CC:DD", "AA:BB:CC:DD", false);
    check_target("http://localhost/a%2Fb", "a/b", false);
}

static void test_what_is_no_target(void **state)
{
    static const char *const urls[] = {
        "",
        "all",
        "http://localhost",
        "http://localhost/",
        "http://localhost.example/all",
        "http://localhost:80/all",
        "http://127.0.0.1/all",
        "http://user@localhost/all",
        "ftp://localhost/all",
        "http:/localhost/all",
        "http://localhost/a/b",
        "http://localhost/a?b",
        "http://localhost/a#b",
        "http://localhost/%",
        "http://localhost/%4",
        "http://localhost/%zz",
        "http://localhost/a%00b",
        "http://localhost/a%0Ab",
        "http://localhost/%ff",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        char name[COMMAND_NAME_SIZE];
        bool all;
        struct errinfo e = ERRINFO_INIT;
        print_message("%s\n", urls[i]);
        assert_int_equal(ERR_INVALID,
                         command_delete_target(slice_of_str(urls[i]), name, &all, &e).code);
        assert_non_null(strstr(e.text, "http://localhost/all"));
    }
}

static void test_a_long_name(void **state)
{
    char url[2 * COMMAND_NAME_SIZE] = "http://localhost/", name[COMMAND_NAME_SIZE];
    const size_t start = strlen(url);
    bool all;

    (void)state;
    memset(url + start, 'a', COMMAND_NAME_SIZE);
    assert_true(is_err(command_delete_target(slice_of_str(url), name, &all, NULL)));
    url[start + COMMAND_NAME_SIZE - 2] = '\0';
    assert_true(is_ok(command_delete_target(slice_of_str(url), name, &all, NULL)));
    assert_string_equal(url + start, name);
}

static void test_a_list(void **state)
{
    struct commands a = {0}, b = {0};
    struct errinfo e = ERRINFO_INIT;
    char file[] = "corp.cfg";

    (void)state;
    assert_true(commands_same(&a, &b));
    assert_true(is_ok(
        commands_add(&a, COMMAND_TRUST_DELETE, file, 3, SLICE_LIT("http://localhost/all"), NULL)));
    assert_true(is_ok(commands_add(&a, COMMAND_TRUST_URL, file, 2, SLICE_LIT("data:,x"), NULL)));
    file[0] = 'x';
    assert_int_equal(2, a.count);
    assert_int_equal(COMMAND_TRUST_DELETE, a.list[0].kind);
    assert_string_equal("corp.cfg", a.list[0].file);
    assert_int_equal(3, a.list[0].line);
    assert_string_equal("data:,x", a.list[1].value);
    assert_false(commands_same(&a, &b));
    assert_true(is_ok(commands_append(&b, &a, NULL)));
    assert_true(commands_same(&a, &b));
    b.list[1].value[5] = 'y';
    assert_false(commands_same(&a, &b));
    while (a.count < LIMIT_COMMANDS)
        assert_true(is_ok(commands_append(&a, &b, NULL)));
    assert_int_equal(ERR_LIMIT,
                     commands_add(&a, COMMAND_TRUST_URL, file, 2, SLICE_LIT("data:,x"), &e).code);
    assert_int_equal(LIMIT_COMMANDS, a.count);
    commands_clear(&b);
    assert_int_equal(0, b.count);
    commands_clear(&a);
}

static void test_append_is_all_or_none(void **state)
{
    struct commands a = {0}, b = {0};

    (void)state;
    for (int i = 0; i < LIMIT_COMMANDS - 1; i++)
        assert_true(is_ok(commands_add(&a, COMMAND_TRUST_URL, "f", 1, SLICE_LIT("data:,x"), NULL)));
    for (int i = 0; i < 2; i++)
        assert_true(is_ok(commands_add(&b, COMMAND_TRUST_URL, "f", 1, SLICE_LIT("data:,x"), NULL)));
    assert_int_equal(ERR_LIMIT, commands_append(&a, &b, NULL).code);
    assert_int_equal(LIMIT_COMMANDS - 1, a.count);
    commands_clear(&a);
    commands_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_command_has_its_key),
        cmocka_unit_test(test_what_is_to_be_deleted),
        cmocka_unit_test(test_what_is_no_target),
        cmocka_unit_test(test_a_long_name),
        cmocka_unit_test(test_a_list),
        cmocka_unit_test(test_append_is_all_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
