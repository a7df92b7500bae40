/*
 * der_value: the values of DER's primitive types, read strictly (X.690 sections 8 and 11).
 *
 * Each der_take_...() takes the next element off *IN like der_take(), and gives its value. False,
 * with *IN untouched, if there is no element of that type there or its value is malformed.
 */
#ifndef SIPSD_PKI_DER_VALUE_H
#define SIPSD_PKI_DER_VALUE_H

#include "pki/der.h"

/* A BOOLEAN DEFAULT FALSE: it may be absent, which is true with *VALUE false. An encoded FALSE is
 * not DER, but harmless, and CAs write it. */
bool der_take_bool(struct slice *in, bool *value);

/* An INTEGER of any size: its bytes, two's complement, not longer than needed. */
bool der_take_integer(struct slice *in, struct slice *bytes);

/* A BIT STRING: its bytes, and how many bits of the last one do not count. */
bool der_take_bits(struct slice *in, struct slice *bytes, unsigned *unused);

/* UTCTime or GeneralizedTime as RFC 5280 section 4.1.2.5 allows them (with seconds, in Z, no
 * fractions), as seconds since 1970. */
bool der_take_time(struct slice *in, int64_t *epoch_s);

/* The bytes of an INTEGER as a number; false if it is negative or too large. */
bool der_to_u32(struct slice integer, uint32_t *out);

/* The first 32 bits of a BIT STRING with named bits: bit 0 of the type is 1 << 0. */
uint32_t der_bit_flags(struct slice bits);

/* An OBJECT IDENTIFIER's bytes as dotted decimal text, cut to SIZE. */
void der_oid_text(struct slice oid, char *out, size_t size);

/* And back: the bytes into OUT, their number into *N. False for anything but such a text that fits.
 */
#define DER_OID_MAX 64
bool der_oid_from_text(const char *text, uint8_t out[DER_OID_MAX], size_t *n);

#endif
