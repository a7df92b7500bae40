/*
 * import: judges a file that an admin uploads for the list of trusted certificates.
 *
 * By content, not by name: everything that pki/certfile reads is read, in either format whatever
 * the extension says. All or nothing: one certificate that cannot be taken refuses the file, with
 * a sentence that says which one, where it stands, and what to do. Nothing is stored here.
 *
 * Taken are: certificates of CAs, self-signed or not; and self-signed certificates that are no
 * CA's, which includes those of version 1, as a *pin*: trusted is then only a server that sends
 * this very certificate. A certificate that is built in as well is taken, because the admin may
 * choose to trust custom ones only; it counts.
 */
#ifndef SIPSD_PKI_IMPORT_H
#define SIPSD_PKI_IMPORT_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/errinfo.h"
#include "base/limits.h"
#include "base/slice.h"
#include "pki/trust.h"
#include "pki/x509.h"

struct import_request {
    const char *filename; /* as the admin called it, with or without a path; NULL: any extension */
    struct slice content;
    const struct trust *trust; /* what is there already: its custom ones are counted */
    struct wallclock now;
    unsigned min_rsa_bits; /* 0: 2048, as in struct verify_policy */
};

enum import_fate {
    IMPORT_NEW,     /* to be stored */
    IMPORT_BUILTIN, /* to be stored; built in as well */
    IMPORT_KNOWN,   /* a custom one already: not to be stored again, and not counted */
};

/* One certificate of the file; one that stands there twice is one item. */
struct import_item {
    struct cert *cert;
    enum import_fate fate;
    bool pin;             /* self-signed and no CA's: good for this very server alone */
    unsigned times;       /* how often it stands in the file */
    const char *known_as; /* KNOWN: the name of the custom one; BUILTIN: the operator; else NULL.
                             Borrowed from the request's TRUST */
};

/* The items in the order of the file; FRESH of them are to be stored (NEW and BUILTIN). */
struct import {
    struct import_item items[LIMIT_CUSTOM_CAS];
    size_t count;
    size_t fresh;
};

/*
 * Judges a file. OK with FRESH 0: everything in it is there already. OUT is to be cleared after
 * success; a failure leaves nothing in it. Takes time linear in CONTENT, and beside the
 * certificates that it returns no more memory than a few times LIMIT_CERT_BYTES.
 *
 * ERR_INVALID: an extension other than .pem .cer .crt .der (in any case). ERR_LIMIT: over
 * LIMIT_CERT_FILE_BYTES, a certificate over LIMIT_CERT_BYTES, or more certificates than there is
 * room for (it says how many are there, and how many the file adds). ERR_NOT_FOUND: empty, or no
 * certificate in it, and what there is instead. ERR_PARSE: one is broken, with its number and line
 * or byte. ERR_UNSUPPORTED: PKCS#7, PKCS#12 or UTF-16, with the command that converts it.
 * ERR_DENIED: there is a private key in it, which belongs into no list of trusted certificates.
 * ERR_CERT: not a CA's, expired, not valid yet (only where the clock is SET), a key too weak or of
 * an unknown kind, an unknown critical extension, or whatever else would make every judgement that
 * ends there fail.
 */
RESULT import_trusted(const struct import_request *r, struct import *out, struct errinfo *e);
void import_clear(struct import *i); /* NULL and all zero are fine */

/* One item for people, a sentence without a full stop: "Example Root CA: is there already, as
 * corp.pem". Printable UTF-8, cut to SIZE. */
void import_item_text(const struct import_item *item, char *out, size_t size);

/* Appends the fresh ones as PEM in canonical form, each with its name in a comment line before it
 * (unless that could be mistaken for PEM). ERR_LIMIT, ERR_NOMEM: OUT may have a part of it then. */
RESULT import_write(const struct import *i, struct buf *out);

/*
 * The name under which an upload is kept, made of what the admin called it: without directories (of
 * Unix and Windows) and the extension, other characters than [A-Za-z0-9._-] become '-', no dot or
 * hyphen in front, at most IMPORT_NAME_MAX; "upload" where nothing is left. The same name for the
 * same file, but not for different files only: making it unique is the caller's.
 */
#define IMPORT_NAME_MAX 64
void import_name(const char *filename, char out[IMPORT_NAME_MAX + 1]);

#endif
