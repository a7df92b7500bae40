/*
 * tlswire: TLS in memory, for tests, fuzz targets and benchmarks.
 *
 * An end is something that takes ciphertext and gives some back: one of our sessions with what it
 * needs (struct tlsend), or bare mbedTLS as the peer that somebody else wrote (struct tlsbare),
 * which can also be told to misbehave. tlswire_run() carries bytes between two until both are
 * silent. Nothing here fails: what cannot be made ends the process.
 */
#ifndef SIPSD_TESTS_TOOLS_TLSWIRE_H
#define SIPSD_TESTS_TOOLS_TLSWIRE_H

#include <mbedtls/ssl.h>

#include "base/buf.h"
#include "tls/session.h"
#include "tools/testpki.h"

#define TLSWIRE_CHAIN_MAX 16

/* tls_global_init() with tlswire_now_s as the clock, which starts at TESTPKI_NOW. */
extern int64_t tlswire_now_s;
void tlswire_global_init(void);

/* An identity of CHAIN, leaf first, with the leaf's key. To be unref'ed by the caller. */
struct identity *tlswire_identity(const struct testpki_cert *const *chain, size_t n);

/* --- the wire --- */

struct tlswire {
    void *end;
    void (*feed)(void *end, struct slice in);
    struct slice (*output)(void *end);
    void (*sent)(void *end, size_t n);
};

/* Carries in pieces of CHUNK bytes (0: all that there is at once) until there is nothing to carry.
 */
void tlswire_run(struct tlswire a, struct tlswire b, size_t chunk);

/* --- our end --- */

struct tlsend {
    struct tls_profile *profile;
    struct tls_session *session;

    /* The judge answers with VERDICT, and counts and keeps what it was asked; or is another. */
    tls_judge_fn *judge; /* NULL: as said */
    void *judge_arg;
    struct verdict verdict;
    unsigned judged;
    size_t chain_len;
    size_t chain_sizes[TLSWIRE_CHAIN_MAX];
};

struct tlsend_spec {
    enum tls_role role;
    enum tls_versions versions;
    enum tls_client_auth client_auth;
    struct identity *identity; /* NULL for none */
    const char *const *alpn;
    bool tickets;

    const char *server_name;
    struct tls_tickets *store;
    const char *flow_key; /* NULL: "" */
};

/* A profile without a session yet. The verdict is VERDICT_VERIFIED until TESTPKI_NOT_AFTER. */
void tlsend_init(struct tlsend *end, const struct tlsend_spec *spec);

/* A session of the profile, started; the one before is freed. */
void tlsend_open(struct tlsend *end, const struct tlsend_spec *spec);
void tlsend_free(struct tlsend *end);
struct tlswire tlsend_wire(struct tlsend *end);

/* Reads all there is as a C string, to be free()d. */
char *tlsend_read(struct tlsend *end);
void tlsend_write(struct tlsend *end, const char *text);

/* --- two of our ends --- */

struct tlspair {
    struct tlsend_spec client_spec, server_spec; /* may be changed between connections */
    struct tlsend client, server;
};

/* With the right roles; no sessions yet. */
struct tlspair tlspair_of(struct tlsend_spec client, struct tlsend_spec server);

/* New sessions, in place (the judge's argument is the end), and all that they have to say. */
void tlspair_connect(struct tlspair *p, size_t chunk);
void tlspair_run(struct tlspair *p);
void tlspair_free(struct tlspair *p);

/* --- bare mbedTLS --- */

struct tlsbare_spec {
    bool server;
    mbedtls_ssl_protocol_version min, max; /* 0: TLS 1.2, TLS 1.3 */
    int authmode;                          /* of a server: MBEDTLS_SSL_VERIFY_... */
    const struct slice *chain;             /* what it sends as its own, whatever it is */
    size_t chain_len;
    const struct testpki_cert *key_of; /* whose key it has, and what it takes for its own */
    const int *suites;                 /* NULL: the library's */
    const uint16_t *groups;            /* NULL: the library's */
    const uint16_t *signatures;        /* NULL: the library's */
    const char *const *alpn;
    const char *hostname;
    struct slice ca; /* a client's, DER: it verifies the server; empty: it does not */
    bool tickets;    /* a server issues them, a client resumes with the last one */
};

struct tlsbare {
    mbedtls_ssl_config config;
    mbedtls_ssl_context ssl;
    mbedtls_x509_crt *chain;
    mbedtls_x509_crt ca;
    struct mbedtls_ssl_ticket_context *ticket_keys;
    mbedtls_ssl_session session; /* a client's, to resume */
    bool tickets, has_session;
    const char *hostname;
    struct buf in, out, plain;
    int rc; /* the handshake's or the last read's; 0 or WANT_READ while all is well */
};

void tlsbare_init(struct tlsbare *b, const struct tlsbare_spec *spec);
void tlsbare_free(struct tlsbare *b);
struct tlswire tlsbare_wire(struct tlsbare *b);

/* Once more from the start, with the same configuration. */
void tlsbare_open(struct tlsbare *b);

/* Lets it go on with what it has; a client's first flight. */
void tlsbare_step(struct tlsbare *b);
void tlsbare_write(struct tlsbare *b, const char *text);

#endif
