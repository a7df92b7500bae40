#include "ctl/picture.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define INDENT             5 /* of the sentence: behind the glyph and the number */
#define LABEL              18
#define WORD               15
#define DETAILS_AT         (INDENT + LABEL + 1 + WORD + 1)
#define SENTENCE_LINES_MAX 3

/* --- what is known --- */

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *text_of(const cJSON *object, const char *name)
{
    const char *s = cJSON_GetStringValue(member(object, name));
    return s != NULL ? s : "";
}

static int int_of(const cJSON *object, const char *name)
{
    const cJSON *v = member(object, name);
    return cJSON_IsNumber(v) ? v->valueint : 0;
}

static void read_phone(struct picture *p, const cJSON *status)
{
    const cJSON *trust = member(status, "trust");
    (void)snprintf(p->phone, sizeof p->phone,
                   "sipsd %s, clock %s, %d built-in and %d custom CAs (%s in use)",
                   text_of(status, "version"), text_of(member(status, "clock"), "state"),
                   int_of(trust, "builtin"), int_of(trust, "custom"), text_of(trust, "filter"));
}

static size_t place_of(const struct picture *p, int number)
{
    size_t i = 0;
    while (i < p->count && p->accounts[i].number < number)
        i++;
    return i;
}

static bool put_account(struct picture *p, const struct sipsd_account *a, int64_t now_ms)
{
    const size_t i = place_of(p, a->number);
    if (i == p->count || p->accounts[i].number != a->number) {
        if (p->count == PICTURE_ACCOUNTS_MAX)
            return false;
        memmove(&p->accounts[i + 1], &p->accounts[i], (p->count - i) * sizeof p->accounts[0]);
        memmove(&p->told_ms[i + 1], &p->told_ms[i], (p->count - i) * sizeof p->told_ms[0]);
        p->count++;
    }
    p->accounts[i] = *a;
    p->told_ms[i] = now_ms;
    return true;
}

static bool put_registration(struct picture *p, const struct sipsd_account *news)
{
    const size_t i = place_of(p, news->number);
    if (i == p->count || p->accounts[i].number != news->number)
        return false;
    struct sipsd_account *a = &p->accounts[i];
    memcpy(a->registration, news->registration, sizeof a->registration);
    memcpy(a->registration_error, news->registration_error, sizeof a->registration_error);
    a->expires_s = news->expires_s;
    return true;
}

static size_t place_of_certificate(const struct picture *p, const struct sipsd_certificate *c)
{
    size_t i = 0;
    while (i < p->certificates_count && (strcmp(p->certificates[i].sha256, c->sha256) != 0 ||
                                         strcmp(p->certificates[i].role, c->role) != 0))
        i++;
    return i;
}

/* Those that are no worry any more go. */
static bool put_certificate(struct picture *p, const struct sipsd_certificate *c)
{
    const size_t i = place_of_certificate(p, c);
    const bool ends = strcmp(c->state, "expiring") == 0 || strcmp(c->state, "expired") == 0;
    if (ends ? i == PICTURE_CERTIFICATES_MAX : i == p->certificates_count)
        return false;
    if (ends) {
        p->certificates[i] = *c;
        p->certificates_count += i == p->certificates_count;
        return true;
    }
    p->certificates_count--;
    memmove(&p->certificates[i], &p->certificates[i + 1],
            (p->certificates_count - i) * sizeof p->certificates[0]);
    return true;
}

bool picture_apply(struct picture *p, const struct sipsd_event *ev, int64_t now_ms)
{
    cJSON *status;
    switch (ev->type) {
    case SIPSD_EVENT_SNAPSHOT_BEGIN:
        p->count = p->certificates_count = 0;
        status = cJSON_Parse(ev->json);
        read_phone(p, status);
        cJSON_Delete(status);
        return true;
    case SIPSD_EVENT_SNAPSHOT_END:
        return true;
    case SIPSD_EVENT_LOCK:
        return put_account(p, &ev->account, now_ms);
    case SIPSD_EVENT_REGISTRATION:
        return put_registration(p, &ev->account);
    case SIPSD_EVENT_CERTIFICATE:
        return put_certificate(p, &ev->certificate);
    case SIPSD_EVENT_OTHER:
        break;
    }
    return false;
}

static void read_account(struct picture *p, const char *json, int64_t now_ms)
{
    struct sipsd_account a;
    if (sipsd_account_from_json(json, &a))
        (void)put_account(p, &a, now_ms);
}

static void read_certificate(struct picture *p, const char *json, int64_t now_ms)
{
    struct sipsd_certificate c;
    (void)now_ms;
    if (sipsd_certificate_from_json(json, &c))
        (void)put_certificate(p, &c);
}

static void read_each(struct picture *p, const cJSON *list,
                      void (*read)(struct picture *p, const char *json, int64_t now_ms),
                      int64_t now_ms)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        char *text = cJSON_PrintUnformatted(item);
        if (text != NULL)
            read(p, text, now_ms);
        free(text);
    }
}

bool picture_read(struct picture *p, const char *json, int64_t now_ms)
{
    cJSON *status = cJSON_Parse(json);
    p->count = p->certificates_count = 0;
    if (status == NULL)
        return false;
    read_phone(p, status);
    read_each(p, member(status, "accounts"), read_account, now_ms);
    read_each(p, member(status, "expiring"), read_certificate, now_ms);
    cJSON_Delete(status);
    return true;
}

/* --- how it looks --- */

