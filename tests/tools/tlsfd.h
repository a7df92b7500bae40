/*
 * tlsfd: bare mbedTLS on a socket, as a program of a page would use it: the peer of benchmarks, and
 * what they compare with. Nothing here fails: what cannot be made ends the process.
 */
#ifndef SIPSD_TESTS_TOOLS_TLSFD_H
#define SIPSD_TESTS_TOOLS_TLSFD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tlsfd_profile;
struct tlsfd;

struct tlsfd_spec {
    bool server;
    int minor;              /* TLS 1.2 or 1.3 and no other: 2 or 3 */
    const char *cert, *key; /* PEM files; NULL: none */
    const char *ca;         /* PEM file: the other end must have a certificate of these; NULL: any
                               or none will do */
    const int *suites;      /* of mbedTLS; NULL: those of tls/ciphers */
    bool tickets;           /* a server issues them, a client resumes with the last one */
};

struct tlsfd_profile *tlsfd_profile_new(const struct tlsfd_spec *spec);
void tlsfd_profile_free(struct tlsfd_profile *p);

/* FD, which may block or not, stays the caller's. A client has PROFILE's last session, if any. */
struct tlsfd *tlsfd_new(struct tlsfd_profile *profile, int fd);
void tlsfd_free(struct tlsfd *t);

enum tlsfd_status { TLSFD_OK, TLSFD_AGAIN, TLSFD_CLOSED, TLSFD_FAILED };

/* AGAIN: call it again with the same bytes, or more behind them, when it may go on. FD is to be
 * polled, for writing where tlsfd_wants_write() says so. */
enum tlsfd_status tlsfd_handshake(struct tlsfd *t);
enum tlsfd_status tlsfd_read(struct tlsfd *t, uint8_t *out, size_t size, size_t *n);
enum tlsfd_status tlsfd_write(struct tlsfd *t, const uint8_t *bytes, size_t n, size_t *written);
bool tlsfd_wants_write(const struct tlsfd *t);

/* What was read from FD and is decrypted at the next read: FD may not be readable for it. */
bool tlsfd_has_more(const struct tlsfd *t);

/* Sends close_notify. */
void tlsfd_close(struct tlsfd *t);

const char *tlsfd_suite(const struct tlsfd *t);
const char *tlsfd_error(const struct tlsfd *t); /* after FAILED */

#endif
