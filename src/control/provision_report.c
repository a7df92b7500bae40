#include "control/provision_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

const char *provision_cause_name(enum provision_cause c)
{
    static const char *const names[] = {
        [PROVISION_START] = "start",   [PROVISION_PUSH] = "push",
        [PROVISION_ASKED] = "asked",   [PROVISION_POWER_ON] = "power_on",
        [PROVISION_PERIOD] = "period", [PROVISION_CHECK_SYNC] = "check_sync",
        [PROVISION_LOCAL] = "local",
    };
    return names[c];
}

const char *provision_outcome_name(enum provision_outcome o)
{
    static const char *const names[] = {
        [PROVISION_APPLIED] = "applied", [PROVISION_UNCHANGED] = "unchanged",
        [PROVISION_REFUSED] = "refused", [PROVISION_FAILED] = "failed",
        [PROVISION_CHECKED] = "checked", [PROVISION_TRIAL] = "trial",
        [PROVISION_KEPT] = "kept",       [PROVISION_ROLLED_BACK] = "rolled_back",
    };
    return names[o];
}

bool provision_outcome_is_good(enum provision_outcome o)
{
    return o != PROVISION_REFUSED && o != PROVISION_FAILED && o != PROVISION_ROLLED_BACK;
}

bool provision_cause_fetches(enum provision_cause c)
{
    return c != PROVISION_START && c != PROVISION_PUSH && c != PROVISION_LOCAL;
}

/* --- life --- */

void provision_report_init(struct provision_report *r, uint64_t id, enum provision_cause cause)
{
    *r = (struct provision_report){.id = id, .cause = cause};
}

void provision_report_clear(struct provision_report *r)
{
    free(r->records);
    free(r->items);
    free(r->changed);
    *r = (struct provision_report){0};
}

void provision_report_restart(struct provision_report *r)
{
    const uint64_t id = r->id;
    const enum provision_cause cause = r->cause;

    provision_report_clear(r);
    provision_report_init(r, id, cause);
}

/* False without memory; nothing is a copy of nothing. */
static bool copy_list(void *to, const void *from, size_t size)
{
    void *own = size > 0 ? malloc(size) : NULL;

    if (own != NULL)
        memcpy(own, from, size);
    memcpy(to, &own, sizeof own);
    return own != NULL || size == 0;
}

struct result provision_report_copy(const struct provision_report *r, struct provision_report *out)
{
    struct provision_report copy = *r;
    bool ok = copy_list(&copy.records, r->records, r->records_count * sizeof *r->records);

    ok &= copy_list(&copy.items, r->items, r->items_count * sizeof *r->items);
    ok &= copy_list(&copy.changed, r->changed, r->changed_count * sizeof *r->changed);
    if (!ok) {
        provision_report_clear(&copy);
        return err(ERR_NOMEM);
    }
    provision_report_clear(out);
    *out = copy;
    return OK;
}

/* Printable, and with nothing that JSON would have to escape: its length there is known then. */
static void set(char *to, size_t size, const char *text)
{
    utf8_clean(slice_of_str(text), to, size);
    for (; *to != '\0'; to++)
        if (*to == '"' || *to == '\\')
            *to = '\'';
}

void provision_report_end(struct provision_report *r, enum provision_outcome outcome, enum err code,
                          const char *fmt, ...)
{
    char raw[ERRINFO_TEXT_MAX + 4];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    r->outcome = outcome;
    r->code = code;
    set(r->sentence, sizeof r->sentence, raw);
}

/* --- lists --- */

/* The list *LIST of COUNT elements of SIZE has room for one more; NULL: at its end there is none.
 */
static void *add_place(void *list, size_t *count, size_t size, size_t max)
{
    void *own;

    if (*count == max)
        return NULL;
    memcpy(&own, list, sizeof own);
    void *larger = realloc(own, (*count + 1) * size);
    if (larger == NULL)
        return NULL;
    memcpy(list, &larger, sizeof larger);
    return (char *)larger + (*count)++ * size;
}

void provision_report_file(struct provision_report *r, const char *name, const char *host,
                           enum provision_fate fate, struct slice content, const char *sentence)
{
    struct provision_record *record =
        add_place(&r->records, &r->records_count, sizeof *r->records, LIMIT_PROVISION_RECORDS);

    if (record == NULL)
        return;
    *record = (struct provision_record){.bytes = content.n, .fate = fate};
    set(record->name, sizeof record->name, name);
    set(record->host, sizeof record->host, host);
    set(record->sentence, sizeof record->sentence, sentence);
    if (fate == PROVISION_FILE_READ)
        hash_sha256(content, record->sha256);
}

/* The last one that is ok, to give its place to one that is not. */
static struct provision_item *find_ok(struct provision_report *r)
{
    for (size_t i = r->items_count; i-- > 0;)
        if (r->items[i].ok)
            return &r->items[i];
    return NULL;
}

void provision_report_item(struct provision_report *r, const struct provision_item *item)
{
    struct provision_item *place =
        add_place(&r->items, &r->items_count, sizeof *r->items, LIMIT_PROVISION_ITEMS);

    if (place == NULL) {
        r->items_left_out++;
        place = item->ok ? NULL : find_ok(r);
    }
    if (place == NULL)
        return;
    *place = *item;
    set(place->file, sizeof place->file, item->file);
    set(place->subject, sizeof place->subject, item->subject);
    set(place->sentence, sizeof place->sentence, item->sentence);
}

void provision_report_changed(struct provision_report *r, const char *name)
{
    char *place =
        add_place(&r->changed, &r->changed_count, sizeof *r->changed, LIMIT_PROVISION_NAMES);

    if (place == NULL)
        r->changed_left_out++;
    else
        set(place, sizeof *r->changed, name);
}

void provision_item_where(const struct provision_item *item, char out[PROVISION_WHERE_SIZE])
{
    out[0] = '\0';
    if (item->file[0] != '\0' && item->line > 0)
        (void)snprintf(out, PROVISION_WHERE_SIZE, "%s:%zu: ", item->file, item->line);
    else if (item->file[0] != '\0')
        (void)snprintf(out, PROVISION_WHERE_SIZE, "%s: ", item->file);
}

const struct provision_item *provision_report_fault(const struct provision_report *r)
{
    for (size_t i = 0; i < r->items_count; i++)
        if (!r->items[i].ok)
            return &r->items[i];
    return NULL;
}

size_t provision_report_faults(const struct provision_report *r)
{
    size_t n = 0;

    for (size_t i = 0; i < r->items_count; i++)
        n += !r->items[i].ok;
    return n;
}
