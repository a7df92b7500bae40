/*
 * issued: the record of what a CA has issued, for the maker: the file issued.tsv in the CA's
 * directory. A line of five fields, with tabs between them, for each certificate: serial number,
 * common name, not before, not after, SHA-256 of the DER.
 *
 * A line is there before the certificate is: what was given out is on record, even if the power
 * fails. So a line may be about a certificate that nobody ever got. Runs may append at the same
 * time, each its lines whole; serial numbers are random, so they need not agree on them.
 */
#ifndef SIPSD_FACTORY_ISSUED_H
#define SIPSD_FACTORY_ISSUED_H

#include "base/buf.h"
#include "base/errinfo.h"
#include "pki/x509.h"

#define ISSUED_FILE "issued.tsv"

/* What the file begins with. */
#define ISSUED_HEAD "# serial\tname\tnot before\tnot after\tsha256\n"

/* Appends the line of C to ROWS. */
RESULT issued_row(const struct cert *c, struct buf *rows, struct errinfo *e);

/* Appends ROWS to the file in DIR, which is made if it is not there, and syncs it. */
RESULT issued_append(const char *dir, const struct buf *rows, struct errinfo *e);

#endif
