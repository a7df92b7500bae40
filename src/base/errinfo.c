#include "base/errinfo.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

void errinfo_clear(struct errinfo *e)
{
    if (e != NULL)
        *e = ERRINFO_INIT;
}

/*
 * What comes from outside may end in a terminal, a log or JSON: e->text is always printable UTF-8.
 * The room of one more character lets utf8_clean() see where the last one that fits ends.
 */
#define RAW_SIZE (ERRINFO_TEXT_MAX + 4)

static void set_text(struct errinfo *e, const char *raw)
{
    utf8_clean(slice_of_str(raw), e->text, sizeof e->text);
}

__attribute__((format(printf, 4, 0))) static void fill(struct errinfo *e, enum err code, int native,
                                                       const char *fmt, va_list ap)
{
    char raw[RAW_SIZE];
    assert(code != ERR_OK);
    if (e == NULL || e->code != ERR_OK)
        return;
    e->code = code;
    e->native = native;
    (void)vsnprintf(raw, sizeof raw, fmt, ap);
    set_text(e, raw);
}

void errinfo_fill(struct errinfo *e, enum err code, int native, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fill(e, code, native, fmt, ap);
    va_end(ap);
}

void errinfo_fill_errno(struct errinfo *e, int errnum, const char *fmt, ...)
{
    const bool fresh = e != NULL && e->code == ERR_OK;
    va_list ap;
    va_start(ap, fmt);
    fill(e, ERR_SYSTEM, errnum, fmt, ap);
    va_end(ap);
    if (fresh) {
        const size_t used = strlen(e->text);
        (void)snprintf(e->text + used, sizeof e->text - used, ": %s", strerror(errnum));
    }
}

void errinfo_context(struct errinfo *e, const char *fmt, ...)
{
    char context[RAW_SIZE];
    char raw[2 * RAW_SIZE];
    if (e == NULL || e->code == ERR_OK)
        return;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(context, sizeof context, fmt, ap);
    va_end(ap);
    (void)snprintf(raw, sizeof raw, "%s: %s", context, e->text);
    set_text(e, raw);
}

const char *errinfo_text(const struct errinfo *e, struct result r)
{
    return e != NULL && e->code != ERR_OK ? e->text : err_text(r.code);
}
