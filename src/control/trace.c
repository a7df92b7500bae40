#include "control/trace.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "sip/line.h"

#define NOT_SHOWN "(not shown)"

/* Whatever is asked or answered for authentication; a digest can be guessed from. */
static bool is_secret(struct slice name)
{
    static const char *const names[] = {
        "Authorization",    "Proxy-Authorization", "Authentication-Info",
        "WWW-Authenticate", "Proxy-Authenticate",  "Proxy-Authentication-Info",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_eq_nocase_str(name, names[i]))
            return true;
    return false;
}

/* As text for people: UTF-8, no control characters; cut at LIMIT_TRACE. */
static struct cJSON *text_new(struct slice s)
{
    const size_t size = (s.n < LIMIT_TRACE ? s.n : LIMIT_TRACE) + 1;
    char *text = malloc(size);
    if (text == NULL)
        return NULL;
    utf8_clean(s, text, size);
    struct cJSON *item = cJSON_CreateString(text);
    free(text);
    return item;
}

/* Takes ITEM over; false if it is NULL or there is no memory. */
static bool append(struct cJSON *list, struct cJSON *item)
{
    if (item != NULL && cJSON_AddItemToArray(list, item))
        return true;
    cJSON_Delete(item);
    return false;
}

static bool add(struct cJSON *object, const char *name, struct cJSON *item)
{
    if (item != NULL && cJSON_AddItemToObject(object, name, item))
        return true;
    cJSON_Delete(item);
    return false;
}

/* One header field, unfolded; *LEFT is what the report may still hold. */
static struct cJSON *field_new(const struct sip_line *l, size_t *left)
{
    struct buf b;
    struct cJSON *item = NULL;
    const struct slice value = is_secret(l->name) ? SLICE_LIT(NOT_SHOWN) : l->value;
    const struct slice shown = slice_first(value, *left);
    *left -= shown.n;
    buf_init(&b, LIMIT_SIP_MESSAGE);
    if (is_ok(buf_printf(&b, "%.*s: ", SLICE_FMT(l->name))) && is_ok(buf_append(&b, shown)))
        item = text_new(buf_slice(&b));
    buf_free(&b);
    return item;
}

static struct cJSON *fields_new(struct slice *rest, size_t *left)
{
    struct cJSON *list = cJSON_CreateArray();
    struct sip_line l;
    while (list != NULL && *left > 0 && sip_line_next(rest, &l)) {
        if (append(list, field_new(&l, left)))
            continue;
        cJSON_Delete(list);
        return NULL;
    }
    return list;
}

/* RFC 4568 section 4, RFC 4567 section 3: these lines of SDP are keys. */
static bool is_key(struct slice line)
{
    return slice_starts_nocase(line, SLICE_LIT("a=crypto:")) ||
           slice_starts_nocase(line, SLICE_LIT("a=key-mgmt:")) ||
           slice_starts_nocase(line, SLICE_LIT("k="));
}

static struct cJSON *body_new(struct slice rest, size_t *left)
{
    struct cJSON *list = cJSON_CreateArray();
    while (list != NULL && rest.n > 0 && *left > 0) {
        struct slice line = slice_trim(slice_cut(&rest, '\n'));
        if (is_key(line))
            line = SLICE_LIT("a=crypto:" NOT_SHOWN);
        line = slice_first(line, *left);
        *left -= line.n < *left ? line.n + 1 : *left;
        if (append(list, text_new(line)))
            continue;
        cJSON_Delete(list);
        return NULL;
    }
    return list;
}

struct cJSON *trace_message(int account, uint64_t connection, bool outward, struct slice message,
                            bool body)
{
    struct cJSON *o = cJSON_CreateObject();
    char id[24];
    size_t left = LIMIT_TRACE;
    struct slice rest = message;
    const struct slice first = slice_trim(sip_line_cut(&rest));
    (void)snprintf(id, sizeof id, "%" PRIu64, connection); /* JSON's numbers end at 2^53 */
    if (o != NULL && add(o, "account", cJSON_CreateNumber(account)) &&
        add(o, "connection", cJSON_CreateString(id)) &&
        add(o, "direction", cJSON_CreateString(outward ? "out" : "in")) &&
        add(o, "first", text_new(first)) && add(o, "headers", fields_new(&rest, &left)) &&
        (!body || add(o, "body", body_new(slice_from(rest, 2), &left))) &&
        add(o, "cut", cJSON_CreateBool(left == 0)))
        return o;
    cJSON_Delete(o);
    return NULL;
}
