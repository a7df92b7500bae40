#include "control/settings.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/wipe.h"
#include "control/keys.h"

/* A slot for each row, account and server; where a name has no X or Y, the first one counts. */
struct settings {
    size_t slots;
    char *values[]; /* NULL: not set */
};

static size_t slot_of(const struct key *k, unsigned x, unsigned y)
{
    size_t rows;
    const size_t row = (size_t)(k - keys_table(&rows));
    const size_t ix = key_xs(k) == 1 ? 0 : x - 1;
    const size_t iy = key_ys(k) == 1 ? 0 : y - 1;

    assert(row < rows && ix < key_xs(k) && iy < key_ys(k));
    return (row * LIMIT_ACCOUNTS + ix) * LIMIT_SERVERS + iy;
}

struct result settings_new(struct settings **out)
{
    size_t rows;
    (void)keys_table(&rows);
    const size_t slots = rows * LIMIT_ACCOUNTS * LIMIT_SERVERS;
    struct settings *s = calloc(1, sizeof *s + slots * sizeof s->values[0]);

    if (s == NULL)
        return err(ERR_NOMEM);
    s->slots = slots;
    *out = s;
    return OK;
}

void settings_free(struct settings *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->slots; i++)
        wipe_free_str(s->values[i]);
    free(s);
}

struct result settings_clone(const struct settings *s, struct settings **out)
{
    struct settings *copy;

    TRY(settings_new(&copy));
    for (size_t i = 0; i < s->slots; i++) {
        if (s->values[i] == NULL)
            continue;
        copy->values[i] = strdup(s->values[i]);
        if (copy->values[i] == NULL) {
            settings_free(copy);
            return err(ERR_NOMEM);
        }
    }
    *out = copy;
    return OK;
}

/* --- in --- */

static RESULT set(struct settings *s, struct slice name, struct slice value, struct errinfo *e)
{
    struct key_ref ref;
    char *copy = NULL;

    TRY(key_find(name, &ref, e));
    if (value.n != 0 && !slice_eq_str(value, "%NULL%")) {
        const struct result r = key_check(ref.key, value, e);
        if (is_err(r)) {
            errinfo_context(e, "%.*s", SLICE_FMT(name));
            return r;
        }
        copy = malloc(value.n + 1);
        if (copy == NULL)
            return fail(e, ERR_NOMEM, "no memory for the settings");
        memcpy(copy, value.p, value.n);
        copy[value.n] = '\0';
    }
    char **slot = &s->values[slot_of(ref.key, ref.x, ref.y)];
    wipe_free_str(*slot);
    *slot = copy;
    return OK;
}

struct result settings_set(struct settings *s, const char *key, struct slice value,
                           struct errinfo *e)
{
    return set(s, slice_of_str(key), value, e);
}

/* A file while it is being applied. */
struct reading {
    const char *file;
    size_t line;
    settings_complaint_fn *complain;
    void *arg;
    size_t complaints[2]; /* harmless, severe */
};

static void complain(struct reading *r, bool severe, const char *text)
{
    r->complaints[severe]++;
    if (r->complain != NULL && r->complaints[severe] <= LIMIT_SETTINGS_COMPLAINTS)
        r->complain(r->arg, r->file, r->line, severe, text);
}

/* Says how many complaints were left out. */
static void complain_of_the_rest(const struct reading *r, bool severe, const char *what)
{
    char text[64];

    if (r->complain == NULL || r->complaints[severe] <= LIMIT_SETTINGS_COMPLAINTS)
        return;
    (void)snprintf(text, sizeof text, "and %zu more lines %s",
                   r->complaints[severe] - LIMIT_SETTINGS_COMPLAINTS, what);
    r->complain(r->arg, r->file, r->line, severe, text);
}

/* ERR_NOMEM only: whatever else is wrong with the line is a complaint. */
static RESULT apply_line(struct settings *s, struct reading *r, struct slice line)
{
    struct errinfo e = ERRINFO_INIT;

    if (line.n > LIMIT_SETTINGS_LINE) {
        complain(r, true, "the line is too long for a setting");
        return OK;
    }
    line = slice_trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return OK;
    if (slice_find(line, '=') == line.n) {
        complain(r, true, "the line has no '='; a setting is written as key = value");
        return OK;
    }
    const struct slice name = slice_trim(slice_cut(&line, '='));
    const struct result set_result = set(s, name, slice_trim(line), &e);
    if (set_result.code == ERR_NOMEM)
        return set_result;
    if (is_err(set_result))
        complain(r, set_result.code != ERR_NOT_FOUND, e.text);
    return OK;
}

static RESULT check_start(struct slice *content, struct errinfo *e)
{
    if (content->n > LIMIT_SETTINGS_BYTES)
        return fail(e, ERR_LIMIT, "it is larger than %d bytes, the most for settings",
                    LIMIT_SETTINGS_BYTES);
    if (slice_starts(*content, SLICE_LIT("\xff\xfe")) ||
        slice_starts(*content, SLICE_LIT("\xfe\xff")))
        return fail(e, ERR_PARSE, "it is written in UTF-16; save it as UTF-8");
    if (slice_starts(*content, SLICE_LIT("\xef\xbb\xbf")))
        *content = slice_from(*content, 3);
    if (!slice_eq_str(slice_trim(slice_cut(content, '\n')), "#!version:1.0.0.1"))
        return fail(e, ERR_PARSE,
                    "it is no settings file: its first line is not #!version:1.0.0.1");
    return OK;
}

struct result settings_apply(struct settings *s, const char *file, struct slice content,
                             settings_complaint_fn *complain_fn, void *arg, struct errinfo *e)
{
    struct reading r = {.file = file, .line = 1, .complain = complain_fn, .arg = arg};
    const struct result start = check_start(&content, e);

    if (is_err(start)) {
        errinfo_context(e, "%s", file);
        return start;
    }
    while (content.n != 0) {
        r.line++;
        TRY(apply_line(s, &r, slice_cut(&content, '\n')));
    }
    complain_of_the_rest(&r, true, "with faults");
    complain_of_the_rest(&r, false, "with keys that are not sipsd's");
    return OK;
}

/* --- out --- */

/* What counts for the row: never NULL. */
static const char *value_of(const struct settings *s, const struct key *k, unsigned x, unsigned y)
{
    for (;;) {
        const char *value = s->values[slot_of(k, x, y)];
        if (value != NULL)
            return value;
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

bool settings_is_set(const struct settings *s, const char *name, unsigned x, unsigned y)
{
    return s->values[slot_of(row(name), x, y)] != NULL;
}
