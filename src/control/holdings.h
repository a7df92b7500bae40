/*
 * holdings: the certificates that an admin gave the phone: up to LIMIT_CUSTOM_CAS trusted ones, by
 * the upload that each came with, and one identity. And the files of a generation (sys/generation)
 * that they are kept in:
 *
 *     ca.NAME.pem    the certificates of the upload NAME
 *     identity.pem   the identity: its chain, the leaf first, and its private key
 *
 * A value type, a few hundred bytes; certificates and identity are references. All zero is empty.
 */
#ifndef SIPSD_CONTROL_HOLDINGS_H
#define SIPSD_CONTROL_HOLDINGS_H

#include "base/limits.h"
#include "pki/identity.h"
#include "pki/import.h"
#include "pki/trust.h"
#include "sys/generation.h"

struct held_cert {
    char upload[IMPORT_NAME_MAX + 1];
    struct cert *cert;
};

struct holdings {
    struct held_cert cas[LIMIT_CUSTOM_CAS]; /* by the name of the upload, then as in its file */
    size_t count;
    struct identity *identity; /* NULL: none */
};

/* DST is another one with the same; what it had is lost. */
void holdings_copy(struct holdings *dst, const struct holdings *src);
void holdings_clear(struct holdings *h);

/* Whether both have the same trusted certificates in the same uploads; and the same identity. */
bool holdings_same_cas(const struct holdings *a, const struct holdings *b);
bool holdings_same_identity(const struct holdings *a, const struct holdings *b);

/* Adds CERT (referenced) behind the others of UPLOAD. ERR_LIMIT if there is no room. */
RESULT holdings_add(struct holdings *h, const char *upload, struct cert *cert, struct errinfo *e);

/* Takes out number I. */
void holdings_remove(struct holdings *h, size_t i);

bool holdings_has_upload(const struct holdings *h, const char *upload);

/* A name for a new upload that is called WANTED: that, or WANTED-2 ... where it is taken. */
void holdings_name(const struct holdings *h, const char *wanted, char out[IMPORT_NAME_MAX + 1]);

/* A new snapshot of the built-in certificates and these. */
RESULT holdings_trust(const struct holdings *h, struct trust **out, struct errinfo *e);

/* --- as files --- */

/* Whether FILE is called ca.NAME.pem; NAME then. */
bool holdings_is_upload(const char *file, char name[IMPORT_NAME_MAX + 1]);
#define HOLDINGS_IDENTITY "identity.pem"

/* Reads a file of that kind: all of it, or nothing and a sentence. RNG is for checking the key. */
RESULT holdings_read_upload(struct holdings *h, const char *name, struct slice content,
                            struct errinfo *e);
RESULT holdings_read_identity(struct holdings *h, struct slice content, const struct rng *rng,
                              struct errinfo *e);

/* The files of H. A value type; all zero is empty. */
struct holdings_files {
    struct holdings_file {
        char name[LIMIT_GENERATION_NAME + 1];
        struct buf content; /* can have a key in it: wiped when cleared */
    } list[LIMIT_GENERATION_FILES];
    size_t count;
};

RESULT holdings_write(const struct holdings *h, struct holdings_files *out, struct errinfo *e);

/* Adds one more. */
RESULT holdings_files_add(struct holdings_files *f, const char *name, struct slice content,
                          struct errinfo *e);
void holdings_files_clear(struct holdings_files *f);

#endif
