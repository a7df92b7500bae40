#include "base/errinfo.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void errinfo_clear(struct errinfo *e)
{
    if (e != NULL)
        *e = ERRINFO_INIT;
}

/* What comes from outside may end in a terminal: nothing below space, no DEL. UTF-8 is left as it
 * is. */
static void make_printable(char *s)
{
    for (; *s != '\0'; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = '?';
}

__attribute__((format(printf, 4, 0))) static void fill(struct errinfo *e, enum err code, int native,
                                                       const char *fmt, va_list ap)
{
    if (e == NULL || e->code != ERR_OK)
        return;
    e->code = code;
    e->native = native;
    (void)vsnprintf(e->text, sizeof e->text, fmt, ap);
    make_printable(e->text);
}

/* Names in brackets: to the analyzer they are macros too. */
struct result(fail)(struct errinfo *e, enum err code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fill(e, code, 0, fmt, ap);
    va_end(ap);
    return err(code);
}

struct result(fail_native)(struct errinfo *e, enum err code, int native, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fill(e, code, native, fmt, ap);
    va_end(ap);
    return err(code);
}

struct result(fail_errno)(struct errinfo *e, int errnum, const char *fmt, ...)
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
    return err(ERR_SYSTEM);
}

void errinfo_context(struct errinfo *e, const char *fmt, ...)
{
    if (e == NULL || e->code == ERR_OK)
        return;
    char old[ERRINFO_TEXT_MAX];
    memcpy(old, e->text, sizeof old);

    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    make_printable(e->text);
    const size_t used = strlen(e->text);
    (void)snprintf(e->text + used, sizeof e->text - used, ": %.*s",
                   (int)(sizeof e->text - used > 3 ? sizeof e->text - used - 3 : 0), old);
}

const char *errinfo_text(const struct errinfo *e, struct result r)
{
    return e != NULL && e->code != ERR_OK ? e->text : err_text(r.code);
}
