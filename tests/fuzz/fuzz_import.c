/* An upload for the trusted list: what is taken can be written, read again, and is the same. */
#include <stdlib.h>
#include <string.h>

#include "pki/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is)
{
    if (!is)
        abort();
}

static void check_texts(const struct import *i)
{
    for (size_t n = 0; n < i->count; n++) {
        char text[256];
        import_item_text(&i->items[n], text, sizeof text);
        must(text[0] != '\0' && i->items[n].times > 0);
        must((i->items[n].fate == IMPORT_NEW) == (i->items[n].known_as == NULL));
    }
}

static void check_written(struct import_request r, const struct import *i)
{
    struct buf pem;
    struct import again;
    size_t n = 0;

    buf_init(&pem, 2 * LIMIT_CERT_FILE_BYTES);
    must(is_ok(import_write(i, &pem)));
    r.content = buf_slice(&pem);
    must(is_ok(import_trusted(&r, &again, NULL)) && again.count == i->fresh);
    for (size_t k = 0; k < i->count; k++)
        if (i->items[k].fate != IMPORT_KNOWN)
            must(slice_eq(cert_der(i->items[k].cert), cert_der(again.items[n++].cert)));
    import_clear(&again);
    buf_free(&pem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct trust *trust;
    struct errinfo e = ERRINFO_INIT;
    struct import out;
    char name[IMPORT_NAME_MAX + 1];

    if (trust == NULL)
        must(is_ok(trust_new(NULL, 0, NULL, NULL, &trust, NULL)));
    /* The clock is not set, so that dates do not end most inputs' way. */
    const struct import_request r = {
        .content = slice_of(data, size), .trust = trust, .now = {0, CLOCK_UNSET}};
    const struct result res = import_trusted(&r, &out, &e);
    must(is_ok(res) ? out.count > 0 : out.count == 0 && e.text[0] != '\0');
    check_texts(&out);
    if (out.fresh > 0)
        check_written(r, &out);
    import_clear(&out);

    char *filename = calloc(1, size + 1);
    must(filename != NULL);
    if (size > 0)
        memcpy(filename, data, size);
    import_name(filename, name);
    must(name[0] != '\0' && name[0] != '.' && name[0] != '-' && strchr(name, '/') == NULL);
    free(filename);
    return 0;
}
