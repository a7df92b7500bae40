#include "pki/peerchain.h"

#include <stdlib.h>
#include <string.h>

static size_t total(const struct slice *chain, size_t n)
{
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++)
        bytes += chain[i].n;
    return bytes;
}

void peerchain_set(struct peerchain *c, const struct slice *chain, size_t n)
{
    peerchain_clear(c);
    if (n == 0 || n > LIMIT_PEER_CERTS || total(chain, n) > LIMIT_PEERCHAIN_BYTES)
        return;
    uint8_t *to = c->bytes = malloc(total(chain, n) + 1);
    if (to == NULL)
        return;
    for (size_t i = 0; i < n; i++) {
        if (chain[i].n > 0)
            memcpy(to, chain[i].p, chain[i].n);
        c->certs[i] = slice_of(to, chain[i].n);
        to += chain[i].n;
    }
    c->count = n;
}

void peerchain_clear(struct peerchain *c)
{
    free(c->bytes);
    *c = (struct peerchain){0};
}
