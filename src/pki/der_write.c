#include "pki/der_write.h"

#include <string.h>

#include "base/clock.h"

struct der_writer der_write_to(struct buf *out)
{
    return (struct der_writer){out, OK};
}

struct result der_write_end(const struct der_writer *w, struct errinfo *e)
{
    if (w->result.code == ERR_LIMIT)
        return fail(e, ERR_LIMIT, "it would be larger than %zu bytes", w->out->cap);
    return is_ok(w->result) ? OK : fail(e, w->result.code, "out of memory");
}

static void put(struct der_writer *w, struct slice bytes)
{
    if (is_ok(w->result))
        w->result = buf_append(w->out, bytes);
}

static void put_byte(struct der_writer *w, uint8_t byte)
{
    put(w, slice_of(&byte, 1));
}

/* The length octets of N (X.690 section 8.1.3); returns how many. */
static size_t length_octets(size_t n, uint8_t out[1 + sizeof(size_t)])
{
    size_t count = 0;

    if (n < 0x80) {
        out[0] = (uint8_t)n;
        return 1;
    }
    for (size_t rest = n; rest > 0; rest >>= 8)
        count++;
    out[0] = (uint8_t)(0x80 | count);
    for (size_t i = 0; i < count; i++)
        out[1 + i] = (uint8_t)(n >> 8 * (count - 1 - i));
    return 1 + count;
}

/* Returns where the content begins. */
size_t der_write_open(struct der_writer *w, uint8_t tag)
{
    put_byte(w, tag);
    return buf_len(w->out);
}

void der_write_close(struct der_writer *w, size_t opened)
{
    uint8_t octets[1 + sizeof(size_t)];
    uint8_t *end;

    if (is_err(w->result))
        return;
    const size_t n = buf_len(w->out) - opened;
    const size_t head = length_octets(n, octets);
    w->result = buf_reserve(w->out, head, &end);
    if (is_err(w->result))
        return;
    memmove(end - n + head, end - n, n);
    memcpy(end - n, octets, head);
    buf_commit(w->out, head);
}

void der_write_value(struct der_writer *w, uint8_t tag, struct slice value)
{
    uint8_t octets[1 + sizeof(size_t)];
    const size_t head = length_octets(value.n, octets);

    put_byte(w, tag);
    put(w, slice_of(octets, head));
    put(w, value);
}

void der_write_raw(struct der_writer *w, struct slice der)
{
    put(w, der);
}

void der_write_oid(struct der_writer *w, struct slice oid)
{
    der_write_value(w, DER_OID, oid);
}

void der_write_bool(struct der_writer *w, bool value)
{
    const uint8_t byte = value ? 0xff : 0;

    der_write_value(w, DER_BOOLEAN, slice_of(&byte, 1));
}

void der_write_uint(struct der_writer *w, uint32_t value)
{
    const uint8_t bytes[5] = {0, (uint8_t)(value >> 24), (uint8_t)(value >> 16),
                              (uint8_t)(value >> 8), (uint8_t)value};
    size_t at = 0;

    while (at < 4 && bytes[at] == 0 && bytes[at + 1] < 0x80) /* X.690 section 8.3.2 */
        at++;
    der_write_value(w, DER_INTEGER, slice_of(bytes + at, sizeof bytes - at));
}

void der_write_bits(struct der_writer *w, struct slice bytes)
{
    const size_t opened = der_write_open(w, DER_BIT_STRING);

    put_byte(w, 0);
    put(w, bytes);
    der_write_close(w, opened);
}

void der_write_flags(struct der_writer *w, uint8_t flags)
{
    uint8_t content[2] = {8, 0}; /* unused bits, then the bits, the first on top */

    for (unsigned i = 0; i < 8; i++)
        if ((flags & 1U << i) != 0) {
            content[1] |= (uint8_t)(0x80U >> i);
            content[0] = (uint8_t)(7 - i);
        }
    der_write_value(w, DER_BIT_STRING,
                    flags == 0 ? SLICE_LIT("\0") : slice_of(content, sizeof content));
}

void der_write_time(struct der_writer *w, int64_t epoch_s)
{
    char iso[CLOCK_ISO_SIZE];
    char digits[CLOCK_ISO_SIZE];
    size_t n = 0;

    clock_to_iso(epoch_s, iso);
    for (const char *p = iso; *p != '\0'; p++)
        if (*p != '-' && *p != ':' && *p != 'T')
            digits[n++] = *p;
    if (epoch_s < clock_from_utc(2050, 1, 1, 0, 0, 0))
        der_write_value(w, DER_UTC_TIME, slice_of(digits + 2, n - 2));
    else
        der_write_value(w, DER_GENERALIZED_TIME, slice_of(digits, n));
}
