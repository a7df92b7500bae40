/*
 * csr: certification requests (PKCS#10, RFC 2986): a phone that keeps its key sends one, and the
 * maker's CA answers with a certificate.
 *
 * Of a request, the key and the proof that its sender owns it are what counts: names and extensions
 * are the CA's to decide.
 */
#ifndef SIPSD_PKI_CSR_H
#define SIPSD_PKI_CSR_H

#include "base/buf.h"
#include "base/errinfo.h"
#include "base/rng.h"

struct mbedtls_pk_context;

struct csr {
    struct buf der;
    struct slice subject; /* a Name, into DER; may be an empty one */
    struct slice key;     /* SubjectPublicKeyInfo, into DER */
};

/*
 * Reads a file's CONTENT, PEM (the first request in it) or DER, into OUT, and checks its signature
 * and that the key is one that certificates are made for. ERR_NOT_FOUND (no request in it),
 * ERR_PARSE, ERR_LIMIT (over LIMIT_CERT_BYTES), ERR_INVALID (the key), ERR_CRYPTO (the signature),
 * each with a sentence; OUT needs no csr_free() then.
 */
RESULT csr_read(struct slice content, struct csr *out, struct errinfo *e);
void csr_free(struct csr *c);

/* Appends a request for KEY with the common name COMMON_NAME (UTF-8), as PEM. */
RESULT csr_write(const char *common_name, struct mbedtls_pk_context *key, const struct rng *rng,
                 struct buf *pem, struct errinfo *e);

#endif
