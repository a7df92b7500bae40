#include "control/settings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"

/*
 * A row's words, one for each account and server that it is there for; NULL where nothing was ever
 * said of any. A word is NULL, nothing; "", the default, for no value is empty; or the value.
 */
struct settings {
    char ***rows;
};

static size_t places(const struct key *k)
{
    return key_xs(k) * key_ys(k);
}

/* Where a name has no X or Y, there is one place, whatever the numbers are. */
static size_t place(const struct key *k, unsigned x, unsigned y)
{
    const size_t ix = key_xs(k) == 1 ? 0 : x - 1;
    const size_t iy = key_ys(k) == 1 ? 0 : y - 1;

    assert(ix < key_xs(k) && iy < key_ys(k));
    return ix * key_ys(k) + iy;
}

static size_t row_of(const struct key *k)
{
    size_t rows;
    const size_t row = (size_t)(k - keys_table(&rows));

    assert(row < rows);
    return row;
}

static const char *word_of(const struct settings *s, const struct key *k, unsigned x, unsigned y)
{
    char *const *row = s->rows[row_of(k)];

    return row != NULL ? row[place(k, x, y)] : NULL;
}

struct result settings_new(struct settings **out)
{
    size_t rows;
    (void)keys_table(&rows);
    struct settings *s = calloc(1, sizeof *s);

    if (s == NULL)
        return err(ERR_NOMEM);
    s->rows = calloc(rows, sizeof s->rows[0]);
    if (s->rows == NULL) {
        free(s);
        return err(ERR_NOMEM);
    }
    *out = s;
    return OK;
}

void settings_clear(struct settings *s)
{
    size_t rows;
    const struct key *table = keys_table(&rows);

    for (size_t row = 0; row < rows; row++) {
        for (size_t i = 0; s->rows[row] != NULL && i < places(&table[row]); i++)
            wipe_free_str(s->rows[row][i]);
        free(s->rows[row]);
        s->rows[row] = NULL;
    }
}

void settings_free(struct settings *s)
{
    if (s == NULL)
        return;
    settings_clear(s);
    free(s->rows);
    free(s);
}

struct result settings_clone(const struct settings *s, struct settings **out)
{
    struct settings *copy;

    TRY(settings_new(&copy));
    const struct result r = settings_overlay(copy, s);
    if (is_err(r)) {
        settings_free(copy);
        return r;
    }
    *out = copy;
    return OK;
}

/* --- in --- */

/* Takes WORD over, also on failure. */
static RESULT say(struct settings *s, const struct key *k, size_t at, char *word)
{
    char ***row = &s->rows[row_of(k)];

    if (*row == NULL)
        *row = calloc(places(k), sizeof **row);
    if (*row == NULL || word == NULL) {
        wipe_free_str(word);
        return err(ERR_NOMEM);
    }
    wipe_free_str((*row)[at]);
    (*row)[at] = word;
    return OK;
}

static RESULT check(const struct key_ref *key, struct slice value, struct errinfo *e)
{
    char name[KEY_NAME_SIZE];
    const struct result r =
        key_is_command(key->key)
            ? fail(e, ERR_INVALID,
                   "it is no setting but an order, which is carried out when a file with it is "
                   "provisioned")
        : value.n != 0 ? key_check(key->key, value, e)
                       : OK;

    if (is_err(r)) {
        key_name(key->key, key->x, key->y, name);
        errinfo_context(e, "%s", name);
    }
    return r;
}

struct result settings_put(struct settings *s, const struct key_ref *key, struct slice value,
                           struct errinfo *e)
{
    value = key_plain(value);
    TRY(check(key, value, e));
    if (is_err(say(s, key->key, place(key->key, key->x, key->y), slice_dup(value))))
        return fail(e, ERR_NOMEM, "no memory for the settings");
    return OK;
}

struct result settings_set(struct settings *s, const char *key, struct slice value,
                           struct errinfo *e)
{
    struct key_ref ref;

    TRY(key_find(slice_of_str(key), &ref, e));
    return settings_put(s, &ref, value, e);
}

struct result settings_unset(struct settings *s, const char *key, struct errinfo *e)
{
    struct key_ref ref;

    TRY(key_find(slice_of_str(key), &ref, e));
    char **row = s->rows[row_of(ref.key)];
    if (row == NULL)
        return OK;
    char **word = &row[place(ref.key, ref.x, ref.y)];
    wipe_free_str(*word);
    *word = NULL;
    return OK;
}

struct result settings_overlay(struct settings *s, const struct settings *over)
{
    size_t rows;
    const struct key *table = keys_table(&rows);

    for (size_t row = 0; row < rows; row++) {
        char *const *words = over->rows[row];
        for (size_t i = 0; words != NULL && i < places(&table[row]); i++)
            if (words[i] != NULL)
                TRY(say(s, &table[row], i, strdup(words[i])));
    }
    return OK;
}

/* --- all of it --- */

