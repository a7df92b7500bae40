/*
 * crl: one certificate revocation list (RFC 5280 section 5), read from its DER.
 *
 * Complete lists and deltas of the CA that issued the certificates; indirect lists, which speak for
 * other CAs, are told apart and never used. A list of any length is read without a copy.
 */
#ifndef SIPSD_PKI_CRL_H
#define SIPSD_PKI_CRL_H

#include "base/errinfo.h"
#include "base/slice.h"

#define CRL_NO_NEXT_UPDATE INT64_MAX

/* ReasonFlags' bits 1 to 8: bit 1 is 1 << 1. */
#define CRL_ALL_REASONS 0x1feU

/* A value type; all slices point into the DER that it was read from. */
struct crl {
    struct slice der;
    struct slice tbs, algorithm, outer_algorithm, signature; /* as of a certificate */
    struct slice issuer;                                     /* DER of a Name */
    int64_t this_update_s, next_update_s;                    /* or CRL_NO_NEXT_UPDATE */
    struct slice entries;                                    /* content of revokedCertificates */
    struct slice number;                                     /* an INTEGER's bytes; may be empty */
    struct slice authority_key_id;                           /* may be empty */

    bool is_delta;
    struct slice base_number; /* of a delta: the complete list that it goes with */

    /* issuingDistributionPoint (section 5.2.5) */
    bool only_users, only_cas, only_attributes, indirect;
    unsigned reasons;                /* that it tells of */
    struct slice distribution_point; /* content of DistributionPointName, empty: for all */

    bool
        unusable; /* it has a critical extension that is not understood, in itself or in an entry */
};

/* Reads DER, which must outlive OUT. ERR_PARSE with a sentence. */
RESULT crl_read(struct slice der, struct crl *out, struct errinfo *e);

enum crl_entry {
    CRL_NOT_LISTED,
    CRL_REVOKED,
    CRL_REMOVED, /* a delta's removeFromCRL: revoked no more */
};

/* What is said about the certificate with this SERIAL (the INTEGER's bytes). REVOKED_S (may be
 * NULL) is then the day of it. */
enum crl_entry crl_find(const struct crl *crl, struct slice serial, int64_t *revoked_s);

#endif
