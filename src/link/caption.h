/* caption: what a connection's peer is called in sentences: "host (address)", or the address alone.
 */
#ifndef SIPSD_LINK_CAPTION_H
#define SIPSD_LINK_CAPTION_H

#include <stddef.h>

#include "base/errinfo.h"
#include "sys/addr.h"

/* A host name has 253 characters at most. */
#define CAPTION_SIZE (254 + ADDR_TEXT_SIZE + 4)

/* A value type. */
struct caption {
    char text[CAPTION_SIZE];
    size_t host_len; /* how much of it is the host, or all */
};

/* HOST: as it was dialled, or NULL. */
void caption_set(struct caption *c, const struct addr *remote, const char *host);

/* ERR_TIMEOUT: "sip.example.com (192.0.2.1:5061) did not answer within 8 s". */
RESULT caption_too_late(const struct caption *c, const char *what, unsigned ms, struct errinfo *e);

#endif
