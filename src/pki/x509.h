/*
 * x509: one certificate, parsed once, immutable, reference-counted; and the PEM or DER files that
 * bring them.
 *
 * A cert keeps its own DER. What a field means is decided elsewhere (pki/verify): here a
 * certificate that can be parsed is a certificate, however old, weak or strange.
 */
#ifndef SIPSD_PKI_X509_H
#define SIPSD_PKI_X509_H

#include "base/errinfo.h"
#include "base/hash.h"
#include "base/slice.h"

struct cert;
struct mbedtls_x509_crt;

/* Parses DER (copied), all of it: bytes behind the certificate are an error. ERR_PARSE with a
 * sentence. */
RESULT cert_parse(struct slice der, struct cert **out, struct errinfo *e);

struct cert *cert_ref(struct cert *c);
void cert_unref(struct cert *c); /* NULL is fine */

/* The same without a copy: DER is read-only memory that outlives the cert (the built-in blob). */
RESULT cert_parse_static(struct slice der, struct cert **out, struct errinfo *e);

struct slice cert_der(const struct cert *c);
const uint8_t *cert_sha256(const struct cert *c); /* HASH_SHA256_SIZE bytes, of the DER */

int64_t cert_not_before(const struct cert *c); /* seconds since 1970 */
int64_t cert_not_after(const struct cert *c);

/* For people: the common name, else organisation, else the whole subject; printable UTF-8, cut to
 * SIZE. */
void cert_label(const struct cert *c, char *out, size_t size);
void cert_subject_text(const struct cert *c, char *out,
                       size_t size); /* RFC 4514 order and escapes */
void cert_issuer_text(const struct cert *c, char *out, size_t size);

/* For pki/ and tls/ only. */
const struct mbedtls_x509_crt *cert_mbedtls(const struct cert *c);

/*
 * Names compare as RFC 5280 section 7.1 says: case, blanks and string type folded. The normal
 * form's SHA-256, cut to 8 bytes, is the key of the trust index. NAME is the DER of a Name (with
 * its SEQUENCE header). The same code makes the built-in index at build time. ERR_PARSE if NAME is
 * not one.
 */
typedef uint64_t name_hash;
RESULT x509_name_hash(struct slice name, name_hash *out);
RESULT x509_name_equal(struct slice a, struct slice b, bool *equal);

/*
 * Calls FN with the DER of each certificate in a PEM or DER file's CONTENT, in order; stops at FN's
 * first failure and returns it. Text around PEM blocks is skipped. ERR_NOT_FOUND if there is none;
 * ERR_PARSE with the line for a broken block; ERR_UNSUPPORTED for PKCS#7, PKCS#12, UTF-16, with
 * what to do.
 */
typedef struct result x509_each_fn(void *arg, struct slice der, struct errinfo *e);
RESULT x509_each(struct slice content, x509_each_fn *fn, void *arg, struct errinfo *e);

#endif
