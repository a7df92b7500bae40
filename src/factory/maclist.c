#include "factory/maclist.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 40 /* of a line that is refused */

struct result maclist_add(struct maclist *l, const struct mac *mac, unsigned line,
                          struct errinfo *e)
{
    if (l->count == l->size) {
        const size_t size = l->size == 0 ? 16 : 2 * l->size;
        struct mac_line *list = realloc(l->list, size * sizeof *list);
        if (list == NULL)
            return fail(e, ERR_NOMEM, "out of memory");
        l->list = list;
        l->size = size;
    }
    l->list[l->count++] = (struct mac_line){*mac, line};
    return OK;
}

void maclist_free(struct maclist *l)
{
    free(l->list);
    *l = (struct maclist){NULL, 0, 0};
}

/* By address, and those of one address by line. */
static int compare(const void *a, const void *b)
{
    const struct mac_line *x = a, *y = b;
    const int order = memcmp(x->mac.byte, y->mac.byte, MAC_SIZE);

    return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

/* Two phones with one address: one of the lines is a mistake. */
static struct result check_twice(const struct maclist *l, const char *name, struct errinfo *e)
{
    struct mac_line *sorted = malloc((l->count + 1) * sizeof *sorted);
    struct result r = OK;

    if (sorted == NULL)
        return fail(e, ERR_NOMEM, "out of memory");
    memcpy(sorted, l->list, l->count * sizeof *sorted);
    qsort(sorted, l->count, sizeof *sorted, compare);
    for (size_t i = 1; i < l->count && is_ok(r); i++)
        if (mac_equal(&sorted[i - 1].mac, &sorted[i].mac)) {
            char text[MAC_TEXT_SIZE];
            mac_text(&sorted[i].mac, text);
            r = fail(e, ERR_INVALID, "%s:%u: %s is in line %u already", name, sorted[i].line, text,
                     sorted[i - 1].line);
        }
    free(sorted);
    return r;
}

static struct result read_line(struct slice line, const char *name, unsigned number,
                               struct maclist *out, struct errinfo *e)
{
    const struct slice text = slice_trim(slice_first(line, slice_find(line, '#')));
    struct mac mac;

    if (text.n == 0)
        return OK;
    if (!mac_parse(text, &mac))
        return fail(e, ERR_INVALID, "%s:%u: '%.*s' is not a MAC address", name, number,
                    SLICE_FMT(slice_first(text, SHOWN_MAX)));
    if (!mac_is_device(&mac))
        return fail(e, ERR_INVALID, "%s:%u: '%.*s' is not the MAC address of a device", name,
                    number, SLICE_FMT(text));
    return maclist_add(out, &mac, number, e);
}

struct result maclist_read(struct slice content, const char *name, struct maclist *out,
                           struct errinfo *e)
{
    const struct slice bom = SLICE_LIT("\xef\xbb\xbf");

    if (slice_starts(content, bom))
        content = slice_from(content, bom.n);
    for (unsigned number = 1; content.n > 0; number++)
        TRY(read_line(slice_cut(&content, '\n'), name, number, out, e));
    if (out->count == 0)
        return fail(e, ERR_NOT_FOUND, "%s: there is no MAC address in the list", name);
    return check_twice(out, name, e);
}
