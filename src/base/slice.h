/*
 * slice: bytes that somebody else owns. A value type, passed by value; never NUL-terminated.
 *
 * The empty slice may have a NULL pointer. No function here keeps the pointer, and none but
 * slice_dup() allocates.
 */
#ifndef SIPSD_BASE_SLICE_H
#define SIPSD_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
    const uint8_t *p;
    size_t n;
};

#define SLICE_EMPTY ((struct slice){NULL, 0})

/* A slice of a string literal, without its NUL. */
#define SLICE_LIT(s) ((struct slice){(const uint8_t *)("" s), sizeof(s) - 1})

/* For printf: "%.*s", SLICE_FMT(s). */
#define SLICE_FMT(s) ((int)(s).n), ((s).n != 0 ? (const char *)(s).p : "")

struct slice slice_of(const void *p, size_t n);
struct slice slice_of_str(const char *s); /* NULL gives the empty slice */

bool slice_eq(struct slice a, struct slice b);
bool slice_eq_str(struct slice a, const char *s);

/* ASCII only, as DNS and SIP tokens compare; bytes above 0x7f must be equal. */
bool slice_eq_nocase(struct slice a, struct slice b);
bool slice_eq_nocase_str(struct slice a, const char *s);

bool slice_starts(struct slice s, struct slice prefix);
bool slice_starts_nocase(struct slice s, struct slice prefix);
bool slice_ends(struct slice s, struct slice suffix);

/* The part from OFFSET on, and the first N bytes; never beyond the slice. */
struct slice slice_from(struct slice s, size_t offset);
struct slice slice_first(struct slice s, size_t n);

/* Without blanks (space, tab, CR, LF) at both ends. */
struct slice slice_trim(struct slice s);

/* Where byte C, or the bytes NEEDLE, first stand; s.n if nowhere. */
size_t slice_find(struct slice s, uint8_t c);
size_t slice_find_slice(struct slice s, struct slice needle);

/*
 * Cuts *REST at the first C: returns what is before it and moves *REST behind it. Without a C the
 * whole rest is returned and *REST becomes empty with a NULL pointer.
 */
struct slice slice_cut(struct slice *rest, uint8_t c);

/* A decimal number of digits only, no sign, that is at most MAX; false for anything else. */
bool slice_to_u64(struct slice s, uint64_t max, uint64_t *out);

/* Copies into DST of SIZE bytes and terminates; false (and DST empty) if it does not fit or has a
 * NUL. */
bool slice_to_str(struct slice s, char *dst, size_t size);

/* A copy to be freed, with a NUL behind it, so that one of text is a string; NULL: no memory. */
void *slice_dup(struct slice s);

#endif
