/*
 * peer: what a full handshake learned about the other side: its certificates as they were sent,
 * and the verdict on them. Shared by the session and by the tickets that it was given, because
 * whoever resumes learns nothing new. For tls/ only.
 *
 * One block of memory, the certificates as DER: parsed, they would take ten times as much of a
 * connection that may live for weeks.
 */
#ifndef SIPSD_TLS_PEER_H
#define SIPSD_TLS_PEER_H

#include "base/slice.h"
#include "pki/verdict.h"

struct tls_peer {
    unsigned refs;
    int64_t judged_s; /* when */
    struct verdict verdict;
    size_t chain_len;
    struct slice chain[LIMIT_PEER_CERTS]; /* into DER */
    uint8_t der[];
};

/* With a copy of the CHAIN of at most LIMIT_PEER_CERTS, and a verdict of class VERDICT_NONE to be
 * written before it is shared. NULL without memory. */
struct tls_peer *tls_peer_new(const struct slice *chain, size_t n, int64_t now_s);
struct tls_peer *tls_peer_ref(struct tls_peer *p);
void tls_peer_unref(struct tls_peer *p); /* NULL is fine */

/* Does the verdict still stand at NOW_S, so that a ticket may be used for it? */
bool tls_peer_fresh(const struct tls_peer *p, int64_t now_s);

#endif
