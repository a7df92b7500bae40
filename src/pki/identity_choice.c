#include "pki/identity_choice.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name, *text;
} sources[] = {
    [IDENTITY_NONE] = {"none", "none"},
    [IDENTITY_CUSTOM] = {"custom", "uploaded"},
    [IDENTITY_UNIQUE] = {"unique", "unique"},
    [IDENTITY_GENERIC] = {"generic", "generic"},
};

const char *identity_source_name(enum identity_source s)
{
    return sources[s].name;
}

const char *identity_source_text(enum identity_source s)
{
    return sources[s].text;
}

static void clear(struct identity_slot *slot)
{
    identity_unref(slot->identity);
    *slot = (struct identity_slot){.problem = ERRINFO_INIT};
}

void identity_slots_clear(struct identity_slots *slots)
{
    clear(&slots->custom);
    clear(&slots->unique);
    clear(&slots->generic);
}

const struct identity_slot *identity_slot_of(const struct identity_slots *slots,
                                             enum identity_source source)
{
    switch (source) {
    case IDENTITY_CUSTOM:
        return &slots->custom;
    case IDENTITY_UNIQUE:
        return &slots->unique;
    case IDENTITY_GENERIC:
        return &slots->generic;
    case IDENTITY_NONE:
        break;
    }
    return NULL;
}

/* --- the choice --- */

#define PLACES 3

/* Who goes first. */
static const enum identity_source orders[][PLACES] = {
    [IDENTITY_WANT_DEFAULT] = {IDENTITY_UNIQUE, IDENTITY_GENERIC, IDENTITY_CUSTOM},
    [IDENTITY_WANT_CUSTOM] = {IDENTITY_CUSTOM, IDENTITY_UNIQUE, IDENTITY_GENERIC},
    [IDENTITY_WANT_ANY] = {IDENTITY_CUSTOM, IDENTITY_UNIQUE, IDENTITY_GENERIC},
};

/* A sentence that grows; what does not fit is cut. */
struct sentence {
    char *text;
    size_t size, used;
};

static void say(struct sentence *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct sentence *s, const char *fmt, ...)
{
    va_list ap;
    int n;

    if (s->used >= s->size)
        return;
    va_start(ap, fmt);
    n = vsnprintf(s->text + s->used, s->size - s->used, fmt, ap);
    va_end(ap);
    s->used += n > 0 ? (size_t)n : 0;
}

/* Why the one of SOURCE, which goes before the chosen one, is not it. */
static void say_passed_over(struct sentence *s, const struct identity_slots *slots,
                            enum identity_source source, bool wanted)
{
    const struct errinfo *problem = &identity_slot_of(slots, source)->problem;
    const char *text = identity_source_text(source);

    if (wanted && problem->code != ERR_OK)
        say(s, "the settings ask for the %s one, which cannot be used (%s)", text, problem->text);
    else if (wanted)
        say(s, "the settings ask for the %s one, and there is none", text);
    else if (problem->code != ERR_OK)
        say(s, "the %s one cannot be used (%s)", text, problem->text);
    else
        say(s, "there is no %s one", text);
}

/* The first of the order: nothing had to be passed over. */
static const char *first_reason(enum identity_want want)
{
    switch (want) {
    case IDENTITY_WANT_CUSTOM:
        return "the settings ask for it";
    case IDENTITY_WANT_ANY:
        return "it goes before the maker's";
    case IDENTITY_WANT_DEFAULT:
        break;
    }
    return "the maker gave it to this very phone";
}

enum identity_source identity_choose(const struct identity_slots *slots, enum identity_want want,
                                     char *why, size_t size)
{
    struct sentence s = {why, size, 0};
    enum identity_source chosen = IDENTITY_NONE;
    size_t passed = 0;

    while (passed < PLACES && identity_slot_of(slots, orders[want][passed])->identity == NULL)
        passed++;
    if (passed < PLACES)
        chosen = orders[want][passed];
    if (chosen == IDENTITY_NONE)
        say(&s, "no certificate is used: ");
    else
        say(&s, "the %s certificate is used: ", identity_source_text(chosen));
    if (passed == 0)
        say(&s, "%s", first_reason(want));
    for (size_t i = 0; i < passed; i++) {
        say(&s, "%s", i == 0 ? "" : "; ");
        say_passed_over(&s, slots, orders[want][i], want == IDENTITY_WANT_CUSTOM && i == 0);
    }
    return chosen;
}
