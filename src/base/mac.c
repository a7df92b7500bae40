#include "base/mac.h"

#include "base/ascii.h"

/* Each form by what stands between groups of how many digits. */
static const struct form {
    size_t length;
    size_t group;
    char separator;
} forms[] = {{12, 12, '\0'}, {17, 2, ':'}, {17, 2, '-'}, {14, 4, '.'}};

static bool read_as(const struct form *form, struct slice text, char out[MAC_DIGITS_SIZE])
{
    size_t used = 0;

    if (text.n != form->length)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        const int digit = ascii_hex(text.p[i]);
        if (i % (form->group + 1) == form->group) {
            if (text.p[i] != (uint8_t)form->separator)
                return false;
        } else if (digit < 0) {
            return false;
        } else {
            out[used++] = "0123456789ABCDEF"[digit];
        }
    }
    out[used] = '\0';
    return true;
}

bool mac_digits(struct slice text, char out[MAC_DIGITS_SIZE])
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (read_as(&forms[i], text, out))
            return true;
    out[0] = '\0';
    return false;
}
