#include "pki/faults.h"

#include <stdarg.h>
#include <stdio.h>

#define PROFILE_HINT "; to accept it, set static.security.certificate_profile = compatible"

static void add(struct faults *f, enum reason_code code, const struct place *at, const char *who,
                const char *what, const char *hint)
{
    char label[sizeof f->verdict->reasons[0].about];

    certfields_label(at->cert, label, sizeof label);
    verdict_add(f->verdict, code, (int)at->depth, label, "%s%s%s", who, what, hint);
}

/* "The certificate of NAME ", as a sentence begins. */
static void begin(const struct faults *f, const struct place *at, char *out, size_t size)
{
    char label[LIMIT_TEXT];

    certfields_label(at->cert, label, sizeof label);
    if (at->depth == 0)
        (void)snprintf(out, size, "The certificate of %.100s ", f->peer != NULL ? f->peer : label);
    else
        (void)snprintf(out, size, "The %s certificate '%.100s' ", at->anchor ? "trusted" : "CA",
                       label);
}

void fault(struct faults *f, enum reason_code code, const struct place *at, const char *fmt, ...)
{
    char who[LIMIT_TEXT], what[2 * LIMIT_TEXT];
    va_list ap;

    f->count++;
    if (f->verdict == NULL)
        return;
    begin(f, at, who, sizeof who);
    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    add(f, code, at, who, what, "");
}

void fault_profile(struct faults *f, enum reason_code code, const struct place *at, const char *fmt,
                   ...)
{
    char who[LIMIT_TEXT], what[2 * LIMIT_TEXT];
    va_list ap;

    f->count++;
    if (f->verdict == NULL)
        return;
    begin(f, at, who, sizeof who);
    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    add(f, code, at, who, what, PROFILE_HINT);
}

void fault_said(struct faults *f, enum reason_code code, const struct place *at, const char *fmt,
                ...)
{
    char what[2 * LIMIT_TEXT];
    va_list ap;

    f->count++;
    if (f->verdict == NULL)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    add(f, code, at, "", what, "");
}
