/*
 * ascii: character classes of protocols. <ctype.h> depends on the locale and is undefined for
 * negative chars; protocols know neither.
 */
#ifndef SIPSD_BASE_ASCII_H
#define SIPSD_BASE_ASCII_H

#include <stdbool.h>
#include <stdint.h>

static inline uint8_t ascii_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static inline bool ascii_is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static inline bool ascii_is_alpha(uint8_t c)
{
    return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

static inline bool ascii_is_alnum(uint8_t c)
{
    return ascii_is_digit(c) || ascii_is_alpha(c);
}

static inline bool ascii_is_print(uint8_t c)
{
    return c >= 0x20 && c < 0x7f;
}

/* The value of a hexadecimal digit, or -1. */
static inline int ascii_hex(uint8_t c)
{
    if (ascii_is_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
