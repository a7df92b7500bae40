/*
 * ca: the maker's CA: a directory with root.pem and issuing.pem, their keys root.key and
 * issuing.key (0600, encrypted if there is a password), and the record issued.tsv.
 *
 * Only issuing.pem and issuing.key are needed to issue; root.key belongs into a safe.
 */
#ifndef SIPSD_FACTORY_CA_H
#define SIPSD_FACTORY_CA_H

#include "base/errinfo.h"
#include "base/rng.h"
#include "pki/identity.h"
#include "pki/issue.h"

struct ca_plan {
    const char *dir;
    const char *organization;
    unsigned rsa_bits;     /* 0: EC P-256 */
    unsigned years;        /* of the root */
    bool no_end;           /* instead of YEARS, of both */
    struct slice password; /* empty: the keys are not encrypted */
    int64_t now_s;
};

/*
 * Makes the CA. The directory is made beside its place and renamed: it is there as a whole or not
 * at all, and one that is there and not empty stays as it is: ERR_EXISTS.
 */
RESULT ca_create(const struct ca_plan *plan, const struct rng *rng, struct errinfo *e);

/* An issuing CA that is ready to sign: its certificate, those above it that are in issuing.pem, and
 * its key. */
struct ca {
    const char *dir; /* borrowed */
    struct identity *identity;
};

/* ERR_CRYPTO: the password is missing or wrong; ERR_INVALID: the key is not the certificate's, or
 * the certificate is not that of a CA; and what files fail with. */
RESULT ca_open(const char *dir, struct slice password, const struct rng *rng, struct ca *out,
               struct errinfo *e);
void ca_close(struct ca *ca);

struct issue_signer ca_signer(const struct ca *ca);
bool ca_is_rsa(const struct ca *ca);

#endif
