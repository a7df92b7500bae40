/*
 * revocation: whether the certificates of a path stand on the revocation lists that were given (RFC
 * 5280 section 6.3, for lists of the CA that issued the certificate).
 */
#ifndef SIPSD_PKI_REVOCATION_H
#define SIPSD_PKI_REVOCATION_H

#include "pki/path.h"

/* Checks signatures within the search's limit; ARG is the search. */
struct signature_checker {
    void *arg;
    bool (*crl)(void *arg, const struct crl *crl, const struct path_cert *signer);
    bool (*cert)(void *arg, const struct path_cert *cert, const struct path_cert *issuer);
};

struct revocation {
    const struct verify_input *in;
    const struct path_cert
        *certs; /* all that are known: a CA may sign its lists with another key */
    size_t count;
    struct signature_checker check;
};

/* The certificates of PATH below its anchor. */
void revocation_check(const struct revocation *r, const struct path *path, struct faults *f);

#endif
