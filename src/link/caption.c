#include "link/caption.h"

#include <stdio.h>
#include <string.h>

void caption_set(struct caption *c, const struct addr *remote, const char *host)
{
    char address[ADDR_TEXT_SIZE];
    addr_format(remote, address);
    if (host == NULL)
        (void)snprintf(c->text, sizeof c->text, "%s", address);
    else
        (void)snprintf(c->text, sizeof c->text, "%s (%s)", host, address);
    c->host_len = strlen(host == NULL ? c->text : host);
}

RESULT caption_too_late(const struct caption *c, const char *what, unsigned ms, struct errinfo *e)
{
    return fail(e, ERR_TIMEOUT, "%s did not %s within %u s", c->text, what, ms / 1000);
}
