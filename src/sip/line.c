#include "sip/line.h"

struct slice sip_line_cut(struct slice *rest)
{
    size_t n = 0;
    do {
        n += slice_find_slice(slice_from(*rest, n), SLICE_LIT("\r\n")) + 2;
    } while (n > 2 && n < rest->n && (rest->p[n] == ' ' || rest->p[n] == '\t'));
    const struct slice whole = slice_first(*rest, n);
    *rest = slice_from(*rest, n);
    return whole;
}

bool sip_line_next(struct slice *rest, struct sip_line *out)
{
    if (slice_starts(*rest, SLICE_LIT("\r\n")) || rest->n == 0)
        return false;
    out->whole = sip_line_cut(rest);
    out->value = slice_first(out->whole, out->whole.n - 2);
    out->name = slice_trim(slice_cut(&out->value, ':'));
    out->value = slice_trim(out->value);
    out->known = sip_header_find(out->name);
    return true;
}
