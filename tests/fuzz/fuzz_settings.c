/* A settings file: whatever it says, every value that comes out is one that its key allows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "control/keys.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings *s = NULL, *copy = NULL;
    struct errinfo e = ERRINFO_INIT;
    size_t complaints = 0, rows;
    const struct key *table = keys_table(&rows);

    if (is_err(settings_new(&s)))
        return 0;
    if (is_err(
            settings_apply(s, "fuzz", slice_of(data, size), NULL, on_complaint, &complaints, &e)) &&
        e.text[0] == '\0')
        abort();
    for (const struct key *k = table; k != table + rows; k++) {
        check_values(s, k, 1, 1);
        check_values(s, k, (unsigned)key_xs(k), (unsigned)key_ys(k));
    }
    check_accounts(s);
    if (is_ok(settings_clone(s, &copy)))
        settings_free(copy);
    settings_free(s);
    return 0;
}
