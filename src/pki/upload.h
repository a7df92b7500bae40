/*
 * upload: judges the server certificate that an admin uploads: the phone's own, with its private
 * key.
 *
 * What it lets pass is fit to be shown to peers, as far as a file can tell; whether TLS works with
 * it is shown by tls/selftest. Nothing of what is refused is kept.
 */
#ifndef SIPSD_PKI_UPLOAD_H
#define SIPSD_PKI_UPLOAD_H

#include "base/clock.h"
#include "base/errinfo.h"
#include "base/rng.h"
#include "base/slice.h"
#include "pki/identity.h"

struct upload_request {
    const char *filename; /* as the admin has it: *.pem or *.cer, in any case; NULL: not asked */
    struct slice content; /* the certificate and its chain, in any order; perhaps the key */
    const char *key_filename; /* *.pem, *.key or *.cer; NULL: not asked */
    struct slice key;         /* the private key where it is in a file of its own; else empty */
    struct slice password;    /* of an encrypted key; else empty */
    struct wallclock now;
    unsigned min_rsa_bits; /* 0: 2048 */
};

/*
 * The identity of the upload, with its chain in order and its key in the clear.
 *
 * Refused, each with a sentence: ERR_INVALID (the name's ending; a key that is none of the
 * certificates', or two keys), ERR_LIMIT (a file over LIMIT_CERT_FILE_BYTES, too many
 * certificates), ERR_NOT_FOUND (no certificate, no key), ERR_CRYPTO (the password is missing or
 * wrong), ERR_PARSE, ERR_UNSUPPORTED (with how to convert it), and ERR_CERT for what
 * upload_check() refuses.
 */
RESULT upload_identity(const struct upload_request *request, const struct rng *rng,
                       struct identity **out, struct errinfo *e);

/*
 * Whether ID, wherever it is from, is fit to be shown to peers: the leaf is no CA's, may be used by
 * a TLS server (keyUsage and extendedKeyUsage, RFC 5280 sections 4.2.1.3 and 4.2.1.12), has a key
 * that is neither too weak nor too slow; each certificate is within its dates, and was signed by
 * the next one, which is a CA's, with no outdated digest. That a certificate is not valid yet only
 * counts while the clock is SET. MIN_RSA_BITS 0: 2048. ERR_CERT with a sentence; its depth says
 * which certificate.
 */
RESULT upload_check(const struct identity *id, struct wallclock now, unsigned min_rsa_bits,
                    struct errinfo *e);

#endif
