/*
 * utf8: what is UTF-8 (RFC 3629) and what is not. Text that goes into JSON or onto a terminal must
 * be; what peers and files send may be anything.
 */
#ifndef SIPSD_BASE_UTF8_H
#define SIPSD_BASE_UTF8_H

#include "base/slice.h"

/*
 * The bytes of the character that S begins with: 1 to 4; 0 if S is empty or does not begin with
 * one. Overlong forms, surrogates and what is above U+10FFFF are no characters.
 */
size_t utf8_char(struct slice s);

/* Whether S is UTF-8 from end to end, and has no control characters (below space, DEL, U+0080 to
 * U+009F). */
bool utf8_is_text(struct slice s);

/*
 * Copies S into OUT of SIZE bytes (at least 1) and terminates it: what utf8_is_text() would refuse
 * becomes '?', byte by byte, and what does not fit is cut off between two characters.
 */
void utf8_clean(struct slice s, char *out, size_t size);

#endif
