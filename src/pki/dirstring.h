/*
 * dirstring: the characters of a directory string, in whatever of its ASN.1 types it is written,
 * as they are or in the normal form that names are compared in.
 *
 * Reading walks over the bytes in place: nothing is allocated and nothing fails. A byte that is no
 * part of a character is given as DIRSTRING_RAW | byte, which no character equals.
 */
#ifndef SIPSD_PKI_DIRSTRING_H
#define SIPSD_PKI_DIRSTRING_H

#include "base/slice.h"

#define DIRSTRING_END UINT32_MAX
#define DIRSTRING_RAW 0x80000000U

/* Where reading is. A value type, borrowed. */
struct dirstring {
    uint8_t tag;
    struct slice rest;
    bool begun, spaces; /* of the normal form: something was given; spaces were skipped since */
    uint32_t held;      /* a character that was read ahead, or DIRSTRING_END */
};
struct dirstring dirstring_of(uint8_t tag, struct slice value);

/* The next character (a Unicode code point) as it is written; DIRSTRING_END at the end. */
uint32_t dirstring_next(struct dirstring *s);

/*
 * The next character of the normal form (RFC 5280 section 7.1): lower case, for the letters that
 * CAs write their names in; a run of white space as one space; none at the ends. What is no text
 * keeps its bytes, behind its tag. Use one of the two on a string, not both.
 */
uint32_t dirstring_next_folded(struct dirstring *s);

/* Whether TAG is that of a type whose values are text. */
bool dirstring_is_text(uint8_t tag);

/* What may not be shown as it is: control characters, those that are not seen or change the
 * direction of writing, and what is no character. */
bool dirstring_is_deceptive(uint32_t c);

/* Writes the character C (not a raw byte) as UTF-8; returns how many bytes. */
size_t dirstring_utf8(uint32_t c, uint8_t out[4]);

#endif
