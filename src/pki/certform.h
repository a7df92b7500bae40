/*
 * certform: the form that RFC 5280 section 4 and the CA/Browser Forum's Baseline Requirements
 * ("BR") ask of those who make certificates: the public profile's own rules (verify.h).
 *
 * A certificate that breaks one can still name the right peer: VERIFY_PROFILE_COMPATIBLE leaves
 * them out, and each sentence says so.
 */
#ifndef SIPSD_PKI_CERTFORM_H
#define SIPSD_PKI_CERTFORM_H

#include "pki/faults.h"
#include "pki/verify.h"

/* Whether the public profile's rules hold: it is one for TLS. */
bool certform_applies(const struct verify_input *in);

/* The leaf; an issuer, trust anchor or not. Nothing is wrong where the rules do not hold. */
void certform_leaf(const struct verify_input *in, const struct place *at, struct faults *f);
void certform_issuer(const struct verify_input *in, const struct place *at, struct faults *f);

#endif
