/*
 * hash: SHA-256, MD5 (for SIP digest only, RFC 8760), and hexadecimal text.
 *
 * One-shot over a list of parts, so that a caller needs no buffer to join secrets in. Nothing can
 * fail but the library's own self-consistency, so nothing is returned.
 */
#ifndef SIPSD_BASE_HASH_H
#define SIPSD_BASE_HASH_H

#include "base/slice.h"

#define HASH_MAX_SIZE    32
#define HASH_SHA256_SIZE 32
#define HASH_MD5_SIZE    16
#define HASH_HEX_SIZE(n) (2 * (n) + 1)

enum hash_alg { HASH_MD5, HASH_SHA256 };

/* Bytes of a digest: 16 or 32. */
size_t hash_size(enum hash_alg alg);

/* The digest of the N PARTS, one after the other, into OUT (hash_size() bytes). Working state is
 * wiped. */
void hash_parts(enum hash_alg alg, const struct slice *parts, size_t n, uint8_t out[HASH_MAX_SIZE]);

/* SHA-256 of one slice. */
void hash_sha256(struct slice s, uint8_t out[HASH_SHA256_SIZE]);

/* HMAC-SHA256 (RFC 2104) of the N PARTS, one after the other, under KEY of at most 64 bytes. */
void hash_hmac_sha256(struct slice key, const struct slice *parts, size_t n,
                      uint8_t out[HASH_SHA256_SIZE]);

/* Lower-case hexadecimal of S into OUT (2 * s.n + 1 bytes), terminated. */
void hash_hex(struct slice s, char *out);

/* Equal in time that depends only on N. */
bool hash_equal(const void *a, const void *b, size_t n);

#endif
