#include "pki/faults.h"

#include <stdarg.h>
#include <stdio.h>

#define PROFILE_HINT "; to accept it, set static.security.certificate_profile = compatible"

static void add(struct faults *f, enum reason_code code, const struct place *at, const char *who,
                const char *hint, const char *fmt, va_list ap)
    __attribute__((format(printf, 6, 0)));

static void add(struct faults *f, enum reason_code code, const struct place *at, const char *who,
                const char *hint, const char *fmt, va_list ap)
{
    char what[2 * LIMIT_TEXT], label[sizeof f->verdict->reasons[0].about];

    certfields_label(at->cert, label, sizeof label);
    (void)vsnprintf(what, sizeof what, fmt, ap);
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
    char who[LIMIT_TEXT];
    va_list ap;

    f->count++;
    if (f->verdict == NULL)
        return;
    begin(f, at, who, sizeof who);
    va_start(ap, fmt);
    add(f, code, at, who, "", fmt, ap);
    va_end(ap);
}

void fault_profile(struct faults *f, enum reason_code code, const struct place *at, const char *fmt,
                   ...)
{
    char who[LIMIT_TEXT];
    va_list ap;

    f->count++;
    if (f->verdict == NULL)
        return;
    begin(f, at, who, sizeof who);
    va_start(ap, fmt);
    add(f, code, at, who, PROFILE_HINT, fmt, ap);
    va_end(ap);
}

void fault_said(struct faults *f, enum reason_code code, const struct place *at, const char *fmt,
                ...)
{
    va_list ap;

    f->count++;
    if (f->verdict == NULL)
        return;
    va_start(ap, fmt);
    add(f, code, at, "", "", fmt, ap);
    va_end(ap);
}
