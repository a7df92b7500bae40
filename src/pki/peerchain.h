/*
 * peerchain: a copy of the certificates that a peer sent, to judge them again when the peer is
 * gone: against another trust store, or at another time.
 *
 * A value type with memory of its own; all zero is empty.
 */
#ifndef SIPSD_PKI_PEERCHAIN_H
#define SIPSD_PKI_PEERCHAIN_H

#include "base/limits.h"
#include "base/slice.h"

struct peerchain {
    uint8_t *bytes;
    struct slice certs[LIMIT_PEER_CERTS]; /* DER, in the order in which they were sent */
    size_t count;
};

/* Takes a copy of the N certificates in place of what C has; it is empty after it if they are over
 * LIMIT_PEER_CERTS or LIMIT_PEERCHAIN_BYTES, or there is no memory. CHAIN may not be C's own. */
void peerchain_set(struct peerchain *c, const struct slice *chain, size_t n);
void peerchain_clear(struct peerchain *c);

#endif
