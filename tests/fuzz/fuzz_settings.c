/* A settings file: whatever it says, every value that comes out is one that its key allows; and
 * what is written of it says the same when it is read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "control/command.h"
#include "control/phone.h"
#include "control/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_complaint(void *arg, const char *file, size_t line, bool severe, const char *text)
{
    size_t *count = arg;

    (void)severe;
    if (line == 0 || text[0] == '\0' || strcmp(file, "fuzz") != 0 ||
        ++*count > 2 * (LIMIT_SETTINGS_COMPLAINTS + 1))
        abort();
}

static void check_values(const struct settings *s, const struct key *k, unsigned x, unsigned y)
{
    char number[24];

    switch (k->type) {
    case KEY_BOOL:
        (void)settings_bool(s, k->name, x, y);
        break;
    case KEY_INT:
        (void)snprintf(number, sizeof number, "%lld", (long long)settings_int(s, k->name, x, y));
        if (is_err(key_check(k, slice_of_str(number), NULL)))
            abort();
        break;
    case KEY_TEXT:
    case KEY_SECRET:
        if (is_err(key_check(k, slice_of_str(settings_text(s, k->name, x, y)), NULL)) &&
            settings_text(s, k->name, x, y)[0] != '\0')
            abort();
        break;
    case KEY_CHOICE:
        (void)settings_choice(s, k->name, x, y);
        break;
    case KEY_COMMAND:
        break;
    }
}

/* The first and the last: all others are like them. */
static void check_accounts(const struct settings *s)
{
    for (int i = 1; i <= LIMIT_ACCOUNTS; i += LIMIT_ACCOUNTS - 1) {
        struct account_config a;
        struct errinfo e = ERRINFO_INIT;
        if (is_err(phone_account(s, i, &a, &e)) && e.text[0] == '\0')
            abort();
        if (phone_account_differs(&a, &a))
            abort();
    }
}

static void check_commands(const struct commands *c)
{
    struct commands copy = {0};
    struct errinfo e = ERRINFO_INIT;

    for (size_t i = 0; i < c->count; i++) {
        const struct command *one = &c->list[i];
        const struct key *k = keys_row(command_key(one->kind));
        if (one->line < 2 || is_err(key_check(k, slice_of_str(one->value), &e)))
            abort();
    }
    if (is_ok(commands_append(&copy, c, NULL)) && !commands_same(&copy, c))
        abort();
    commands_clear(&copy);
}

static bool count_change(void *arg, const struct settings_item *item)
{
    (void)item;
    ++*(size_t *)arg;
    return true;
}

/* What one file says, written and read, is the same; laid over itself it changes nothing. */
static void check_round_trip(const struct settings *s)
{
    struct settings *again = NULL;
    struct buf text;
    size_t complaints = 0, changes = 0;

    buf_init(&text, LIMIT_SETTINGS_BYTES);
    if (is_ok(settings_new(&again)) && is_ok(settings_write(s, &text, NULL))) {
        if (is_err(settings_apply(again, "fuzz", buf_slice(&text), NULL, on_complaint, &complaints,
                                  NULL)) ||
            complaints != 0 || !settings_same(s, again))
            abort();
        settings_each_change(s, again, count_change, &changes);
        if (is_err(settings_overlay(again, s)) || changes != 0 || !settings_same(s, again))
            abort();
    }
    buf_free(&text);
    settings_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings *s = NULL, *copy = NULL;
    struct commands commands = {0};
    struct errinfo e = ERRINFO_INIT;
    size_t complaints = 0, rows;
    const struct key *table = keys_table(&rows);

    if (is_err(settings_new(&s)))
        return 0;
    if (is_err(settings_apply(s, "fuzz", slice_of(data, size), &commands, on_complaint, &complaints,
                              &e)) &&
        e.text[0] == '\0')
        abort();
    for (const struct key *k = table; k != table + rows; k++) {
        check_values(s, k, 1, 1);
        check_values(s, k, (unsigned)key_xs(k), (unsigned)key_ys(k));
    }
    check_accounts(s);
    check_commands(&commands);
    commands_clear(&commands);
    check_round_trip(s);
    if (is_ok(settings_clone(s, &copy)))
        settings_free(copy);
    settings_free(s);
    return 0;
}
