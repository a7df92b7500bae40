/*
 * settings: the phone's settings: one table of keys, the files that set them, typed values out.
 *
 * A file's first line is "#!version:1.0.0.1"; then "key = value" lines and "#" comments; CRLF and a
 * byte-order mark are fine; a later line wins; "%NULL%" or nothing returns a key to its default. An
 * unknown key is reported and does no harm; a bad value is refused with its line, and the key keeps
 * what it had.
 */
#ifndef SIPSD_CONTROL_SETTINGS_H
#define SIPSD_CONTROL_SETTINGS_H

#include "base/errinfo.h"
#include "base/slice.h"

struct settings;

enum setting_type { SETTING_BOOL, SETTING_INT, SETTING_TEXT, SETTING_SECRET };

/* One row a key. NAME has X for the account (1 to LIMIT_ACCOUNTS) and Y for the server (1 or 2). */
struct setting_row {
    const char *name;
    enum setting_type type;
    int64_t min, max;     /* INT: range; TEXT: max is the longest */
    const char *initial;  /* the default, as it would be written; "" for none */
    const char *fallback; /* the key whose value counts while this one is not set; or NULL */
    bool (*check)(struct slice value, struct errinfo *e); /* beyond type and range; or NULL */
    const char *help;                                     /* one line */
};

/* The table, and its number of rows. */
const struct setting_row *settings_table(size_t *n);

RESULT settings_new(struct settings **out);
void settings_free(struct settings *s); /* NULL is fine; secrets are wiped */

/* An independent copy: to try a change before it counts. */
RESULT settings_clone(const struct settings *s, struct settings **out);

/* What is wrong in a file, line by line; SEVERE if a value was refused, not only unknown. */
typedef void settings_complaint_fn(void *arg, const char *file, size_t line, bool severe,
                                   const char *text);

/*
 * Applies a file's CONTENT over what is set; FILE is its name for complaints. ERR_PARSE if it is no
 * settings file at all (first line), ERR_LIMIT over LIMIT_SETTINGS_BYTES; else OK, also with
 * complaints.
 */
RESULT settings_apply(struct settings *s, const char *file, struct slice content,
                      settings_complaint_fn *complain, void *arg, struct errinfo *e);

/* One key, as a line of a file would set it. */
RESULT settings_set(struct settings *s, const char *key, struct slice value, struct errinfo *e);

/*
 * The value of the key named like this, X and Y filled in by the numbers (0 where the name has
 * none): what was set, else the fallback's, else the default. Asking for a key that is not in the
 * table, or by the wrong type, is a bug (assert). Text is valid until the key is set again; ""
 * where there is none.
 */
const char *settings_text(const struct settings *s, const char *name, int x, int y);
int64_t settings_int(const struct settings *s, const char *name, int x, int y);
bool settings_bool(const struct settings *s, const char *name, int x, int y);
bool settings_is_set(const struct settings *s, const char *name, int x, int y);

#endif
