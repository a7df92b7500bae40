/*
 * settings_doc: reads docs/settings.md and writes it with the reference of the keys made anew, from
 * the table of control/keys. The reference stands between two marks; all else is copied.
 *
 *     settings_doc <docs/settings.md >new && mv new docs/settings.md
 */
#include <stdio.h>
#include <string.h>

#include "base/slice.h"
#include "control/keys.h"

#define BEGIN_MARK "<!-- keys: begin -->\n"
#define END_MARK   "<!-- keys: end -->\n"
#define WIDTH      118
#define INDENT     "  "

/* Prints TEXT in lines of at most WIDTH, indented as the item of a list. */
static void print_wrapped(const char *text)
{
    struct slice rest = slice_of_str(text);
    size_t column = 0;

    while (rest.n != 0) {
        const struct slice word = slice_cut(&rest, ' ');
        if (column != 0 && column + 1 + word.n > WIDTH) {
            printf("\n");
            column = 0;
        }
        column += (size_t)printf("%s%.*s", column == 0 ? INDENT : " ", SLICE_FMT(word));
    }
    printf(".\n");
}

static void print_values(const struct key *k)
{
    switch (k->type) {
    case KEY_BOOL:
        printf("0 or 1");
        break;
    case KEY_INT:
        printf("%lld to %lld", (long long)k->min, (long long)k->max);
        break;
    case KEY_TEXT:
        printf("text of up to %lld bytes", (long long)k->max);
        break;
    case KEY_SECRET:
        printf("secret of up to %lld bytes", (long long)k->max);
        break;
    case KEY_CHOICE:
        for (size_t i = 0; k->choices[i] != NULL; i++)
            printf("%s`%s`", i != 0 ? ", " : "", k->choices[i]);
        break;
    case KEY_COMMAND:
        printf("a command");
        break;
    }
}

static void print_default(const struct key *k)
{
    if (key_is_command(k))
        printf("it may stand there many times");
    else if (k->fallback != NULL)
        printf("as `%s`", k->fallback);
    else if (k->initial[0] != '\0')
        printf("default `%s`", k->initial);
    else
        printf("no default");
}

/* What does the same as the key that counts in its place is not explained twice. */
static bool is_explained(const struct key *k)
{
    return k->fallback != NULL && strcmp(k->help, keys_row(k->fallback)->help) == 0;
}

static void print_reference(void)
{
    size_t n;
    const struct key *table = keys_table(&n);

    for (const struct key *k = table; k != table + n; k++) {
        printf("- `%s`: ", k->name);
        print_values(k);
        printf("; ");
        print_default(k);
        printf(".\n");
        if (!is_explained(k))
            print_wrapped(k->help);
    }
}

int main(void)
{
    char line[4096];
    bool inside = false;
    int marks = 0;

    while (fgets(line, sizeof line, stdin) != NULL) {
        if (strcmp(line, END_MARK) == 0) {
            inside = false;
            marks++;
        }
        if (!inside)
            fputs(line, stdout);
        if (strcmp(line, BEGIN_MARK) == 0) {
            inside = true;
            marks++;
            print_reference();
        }
    }
    if (marks != 2) {
        fprintf(stderr, "settings_doc: the page has not one mark " BEGIN_MARK);
        return 1;
    }
    return 0;
}
