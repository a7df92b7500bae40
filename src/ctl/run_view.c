#include "ctl/run_view.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/term.h"

#define NAME_WIDTH 28

static const struct outcome {
    const char *name, *title, *change;
    enum term_colour colour;
    int status;
} outcomes[] = {
    {"applied", "Applied", "Changed: ", TERM_GREEN, CTL_OK},
    {"unchanged", "Unchanged", "Changed: ", TERM_GREEN, CTL_OK},
    {"checked", "Good", "Would change: ", TERM_GREEN, CTL_OK},
    {"kept", "Kept", "Changed: ", TERM_GREEN, CTL_OK},
    {"trial", "Applied", "Changed: ", TERM_YELLOW, CTL_OK},
    {"refused", "Refused", "Would change: ", TERM_RED, CTL_REFUSED},
    {"rolled_back", "Rolled back", "Taken back: ", TERM_RED, CTL_REFUSED},
    {"failed", "Failed", "Would change: ", TERM_RED, CTL_FAILED},
};

/* Of a newer sipsd's outcome nothing is known, and so nothing good. */
static const struct outcome *outcome_of(const cJSON *report)
{
    static const struct outcome unknown = {"", "Ended", "Changed: ", TERM_YELLOW, CTL_FAILED};
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
        if (strcmp(ctl_text(report, "outcome"), outcomes[i].name) == 0)
            return &outcomes[i];
    return &unknown;
}

int run_view_status(const cJSON *report)
{
    return outcome_of(report)->status;
}

bool run_view_is_trial(const cJSON *report)
{
    return strcmp(ctl_text(report, "outcome"), "trial") == 0;
}

/* --- parts --- */

static const cJSON *member(const cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name);
}

static double number(const cJSON *o, const char *name)
{
    const cJSON *n = member(o, name);
    return cJSON_IsNumber(n) ? n->valuedouble : 0;
}

static void put(const char *text)
{
    term_put(stdout, text, term_width(text));
}

static void put_coloured(const struct term *t, enum term_colour c, const char *text)
{
    (void)fputs(term_colour(t, c), stdout);
    put(text);
    (void)fputs(term_colour(t, TERM_PLAIN), stdout);
}

static void print_file(const struct term *t, const cJSON *file)
{
    const char *name = ctl_text(file, "name"), *outcome = ctl_text(file, "outcome");
    const bool refused = strcmp(outcome, "refused") == 0;
    const size_t width = term_width(name);
    put_coloured(t, refused ? TERM_RED : TERM_PLAIN, refused ? "! " : "  ");
    term_put(stdout, name, width > NAME_WIDTH ? width : NAME_WIDTH);
    if (strcmp(outcome, "read") == 0)
        (void)printf(" %.0f bytes, SHA-256 %.16s", number(file, "bytes"), ctl_text(file, "sha256"));
    else
        (void)printf(" %s", outcome);
    if (ctl_text(file, "sentence")[0] != '\0') {
        (void)fputs(": ", stdout);
        put(ctl_text(file, "sentence"));
    }
    (void)fputc('\n', stdout);
}

/* What is fine and has nothing to say is not shown: a file may set hundreds of keys. */
static void print_item(const struct term *t, const cJSON *item)
{
    const bool bad = cJSON_IsFalse(member(item, "ok"));
    const char *sentence = ctl_text(item, "sentence"), *file = ctl_text(item, "file");
    const char *subject = ctl_text(item, "subject");
    if (!bad && sentence[0] == '\0')
        return;
    put_coloured(t, bad ? TERM_RED : TERM_PLAIN, bad ? "! " : "  ");
    put(file);
    if (number(item, "line") > 0)
        (void)printf(":%.0f", number(item, "line"));
    if (file[0] != '\0')
        (void)fputs(": ", stdout);
    if (strstr(sentence, subject) == NULL) { /* else it says so itself */
        put(subject);
        (void)fputs(sentence[0] != '\0' ? ": " : "", stdout);
    }
    put(sentence);
    (void)fputc('\n', stdout);
}

static void count(const cJSON *changed, const char *name, const char *what, const char **comma)
{
    const double n = number(changed, name);
    if (n == 0)
        return;
    (void)printf("%s%.0f trusted certificate%s %s", *comma, n, n == 1 ? "" : "s", what);
    *comma = ", ";
}

/* One line: what is another than before; or would be, or was. */
static void print_changed(const cJSON *changed, const char *comma)
{
    const cJSON *key;
    cJSON_ArrayForEach(key, member(changed, "settings"))
    {
        (void)fputs(comma, stdout);
        put(cJSON_IsString(key) ? key->valuestring : "");
        comma = ", ";
    }
    count(changed, "trusted_added", "more", &comma);
    count(changed, "trusted_removed", "less", &comma);
    if (cJSON_IsTrue(member(changed, "identity"))) {
        (void)printf("%sthe phone's own certificate", comma);
        comma = ", ";
    }
    if (strcmp(comma, ", ") == 0)
        (void)fputc('\n', stdout);
}

void run_view_print(const cJSON *report)
{
    const struct outcome *outcome = outcome_of(report);
    const cJSON *each;
    struct term t;
    term_look(&t);
    put_coloured(&t, outcome->colour, outcome->title);
    (void)fputs(": ", stdout);
    put(ctl_text(report, "sentence"));
    (void)fputc('\n', stdout);
    cJSON_ArrayForEach(each, member(report, "files"))
    {
        print_file(&t, each);
    }
    cJSON_ArrayForEach(each, member(report, "items"))
    {
        print_item(&t, each);
    }
    if (number(report, "items_left_out") > 0)
        (void)printf("  and %.0f more\n", number(report, "items_left_out"));
    print_changed(member(report, "changed"), outcome->change);
    if (ctl_text(report, "trial_ends")[0] != '\0')
        (void)printf("The trial ends at %s: sipsctl provision --confirm keeps it\n",
                     ctl_text(report, "trial_ends"));
    if (cJSON_IsTrue(member(report, "lockout")) && outcome->status == CTL_REFUSED)
        (void)puts("With --force it is applied all the same");
}
