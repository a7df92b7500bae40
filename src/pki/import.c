#include "pki/import.h"

#include <stdio.h>

RESULT import_trusted(const struct import_request *r, struct import *out, struct errinfo *e)
{
    (void)r;
    *out = (struct import){0};
    return fail(e, ERR_UNSUPPORTED, "certificates are not imported yet");
}

void import_clear(struct import *i)
{
    for (size_t n = 0; i != NULL && n < i->count; n++)
        cert_unref(i->items[n].cert);
}

void import_item_text(const struct import_item *item, char *out, size_t size)
{
    cert_label(item->cert, out, size);
}

RESULT import_write(const struct import *i, struct buf *out)
{
    (void)i, (void)out;
    return err(ERR_UNSUPPORTED);
}

void import_name(const char *filename, char out[IMPORT_NAME_MAX + 1])
{
    (void)snprintf(out, IMPORT_NAME_MAX + 1, "%s", filename);
}
