/*
 * alert: the alerts of TLS (RFC 8446 section 6, RFC 5246 section 7.2) in words, and what mbedTLS's
 * error codes mean for the peer (an alert) and for people (a sentence).
 */
#ifndef SIPSD_TLS_ALERT_H
#define SIPSD_TLS_ALERT_H

#include "base/errinfo.h"
#include "pki/verdict.h"

enum {
    TLS_ALERT_CLOSE_NOTIFY = 0,
    TLS_ALERT_UNEXPECTED_MESSAGE = 10,
    TLS_ALERT_HANDSHAKE_FAILURE = 40,
    TLS_ALERT_BAD_CERTIFICATE = 42,
    TLS_ALERT_DECRYPT_ERROR = 51,
    TLS_ALERT_INTERNAL_ERROR = 80,
    TLS_ALERT_USER_CANCELED = 90,
    TLS_ALERT_CERTIFICATE_REQUIRED = 116,
};

/* The name of an alert ("unknown_ca"), or "unknown". Static storage. */
const char *tls_alert_name(int alert);

/* What the peer that sent it means ("it does not trust the issuer of our certificate"); NULL for an
 * unknown one. */
const char *tls_alert_meaning(int alert);

/* The alert that tells the peer about mbedTLS's error CODE, where the library sent none itself. */
uint8_t tls_alert_of_error(int code);

/* A session that failed, as far as it matters for saying why. */
struct tls_failure {
    const char *peer; /* "server" or "client" */
    int code;         /* mbedTLS's */
    int alert_sent;   /* the fatal alerts, or -1 */
    int alert_received;
    bool own_asked;   /* the server asked for our certificate, and may not have judged it yet */
    bool own_sent;    /* and it got one */
    enum err out_err; /* why what was to be sent could not be kept, or ERR_OK */
    bool heard_tls;   /* the peer's first byte was that of TLS */
    const struct verdict *verdict; /* NULL: nothing was judged */
};

/* Fills E with one sentence for the people who run the phone. ERR_CERT if we refused the peer;
 * ERR_IDENTITY if the server did not accept our certificate, or wanted one. */
void tls_explain(const struct tls_failure *f, struct errinfo *e);

#endif
