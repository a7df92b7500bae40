#include "control/complaints.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "base/utf8.h"

void complaints_add(struct complaints *c, const char *area, const char *file, const char *fmt, ...)
{
    struct complaint ignored = {.file = ""};
    struct complaint *at = c->count < LIMIT_COMPLAINTS ? &c->list[c->count++] : &ignored;
    char text[ERRINFO_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    utf8_clean(slice_of_str(text), at->text, sizeof at->text);
    utf8_clean(slice_of_str(file), at->file, sizeof at->file);
    log_warning(area, "%s: %s", at->file, at->text);
}
