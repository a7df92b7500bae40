/*
 * settings: the phone's settings: the files that set them, typed values out. What keys there are
 * says control/keys.h.
 *
 * A file's first line is "#!version:1.0.0.1"; then "key = value" lines and "#" comments. CRLF and a
 * UTF-8 byte-order mark are fine; blanks around key and value do not count; a later line wins;
 * "%NULL%" or nothing returns a key to its default. An unknown key is reported and does no harm; a
 * bad value is refused with its line, and the key keeps what it had.
 *
 * An object says something of some keys, and nothing of all others: of a key its value, or that it
 * has its default. So it can be all settings that count, one layer of them (control/layers), or
 * what one file says; one that is laid over another hides only what it speaks of.
 */
#ifndef SIPSD_CONTROL_SETTINGS_H
#define SIPSD_CONTROL_SETTINGS_H

#include "base/buf.h"
#include "base/errinfo.h"
#include "control/keys.h"

struct settings;
struct commands;

RESULT settings_new(struct settings **out);
void settings_free(struct settings *s); /* NULL is fine; secrets are wiped */

void settings_clear(struct settings *s); /* it says nothing then; what it said is wiped */

/* An independent copy: to try a change before it counts. */
RESULT settings_clone(const struct settings *s, struct settings **out);

/*
 * What is wrong in a file, line by line (from 1); SEVERE if a value was refused or a line is none,
 * not only a key that is unknown: the file may be shared with other parts of the phone. TEXT is a
 * sentence without secrets, valid during the call. After LIMIT_SETTINGS_COMPLAINTS of one kind
 * there is one last call that tells how many more there are.
 */
typedef void settings_complaint_fn(void *arg, const char *file, size_t line, bool severe,
                                   const char *text);

/*
 * Applies a file's CONTENT over what is set; FILE is its name for complaints. Its commands are
 * added to COMMANDS; where that is NULL they are only judged, as everything else is. ERR_PARSE if
 * it is no settings file at all (first line), ERR_LIMIT over LIMIT_SETTINGS_BYTES: nothing is set
 * then. ERR_NOMEM: a part of it is. Else OK, also with complaints; COMPLAIN may be NULL. CONTENT
 * can have secrets: wiping it is the caller's business.
 */
RESULT settings_apply(struct settings *s, const char *file, struct slice content,
                      struct commands *commands, settings_complaint_fn *complain, void *arg,
                      struct errinfo *e);

/* One key, as a line of a file would set it. ERR_NOT_FOUND, ERR_INVALID (a bad value, or the key of
 * a command): it keeps what it had. */
RESULT settings_set(struct settings *s, const char *key, struct slice value, struct errinfo *e);
RESULT settings_put(struct settings *s, const struct key_ref *key, struct slice value,
                    struct errinfo *e);

/* Says nothing of this key any more. ERR_NOT_FOUND if there is no such key. */
RESULT settings_unset(struct settings *s, const char *key, struct errinfo *e);

/* Lays OVER over S: all that it says, explicit defaults too, S says then. This is how a layer hides
 * the ones below, and how a file is merged into a layer. ERR_NOMEM: a part of it is done. */
RESULT settings_overlay(struct settings *s, const struct settings *over);

/* Whether both say the same of the same keys: explicit defaults count. */
bool settings_same(const struct settings *a, const struct settings *b);
bool settings_is_empty(const struct settings *s); /* says nothing at all */

/* Something that is said of one key. */
struct settings_item {
    struct key_ref ref;
    const char *name;  /* as a file has it; valid during the call, as VALUE */
    const char *value; /* "" for the default. A secret if the key's type says so */
};
typedef bool settings_item_fn(void *arg, const struct settings_item *item); /* false: stop */

/* All that S says, in the order of the table. */
void settings_each(const struct settings *s, settings_item_fn *fn, void *arg);

/* Each key that is set to something else in NOW than it was in OLD, as it is in NOW. The default is
 * the same whether it is said or not. What a key has by its fallback is not looked at. */
void settings_each_change(const struct settings *old, const struct settings *now,
                          settings_item_fn *fn, void *arg);

/* Appends all that S says as a settings file, in the order of the table: read again, it is the
 * same; two that are the same make the same text. ERR_LIMIT, ERR_NOMEM. To be wiped. */
RESULT settings_write(const struct settings *s, struct buf *out, struct errinfo *e);

/*
 * The value of the key with this NAME of the table, X and Y filled in by the numbers (0 where the
 * name has none): what was set, else the fallback's, else the default. Asking for a name that is
 * not in the table, by the wrong type or a number out of range is a bug (assert). Text is valid
 * until the key is set again; "" where there is none.
 */
const char *settings_text(const struct settings *s, const char *name, unsigned x, unsigned y);
int64_t settings_int(const struct settings *s, const char *name, unsigned x, unsigned y);
bool settings_bool(const struct settings *s, const char *name, unsigned x, unsigned y);

/* The same for any type, as a file has it; "" where there is none. Secrets too. */
const char *settings_value(const struct settings *s, const struct key_ref *key);

/* What is said of the key itself, fallbacks left alone. */
enum settings_word { SETTINGS_NOTHING, SETTINGS_DEFAULT, SETTINGS_VALUE };
enum settings_word settings_says(const struct settings *s, const char *name, unsigned x,
                                 unsigned y);
bool settings_is_set(const struct settings *s, const char *name, unsigned x, unsigned y);

/* The value's place among the key's choices: the value of the enum that they name. */
size_t settings_choice(const struct settings *s, const char *name, unsigned x, unsigned y);

#endif
