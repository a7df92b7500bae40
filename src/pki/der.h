/*
 * der: reads DER, element by element, from bytes that somebody else keeps.
 *
 * As tolerant in the form of lengths as mbedTLS (a longer form than needed is read, the indefinite
 * one is not), so that the two never disagree about where a field of one certificate ends.
 */
#ifndef SIPSD_PKI_DER_H
#define SIPSD_PKI_DER_H

#include "base/slice.h"

enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_ENUMERATED = 0x0a,
    DER_UTF8_STRING = 0x0c,
    DER_NUMERIC_STRING = 0x12,
    DER_PRINTABLE_STRING = 0x13,
    DER_T61_STRING = 0x14,
    DER_IA5_STRING = 0x16,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_VISIBLE_STRING = 0x1a,
    DER_UNIVERSAL_STRING = 0x1c,
    DER_BMP_STRING = 0x1e,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
};

/* The context-specific tag [N], primitive or constructed. */
#define DER_CONTEXT(n)             ((uint8_t)(0x80 | (n)))
#define DER_CONTEXT_CONSTRUCTED(n) ((uint8_t)(0xa0 | (n)))

/* One element: VALUE is inside it, WHOLE includes tag and length. A value type, borrowed. */
struct der_item {
    uint8_t tag;
    struct slice value, whole;
};

/*
 * Takes the first element off *IN. False if there is none: *IN is then empty, or what stands there
 * is no whole element, and *IN is untouched.
 */
bool der_next(struct slice *in, struct der_item *out);

/* The same for an element of TAG; any other is left where it is. */
bool der_take(struct slice *in, uint8_t tag, struct slice *value);

#endif
