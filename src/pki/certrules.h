/*
 * certrules: the rules that one certificate must keep in its place in a path, whatever stands above
 * and below it.
 */
#ifndef SIPSD_PKI_CERTRULES_H
#define SIPSD_PKI_CERTRULES_H

#include "pki/faults.h"
#include "pki/verify.h"

/* The leaf; PINNED: it is itself a custom trusted certificate, and nobody vouches for it. */
void certrules_leaf(const struct verify_input *in, const struct place *at, bool pinned,
                    struct faults *f);

/* An issuer, trust anchor or not. */
void certrules_issuer(const struct verify_input *in, const struct place *at, struct faults *f);

/* A certificate that signs its CA's revocation lists, and perhaps nothing else. */
void certrules_crl_signer(const struct verify_input *in, const struct place *at, struct faults *f);

/* Whether only the clock's state stands between the certificate and a sure answer. */
bool certrules_dates_uncertain(const struct verify_input *in, const struct certfields *c);

#endif
