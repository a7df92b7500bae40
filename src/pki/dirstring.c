#include "pki/dirstring.h"

#include "base/ascii.h"
#include "base/utf8.h"
#include "pki/der.h"

/* --- characters --- */

/* | DIRSTRING_RAW | the tag, before the bytes of what is no text */
#define TAG_MARK 0x100U

struct dirstring dirstring_of(uint8_t tag, struct slice value)
{
    return (struct dirstring){.tag = tag, .rest = value, .held = DIRSTRING_END};
}

/* N bytes that the caller has seen to be there, as a big-endian number. */
static uint32_t take_bytes(struct dirstring *s, size_t n)
{
    uint32_t value = 0;

    for (size_t i = 0; i < n; i++)
        value = value << 8 | s->rest.p[i];
    s->rest = slice_from(s->rest, n);
    return value;
}

static uint32_t take_raw(struct dirstring *s)
{
    return DIRSTRING_RAW | take_bytes(s, 1);
}

static uint32_t take_utf8(struct dirstring *s)
{
    size_t n = utf8_char(s->rest);
    uint32_t c;

    if (n == 0)
        return take_raw(s);
    c = s->rest.p[0];
    if (n > 1)
        c &= 0x7fU >> n;
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (s->rest.p[i] & 0x3f);
    s->rest = slice_from(s->rest, n);
    return c;
}

static uint32_t take_bmp(struct dirstring *s)
{
    const uint8_t *p = s->rest.p;

    if (s->rest.n < 2)
        return take_raw(s);
    if (p[0] < 0xd8 || p[0] >= 0xe0)
        return take_bytes(s, 2);
    /* The standard has no surrogates here, but there are writers that use them. */
    if (p[0] < 0xdc && s->rest.n >= 4 && p[2] >= 0xdc && p[2] < 0xe0) {
        uint32_t high = take_bytes(s, 2) - 0xd800;

        return 0x10000 + (high << 10) + (take_bytes(s, 2) - 0xdc00);
    }
    return take_raw(s);
}

static uint32_t take_universal(struct dirstring *s)
{
    const uint8_t *p = s->rest.p;

    if (s->rest.n < 4 || p[0] != 0 || p[1] > 0x10 || (p[1] == 0 && p[2] >= 0xd8 && p[2] < 0xe0))
        return take_raw(s);
    return take_bytes(s, 4);
}

uint32_t dirstring_next(struct dirstring *s)
{
    if (s->rest.n == 0)
        return DIRSTRING_END;
    switch (s->tag) {
    case DER_UTF8_STRING:
        return take_utf8(s);
    case DER_BMP_STRING:
        return take_bmp(s);
    case DER_UNIVERSAL_STRING:
        return take_universal(s);
    case DER_PRINTABLE_STRING:
    case DER_NUMERIC_STRING:
    case DER_VISIBLE_STRING:
    case DER_IA5_STRING:
    case DER_T61_STRING: /* in certificates it has always meant Latin-1 */
        return take_bytes(s, 1);
    default:
        return take_raw(s);
    }
}

bool dirstring_is_text(uint8_t tag)
{
    switch (tag) {
    case DER_UTF8_STRING:
    case DER_BMP_STRING:
    case DER_UNIVERSAL_STRING:
    case DER_PRINTABLE_STRING:
    case DER_NUMERIC_STRING:
    case DER_VISIBLE_STRING:
    case DER_IA5_STRING:
    case DER_T61_STRING:
        return true;
    default:
        return false;
    }
}

/* --- the normal form --- */

static bool is_space(uint32_t c)
{
    return c == ' ' || (c >= 0x09 && c <= 0x0d) || c == 0x85 || c == 0xa0 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* The letters of FIRST to LAST, every STEP-th, become lower case by adding ADD. */
static const struct {
    uint32_t first, last, step;
    int32_t add;
} upper[] = {
    {0x41, 0x5a, 1, 32},   {0xc0, 0xd6, 1, 32},     {0xd8, 0xde, 1, 32},  /* Latin */
    {0x100, 0x12e, 2, 1},  {0x132, 0x136, 2, 1},    {0x139, 0x147, 2, 1}, /* Extended-A */
    {0x14a, 0x176, 2, 1},  {0x178, 0x178, 1, -121}, {0x179, 0x17d, 2, 1},
    {0x386, 0x386, 1, 38}, {0x388, 0x38a, 1, 37},   {0x38c, 0x38c, 1, 64}, /* Greek */
    {0x38e, 0x38f, 1, 63}, {0x391, 0x3a1, 1, 32},   {0x3a3, 0x3ab, 1, 32},
    {0x3c2, 0x3c2, 1, 1},                         /* final sigma */
    {0x400, 0x40f, 1, 80}, {0x410, 0x42f, 1, 32}, /* Cyrillic */
};

static uint32_t fold_case(uint32_t c)
{
    if (c < 0x80)
        return ascii_lower((uint8_t)c);
    for (size_t i = 0; i < sizeof(upper) / sizeof(upper[0]) && upper[i].first <= c; i++)
        if (c <= upper[i].last && (c - upper[i].first) % upper[i].step == 0)
            return (uint32_t)((int32_t)c + upper[i].add);
    return c;
}

uint32_t dirstring_next_folded(struct dirstring *s)
{
    uint32_t c;

    if (!dirstring_is_text(s->tag)) {
        if (!s->begun) {
            s->begun = true;
            return DIRSTRING_RAW | TAG_MARK | s->tag;
        }
        return dirstring_next(s);
    }
    if (s->held != DIRSTRING_END) {
        c = s->held;
        s->held = DIRSTRING_END;
        return c;
    }
    while ((c = dirstring_next(s)) != DIRSTRING_END && is_space(c))
        s->spaces = true;
    if (c == DIRSTRING_END)
        return DIRSTRING_END;
    if ((c & DIRSTRING_RAW) == 0)
        c = fold_case(c);
    if (s->spaces && s->begun) {
        s->held = c;
        c = ' ';
    }
    s->spaces = false;
    s->begun = true;
    return c;
}

size_t dirstring_utf8(uint32_t c, uint8_t out[4])
{
    size_t more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;

    if (more == 0) {
        out[0] = (uint8_t)c;
        return 1;
    }
    out[0] = (uint8_t)(0xff00U >> (more + 1) | c >> (6 * more));
    for (size_t i = 1; i <= more; i++)
        out[i] = (uint8_t)(0x80 | (c >> (6 * (more - i)) & 0x3f));
    return more + 1;
}

bool dirstring_is_deceptive(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x061c ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c >= 0xe0000;
}
