#include "pki/faults.h"

#include <stdarg.h>
#include <stdio.h>

#define PROFILE_HINT "; to accept it, set static.security.certificate_profile = compatible"

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

/* How the sentence is made of what is said. */
enum form { ABOUT_IT, BY_PROFILE, AS_SAID };

static void add(struct faults *f, enum reason_code code, const struct place *at, enum form form,
                const char *fmt, va_list ap) __attribute__((format(printf, 5, 0)));

static void add(struct faults *f, enum reason_code code, const struct place *at, enum form form,
                const char *fmt, va_list ap)
{
    char who[LIMIT_TEXT], what[2 * LIMIT_TEXT], label[sizeof f->verdict->reasons[0].about];

    f->count++;
    if (f->verdict == NULL)
        return;
    who[0] = '\0';
    if (form != AS_SAID)
        begin(f, at, who, sizeof who);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    certfields_label(at->cert, label, sizeof label);
    verdict_add(f->verdict, code, (int)at->depth, label, "%s%s%s", who, what,
                form == BY_PROFILE ? PROFILE_HINT : "");
}

void fault(struct faults *f, enum reason_code code, const struct place *at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add(f, code, at, ABOUT_IT, fmt, ap);
    va_end(ap);
}

void fault_profile(struct faults *f, enum reason_code code, const struct place *at, const char *fmt,
                   ...)
{
    va_list ap;

    va_start(ap, fmt);
    add(f, code, at, BY_PROFILE, fmt, ap);
    va_end(ap);
}

void fault_said(struct faults *f, enum reason_code code, const struct place *at, const char *fmt,
                ...)
{
    va_list ap;

    va_start(ap, fmt);
    add(f, code, at, AS_SAID, fmt, ap);
    va_end(ap);
}
