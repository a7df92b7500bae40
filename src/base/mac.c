#include "base/mac.h"

#include <stdio.h>
#include <string.h>

#include "base/ascii.h"

/* Where a form has its separators: after each group of so many digits. */
static bool read_form(struct slice text, char separator, size_t group, struct mac *out)
{
    size_t digits = 0;

    for (size_t i = 0; i < text.n; i++) {
        const int value = ascii_hex(text.p[i]);
        if (separator != '\0' && i % (group + 1) == group) {
            if (text.p[i] != (uint8_t)separator)
                return false;
            continue;
        }
        if (value < 0 || digits == (size_t)MAC_SIZE * 2)
            return false;
        out->byte[digits / 2] = (uint8_t)(out->byte[digits / 2] << 4 | value);
        digits++;
    }
    return digits == (size_t)MAC_SIZE * 2;
}

bool mac_parse(struct slice text, struct mac *out)
{
    memset(out, 0, sizeof *out);
    switch (text.n) {
    case 12:
        return read_form(text, '\0', 0, out);
    case 14:
        return read_form(text, '.', 4, out);
    case 17:
        return read_form(text, text.p[2] == '-' ? '-' : ':', 2, out);
    default:
        return false;
    }
}

bool mac_is_device(const struct mac *mac)
{
    static const struct mac none;

    return (mac->byte[0] & 1) == 0 && !mac_equal(mac, &none);
}

bool mac_equal(const struct mac *a, const struct mac *b)
{
    return memcmp(a->byte, b->byte, MAC_SIZE) == 0;
}

void mac_text(const struct mac *mac, char out[MAC_TEXT_SIZE])
{
    const uint8_t *b = mac->byte;

    (void)snprintf(out, MAC_TEXT_SIZE, "%02X%02X%02X%02X%02X%02X", b[0], b[1], b[2], b[3], b[4],
                   b[5]);
}

void mac_urn(const struct mac *mac, char out[MAC_URN_SIZE])
{
    const uint8_t *b = mac->byte;

    (void)snprintf(out, MAC_URN_SIZE, "urn:dev:mac:%02x%02x%02xffff%02x%02x%02x", b[0], b[1], b[2],
                   b[3], b[4], b[5]);
}