const char *picture_word(const struct sipsd_account *a)
{
    if (a->lock)
        return a->assurance == SIPSD_ASSURANCE_FULL    ? "locked"
               : a->assurance == SIPSD_ASSURANCE_CHAIN ? "locked, no name"
                                                       : "encrypted only";
    return a->state == SIPSD_STATE_CONNECTING ? "connecting"
           : a->state == SIPSD_STATE_UP       ? "not locked"
                                              : "down";
}

enum term_colour picture_colour(const struct sipsd_account *a)
{
    if (a->lock)
        return a->assurance == SIPSD_ASSURANCE_FULL ? TERM_GREEN : TERM_YELLOW;
    return a->state == SIPSD_STATE_CONNECTING ? TERM_PLAIN : TERM_RED;
}

const char *picture_glyph(const struct term *t, const struct sipsd_account *a)
{
    if (a->lock)
        return t->utf8 ? "🔒" : "[]";
    if (a->state == SIPSD_STATE_CONNECTING)
        return t->utf8 ? "… " : ".."; /* both two columns wide */
    return t->utf8 ? "✗ " : "x ";
}

/* TEXT cut to WIDTH columns, and not padded. */
static void put_at_most(FILE *out, const char *text, int width)
{
    const size_t needed = term_width(text);
    if (width > 0)
        term_put(out, text, needed < (size_t)width ? needed : (size_t)width);
}

/* What a line has to say behind the word, where there is room for it: the registration, and when
 * the next try is. */
static void put_details(FILE *out, const struct term *t, const struct sipsd_account *a,
                        int64_t age_ms)
{
    char text[128] = "";
    const int left_ms = a->retry_in_ms > age_ms ? (int)(a->retry_in_ms - age_ms) : 0;
    if (a->state == SIPSD_STATE_UP)
        (void)snprintf(text, sizeof text, "%s%s%s", a->registration,
                       a->protocol[0] != '\0' ? "  " : "", a->protocol);
    else if (a->retry_in_ms >= 0)
        (void)snprintf(text, sizeof text, "next try in %d s", (left_ms + 999) / 1000);
    put_at_most(out, text, t->columns - DETAILS_AT);
}

static size_t text_width(const struct term *t)
{
    const int columns = t->columns > 100 ? 100 : t->columns; /* longer lines are hard to read */
    return columns > INDENT + 1 ? (size_t)(columns - INDENT - 1) : 0;
}

/* The sentences below an account's line, each in at most MAX lines. Without OUT it only counts. */
static int draw_sentences(FILE *out, const struct term *t, const struct sipsd_account *a, int max,
                          const char *end)
{
    return term_wrap(out, a->sentence, INDENT, text_width(t), max, end) +
           term_wrap(out, a->registration_error, INDENT, text_width(t), max, end);
}

static void draw_account(FILE *out, const struct term *t, const struct sipsd_account *a,
                         int64_t age_ms, const char *end)
{
    const char *plain = term_colour(t, TERM_PLAIN);
    (void)fprintf(out, "%s%s%2d ", term_colour(t, picture_colour(a)), picture_glyph(t, a),
                  a->number);
    (void)fprintf(out, "%s%s", plain, term_colour(t, TERM_BOLD));
    term_put(out, a->label[0] != '\0' ? a->label : a->aor, LABEL);
    (void)fprintf(out, "%s %s", plain, term_colour(t, picture_colour(a)));
    term_put(out, picture_word(a), WORD);
    (void)fprintf(out, "%s %s", plain, term_colour(t, TERM_DIM));
    put_details(out, t, a, age_ms);
    (void)fprintf(out, "%s%s", plain, end);
}

/* How many lines each sentence may have, so that all accounts fit into ROWS. */
static int sentence_lines(const struct term *t, const struct picture *p, int rows)
{
    for (int max = SENTENCE_LINES_MAX; max > 0; max--) {
        int lines = (int)p->count;
        for (size_t i = 0; i < p->count; i++)
            lines += draw_sentences(NULL, t, &p->accounts[i], max, "");
        if (lines <= rows)
            return max;
    }
    return 0;
}

/* Below the accounts, behind an empty line; at most MAX lines in all. */
static int draw_certificates(FILE *out, const struct term *t, const struct picture *p, int max,
                             const char *end)
{
    int lines = 0;
    for (size_t i = 0; i < p->certificates_count && lines + 1 < max; i++) {
        const struct sipsd_certificate *c = &p->certificates[i];
        const bool over = strcmp(c->state, "expired") == 0;
        if (lines == 0) {
            (void)fputs(end, out);
            lines++;
        }
        (void)fputs(term_colour(t, over ? TERM_RED : TERM_YELLOW), out);
        lines += term_wrap(out, c->sentence, 0, text_width(t), max - lines, end);
        (void)fputs(term_colour(t, TERM_PLAIN), out);
    }
    return lines;
}

int picture_draw(FILE *out, const struct term *t, const struct picture *p, int64_t now_ms, int max,
                 const char *end)
{
    int lines = 2;
    if (max < lines)
        return 0;
    (void)fputs(term_colour(t, TERM_DIM), out);
    put_at_most(out, p->phone, t->columns);
    (void)fprintf(out, "%s%s%s", term_colour(t, TERM_PLAIN), end, end);
    const int per_sentence = sentence_lines(t, p, max - lines);
    for (size_t i = 0; i < p->count; i++) {
        if (lines == max - 1 && i + 1 < p->count) {
            (void)fprintf(out, "%*s... and %zu more%s", INDENT, "", p->count - i, end);
            return lines + 1;
        }
        draw_account(out, t, &p->accounts[i], now_ms - p->told_ms[i], end);
        lines += 1 + draw_sentences(out, t, &p->accounts[i], per_sentence, end);
    }
    return lines + draw_certificates(out, t, p, max - lines, end);
}
