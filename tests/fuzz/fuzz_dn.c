/*
 * Two names, the first as long as the first byte says: what is equal has the same hash, both ways
 * round, and a name is within itself.
 */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "pki/dn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_one(struct slice name)
{
    struct dn_cursor at = dn_begin(name);
    struct dn_attribute a;
    char text[256];

    while (dn_next(&at, &a)) {
        dn_value_text(&a, text, sizeof(text));
        if (!utf8_is_text(slice_of_str(text)))
            abort();
    }
    dn_text(name, text, sizeof(text));
    if (!utf8_is_text(slice_of_str(text)) || !dn_equal(name, name))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice a, b;
    bool equal;

    if (size == 0)
        return 0;
    a = slice_first(slice_of(data + 1, size - 1), data[0]);
    b = slice_from(slice_of(data + 1, size - 1), a.n);
    check_one(a);
    check_one(b);
    equal = dn_equal(a, b);
    if (equal != dn_equal(b, a) || (equal && dn_hash(a) != dn_hash(b)))
        abort();
    /* Equal are those that are within each other; what is malformed is within nothing. */
    if (dn_within(a, b) && dn_within(b, a) && !equal)
        abort();
    return 0;
}
