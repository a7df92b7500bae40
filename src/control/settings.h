/*
 * settings: the phone's settings: the files that set them, typed values out. What keys there are
 * says control/keys.h.
 *
 * A file's first line is "#!version:1.0.0.1"; then "key = value" lines and "#" comments. CRLF and a
 * UTF-8 byte-order mark are fine; blanks around key and value do not count; a later line wins;
 * "%NULL%" or nothing returns a key to its default. An unknown key is reported and does no harm; a
 * bad value is refused with its line, and the key keeps what it had.
 */
#ifndef SIPSD_CONTROL_SETTINGS_H
#define SIPSD_CONTROL_SETTINGS_H

#include "base/errinfo.h"
#include "base/slice.h"

struct settings;

RESULT settings_new(struct settings **out);
void settings_free(struct settings *s); /* NULL is fine; secrets are wiped */

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
 * Applies a file's CONTENT over what is set; FILE is its name for complaints. ERR_PARSE if it is no
 * settings file at all (first line), ERR_LIMIT over LIMIT_SETTINGS_BYTES: nothing is set then. Else
 * OK, also with complaints; COMPLAIN may be NULL. CONTENT can have secrets: wiping it is the
 * caller's business.
 */
RESULT settings_apply(struct settings *s, const char *file, struct slice content,
                      settings_complaint_fn *complain, void *arg, struct errinfo *e);

/* One key, as a line of a file would set it. ERR_NOT_FOUND, ERR_INVALID: it keeps what it had. */
RESULT settings_set(struct settings *s, const char *key, struct slice value, struct errinfo *e);

/*
 * The value of the key with this NAME of the table, X and Y filled in by the numbers (0 where the
 * name has none): what was set, else the fallback's, else the default. Asking for a name that is
 * not in the table, by the wrong type or a number out of range is a bug (assert). Text is valid
 * until the key is set again; "" where there is none.
 */
const char *settings_text(const struct settings *s, const char *name, unsigned x, unsigned y);
int64_t settings_int(const struct settings *s, const char *name, unsigned x, unsigned y);
bool settings_bool(const struct settings *s, const char *name, unsigned x, unsigned y);
bool settings_is_set(const struct settings *s, const char *name, unsigned x, unsigned y);

/* The value's place among the key's choices: the value of the enum that they name. */
size_t settings_choice(const struct settings *s, const char *name, unsigned x, unsigned y);

#endif
