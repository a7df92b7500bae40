#include "pki/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *text;
    uint8_t alert;
} table[REASON_COUNT] = {
#define REASON_ROW_(name, code, alert, text) [REASON_##name] = {code, text, alert},
    REASON_TABLE(REASON_ROW_)
#undef REASON_ROW_
};

#define ALERT_BAD_CERTIFICATE 42

bool verdict_accepted(const struct verdict *v)
{
    return v->class == VERDICT_VERIFIED || v->class == VERDICT_PROVISIONAL ||
           v->class == VERDICT_UNVERIFIED;
}

enum assurance verdict_assurance(const struct verdict *v)
{
    switch (v->class) {
    case VERDICT_VERIFIED:
        return v->name_checked ? ASSURANCE_FULL : ASSURANCE_CHAIN;
    case VERDICT_PROVISIONAL: /* dates that nobody could check are no full assurance */
        return ASSURANCE_CHAIN;
    default:
        return ASSURANCE_NONE;
    }
}

const char *verdict_class_name(enum verdict_class c)
{
    static const char *const names[] = {"none", "rejected", "unverified", "provisional",
                                        "verified"};
    return c <= VERDICT_VERIFIED ? names[c] : "unknown";
}

const char *reason_name(enum reason_code code)
{
    return code < REASON_COUNT ? table[code].name : "unknown";
}

const char *reason_text(enum reason_code code)
{
    return code < REASON_COUNT ? table[code].text : "unknown";
}

uint8_t verdict_alert(const struct verdict *v)
{
    return v->reasons_count > 0 && table[v->reasons[0].code].alert != 0
               ? table[v->reasons[0].code].alert
               : ALERT_BAD_CERTIFICATE;
}

const char *verdict_sentence(const struct verdict *v)
{
    if (v->reasons_count > 0)
        return v->reasons[0].sentence;
    return v->summary[0] != '\0' ? v->summary : "No certificate was judged yet";
}

/* Whether a reason of CODE at DEPTH stands before R: the more useful one does, then the one that is
 * nearer to the leaf. */
static bool before(enum reason_code code, int depth, const struct reason *r)
{
    return code != r->code ? code < r->code : depth < r->depth;
}

/* Cut at the end of a character, and nothing that could fool a terminal. */
static void copy_text(char *out, size_t size, const char *text)
{
    size_t n = strlen(text);

    if (n >= size) {
        n = size - 1;
        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--;
    }
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i];
    out[n] = '\0';
}

void verdict_add(struct verdict *v, enum reason_code code, int depth, const char *about,
                 const char *fmt, ...)
{
    char text[2 * LIMIT_TEXT];
    va_list ap;
    size_t at = 0;

    for (size_t i = 0; i < v->reasons_count; i++)
        if (v->reasons[i].code == code && v->reasons[i].depth == depth)
            return;
    while (at < v->reasons_count && !before(code, depth, &v->reasons[at]))
        at++;
    if (at == VERDICT_REASONS_MAX)
        return;
    if (v->reasons_count < VERDICT_REASONS_MAX)
        v->reasons_count++;
    memmove(&v->reasons[at + 1], &v->reasons[at],
            (v->reasons_count - at - 1) * sizeof v->reasons[0]);
    v->reasons[at].code = code;
    v->reasons[at].depth = depth;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    copy_text(v->reasons[at].about, sizeof v->reasons[at].about, about != NULL ? about : "");
    copy_text(v->reasons[at].sentence, sizeof v->reasons[at].sentence, text);
}
