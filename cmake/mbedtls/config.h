/*
 * mbedTLS as sipsd builds it. What is not here is not in the phone.
 *
 * Groups that only the maker's tool and the tests use are marked so: the library is static, and
 * what the daemon does not call the linker leaves out.
 */
#ifndef SIPSD_MBEDTLS_CONFIG_H
#define SIPSD_MBEDTLS_CONFIG_H

/* Platform. Without HAVE_TIME_DATE mbedTLS skips every date silently. Memory can be counted (heap
 * per connection) and the time is the daemon's own clock, which knows when it was never set. */
#define MBEDTLS_HAVE_ASM
#define MBEDTLS_HAVE_TIME
#define MBEDTLS_HAVE_TIME_DATE
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_TIME_ALT
#define MBEDTLS_VERSION_C
#define MBEDTLS_ERROR_C /* texts of the native error codes in our sentences */

/* Ciphers: AEAD only in TLS. CBC is here for encrypted private keys and never offered to a peer:
 * the cipher suites are named one by one in tls/ciphers. */
#define MBEDTLS_AES_C
#if defined(__x86_64__) || defined(__i386__)
#define MBEDTLS_AESNI_C
#endif
#if defined(__aarch64__)
#define MBEDTLS_AESCE_C
#define MBEDTLS_SHA256_USE_ARMV8_A_CRYPTO_IF_PRESENT
#define MBEDTLS_SHA512_USE_A64_CRYPTO_IF_PRESENT
#endif
#define MBEDTLS_CIPHER_C
#define MBEDTLS_CIPHER_MODE_CTR
#define MBEDTLS_CIPHER_MODE_CBC
#define MBEDTLS_CIPHER_PADDING_PKCS7
#define MBEDTLS_GCM_C
#define MBEDTLS_CCM_C
#define MBEDTLS_CHACHA20_C
#define MBEDTLS_POLY1305_C
#define MBEDTLS_CHACHAPOLY_C

/* Hashes. MD5: SIP digest with servers that have nothing else (RFC 8760). MD5 and SHA-1 also so
 * that an old signature is recognised and refused by its name, not as an unknown algorithm. */
#define MBEDTLS_MD_C
#define MBEDTLS_MD5_C
#define MBEDTLS_SHA1_C
#define MBEDTLS_SHA224_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA384_C
#define MBEDTLS_SHA512_C
#define MBEDTLS_HKDF_C

/* Public keys. NIST_OPTIM: a handshake takes 3.3 times longer without. Everest: X25519 in a third
 * less time. P-521 signs nothing that we make, but there are CAs and servers that use it. */
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_RSA_C
#define MBEDTLS_PKCS1_V15
#define MBEDTLS_PKCS1_V21
#define MBEDTLS_ECP_C
#define MBEDTLS_ECDH_C
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECP_DP_SECP521R1_ENABLED
#define MBEDTLS_ECP_DP_CURVE25519_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECDH_VARIANT_EVEREST_ENABLED

/* Keys at rest; PKCS5 and PKCS12 (its key derivation only) open encrypted ones. */
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C
#define MBEDTLS_PK_PARSE_EC_COMPRESSED
#define MBEDTLS_PKCS5_C
#define MBEDTLS_PKCS12_C

/* Certificates. The CA callback is how the trust store answers without building a list of 86. */
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_OID_C
#define MBEDTLS_BASE64_C
#define MBEDTLS_PEM_PARSE_C
#define MBEDTLS_X509_USE_C
#define MBEDTLS_X509_CRT_PARSE_C
#define MBEDTLS_X509_CRL_PARSE_C
#define MBEDTLS_X509_RSASSA_PSS_SUPPORT
#define MBEDTLS_X509_TRUSTED_CERTIFICATE_CALLBACK

/* Making keys and certificates: the maker's tool and the PKIs of the tests. */
#define MBEDTLS_GENPRIME
#define MBEDTLS_PK_WRITE_C
#define MBEDTLS_PEM_WRITE_C
#define MBEDTLS_X509_CREATE_C
#define MBEDTLS_X509_CRT_WRITE_C
#define MBEDTLS_X509_CSR_PARSE_C
#define MBEDTLS_X509_CSR_WRITE_C

/* TLS 1.3 is built on PSA. The rest is not (no USE_PSA_CRYPTO): slower and larger for no gain here.
 */
#define MBEDTLS_PSA_CRYPTO_C
#define MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG /* psa_rng.h: randomness is passed in, as everywhere */
#define MBEDTLS_PSA_KEY_STORE_DYNAMIC

/* TLS 1.2 and 1.3, both roles, ECDHE only. No renegotiation, no DTLS, no early data, no server-side
 * session cache (tickets carry the state), no debug output. */
#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_CLI_C
#define MBEDTLS_SSL_SRV_C
#define MBEDTLS_SSL_PROTO_TLS1_2
#define MBEDTLS_SSL_PROTO_TLS1_3
#define MBEDTLS_SSL_TLS1_3_COMPATIBILITY_MODE
#define MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ENABLED
#define MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_EPHEMERAL_ENABLED /* resumption */
#define MBEDTLS_KEY_EXCHANGE_ECDHE_RSA_ENABLED
#define MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA_ENABLED
#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET
#define MBEDTLS_SSL_ALL_ALERT_MESSAGES    /* an alert for a bad record too */
#define MBEDTLS_SSL_KEEP_PEER_CERTIFICATE /* live connections are judged again */
#define MBEDTLS_SSL_ALPN
#define MBEDTLS_SSL_SERVER_NAME_INDICATION
#define MBEDTLS_SSL_SESSION_TICKETS
#define MBEDTLS_SSL_TICKET_C
#define MBEDTLS_SSL_MAX_FRAGMENT_LENGTH

/* A peer may send records of the full size; ours are smaller, which saves 8 KB a connection. Not
 * smaller still: the library sends the Certificate message in one record, and a chain of four with
 * RSA keys takes 6 KB. Not VARIABLE_BUFFER_LENGTH: with OUT smaller than IN it shrinks the input
 * buffer as well, and full records break. */
#define MBEDTLS_SSL_IN_CONTENT_LEN  16384
#define MBEDTLS_SSL_OUT_CONTENT_LEN 8192

#endif
