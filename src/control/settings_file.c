/* Settings as files: read, and written. */
#include <stdio.h>

#include "base/limits.h"
#include "control/command.h"
#include "control/settings.h"

#define FIRST_LINE "#!version:1.0.0.1"

/* --- reading --- */

/* A file while it is being applied. */
struct reading {
    const char *file;
    size_t line;
    struct commands *commands; /* or NULL */
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

/* A command is judged, and noted. */
static RESULT note_command(const struct reading *r, const struct key *k, struct slice value,
                           struct errinfo *e)
{
    value = key_plain(value);
    if (value.n == 0) /* templates have it so where there is nothing to do */
        return OK;
    struct result res = key_check(k, value, e);
    if (is_ok(res) && r->commands != NULL)
        res = commands_add(r->commands, command_kind(k), r->file, r->line, value, e);
    if (is_err(res))
        errinfo_context(e, "%s", k->name);
    return res;
}

static RESULT apply(struct settings *s, const struct reading *r, struct slice name,
                    struct slice value, struct errinfo *e)
{
    struct key_ref ref;

    TRY(key_find(name, &ref, e));
    return key_is_command(ref.key) ? note_command(r, ref.key, value, e)
                                   : settings_put(s, &ref, value, e);
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
    const struct result applied = apply(s, r, name, line, &e);
    if (applied.code == ERR_NOMEM)
        return applied;
    if (is_err(applied))
        complain(r, applied.code != ERR_NOT_FOUND, e.text);
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
    if (!slice_eq_str(slice_trim(slice_cut(content, '\n')), FIRST_LINE))
        return fail(e, ERR_PARSE, "it is no settings file: its first line is not " FIRST_LINE);
    return OK;
}

struct result settings_apply(struct settings *s, const char *file, struct slice content,
                             struct commands *commands, settings_complaint_fn *complain_fn,
                             void *arg, struct errinfo *e)
{
    struct reading r = {
        .file = file, .line = 1, .commands = commands, .complain = complain_fn, .arg = arg};
    const struct result start = check_start(&content, e);

    if (is_err(start)) {
        errinfo_context(e, "%s", file);
        return start;
    }
    while (content.n != 0) {
        r.line++;
        if (is_err(apply_line(s, &r, slice_cut(&content, '\n'))))
            return fail(e, ERR_NOMEM, "%s: no memory for the settings", file);
    }
    complain_of_the_rest(&r, true, "with faults");
    complain_of_the_rest(&r, false, "with keys that are not sipsd's");
    return OK;
}

/* --- writing --- */

struct writing {
    struct buf *out;
    struct result result;
};

static bool write_item(void *arg, const struct settings_item *item)
{
    struct writing *w = arg;
    const char *value = item->value[0] != '\0' ? item->value : KEY_NULL;

    w->result = buf_printf(w->out, "%s = %s\n", item->name, value);
    return is_ok(w->result);
}

struct result settings_write(const struct settings *s, struct buf *out, struct errinfo *e)
{
    struct writing w = {out, buf_append_str(out, FIRST_LINE "\n")};

    if (is_ok(w.result))
        settings_each(s, write_item, &w);
    if (w.result.code == ERR_LIMIT)
        return fail(e, ERR_LIMIT, "the settings are larger than %zu bytes", out->cap);
    return is_ok(w.result) ? OK : fail(e, ERR_NOMEM, "no memory for the settings");
}
