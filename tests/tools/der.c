#include "tools/der.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void grow(struct der *d, size_t more)
{
    uint8_t *p;

    if (d->size - d->n >= more)
        return;
    d->size = 2 * d->size + more;
    p = realloc(d->p, d->size);
    if (p == NULL)
        abort();
    d->p = p;
}

static void put_byte(struct der *d, uint8_t byte)
{
    grow(d, 1);
    d->p[d->n++] = byte;
}

void der_free(struct der *d)
{
    free(d->p);
    *d = (struct der){0};
}

struct slice der_slice(const struct der *d)
{
    return slice_of(d->p, d->n);
}

size_t der_open(struct der *d, uint8_t tag)
{
    put_byte(d, tag);
    return d->n;
}

void der_close(struct der *d, size_t opened)
{
    size_t value = d->n - opened;
    uint8_t length[1 + sizeof(value)];
    size_t n = 0;

    if (value < 0x80) {
        length[n++] = (uint8_t)value;
    } else {
        size_t octets = 1;

        while (octets < sizeof(value) && value >> (8 * octets) != 0)
            octets++;
        length[n++] = (uint8_t)(0x80 | octets);
        while (octets-- > 0)
            length[n++] = (uint8_t)(value >> (8 * octets));
    }
    grow(d, n);
    memmove(d->p + opened + n, d->p + opened, value);
    memcpy(d->p + opened, length, n);
    d->n += n;
}

void der_raw(struct der *d, struct slice bytes)
{
    grow(d, bytes.n);
    if (bytes.n > 0)
        memcpy(d->p + d->n, bytes.p, bytes.n);
    d->n += bytes.n;
}

void der_put(struct der *d, uint8_t tag, struct slice value)
{
    size_t opened = der_open(d, tag);

    der_raw(d, value);
    der_close(d, opened);
}

void der_put_str(struct der *d, uint8_t tag, const char *value)
{
    der_put(d, tag, slice_of_str(value));
}

static void put_base128(struct der *d, unsigned long value)
{
    int shift = 0;

    while (value >> shift >= 0x80)
        shift += 7;
    for (; shift > 0; shift -= 7)
        put_byte(d, (uint8_t)(0x80 | ((value >> shift) & 0x7f)));
    put_byte(d, (uint8_t)(value & 0x7f));
}

void der_oid(struct der *d, const char *dotted)
{
    size_t opened = der_open(d, DER_OID);
    char *at;
    unsigned long first = strtoul(dotted, &at, 10);

    for (unsigned arc = 1; *at == '.'; arc++) {
        unsigned long value = strtoul(at + 1, &at, 10);

        put_base128(d, arc == 1 ? 40 * first + value : value);
    }
    if (*at != '\0' || d->n == opened) {
        fprintf(stderr, "der: '%s' is not an object identifier\n", dotted);
        abort();
    }
    der_close(d, opened);
}

void der_uint(struct der *d, unsigned value)
{
    size_t opened = der_open(d, DER_INTEGER);
    int shift = 0;

    while (shift < 32 && (uint64_t)value >> shift >= 0x80)
        shift += 8;
    for (; shift >= 0; shift -= 8)
        put_byte(d, (uint8_t)((uint64_t)value >> shift));
    der_close(d, opened);
}

void der_bool(struct der *d, bool value)
{
    put_byte(d, DER_BOOLEAN);
    put_byte(d, 1);
    put_byte(d, value ? 0xff : 0);
}

void der_bits(struct der *d, struct slice bytes)
{
    size_t opened = der_open(d, DER_BIT_STRING);

    put_byte(d, 0);
    der_raw(d, bytes);
    der_close(d, opened);
}

void der_named_bits(struct der *d, uint16_t bits)
{
    size_t opened = der_open(d, DER_BIT_STRING);
    uint8_t unused = 0;

    /* X.690 section 11.2.2: no trailing zero bits. */
    while (bits != 0 && unused < 15 && (bits >> unused & 1) == 0)
        unused++;
    put_byte(d, unused % 8);
    if (bits != 0)
        put_byte(d, (uint8_t)(bits >> 8));
    if ((bits & 0xff) != 0)
        put_byte(d, (uint8_t)bits);
    der_close(d, opened);
}

void der_time(struct der *d, int64_t epoch_s)
{
    time_t t = (time_t)epoch_s;
    struct tm tm;
    char text[32];

    if (gmtime_r(&t, &tm) == NULL)
        abort();
    (void)strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &tm);
    if (tm.tm_year < 150)
        der_put_str(d, DER_UTC_TIME, text + 2); /* without the century */
    else
        der_put_str(d, DER_GENERALIZED_TIME, text);
}
