/*
 * certfile: the certificates in a file, whatever it is called: PEM in any shape that pki/pem reads,
 * DER, one or several, or the Base64 of DER alone.
 */
#ifndef SIPSD_PKI_CERTFILE_H
#define SIPSD_PKI_CERTFILE_H

#include "base/errinfo.h"
#include "base/slice.h"

/* Gets the DER of one certificate, valid during the call; it was not parsed yet. */
typedef struct result certfile_fn(void *arg, struct slice der, struct errinfo *e);

/* Is told of a private key in the file, of which nothing was looked at. */
typedef struct result certfile_key_fn(void *arg, struct errinfo *e);

struct certfile_handler {
    certfile_fn *certificate;
    certfile_key_fn *private_key; /* NULL: passed over */
    void *arg;
};

/*
 * Calls the HANDLER with each certificate of a file's CONTENT, in order; stops at its first failure
 * and returns it, with where in the file it was. Text around PEM blocks, and PEM blocks that are no
 * certificates, are skipped. It takes time linear in CONTENT, and memory for one certificate.
 *
 * ERR_NOT_FOUND if there is no certificate; ERR_PARSE for a broken one, with its line;
 * ERR_UNSUPPORTED for what holds certificates in a form that is not read here (PKCS#7, PKCS#12,
 * UTF-16), with how to convert it; ERR_LIMIT over LIMIT_CERT_FILE_BYTES.
 */
RESULT certfile_read(struct slice content, const struct certfile_handler *handler,
                     struct errinfo *e);

/* The same with private keys passed over. */
RESULT certfile_each(struct slice content, certfile_fn *fn, void *arg, struct errinfo *e);

#endif
