/*
 * pem: finds the PEM blocks in a text and decodes them (RFC 7468, and read more tolerantly).
 *
 * Lines may end with LF, CRLF or CR, be of any length, indented, or followed by blanks; text may
 * stand before, between and behind the blocks; all may be on one line, and have its line ends
 * written as \n, as it is copied out of JSON. Reading takes time linear in the text, and no memory.
 */
#ifndef SIPSD_PKI_PEM_H
#define SIPSD_PKI_PEM_H

#include "base/buf.h"
#include "base/errinfo.h"
#include "base/slice.h"

/* A value type, borrowed from the text. */
struct pem_block {
    struct slice label;   /* "CERTIFICATE" */
    struct slice headers; /* "Proc-Type: ..." lines (RFC 1421), mostly none */
    struct slice base64;
    size_t line;        /* of BEGIN, counted from 1 */
    size_t base64_line; /* of the first line of BASE64 */
};

/* Where reading is. A value type. */
struct pem_reader {
    struct slice rest;
    size_t line;
};
struct pem_reader pem_begin(struct slice text);

/* The next block. ERR_NOT_FOUND if there is none; ERR_PARSE, with its line, for one that has no
 * end. */
RESULT pem_next(struct pem_reader *r, struct pem_block *out, struct errinfo *e);

/* Appends the decoded block to OUT. ERR_PARSE, with the line, for what is not Base64; ERR_LIMIT if
 * it is more than OUT may hold; ERR_NOMEM. */
RESULT pem_decode(const struct pem_block *b, struct buf *out, struct errinfo *e);

/* Appends DATA as Base64 on one line, with its padding. ERR_LIMIT, ERR_NOMEM, likewise. */
RESULT pem_encode(struct slice data, struct buf *out);

/* Appends DATA as a block of that label, in lines of 64 characters that end with LF (RFC 7468
 * section 2). ERR_LIMIT, ERR_NOMEM: OUT may have a part of it then. */
RESULT pem_write(const char *label, struct slice data, struct buf *out);

bool pem_label_is(const struct pem_block *b, const char *label);

#endif
