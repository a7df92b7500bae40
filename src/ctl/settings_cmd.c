/* settings: what counts on the phone, and what is set on it by hand. */
#include <cjson/cJSON.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/wipe.h"
#include "ctl/ctl.h"
#include "ctl/term.h"

#define VALUE_MAX 4096 /* longer than any value that a setting may have */

static int usage(void)
{
    return ctl_fail(CTL_FAILED,
                    "usage: sipsctl settings get [KEY...] | set [--force] KEY[=VALUE]... "
                    "| unset [--force] KEY... | describe [KEY]");
}

/* --- get --- */

static void put_value(const cJSON *s)
{
    const char *value = ctl_text(s, "value");
    if (strcmp(ctl_text(s, "type"), "secret") == 0)
        (void)fputs(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(s, "set")) ? "(secret)" : "",
                    stdout);
    else
        term_put(stdout, value, term_width(value));
}

/* Where it comes from, as a comment behind it. */
static void put_source(const cJSON *s)
{
    const char *from = ctl_text(s, "from");
    (void)printf("    # %s", ctl_text(s, "source"));
    if (from[0] != '\0')
        (void)printf(", by %s", from);
    (void)fputc('\n', stdout);
}

static void show_settings(const char *json)
{
    cJSON *answer = cJSON_Parse(json);
    const cJSON *s;
    cJSON_ArrayForEach(s, cJSON_GetObjectItemCaseSensitive(answer, "settings"))
    {
        (void)printf("%s = ", ctl_text(s, "key"));
        put_value(s);
        put_source(s);
    }
    cJSON_Delete(answer);
}

/* The object that has the N NAMES as "keys"; NULL without memory. */
static cJSON *with_keys(char **names, int n)
{
    cJSON *params = cJSON_CreateObject();
    cJSON *keys = cJSON_AddArrayToObject(params, "keys");
    for (int i = 0; keys != NULL && i < n; i++)
        (void)cJSON_AddItemToArray(keys, cJSON_CreateString(names[i]));
    return params;
}

static int call(const char *method, cJSON *params, ctl_show *show)
{
    char *text = ctl_take_params(params);
    if (text == NULL)
        return ctl_fail(CTL_FAILED, "out of memory");
    const int status = ctl_call_and_show(method, text, show);
    ctl_free_params(text);
    return status;
}

static int get(int argc, char **argv)
{
    cJSON *params = argc > 1 ? with_keys(argv + 1, argc - 1) : cJSON_CreateObject();
    return call("settings.get", params, show_settings);
}

/* --- set, unset --- */

static void show_report(const char *json)
{
    cJSON *report = cJSON_Parse(json);
    const cJSON *name;
    const char *sentence = ctl_text(report, "sentence");
    term_put(stdout, sentence, term_width(sentence));
    (void)fputc('\n', stdout);
    cJSON_ArrayForEach(name, cJSON_GetObjectItemCaseSensitive(
                                 cJSON_GetObjectItemCaseSensitive(report, "changed"), "settings"))
    {
        if (cJSON_IsString(name))
            (void)printf("  %s\n", name->valuestring);
    }
    cJSON_Delete(report);
}

/* True for --force; argv[optind] is the first that is no option then. */
static bool read_options(int argc, char **argv, bool *force)
{
    static const struct option options[] = {{"force", no_argument, NULL, 'f'}, {NULL, 0, NULL, 0}};
    int c;
    *force = false;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c != 'f')
            return false;
        *force = true;
    }
    return true;
}

/* One line of standard input, without its end; at a terminal it is not shown. */
static bool ask_value(const char *key, char value[VALUE_MAX])
{
    struct termios before, quiet;
    const bool asked = tcgetattr(STDIN_FILENO, &before) == 0;
    if (asked) {
        (void)fprintf(stderr, "%s: ", key);
        quiet = before;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    const bool ok = fgets(value, VALUE_MAX, stdin) != NULL;
    if (asked) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        (void)fputc('\n', stderr);
    }
    if (ok)
        value[strcspn(value, "\r\n")] = '\0';
    return ok;
}

