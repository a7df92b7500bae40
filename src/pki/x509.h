/*
 * x509: one certificate, read once, immutable, reference-counted.
 *
 * A cert keeps its own DER and the fields in it (pki/certfields). What a field means is decided
 * elsewhere (pki/verify): here a certificate that can be read is a certificate, however old, weak
 * or strange. All slices are borrowed from the cert and valid as long as it is.
 *
 * Not for threads: the reference count is a plain number.
 */
#ifndef SIPSD_PKI_X509_H
#define SIPSD_PKI_X509_H

#include "base/errinfo.h"
#include "base/hash.h"
#include "base/slice.h"
#include "pki/certfields.h"

struct cert;
struct mbedtls_x509_crt;

/* Reads DER (copied), all of it: bytes behind the certificate are an error. ERR_PARSE; ERR_LIMIT
 * over LIMIT_CERT_BYTES; each with a sentence. */
RESULT cert_parse(struct slice der, struct cert **out, struct errinfo *e);

/* The same, for showing to an admin what he has: details may be malformed, which is then said by
 * cert_fields()->flaw. Never to be trusted, and no judgement gets one. */
RESULT cert_load(struct slice der, struct cert **out, struct errinfo *e);

/* The same without a copy: DER is read-only memory that outlives the cert (the built-in table). */
RESULT cert_parse_static(struct slice der, struct cert **out, struct errinfo *e);

struct cert *cert_ref(struct cert *c);
void cert_unref(struct cert *c); /* NULL is fine */

struct slice cert_der(const struct cert *c);
void cert_sha256(const struct cert *c, uint8_t out[HASH_SHA256_SIZE]); /* of the DER */
const struct certfields *cert_fields(const struct cert *c);

/* The fields that are asked for most. */
struct slice cert_subject(const struct cert *c); /* a Name: see pki/dn; may be an empty one */
struct slice cert_issuer(const struct cert *c);  /* the same */
struct slice cert_subject_key_id(const struct cert *c); /* empty if there is none */
int64_t cert_not_before(const struct cert *c);          /* seconds since 1970 */
int64_t cert_not_after(const struct cert *c);           /* the last second that is within */

/* --- for people: see dn_text() for what is done to strange characters --- */

/* The common name, else the organisation, else the whole subject, else the first alternative
 * name. */
void cert_label(const struct cert *c, char *out, size_t size);
void cert_subject_text(const struct cert *c, char *out, size_t size);
void cert_issuer_text(const struct cert *c, char *out, size_t size);
void cert_key_text(const struct cert *c, char *out, size_t size); /* "RSA 2048", "EC P-256" */

/*
 * For pki/ and tls/ only: appends C to a LIST of mbedTLS's, which must be freed before C, as the
 * DER stays C's. ERR_UNSUPPORTED for a kind of key or signature that mbedTLS does not know here;
 * ERR_PARSE, for it is stricter in places; ERR_NOMEM; each with a sentence.
 */
RESULT cert_mbedtls_append(const struct cert *c, struct mbedtls_x509_crt *list, struct errinfo *e);

#endif
