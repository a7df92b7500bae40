#include "pki/ip.h"

#include <stdio.h>
#include <string.h>

#include "base/ascii.h"

static bool parse_v4(struct slice text, uint8_t out[4])
{
    for (size_t i = 0; i < 4; i++) {
        const bool last = i == 3;
        if (!last && slice_find(text, '.') == text.n)
            return false;
        const struct slice part = last ? text : slice_cut(&text, '.');
        uint64_t v;
        /* A leading zero would make it octal to some (RFC 6943 section 3.1.1). */
        if (part.n > 3 || (part.n > 1 && part.p[0] == '0') || !slice_to_u64(part, 255, &v))
            return false;
        out[i] = (uint8_t)v;
    }
    return true;
}

/* One group of up to four hexadecimal digits. */
static bool parse_group(struct slice text, uint8_t out[2])
{
    unsigned v = 0;

    if (text.n == 0 || text.n > 4)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        const int digit = ascii_hex(text.p[i]);
        if (digit < 0)
            return false;
        v = v << 4 | (unsigned)digit;
    }
    out[0] = (uint8_t)(v >> 8);
    out[1] = (uint8_t)v;
    return true;
}

/* Groups with ':' between, at most SPACE bytes of them; the last one may be an IPv4 address. False
 * if malformed; *N are the bytes. */
static bool parse_groups(struct slice text, uint8_t *out, size_t space, size_t *n)
{
    *n = 0;
    if (text.n == 0)
        return true;
    for (;;) {
        const bool last = slice_find(text, ':') == text.n;
        const struct slice group = last ? text : slice_cut(&text, ':');
        if (last && slice_find(group, '.') < group.n) {
            if (*n + 4 > space || !parse_v4(group, out + *n))
                return false;
            *n += 4;
        } else {
            if (*n + 2 > space || !parse_group(group, out + *n))
                return false;
            *n += 2;
        }
        if (last)
            return true;
    }
}

static bool parse_v6(struct slice text, uint8_t out[16])
{
    const size_t gap = slice_find_slice(text, SLICE_LIT("::"));
    uint8_t tail[16];
    size_t head_n, tail_n;

    if (gap == text.n)
        return parse_groups(text, out, 16, &head_n) && head_n == 16;
    const struct slice head = slice_first(text, gap);
    if (slice_find(head, '.') < head.n)
        return false;
    memset(out, 0, 16);
    /* "::" stands for at least one group. */
    if (!parse_groups(head, out, 14, &head_n) ||
        !parse_groups(slice_from(text, gap + 2), tail, 14 - head_n, &tail_n))
        return false;
    memcpy(out + 16 - tail_n, tail, tail_n);
    return true;
}

size_t ip_parse(struct slice text, uint8_t out[16])
{
    const bool bracketed = text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']';

    if (bracketed)
        text = slice_first(slice_from(text, 1), text.n - 2);
    else if (parse_v4(text, out))
        return 4;
    return slice_find(text, ':') < text.n && parse_v6(text, out) ? 16 : 0;
}

/* The longest run of at least two zero groups, the first of equals (RFC 5952 section 4.2). */
static void longest_zeros(const uint8_t *p, size_t *at, size_t *len)
{
    *at = 8;
    *len = 1;
    for (size_t i = 0; i < 8; i++) {
        size_t n = 0;
        while (i + n < 8 && p[2 * (i + n)] == 0 && p[2 * (i + n) + 1] == 0)
            n++;
        if (n > *len) {
            *at = i;
            *len = n;
        }
    }
}

void ip_text(struct slice bytes, char *out, size_t size)
{
    const uint8_t *p = bytes.p;
    char text[IP_TEXT_SIZE] = "?";
    size_t used = 0, gap, gap_len;

    if (bytes.n == 4) {
        (void)snprintf(text, sizeof text, "%u.%u.%u.%u", p[0], p[1], p[2], p[3]);
    } else if (bytes.n == 16) {
        longest_zeros(p, &gap, &gap_len);
        for (size_t i = 0; i < 8; i++) {
            if (i == gap) {
                used += (size_t)snprintf(text + used, sizeof text - used, "::");
                i += gap_len - 1;
                continue;
            }
            const char *colon = i == 0 || text[used - 1] == ':' ? "" : ":";
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%x", colon,
                                     (unsigned)(p[2 * i] << 8 | p[2 * i + 1]));
        }
    }
    (void)snprintf(out, size, "%s", text);
}
