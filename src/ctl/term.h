/* term: what the terminal can show, and text that fits it. */
#ifndef SIPSD_CTL_TERM_H
#define SIPSD_CTL_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum term_colour { TERM_PLAIN, TERM_DIM, TERM_BOLD, TERM_GREEN, TERM_YELLOW, TERM_RED };

struct term {
    int columns, rows; /* 80 and 24 where nobody says */
    bool live;         /* stdout is a terminal: colours, and pictures that are drawn over */
    bool utf8;
};

/* Looks again: at start, and when the window's size changed. */
void term_look(struct term *t);

/* The escape sequence that begins this colour, "" where there are none. TERM_PLAIN ends every
 * other. */
const char *term_colour(const struct term *t, enum term_colour c);

/* Columns that S takes in the locale's characters: wide ones are two, combining ones none. What is
 * no character, or not printable, is one: it is shown as '?', here and below. */
size_t term_width(const char *s);

/* S cut or padded to exactly WIDTH columns. */
void term_put(FILE *out, const char *s, size_t width);

/*
 * S wrapped at blanks to lines of at most WIDTH columns, each with INDENT blanks before it and
 * ended by END. Returns the number of lines, at most MAX; the last one is cut with dots if there
 * are more. Without OUT it only counts.
 */
int term_wrap(FILE *out, const char *s, size_t indent, size_t width, int max, const char *end);

#endif
