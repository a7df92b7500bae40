#include "tools/unit.h"

#include <stdlib.h>
#include <string.h>

#include "app/options.h"

#define ARGS_MAX 24

/* Splits LINE at blanks, as a shell would, and parses it behind "sipsd". */
static struct result parse(const char *line, struct options *o, struct errinfo *e)
{
    static char words[512];
    char *argv[ARGS_MAX + 1] = {(char[]){"sipsd"}};
    int argc = 1;
    (void)snprintf(words, sizeof words, "%s", line);
    for (char *w = strtok(words, " "); w != NULL && argc < ARGS_MAX; w = strtok(NULL, " "))
        argv[argc++] = w;
    *e = ERRINFO_INIT;
    return options_parse(argc, argv, o, e);
}

static void test_all_options(void **state)
{
    (void)state;
    struct options o;
    struct errinfo e;
    assert_true(is_ok(parse("--config a.cfg --config=b.cfg --state-dir s --run-dir r "
                            "--factory-dir f --mac 00:11:22:33:44:55 --user u --ui-group ui "
                            "--admin-group adm --call-group call --log syslog --log-level debug",
                            &o, &e)));
    assert_int_equal(o.action, OPTIONS_RUN);
    assert_int_equal(o.configs_count, 2);
    assert_string_equal(o.configs[0], "a.cfg");
    assert_string_equal(o.configs[1], "b.cfg");
    assert_string_equal(o.state_dir, "s");
    assert_string_equal(o.run_dir, "r");
    assert_string_equal(o.factory_dir, "f");
    assert_string_equal(o.mac, "00:11:22:33:44:55");
    assert_null(o.interface);
    assert_string_equal(o.user, "u");
    assert_string_equal(o.ui_group, "ui");
    assert_string_equal(o.admin_group, "adm");
    assert_string_equal(o.call_group, "call");
    assert_int_equal(o.log_sink, LOG_SINK_SYSLOG);
    assert_int_equal(o.log_level, LOG_LEVEL_DEBUG);
}

static void test_defaults(void **state)
{
    (void)state;
    struct options o;
    struct errinfo e;
    assert_true(is_ok(parse("--config a.cfg --interface eth0", &o, &e)));
    assert_string_equal(o.interface, "eth0");
    assert_null(o.mac);
    assert_null(o.user);
    assert_string_equal(o.state_dir, "/var/lib/sipsd");
    assert_string_equal(o.run_dir, "/run/sipsd");
    assert_string_equal(o.factory_dir, "/etc/sipsd/factory");
    assert_int_equal(o.log_sink, LOG_SINK_STDERR);
    assert_int_equal(o.log_level, LOG_LEVEL_NOTICE);
}

static void test_actions(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum options_action action;
    } cases[] = {
        {"--help", OPTIONS_HELP},
        {"-h", OPTIONS_HELP},
        {"--version", OPTIONS_VERSION},
        {"-V", OPTIONS_VERSION},
        {"--check --config a.cfg", OPTIONS_CHECK},
        {"--config a.cfg --help --nonsense", OPTIONS_HELP},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct options o;
        struct errinfo e;
        assert_true(is_ok(parse(cases[i].line, &o, &e)));
        assert_int_equal(o.action, cases[i].action);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *sentence; /* a part of it */
    } cases[] = {
        {"", "--config is missing"},
        {"--check", "--config is missing"},
        {"--config a.cfg", "--mac or --interface is missing"},
        {"--config a.cfg --mac 1 --interface eth0", "not both"},
        {"--config", "--config wants a value"},
        {"--nonsense", "there is no option --nonsense"},
        {"-x", "there is no option -x"},
        {"--config a.cfg --mac 1 phone.cfg", "'phone.cfg' is not an option"},
        {"--config a --mac 1 --log file", "--log is stderr or syslog, not 'file'"},
        {"--config a --mac 1 --log-level loud", "not 'loud'"},
        {"--config 1 --config 2 --config 3 --config 4 --config 5 --config 6 --config 7 --config 8 "
         "--config 9",
         "more than 8 times"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct options o;
        struct errinfo e;
        assert_int_equal(parse(cases[i].line, &o, &e).code, ERR_INVALID);
        if (strstr(e.text, cases[i].sentence) == NULL)
            fail_msg("%s: '%s' lacks '%s'", cases[i].line, e.text, cases[i].sentence);
    }
}

/* --help and sipsd(8) name every option; this holds the first to the parser. */
static void test_help_names_every_option(void **state)
{
    (void)state;
    static const char *const names[] = {
        "--config",      "--mac",       "--interface", "--state-dir",   "--run-dir",
        "--user",        "--ui-group",  "--log",       "--admin-group", "--call-group",
        "--factory-dir", "--log-level", "--check",     "--version",     "--help",
    };
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    assert_non_null(f);
    options_help(f);
    assert_int_equal(fclose(f), 0);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strstr(text, names[i]) == NULL)
            fail_msg("--help does not name %s", names[i]);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_options),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_help_names_every_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
