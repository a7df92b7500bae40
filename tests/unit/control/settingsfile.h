/* settingsfile: settings of one test, made of files that are called "test.cfg", and what is said of
 * those. */
#ifndef SIPSD_TESTS_UNIT_CONTROL_SETTINGSFILE_H
#define SIPSD_TESTS_UNIT_CONTROL_SETTINGSFILE_H

#include "control/settings.h"

#define SETTINGSFILE_HEAD "#!version:1.0.0.1\n"

/* What settings_apply() complained of, one line a complaint: "N!: text" if it is severe. */
struct settingsfile_complaints {
    char text[16384];
    size_t count;
};
extern struct settingsfile_complaints complaints;

/* Notes a complaint; ARG is where. */
settings_complaint_fn settingsfile_note;

/* Settings that say nothing; complaints are forgotten. */
struct settings *settingsfile_fresh(void);

/* Applies CONTENT, a whole file; fails the test if it is none. */
void settingsfile_apply(struct settings *s, const char *content);

/* Settings that say what LINES, without the first, say; fails the test if anything is wrong. */
struct settings *settingsfile_with(const char *lines);

/* What settings_write() makes of S, without the first line, in a static buffer. */
const char *settingsfile_written(const struct settings *s);

#endif
