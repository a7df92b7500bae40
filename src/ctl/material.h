/*
 * material: certificates and revocation lists from files, for commands that judge without the
 * daemon.
 */
#ifndef SIPSD_CTL_MATERIAL_H
#define SIPSD_CTL_MATERIAL_H

#include "base/errinfo.h"
#include "base/slice.h"
#include "pki/crl.h"
#include "pki/trust.h"

/* DER of several structures, each a copy. A value type; all zero is empty. */
struct material {
    struct slice *list;
    size_t count;
};

void material_free(struct material *m);

/*
 * Appends the certificates of PATH, PEM or DER, without looking into them: a certificate that
 * cannot be read is handed to the judgement as a peer would send it. ERR_NOT_FOUND if there is
 * none.
 */
RESULT material_read_chain(const char *path, struct material *m, struct errinfo *e);

/* Appends the trusted certificates of PATH, in any shape that certfile_each() reads. */
RESULT material_read_trusted(const char *path, struct material *m, struct errinfo *e);

/* The same for what such a file would have in it. */
RESULT material_add_trusted(struct slice content, struct material *m, struct errinfo *e);

/* Appends the revocation lists of PATH, PEM or DER. ERR_NOT_FOUND if there is none. */
RESULT material_read_crls(const char *path, struct material *m, struct errinfo *e);

/* A trust store of these as custom certificates, and the built-in ones; the filter chooses. As on
 * the phone, REFUSED is told of one that cannot be used, and the rest stand. */
RESULT material_trust(const struct material *m, trust_refused_fn *refused, struct trust **out,
                      struct errinfo *e);

/* The lists, read; *OUT is malloc'ed, and borrows M's bytes. */
RESULT material_crls(const struct material *m, struct crl **out, struct errinfo *e);

#endif
