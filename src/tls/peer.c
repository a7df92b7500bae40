#include "tls/peer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct tls_peer *tls_peer_new(const struct slice *chain, size_t n, int64_t now_s)
{
    size_t bytes = 0;

    assert(n <= LIMIT_PEER_CERTS);
    for (size_t i = 0; i < n; i++)
        bytes += chain[i].n;
    struct tls_peer *p = calloc(1, sizeof(*p) + bytes);
    if (p == NULL)
        return NULL;
    p->refs = 1;
    p->judged_s = now_s;
    p->chain_len = n;
    uint8_t *to = p->der;
    for (size_t i = 0; i < n; i++) {
        memcpy(to, chain[i].p, chain[i].n);
        p->chain[i] = slice_of(to, chain[i].n);
        to += chain[i].n;
    }
    return p;
}

struct tls_peer *tls_peer_ref(struct tls_peer *p)
{
    p->refs++;
    return p;
}

void tls_peer_unref(struct tls_peer *p)
{
    if (p != NULL && --p->refs == 0)
        free(p);
}

bool tls_peer_fresh(const struct tls_peer *p, int64_t now_s)
{
    return verdict_accepted(&p->verdict) && now_s < p->verdict.valid_until_s &&
           now_s >= p->judged_s && now_s - p->judged_s < LIMIT_TICKET_AGE_S;
}
