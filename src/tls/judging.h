/*
 * judging: has the peer's certificates judged inside the handshake, in the library's place, and
 * keeps what came of it.
 *
 * The library calls for each certificate of the list as it stands in the message, and once at its
 * end; nothing is parsed before the list is known to be within the limits, and nothing is verified
 * but by the judge (cmake/mbedtls/patches/0001).
 */
#ifndef SIPSD_TLS_JUDGING_H
#define SIPSD_TLS_JUDGING_H

#include "base/slice.h"
#include "pki/verdict.h"

struct tls_peer;
struct mbedtls_ssl_context;

/*
 * Judges the peer's certificates, inside the handshake, before anything of ours is sent that the
 * peer could use: called at most once, with the list as the peer sent it (valid during the call; N
 * is 0 where a client that was asked for one sends none). What it writes to OUT stands instead of
 * the library's own verification. OUT comes as a verdict of class VERDICT_NONE.
 */
typedef void tls_judge_fn(void *arg, const struct slice *chain, size_t n, struct verdict *out);

/* One handshake's; a member of the session. */
struct tls_judging {
    tls_judge_fn *judge;
    void *arg;
    bool required; /* a client without a certificate is refused, whatever the judge says */
    int64_t now_s;
    struct tls_peer *peer; /* once it was judged; a reference */
    size_t seen;
    struct slice list[LIMIT_PEER_CERTS]; /* into the library's buffer, while the message is read */
};

/* For the library: the session context's user data is the struct tls_judging. Returns 0 or the
 * alert to refuse the peer with. */
int tls_judging_on_cert(struct mbedtls_ssl_context *ssl, const unsigned char *der, size_t len);

#endif
