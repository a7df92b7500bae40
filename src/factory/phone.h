/*
 * phone: one identity: key, certificate and chain, as a phone's firmware loads them.
 *
 * A unique one has the MAC address for its name: the common name is its twelve digits in upper case
 * (base/mac), the subjectAltName its URN. Nothing else in it tells phones apart.
 */
#ifndef SIPSD_FACTORY_PHONE_H
#define SIPSD_FACTORY_PHONE_H

#include "base/buf.h"
#include "base/mac.h"
#include "base/rng.h"
#include "factory/ca.h"
#include "factory/validity.h"

#define PHONE_GENERIC_NAME "Generic SIP phone"

/* Certificates and a key: a chain of LIMIT_OWN_CERTS with RSA keys. */
#define PHONE_PEM_MAX (256 * 1024)

/* Whose it is to be. A value type, borrowed. */
struct phone_plan {
    const char *generic_name; /* NULL: it is unique, and for MAC */
    struct mac mac;
    struct validity_wish wish;
    unsigned rsa_bits; /* of a new key; 0: EC P-256 */
};

/*
 * Makes a key and its certificate. Appends to PEM, which is a secret from then on: certificate,
 * CA certificates up to the root, which is left out, and key; and to ROWS the line for the record
 * (factory/issued). *CUT is set if the certificate ends sooner than was asked for.
 */
RESULT phone_make(const struct ca *ca, const struct phone_plan *plan, const struct rng *rng,
                  struct buf *pem, struct buf *rows, bool *cut, struct errinfo *e);

/* The same for a key of which only the public part SPKI is here: no key is appended. */
RESULT phone_certify(const struct ca *ca, const struct phone_plan *plan, struct slice spki,
                     const struct rng *rng, struct buf *pem, struct buf *rows, bool *cut,
                     struct errinfo *e);

#endif
