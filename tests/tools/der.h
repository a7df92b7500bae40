/*
 * der: writes DER, from front to back, for tests that need certificates nobody would issue. What
 * reads it is pki/der.
 *
 * An element that contains others is opened and closed; its length is put in when it is closed:
 *
 *     struct der d = {0};
 *     size_t seq = der_open(&d, DER_SEQUENCE);
 *     der_oid(&d, "2.5.29.15");
 *     der_close(&d, seq);
 *     ... der_slice(&d) ...
 *     der_free(&d);
 *
 * A test tool: without memory, or with a malformed OID, it ends the process.
 */
#ifndef SIPSD_TESTS_TOOLS_DER_H
#define SIPSD_TESTS_TOOLS_DER_H

#include "base/slice.h"
#include "pki/der.h" /* the tags */

/* A value type; all zero is empty. */
struct der {
    uint8_t *p;
    size_t n, size;
};

void der_free(struct der *d);

/* What was written; valid until the next call that changes it. */
struct slice der_slice(const struct der *d);

size_t der_open(struct der *d, uint8_t tag);
void der_close(struct der *d, size_t opened);

void der_put(struct der *d, uint8_t tag, struct slice value);
void der_put_str(struct der *d, uint8_t tag, const char *value);
void der_raw(struct der *d, struct slice bytes); /* as they are, without tag and length */

void der_oid(struct der *d, const char *dotted);
void der_uint(struct der *d, unsigned value);
void der_bool(struct der *d, bool value);

/* A BIT STRING of whole bytes; and one of named bits, bit 0 being the most significant of BITS. */
void der_bits(struct der *d, struct slice bytes);
void der_named_bits(struct der *d, uint16_t bits);

/* A Time as RFC 5280 section 4.1.2.5 wants it: UTCTime to 2049, then GeneralizedTime. */
void der_time(struct der *d, int64_t epoch_s);

#endif
