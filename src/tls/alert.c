#include "tls/alert.h"

#include <mbedtls/asn1.h>
#include <mbedtls/bignum.h>
#include <mbedtls/cipher.h>
#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509.h>
#include <stdbool.h>
#include <stddef.h>

#define ALERTS(X)                                                                                  \
    X(0, "close_notify", "it closes the connection")                                               \
    X(10, "unexpected_message", "it got a message that it did not expect")                         \
    X(20, "bad_record_mac", "what it got was damaged or forged on the way")                        \
    X(22, "record_overflow", "it got a record that is too long for it")                            \
    X(40, "handshake_failure", "it has no cipher suite in common with us, or wants a certificate") \
    X(42, "bad_certificate", "it does not accept our certificate")                                 \
    X(43, "unsupported_certificate", "it does not support our kind of certificate")                \
    X(44, "certificate_revoked", "our certificate was revoked")                                    \
    X(45, "certificate_expired", "our certificate has expired, or its clock is wrong")             \
    X(46, "certificate_unknown", "it does not accept our certificate")                             \
    X(47, "illegal_parameter", "it got a value that it does not accept")                           \
    X(48, "unknown_ca", "it does not trust the issuer of our certificate")                         \
    X(49, "access_denied", "it does not let us in")                                                \
    X(50, "decode_error", "it could not read a message of ours")                                   \
    X(51, "decrypt_error", "a signature or check value of ours was wrong for it")                  \
    X(70, "protocol_version", "it does not speak a TLS version that we allow")                     \
    X(71, "insufficient_security", "it wants stronger ciphers than we offer")                      \
    X(80, "internal_error", "it has a problem of its own")                                         \
    X(86, "inappropriate_fallback", "it speaks a newer TLS version than we offered")               \
    X(90, "user_canceled", "it gave up")                                                           \
    X(100, "no_renegotiation", "it does not renegotiate")                                          \
    X(109, "missing_extension", "it misses an extension in our message")                           \
    X(110, "unsupported_extension", "it got an extension that does not belong there")              \
    X(112, "unrecognized_name", "it has no certificate for the name that we asked for")            \
    X(113, "bad_certificate_status_response", "it does not accept our certificate's status")       \
    X(115, "unknown_psk_identity", "it does not know our key")                                     \
    X(116, "certificate_required", "it wants a certificate of ours and got none")                  \
    X(120, "no_application_protocol", "it speaks none of the protocols that we offered")

const char *tls_alert_name(int alert)
{
    switch (alert) {
#define CASE_(number, name, meaning) \
    case number:                     \
        return name;
        ALERTS(CASE_)
#undef CASE_
    default:
        return "unknown";
    }
}

const char *tls_alert_meaning(int alert)
{
    switch (alert) {
#define CASE_(number, name, meaning) \
    case number:                     \
        return meaning;
        ALERTS(CASE_)
#undef CASE_
    default:
        return NULL;
    }
}

/*
 * mbedTLS joins the codes of two layers (-0x7a00 of TLS with -0x0062 of ASN.1, say): the high one
 * is looked up where the sum is not in the table.
 */
static const struct meaning {
    int code;
    uint8_t alert;
    const char *text;
} meanings[] = {
    {MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, 40, "has no cipher suite or key type in common with us"},
    {MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, 70, "speaks no TLS version that is allowed"},
    {MBEDTLS_ERR_SSL_DECODE_ERROR, 50, "sent a TLS message that is malformed"},
    {MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER, 47, "sent a TLS message with a value that is not allowed"},
    {MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, 10, "sent a TLS message that was not expected"},
    {MBEDTLS_ERR_SSL_UNEXPECTED_RECORD, 10, "sent a TLS record that was not expected"},
    {MBEDTLS_ERR_SSL_INVALID_RECORD, 10, "sent a TLS record that is malformed"},
    {MBEDTLS_ERR_SSL_INVALID_MAC, 20, "sent data that was damaged or forged on the way"},
    {MBEDTLS_ERR_SSL_BAD_INPUT_DATA, 50, "sent a TLS message that is too long"},
    {MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL, 80, "asks for a TLS message that is too long"},
    {MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE, 40, "asks for a feature of TLS that is not supported"},
    {MBEDTLS_ERR_SSL_BAD_CERTIFICATE, 42, "has a certificate that cannot be used"},
    {MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE, 40, "sent no certificate"},
    {MBEDTLS_ERR_SSL_PK_TYPE_MISMATCH, 47, "has a key that does not fit the cipher suite"},
    {MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL, 120, "speaks none of the protocols that we offer"},
    {MBEDTLS_ERR_SSL_UNSUPPORTED_EXTENSION, 110, "sent an extension that does not belong there"},
    {MBEDTLS_ERR_SSL_UNRECOGNIZED_NAME, 112, "asked for a name that is not known here"},
    {MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY, 0, "closed the connection in the TLS handshake"},
    {MBEDTLS_ERR_SSL_COUNTER_WRAPPING, 80, "sent more than one connection may carry"},
    {MBEDTLS_ERR_ECP_VERIFY_FAILED, 51, "does not have the key of its certificate"},
    {MBEDTLS_ERR_RSA_VERIFY_FAILED, 51, "does not have the key of its certificate"},
    {MBEDTLS_ERR_PK_UNKNOWN_PK_ALG, 43,
     "has a certificate with a kind of key that is not supported"},
    {MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE, 43,
     "has a certificate with a curve that is not supported"},
};

