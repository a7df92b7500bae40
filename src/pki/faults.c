#include "pki/faults.h"

#include <stdarg.h>
#include <stdio.h>

static void add(struct faults *f, enum reason_code code, const struct place *at, const char *who,
                const char *fmt, va_list ap) __attribute__((format(printf, 5, 0)));

static void add(struct faults *f, enum reason_code code, const struct place *at, const char *who,
                const char *fmt, va_list ap)
{
    char what[2 * LIMIT_TEXT], label[sizeof f->verdict->reasons[0].about];

    certfields_label(at->cert, label, sizeof label);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    verdict_add(f->verdict, code, (int)at->depth, label, "%s%s", who, what);
}

void fault(struct faults *f, enum reason_code code, const struct place *at, const char *fmt, ...)
{
    char who[LIMIT_TEXT], label[LIMIT_TEXT];
    va_list ap;

    f->count++;
    if (f->verdict == NULL)
        return;
    certfields_label(at->cert, label, sizeof label);
    if (at->depth == 0)
        (void)snprintf(who, sizeof who, "The certificate of %.100s ",
                       f->peer != NULL ? f->peer : label);
    else
        (void)snprintf(who, sizeof who, "The %s certificate '%.100s' ",
                       at->anchor ? "trusted" : "CA", label);
    va_start(ap, fmt);
    add(f, code, at, who, fmt, ap);
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
    add(f, code, at, "", fmt, ap);
    va_end(ap);
}