/* Calls FN with number I of row K, whose WORD is NULL for the default. */
static bool visit(const struct key *k, size_t i, const char *word, settings_item_fn *fn, void *arg)
{
    char name[KEY_NAME_SIZE];
    const struct settings_item item = {
        .ref = key_at(k, i), .name = name, .value = word != NULL ? word : ""};

    key_name(k, item.ref.x, item.ref.y, name);
    return fn(arg, &item);
}

void settings_each(const struct settings *s, settings_item_fn *fn, void *arg)
{
    size_t rows;
    const struct key *table = keys_table(&rows);

    for (size_t row = 0; row < rows; row++) {
        char *const *words = s->rows[row];
        for (size_t i = 0; words != NULL && i < places(&table[row]); i++)
            if (words[i] != NULL && !visit(&table[row], i, words[i], fn, arg))
                return;
    }
}

static const char *at(const struct settings *s, size_t row, size_t i)
{
    return s->rows[row] != NULL ? s->rows[row][i] : NULL;
}

static const char *or_empty(const char *word)
{
    return word != NULL ? word : "";
}

void settings_each_change(const struct settings *old, const struct settings *now,
                          settings_item_fn *fn, void *arg)
{
    size_t rows;
    const struct key *table = keys_table(&rows);

    for (size_t row = 0; row < rows; row++) {
        if (old->rows[row] == NULL && now->rows[row] == NULL)
            continue;
        for (size_t i = 0; i < places(&table[row]); i++) {
            const char *a = or_empty(at(old, row, i)), *b = or_empty(at(now, row, i));
            if (strcmp(a, b) != 0 && !visit(&table[row], i, b, fn, arg))
                return;
        }
    }
}

static bool same_row(const struct settings *a, const struct settings *b, size_t row, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *one = at(a, row, i), *other = at(b, row, i);
        if ((one == NULL) != (other == NULL) || strcmp(or_empty(one), or_empty(other)) != 0)
            return false;
    }
    return true;
}

bool settings_same(const struct settings *a, const struct settings *b)
{
    size_t rows;
    const struct key *table = keys_table(&rows);

    for (size_t row = 0; row < rows; row++)
        if ((a->rows[row] != NULL || b->rows[row] != NULL) &&
            !same_row(a, b, row, places(&table[row])))
            return false;
    return true;
}

static bool note_one(void *arg, const struct settings_item *item)
{
    bool *empty = arg;

    (void)item;
    *empty = false;
    return false;
}

bool settings_is_empty(const struct settings *s)
{
    bool empty = true;

    settings_each(s, note_one, &empty);
    return empty;
}

/* --- out --- */

/* What counts for the row: never NULL. */
static const char *value_of(const struct settings *s, const struct key *k, unsigned x, unsigned y)
{
    for (;;) {
        const char *word = word_of(s, k, x, y);
        if (word != NULL && word[0] != '\0')
            return word;
        if (k->fallback == NULL)
            return k->initial;
        k = keys_row(k->fallback);
        assert(k != NULL);
    }
}

static const struct key *row(const char *name)
{
    const struct key *k = keys_row(name);

    assert(k != NULL);
    return k;
}

const char *settings_text(const struct settings *s, const char *name, unsigned x, unsigned y)
{
    const struct key *k = row(name);

    assert(k->type == KEY_TEXT || k->type == KEY_SECRET);
    return value_of(s, k, x, y);
}

int64_t settings_int(const struct settings *s, const char *name, unsigned x, unsigned y)
{
    const struct key *k = row(name);
    uint64_t number = 0;

    assert(k->type == KEY_INT);
    const bool valid = slice_to_u64(slice_of_str(value_of(s, k, x, y)), INT64_MAX, &number);
    assert(valid);
    (void)valid;
    return (int64_t)number;
}

bool settings_bool(const struct settings *s, const char *name, unsigned x, unsigned y)
{
    const struct key *k = row(name);

    assert(k->type == KEY_BOOL);
    return strcmp(value_of(s, k, x, y), "1") == 0;
}

size_t settings_choice(const struct settings *s, const char *name, unsigned x, unsigned y)
{
    const struct key *k = row(name);
    size_t i = 0;

    assert(k->type == KEY_CHOICE);
    while (strcmp(value_of(s, k, x, y), k->choices[i]) != 0)
        i++;
    return i;
}

const char *settings_value(const struct settings *s, const struct key_ref *key)
{
    return value_of(s, key->key, key->x, key->y);
}

enum settings_word settings_says(const struct settings *s, const char *name, unsigned x, unsigned y)
{
    const char *word = word_of(s, row(name), x, y);

    return word == NULL ? SETTINGS_NOTHING : word[0] == '\0' ? SETTINGS_DEFAULT : SETTINGS_VALUE;
}

bool settings_is_set(const struct settings *s, const char *name, unsigned x, unsigned y)
{
    return settings_says(s, name, x, y) == SETTINGS_VALUE;
}
