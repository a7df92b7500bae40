#include "pki/der_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

bool der_take_bool(struct slice *in, bool *value)
{
    struct slice rest = *in, v;

    *value = false;
    if (in->n == 0 || in->p[0] != DER_BOOLEAN)
        return true;
    if (!der_take(&rest, DER_BOOLEAN, &v) || v.n != 1 || (v.p[0] != 0 && v.p[0] != 0xff))
        return false;
    *value = v.p[0] != 0;
    *in = rest;
    return true;
}

bool der_take_integer(struct slice *in, struct slice *bytes)
{
    struct slice rest = *in, v;

    if (!der_take(&rest, DER_INTEGER, &v) || v.n == 0)
        return false;
    if (v.n > 1 && ((v.p[0] == 0 && v.p[1] < 0x80) || (v.p[0] == 0xff && v.p[1] >= 0x80)))
        return false;
    *bytes = v;
    *in = rest;
    return true;
}

bool der_take_bits(struct slice *in, struct slice *bytes, unsigned *unused)
{
    struct slice rest = *in, v;

    if (!der_take(&rest, DER_BIT_STRING, &v) || v.n == 0 || v.p[0] > 7)
        return false;
    *unused = v.p[0];
    *bytes = slice_from(v, 1);
    /* Bits that do not count are zero (X.690 section 11.2.1). */
    if (*unused > 0 && (bytes->n == 0 || (bytes->p[bytes->n - 1] & ((1U << *unused) - 1)) != 0))
        return false;
    *in = rest;
    return true;
}

static bool digits(struct slice s, size_t at, int low, int high, int *out)
{
    uint64_t v;

    if (!slice_to_u64(slice_first(slice_from(s, at), 2), (uint64_t)high, &v) || (int)v < low)
        return false;
    *out = (int)v;
    return true;
}

bool der_take_time(struct slice *in, int64_t *epoch_s)
{
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct slice rest = *in;
    struct der_item item;
    int century, year, month, day, hour, minute, second;

    if (!der_next(&rest, &item))
        return false;
    struct slice t = item.value;
    if (item.tag == DER_UTC_TIME && t.n == 13) {
        if (!digits(t, 0, 0, 99, &year))
            return false;
        century = year >= 50 ? 19 : 20;
        t = slice_from(t, 2);
    } else if (item.tag == DER_GENERALIZED_TIME && t.n == 15) {
        if (!digits(t, 0, 0, 99, &century) || !digits(t, 2, 0, 99, &year))
            return false;
        t = slice_from(t, 4);
    } else {
        return false;
    }
    if (!digits(t, 0, 1, 12, &month) || !digits(t, 2, 1, 31, &day) || !digits(t, 4, 0, 23, &hour) ||
        !digits(t, 6, 0, 59, &minute) || !digits(t, 8, 0, 59, &second) || t.p[10] != 'Z')
        return false;
    year += century * 100;
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (day > month_days[month - 1] + (month == 2 && leap))
        return false;
    *epoch_s = clock_from_utc(year, month, day, hour, minute, second);
    *in = rest;
    return true;
}

bool der_to_u32(struct slice integer, uint32_t *out)
{
    if (integer.n == 0 || integer.p[0] >= 0x80)
        return false;
    if (integer.p[0] == 0)
        integer = slice_from(integer, 1);
    if (integer.n > 4)
        return false;
    *out = 0;
    for (size_t i = 0; i < integer.n; i++)
        *out = *out << 8 | integer.p[i];
    return true;
}

uint32_t der_bit_flags(struct slice bits)
{
    uint32_t out = 0;

    for (size_t i = 0; i < 32 && i / 8 < bits.n; i++)
        if ((bits.p[i / 8] & (0x80U >> (i % 8))) != 0)
            out |= 1U << i;
    return out;
}

void der_oid_text(struct slice oid, char *out, size_t size)
{
    uint64_t arc = 0;
    size_t used = 0;
    bool first = true;

    out[0] = '\0';
    for (size_t i = 0; i < oid.n && used < size; i++) {
        if (arc > UINT64_MAX >> 7)
            return;
        arc = arc << 7 | (oid.p[i] & 0x7f);
        if (oid.p[i] >= 0x80)
            continue;
        int n;
        if (first) { /* the first two arcs share a number (X.690 section 8.19.4) */
            const unsigned top = arc < 40 ? 0 : arc < 80 ? 1 : 2;
            n = snprintf(out, size, "%u.%" PRIu64, top, arc - 40 * (uint64_t)top);
            first = false;
        } else {
            n = snprintf(out + used, size - used, ".%" PRIu64, arc);
        }
        used += n > 0 ? (size_t)n : 0;
        arc = 0;
    }
}

/* One number in base 128, the most significant digit first. */
static bool put_arc(uint64_t arc, uint8_t out[DER_OID_MAX], size_t *n)
{
    size_t digits_n = 1;

    while (digits_n < 9 && arc >> (7 * digits_n) != 0)
        digits_n++;
    if (*n + digits_n > DER_OID_MAX)
        return false;
    for (size_t i = digits_n; i > 0; i--)
        out[(*n)++] = (uint8_t)((arc >> (7 * (i - 1)) & 0x7f) | (i > 1 ? 0x80 : 0));
    return true;
}

bool der_oid_from_text(const char *text, uint8_t out[DER_OID_MAX], size_t *n)
{
    struct slice rest = slice_of_str(text);
    uint64_t top, arc;
    size_t arcs = 1;

    *n = 0;
    if (!slice_to_u64(slice_cut(&rest, '.'), 2, &top))
        return false;
    while (rest.n > 0) {
        if (!slice_to_u64(slice_cut(&rest, '.'), UINT32_MAX, &arc) ||
            (arcs == 1 && top < 2 && arc >= 40) ||
            !put_arc(arcs == 1 ? 40 * top + arc : arc, out, n))
            return false;
        arcs++;
    }
    return arcs > 1 && text[strlen(text) - 1] != '.';
}
