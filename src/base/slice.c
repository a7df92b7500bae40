#include "base/slice.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"

struct slice slice_of(const void *p, size_t n)
{
    return (struct slice){p, n};
}

struct slice slice_of_str(const char *s)
{
    return s == NULL ? SLICE_EMPTY : slice_of(s, strlen(s));
}

bool slice_eq(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool slice_eq_str(struct slice a, const char *s)
{
    return slice_eq(a, slice_of_str(s));
}

bool slice_eq_nocase(struct slice a, struct slice b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    return true;
}

bool slice_eq_nocase_str(struct slice a, const char *s)
{
    return slice_eq_nocase(a, slice_of_str(s));
}

bool slice_starts(struct slice s, struct slice prefix)
{
    return s.n >= prefix.n && slice_eq(slice_first(s, prefix.n), prefix);
}

bool slice_starts_nocase(struct slice s, struct slice prefix)
{
    return s.n >= prefix.n && slice_eq_nocase(slice_first(s, prefix.n), prefix);
}

bool slice_ends(struct slice s, struct slice suffix)
{
    return s.n >= suffix.n && slice_eq(slice_from(s, s.n - suffix.n), suffix);
}

struct slice slice_from(struct slice s, size_t offset)
{
    return offset >= s.n ? SLICE_EMPTY : slice_of(s.p + offset, s.n - offset);
}

struct slice slice_first(struct slice s, size_t n)
{
    return slice_of(s.p, n < s.n ? n : s.n);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
    while (s.n > 0 && is_blank(s.p[0]))
        s = slice_from(s, 1);
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

size_t slice_find(struct slice s, uint8_t c)
{
    const uint8_t *at = s.n == 0 ? NULL : memchr(s.p, c, s.n);
    return at == NULL ? s.n : (size_t)(at - s.p);
}

size_t slice_find_slice(struct slice s, struct slice needle)
{
    if (needle.n == 0)
        return 0;
    for (size_t i = 0; i + needle.n <= s.n; i++) {
        i += slice_find(slice_from(s, i), needle.p[0]);
        if (i + needle.n <= s.n && memcmp(s.p + i, needle.p, needle.n) == 0)
            return i;
    }
    return s.n;
}

struct slice slice_cut(struct slice *rest, uint8_t c)
{
    const size_t at = slice_find(*rest, c);
    const struct slice head = slice_first(*rest, at);
    *rest = at < rest->n ? slice_of(rest->p + at + 1, rest->n - at - 1) : SLICE_EMPTY;
    return head;
}

bool slice_to_u64(struct slice s, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_is_digit(s.p[i]))
            return false;
        const uint64_t digit = (uint64_t)(s.p[i] - '0');
        if (v > max / 10 || digit > max || v * 10 > max - digit)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

bool slice_to_str(struct slice s, char *dst, size_t size)
{
    if (size == 0)
        return false;
    dst[0] = '\0';
    if (s.n >= size || slice_find(s, 0) != s.n)
        return false;
    if (s.n > 0)
        memcpy(dst, s.p, s.n);
    dst[s.n] = '\0';
    return true;
}

void *slice_dup(struct slice s)
{
    uint8_t *copy = malloc(s.n + 1);

    if (copy == NULL)
        return NULL;
    if (s.n > 0)
        memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return copy;
}
