#include "ctl/judgement.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/term.h"
#include "tls/alert.h"

static const char *anchor_name(const struct verdict *v)
{
    return v->anchor_source == TRUST_SOURCE_CUSTOM ? "custom" : "builtin";
}

/* --- for people --- */

static const char *heading(const struct verdict *v)
{
    switch (v->class) {
    case VERDICT_VERIFIED:
        return "Accepted";
    case VERDICT_PROVISIONAL:
        return "Accepted for now";
    case VERDICT_UNVERIFIED:
        return "Accepted, but not verified";
    case VERDICT_REJECTED:
    case VERDICT_NONE:
    default:
        return "Refused";
    }
}

static enum term_colour colour_of(const struct verdict *v)
{
    return v->class == VERDICT_VERIFIED   ? TERM_GREEN
           : v->class == VERDICT_REJECTED ? TERM_RED
                                          : TERM_YELLOW;
}

static void print_date(int64_t epoch_s)
{
    char iso[CLOCK_ISO_SIZE];

    clock_to_iso(epoch_s, iso);
    (void)printf("%.10s", iso);
}

/* The reasons about the certificate at DEPTH; those about none are -1. */
static void print_reasons(const struct verdict *v, int depth, size_t indent, const struct term *t)
{
    for (size_t i = 0; i < v->reasons_count; i++) {
        const struct reason *r = &v->reasons[i];
        if (r->depth != depth)
            continue;
        (void)printf("%*s%s%s%s\n", (int)indent, "", term_colour(t, TERM_RED), reason_text(r->code),
                     term_colour(t, TERM_PLAIN));
        if (i > 0) /* the first one's sentence stands on top */
            (void)term_wrap(stdout, r->sentence, indent, (size_t)t->columns, 8, "\n");
    }
}

static void print_cert(const struct verdict *v, size_t depth, size_t indent, const struct term *t)
{
    const struct verdict_cert *c = &v->path[depth];
    const bool top = depth + 1 == v->path_len;

    (void)printf("%*s%s", (int)indent, "", indent > 0 ? (t->utf8 ? "└ " : "- ") : "");
    term_put(stdout, c->label, term_width(c->label));
    (void)fputs("  ", stdout);
    print_date(c->not_before_s);
    (void)fputs(" to ", stdout);
    print_date(c->not_after_s);
    if (top && v->pinned)
        (void)fputs("  (trusted itself)", stdout);
    else if (top && v->anchored)
        (void)printf("  (trusted, %s)", anchor_name(v));
    (void)putchar('\n');
    print_reasons(v, (int)depth, indent + (indent > 0 ? 2 : 0), t);
}

void judgement_print(const struct verdict *v)
{
    struct term t;

    term_look(&t);
    (void)printf("%s%s%s\n", term_colour(&t, colour_of(v)), heading(v),
                 term_colour(&t, TERM_PLAIN));
    (void)term_wrap(stdout, verdict_sentence(v), 0, (size_t)t.columns, 8, "\n");
    for (size_t i = 0; i < v->path_len; i++)
        print_cert(v, v->path_len - 1 - i, 2 * i, &t);
    print_reasons(v, -1, 0, &t);
}

/* --- for scripts --- */

static cJSON *add_time(cJSON *to, const char *name, int64_t epoch_s)
{
    char iso[CLOCK_ISO_SIZE];

    clock_to_iso(epoch_s, iso);
    return cJSON_AddStringToObject(to, name, iso);
}

static bool add_reasons(cJSON *to, const struct verdict *v)
{
    cJSON *list = cJSON_AddArrayToObject(to, "reasons");

    for (size_t i = 0; i < v->reasons_count; i++) {
        const struct reason *r = &v->reasons[i];
        cJSON *o = cJSON_CreateObject();
        if (!cJSON_AddItemToArray(list, o) ||
            cJSON_AddStringToObject(o, "code", reason_name(r->code)) == NULL ||
            cJSON_AddNumberToObject(o, "depth", r->depth) == NULL ||
            cJSON_AddStringToObject(o, "certificate", r->about) == NULL ||
            cJSON_AddStringToObject(o, "sentence", r->sentence) == NULL)
            return false;
    }
    return list != NULL;
}

static bool add_chain(cJSON *to, const struct verdict *v)
{
    cJSON *list = cJSON_AddArrayToObject(to, "chain");
    char hex[HASH_HEX_SIZE(HASH_SHA256_SIZE)];

    for (size_t i = 0; i < v->path_len; i++) {
        const struct verdict_cert *c = &v->path[i];
        cJSON *o = cJSON_CreateObject();
        hash_hex(slice_of(c->sha256, sizeof c->sha256), hex);
        if (!cJSON_AddItemToArray(list, o) ||
            cJSON_AddStringToObject(o, "certificate", c->label) == NULL ||
            cJSON_AddStringToObject(o, "sha256", hex) == NULL ||
            add_time(o, "not_before", c->not_before_s) == NULL ||
            add_time(o, "not_after", c->not_after_s) == NULL)
            return false;
    }
    return list != NULL;
}

static bool add_text_or_null(cJSON *to, const char *name, const char *text)
{
    return text != NULL ? cJSON_AddStringToObject(to, name, text) != NULL
                        : cJSON_AddNullToObject(to, name) != NULL;
}

static bool fill(cJSON *o, const struct verdict *v)
{
    const bool accepted = verdict_accepted(v);
    const enum reason_code code = v->reasons_count > 0 ? v->reasons[0].code : REASON_NONE;

    return cJSON_AddStringToObject(o, "verdict", verdict_class_name(v->class)) != NULL &&
           cJSON_AddBoolToObject(o, "accepted", accepted) != NULL &&
           cJSON_AddStringToObject(o, "code", reason_name(code)) != NULL &&
           cJSON_AddStringToObject(o, "sentence", verdict_sentence(v)) != NULL &&
           add_text_or_null(o, "alert", accepted ? NULL : tls_alert_name(verdict_alert(v))) &&
           cJSON_AddBoolToObject(o, "pinned", v->pinned) != NULL &&
           add_text_or_null(o, "anchor", v->anchored ? anchor_name(v) : NULL) &&
           add_text_or_null(o, "name", v->name_checked ? v->matched : NULL) && add_reasons(o, v) &&
           add_chain(o, v) &&
           cJSON_AddNumberToObject(o, "signature_checks", v->signature_checks) != NULL;
}

cJSON *judgement_json(const struct verdict *v)
{
    cJSON *o = cJSON_CreateObject();

    if (o == NULL || fill(o, v))
        return o;
    cJSON_Delete(o);
    return NULL;
}
