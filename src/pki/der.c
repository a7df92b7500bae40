#include "pki/der.h"

bool der_next(struct slice *in, struct der_item *out)
{
    size_t head = 2;
    size_t n;

    if (in->n < head)
        return false;
    n = in->p[1];
    if (n >= 0x80) {
        size_t octets = n & 0x7f;

        head += octets;
        if (octets == 0 || octets > 4 || in->n < head)
            return false;
        n = 0;
        for (size_t i = 2; i < head; i++)
            n = n << 8 | in->p[i];
    }
    if (n > in->n - head)
        return false;
    out->tag = in->p[0];
    out->value = slice_of(in->p + head, n);
    out->whole = slice_of(in->p, head + n);
    *in = slice_from(*in, head + n);
    return true;
}

bool der_take(struct slice *in, uint8_t tag, struct slice *value)
{
    struct slice rest = *in;
    struct der_item item;

    if (!der_next(&rest, &item) || item.tag != tag)
        return false;
    *value = item.value;
    *in = rest;
    return true;
}
