#include "pki/der.h"

/* A length in the long form, at IN, whose header has 2 bytes and as many more as it says. */
static bool long_length(struct slice in, size_t *head, size_t *n)
{
    const size_t octets = *n & 0x7f;

    *head += octets;
    if (octets == 0 || octets > 4 || in.n < *head)
        return false;
    *n = 0;
    for (size_t i = 2; i < *head; i++)
        *n = *n << 8 | in.p[i];
    return true;
}

bool der_next(struct slice *in, struct der_item *out)
{
    size_t head = 2, n;

    if (in->n < head)
        return false;
    n = in->p[1];
    if (n >= 0x80 && !long_length(*in, &head, &n))
        return false;
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
    struct der_item item;

    if (in->n == 0 || in->p[0] != tag || !der_next(in, &item))
        return false;
    *value = item.value;
    return true;
}