/* Whole modules, where what went wrong in them is the peer's doing, whatever it was. */
static const struct {
    int first, last;
    struct meaning meaning;
} modules[] = {
    {MBEDTLS_ERR_X509_FEATURE_UNAVAILABLE,
     MBEDTLS_ERR_X509_FATAL_ERROR,
     {0, 42, "has a certificate that is malformed"}},
    {MBEDTLS_ERR_PK_BUFFER_TOO_SMALL,
     MBEDTLS_ERR_PK_ALLOC_FAILED,
     {0, 42, "has a certificate whose key is malformed"}},
    {MBEDTLS_ERR_RSA_BAD_INPUT_DATA,
     MBEDTLS_ERR_ECP_BAD_INPUT_DATA,
     {0, 47, "sent a public key or a signature that is not valid"}},
};

static const struct meaning *find_meaning(int code)
{
    const int high = -(-code & ~0x7f);

    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
        if (meanings[i].code == code || meanings[i].code == high)
            return &meanings[i];
    for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
        if (high <= modules[i].first && high >= modules[i].last)
            return &modules[i].meaning;
    return NULL;
}

/* Each module has its own code for it; those of numbers and ASN.1 are in the low part of others. */
static bool is_out_of_memory(int code)
{
    static const int high[] = {MBEDTLS_ERR_SSL_ALLOC_FAILED, MBEDTLS_ERR_X509_ALLOC_FAILED,
                               MBEDTLS_ERR_PK_ALLOC_FAILED,  MBEDTLS_ERR_ECP_ALLOC_FAILED,
                               MBEDTLS_ERR_MD_ALLOC_FAILED,  MBEDTLS_ERR_CIPHER_ALLOC_FAILED};
    const int low = -(-code & 0x7f);

    for (size_t i = 0; i < sizeof(high) / sizeof(high[0]); i++)
        if (code - low == high[i])
            return true;
    return low == MBEDTLS_ERR_MPI_ALLOC_FAILED || low == MBEDTLS_ERR_ASN1_ALLOC_FAILED;
}

uint8_t tls_alert_of_error(int code)
{
    const struct meaning *m = find_meaning(code);

    return m != NULL && !is_out_of_memory(code) ? m->alert : TLS_ALERT_INTERNAL_ERROR;
}

/* What stands behind the peer's name; NULL if it is not the peer's doing. */
static const char *what_peer_did(const struct tls_failure *f)
{
    const struct meaning *m = find_meaning(f->code);

    /* The library has no code of its own for it. */
    if (f->alert_sent == TLS_ALERT_DECRYPT_ERROR)
        return "does not have the key of its certificate";
    if (f->code == MBEDTLS_ERR_SSL_INVALID_RECORD && !f->heard_tls)
        return "does not speak TLS: perhaps this is not its port for TLS";
    return m != NULL ? m->text : NULL;
}

/* What the server means that asked for our certificate; NULL if that is not why. */
static const char *what_is_wrong_with_ours(const struct tls_failure *f)
{
    if (!f->own_asked)
        return NULL;
    switch (f->alert_received) {
    case 40: /* RFC 5246 section 7.4.6: none of what it could accept */
    case 42:
    case 46:
    case 49:
        return "it did not say why";
    case 43:
        return "it does not support its kind";
    case 44:
        return "it was revoked";
    case 45:
        return "it has expired, or the server's clock is wrong";
    case 48:
        return "it does not trust its issuer";
    case 50: /* GnuTLS with TLS 1.2, to an empty list */
        return f->own_sent ? NULL : "it got none";
    case 51:
        return "its signature was wrong for it";
    case 116:
        return "it got none";
    default:
        return NULL;
    }
}

static struct result explain_own(const struct tls_failure *f, const char *wrong, struct errinfo *e)
{
    if (!f->own_sent)
        return fail_native(e, ERR_IDENTITY, f->code,
                           "the %s wants a certificate of the phone's and got none (alert %s, %d)",
                           f->peer, tls_alert_name(f->alert_received), f->alert_received);
    return fail_native(e, ERR_IDENTITY, f->code,
                       "the %s did not accept the phone's certificate: %s (alert %s, %d)", f->peer,
                       wrong, tls_alert_name(f->alert_received), f->alert_received);
}

static struct result explain_alert(const struct tls_failure *f, struct errinfo *e)
{
    const char *meaning = tls_alert_meaning(f->alert_received);
    const char *wrong = what_is_wrong_with_ours(f);

    if (wrong != NULL)
        return explain_own(f, wrong, e);

    return fail_native(e, ERR_TLS, f->code, "the %s answered with the alert %s (%d)%s%s", f->peer,
                       tls_alert_name(f->alert_received), f->alert_received,
                       meaning != NULL ? ": " : "", meaning != NULL ? meaning : "");
}

static struct result explain(const struct tls_failure *f, struct errinfo *e)
{
    const char *did = what_peer_did(f);

    if (f->alert_received >= 0)
        return explain_alert(f, e);
    if (f->code == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED && f->verdict != NULL)
        return fail_native(e, ERR_CERT, f->code, "%s", verdict_sentence(f->verdict));
    if (f->out_err == ERR_LIMIT)
        return fail_native(e, ERR_LIMIT, f->code, "the %s takes too little of what is sent",
                           f->peer);
    if (f->out_err == ERR_NOMEM || is_out_of_memory(f->code))
        return fail_native(e, ERR_NOMEM, f->code, "there is not enough memory for TLS");
    if (did != NULL)
        return fail_native(e, ERR_TLS, f->code, "the %s %s", f->peer, did);
    return fail_native(e, ERR_TLS, f->code, "TLS failed inside the phone: %s",
                       mbedtls_high_level_strerr(f->code));
}

void tls_explain(const struct tls_failure *f, struct errinfo *e)
{
    IGNORE(explain(f, e)); /* it is the failure that it tells about */
}
