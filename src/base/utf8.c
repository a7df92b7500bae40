#include "base/utf8.h"

#include <string.h>

/* RFC 3629 section 4: the first byte decides how many follow, and narrows the second. */
size_t utf8_char(struct slice s)
{
    if (s.n == 0)
        return 0;

    const uint8_t first = s.p[0];
    uint8_t low = 0x80, high = 0xbf; /* of the second byte */
    size_t n;
    if (first < 0x80)
        return 1;
    else if (first >= 0xc2 && first <= 0xdf)
        n = 2;
    else if (first >= 0xe0 && first <= 0xef)
        n = 3;
    else if (first >= 0xf0 && first <= 0xf4)
        n = 4;
    else
        return 0;

    if (first == 0xe0)
        low = 0xa0; /* else overlong */
    else if (first == 0xed)
        high = 0x9f; /* else a surrogate */
    else if (first == 0xf0)
        low = 0x90; /* else overlong */
    else if (first == 0xf4)
        high = 0x8f; /* else above U+10FFFF */

    if (s.n < n || s.p[1] < low || s.p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((s.p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

/* The bytes of the printable character that S begins with, or 0. */
static size_t printable_char(struct slice s)
{
    const size_t n = utf8_char(s);

    if (n == 1 && (s.p[0] < 0x20 || s.p[0] == 0x7f))
        return 0;
    if (n == 2 && s.p[0] == 0xc2 && s.p[1] < 0xa0) /* the C1 controls */
        return 0;
    return n;
}

bool utf8_is_text(struct slice s)
{
    while (s.n != 0) {
        const size_t n = printable_char(s);
        if (n == 0)
            return false;
        s = slice_from(s, n);
    }
    return true;
}

void utf8_clean(struct slice s, char *out, size_t size)
{
    size_t used = 0;

    while (s.n != 0) {
        const size_t n = printable_char(s);
        const size_t taken = n != 0 ? n : 1;
        if (used + taken + 1 > size)
            break;
        if (n != 0)
            memcpy(out + used, s.p, n);
        else
            out[used] = '?';
        used += taken;
        s = slice_from(s, taken);
    }
    out[used] = '\0';
}
