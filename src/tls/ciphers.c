#include "tls/ciphers.h"

#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <stddef.h>

/* Does the processor that this is built for have AES and carry-less multiplication? */
#if defined(MBEDTLS_AESNI_C) || defined(MBEDTLS_AESCE_C)
#define FAST_AES 1
#else
#define FAST_AES 0
#endif

/* X(number, name as IANA registers it) */
#define CHACHA20_TLS13(X) X(MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256, "TLS_CHACHA20_POLY1305_SHA256")
#define AES128_TLS13(X)   X(MBEDTLS_TLS1_3_AES_128_GCM_SHA256, "TLS_AES_128_GCM_SHA256")
#define AES256_TLS13(X)   X(MBEDTLS_TLS1_3_AES_256_GCM_SHA384, "TLS_AES_256_GCM_SHA384")

#define CHACHA20_TLS12(X)                                    \
    X(MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, \
      "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256")       \
    X(MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,   \
      "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256")
#define AES128_TLS12(X)                                                                           \
    X(MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256") \
    X(MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
#define AES256_TLS12(X)                                                                           \
    X(MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384") \
    X(MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")

#if FAST_AES
#define SUITES(X)   \
    AES128_TLS13(X) \
    CHACHA20_TLS13(X) AES256_TLS13(X) AES128_TLS12(X) CHACHA20_TLS12(X) AES256_TLS12(X)
#else
#define SUITES(X)     \
    CHACHA20_TLS13(X) \
    AES128_TLS13(X) AES256_TLS13(X) CHACHA20_TLS12(X) AES128_TLS12(X) AES256_TLS12(X)
#endif

const int tls_cipher_suites[] = {
#define NUMBER_(number, name) number,
    SUITES(NUMBER_)
#undef NUMBER_
        0};

const char *tls_cipher_name(int suite)
{
    switch (suite) {
#define CASE_(number, name) \
    case number:            \
        return name;
        SUITES(CASE_)
#undef CASE_
    default:
        return NULL;
    }
}

const uint16_t tls_groups[] = {
    MBEDTLS_SSL_IANA_TLS_GROUP_X25519,    MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_SECP521R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_NONE,
};

/* PKCS #1 v1.5 is for the signatures of TLS 1.2 handshakes; TLS 1.3 has PSS only. */
const uint16_t tls_signatures[] = {
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256, MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384, MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP521R1_SHA512, MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,       MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,       MBEDTLS_TLS1_3_SIG_NONE,
};
