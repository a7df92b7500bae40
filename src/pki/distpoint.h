/*
 * distpoint: which part of a CA's certificates a revocation list speaks for (RFC 5280 sections
 * 4.2.1.13, 5.2.5 and 6.3.3 (b)).
 */
#ifndef SIPSD_PKI_DISTPOINT_H
#define SIPSD_PKI_DISTPOINT_H

#include "pki/certfields.h"
#include "pki/crl.h"

/* For which reasons of revocation CRL, of CERT's issuer and not indirect, speaks for CERT: bits of
 * CRL_ALL_REASONS, 0 if it does not speak for it. */
unsigned distpoint_reasons(const struct crl *crl, const struct certfields *cert);

/* Whether two lists of one issuer have the same scope, as a delta and its complete list. */
bool distpoint_same_scope(const struct crl *a, const struct crl *b);

#endif
