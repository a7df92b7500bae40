/* A file of certificates: each that comes out is inside the limits, and a refusal says why. */
#include <stdlib.h>

#include "base/limits.h"
#include "pki/certfile.h"
#include "pki/der.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Refuses the tenth, as an importer does. */
static struct result count(void *arg, struct slice der, struct errinfo *e)
{
    size_t *n = arg;
    struct der_item item;

    if (!der_next(&der, &item) || item.tag != DER_SEQUENCE || der.n != 0)
        abort();
    if (++*n == 10)
        return fail(e, ERR_LIMIT, "too many");
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errinfo e = ERRINFO_INIT;
    size_t n = 0;
    struct result r = certfile_each(slice_of(data, size), count, &n, &e);

    if (is_ok(r) ? n == 0 || n >= 10 : e.text[0] == '\0')
        abort();
    return 0;
}
