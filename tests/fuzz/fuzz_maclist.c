/* A list of MAC addresses: what is taken is in the order of its lines, each of a device, none
 * twice; and is the same when it is written out and read again. */
#include <stdlib.h>

#include "base/buf.h"
#include "factory/maclist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COMPARED_MAX 200 /* each with each */

static void check(const struct maclist *l)
{
    if (l->count == 0)
        abort();
    for (size_t i = 0; i < l->count; i++) {
        if (!mac_is_device(&l->list[i].mac) || (i > 0 && l->list[i].line <= l->list[i - 1].line))
            abort();
        for (size_t k = 0; k < i && k < COMPARED_MAX; k++)
            if (mac_equal(&l->list[i].mac, &l->list[k].mac))
                abort();
    }
}

static void read_again(const struct maclist *l)
{
    struct maclist again = {NULL, 0, 0};
    struct buf text;

    buf_init(&text, 1 << 24);
    for (size_t i = 0; i < l->count; i++) {
        char digits[MAC_TEXT_SIZE];
        mac_text(&l->list[i].mac, digits);
        if (is_err(buf_printf(&text, "%s\n", digits)))
            abort();
    }
    if (is_err(maclist_read(buf_slice(&text), "again", &again, NULL)) || again.count != l->count)
        abort();
    for (size_t i = 0; i < l->count; i++)
        if (!mac_equal(&again.list[i].mac, &l->list[i].mac))
            abort();
    maclist_free(&again);
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct maclist l = {NULL, 0, 0};
    struct errinfo e = ERRINFO_INIT;

    if (is_ok(maclist_read(slice_of(data, size), "list", &l, &e))) {
        check(&l);
        read_again(&l);
    } else if (e.text[0] == '\0') {
        abort();
    }
    maclist_free(&l);
    return 0;
}