/* "KEY=VALUE", or "KEY" alone: its value is asked for, so that no list of processes shows it. */
static int add_setting(cJSON *settings, char *argument)
{
    char asked[VALUE_MAX];
    char *equals = strchr(argument, '=');
    const char *value = asked;
    if (equals != NULL) {
        *equals = '\0';
        value = equals + 1;
    } else if (!ask_value(argument, asked)) {
        return ctl_fail(CTL_FAILED,
                        "there is no value for %s: write %s=VALUE, or give it as a line "
                        "of input",
                        argument, argument);
    }
    const bool ok = cJSON_AddStringToObject(settings, argument, value) != NULL;
    wipe(asked, sizeof asked);
    return ok ? CTL_OK : ctl_fail(CTL_FAILED, "out of memory");
}

static int set(int argc, char **argv)
{
    bool force;
    if (!read_options(argc, argv, &force) || optind == argc)
        return usage();
    cJSON *params = cJSON_CreateObject();
    cJSON *settings = cJSON_AddObjectToObject(params, "settings");
    int status = settings != NULL ? CTL_OK : ctl_fail(CTL_FAILED, "out of memory");
    for (int i = optind; i < argc && status == CTL_OK; i++)
        status = add_setting(settings, argv[i]);
    (void)cJSON_AddBoolToObject(params, "force", force);
    if (status == CTL_OK)
        return call("settings.set", params, show_report);
    ctl_free_params(ctl_take_params(params));
    return status;
}

static int unset(int argc, char **argv)
{
    bool force;
    if (!read_options(argc, argv, &force) || optind == argc)
        return usage();
    cJSON *params = with_keys(argv + optind, argc - optind);
    (void)cJSON_AddBoolToObject(params, "force", force);
    return call("settings.unset", params, show_report);
}

/* --- describe --- */

static void put_range(const cJSON *k)
{
    const char *type = ctl_text(k, "type");
    const cJSON *choices = cJSON_GetObjectItemCaseSensitive(k, "choices");
    const cJSON *max = cJSON_GetObjectItemCaseSensitive(k, "max"), *choice;
    if (strcmp(type, "bool") == 0)
        (void)fputs("0 or 1", stdout);
    else if (strcmp(type, "int") == 0)
        (void)printf("%.0f to %.0f",
                     cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(k, "min")),
                     cJSON_GetNumberValue(max));
    else if (cJSON_IsNumber(max))
        (void)printf("%s of up to %.0f bytes", type, max->valuedouble);
    cJSON_ArrayForEach(choice, choices)
    {
        (void)printf("%s%s", choice == choices->child ? "" : ", ",
                     cJSON_IsString(choice) ? choice->valuestring : "");
    }
}

static void show_key(const cJSON *k, const struct term *t)
{
    const char *initial = ctl_text(k, "default"), *fallback = ctl_text(k, "fallback");
    (void)printf("%s: ", ctl_text(k, "key"));
    put_range(k);
    if (initial[0] != '\0')
        (void)printf("; default %s", initial);
    if (fallback[0] != '\0')
        (void)printf("; as %s", fallback);
    (void)fputc('\n', stdout);
    (void)term_wrap(stdout, ctl_text(k, "help"), 4, (size_t)t->columns - 4, 20, "\n");
}

static void show_keys(const char *json)
{
    cJSON *answer = cJSON_Parse(json);
    const cJSON *k;
    struct term t;
    term_look(&t);
    if (t.columns < 40)
        t.columns = 40;
    cJSON_ArrayForEach(k, cJSON_GetObjectItemCaseSensitive(answer, "keys"))
    {
        show_key(k, &t);
    }
    cJSON_Delete(answer);
}

static int describe(int argc, char **argv)
{
    cJSON *params = cJSON_CreateObject();
    if (argc > 2) {
        cJSON_Delete(params);
        return usage();
    }
    if (argc == 2)
        (void)cJSON_AddStringToObject(params, "key", argv[1]);
    return call("settings.describe", params, show_keys);
}

int ctl_settings(int argc, char **argv)
{
    static const struct {
        const char *name;
        ctl_command *run;
    } commands[] = {{"get", get}, {"set", set}, {"unset", unset}, {"describe", describe}};
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    return usage();
}
