/*
 * der_write: writes DER into a buffer, from front to back. What reads it is pki/der.
 *
 * An element that contains others is opened and closed; its length is put in when it is closed:
 *
 *     struct der_writer w = der_write_to(&buf);
 *     size_t seq = der_write_open(&w, DER_SEQUENCE);
 *     der_write_oid(&w, OID_SERVER_AUTH);
 *     der_write_close(&w, seq);
 *     TRY(der_write_end(&w, e));
 *
 * A failure (no memory, over the buffer's cap) stays with the writer, so that only the end needs to
 * look.
 */
#ifndef SIPSD_PKI_DER_WRITE_H
#define SIPSD_PKI_DER_WRITE_H

#include "base/buf.h"
#include "base/errinfo.h"
#include "pki/der.h" /* the tags */

/* A value type. */
struct der_writer {
    struct buf *out;
    struct result result;
};

struct der_writer der_write_to(struct buf *out);

/* What became of it: OK, ERR_NOMEM or ERR_LIMIT; the buffer has a part of it then. */
RESULT der_write_end(const struct der_writer *w, struct errinfo *e);

size_t der_write_open(struct der_writer *w, uint8_t tag);
void der_write_close(struct der_writer *w, size_t opened);

void der_write_value(struct der_writer *w, uint8_t tag, struct slice value);
void der_write_raw(struct der_writer *w, struct slice der); /* elements that are there already */

void der_write_oid(struct der_writer *w, struct slice oid); /* its content bytes */
void der_write_bool(struct der_writer *w, bool value);
void der_write_uint(struct der_writer *w, uint32_t value);
void der_write_bits(struct der_writer *w, struct slice bytes); /* a BIT STRING of whole bytes */

/* A BIT STRING of named bits (X.690 section 11.2.2), bit 0 of the type being 1 << 0 of FLAGS. */
void der_write_flags(struct der_writer *w, uint8_t flags);

/* Seconds since 1970 as RFC 5280 section 4.1.2.5 wants them: UTCTime to 2049, then
 * GeneralizedTime. From 1950 to 9999. */
void der_write_time(struct der_writer *w, int64_t epoch_s);

#endif
