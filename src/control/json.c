#include "control/json.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "base/ascii.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "base/wipe.h"

struct reader {
    struct slice text;
    size_t at;
    struct errinfo *e;
};

/* The byte at hand; -1 at the end. */
static int peek(const struct reader *r)
{
    return r->at < r->text.n ? r->text.p[r->at] : -1;
}

static RESULT wrong(const struct reader *r, const char *what)
{
    if (r->at >= r->text.n)
        return fail(r->e, ERR_PARSE, "the JSON ends too early: %s", what);
    return fail(r->e, ERR_PARSE, "not JSON at byte %zu: %s", r->at + 1, what);
}

/* RFC 8259 section 2: ws */
static void skip_blanks(struct reader *r)
{
    int c;

    while ((c = peek(r)) == ' ' || c == '\t' || c == '\n' || c == '\r')
        r->at++;
}

static RESULT literal(struct reader *r, struct slice word)
{
    if (!slice_starts(slice_from(r->text, r->at), word))
        return wrong(r, "expected true, false or null");
    r->at += word.n;
    return OK;
}

static bool digits(struct reader *r)
{
    const size_t start = r->at;

    while (ascii_is_digit((uint8_t)peek(r)))
        r->at++;
    return r->at != start;
}

/* Section 6: [ minus ] int [ frac ] [ exp ], and int has no leading zero. */
static RESULT number(struct reader *r)
{
    if (peek(r) == '-')
        r->at++;
    if (peek(r) == '0')
        r->at++;
    else if (!digits(r))
        return wrong(r, "expected a digit");
    if (peek(r) == '.') {
        r->at++;
        if (!digits(r))
            return wrong(r, "expected a digit behind the point");
    }
    if (peek(r) == 'e' || peek(r) == 'E') {
        r->at++;
        if (peek(r) == '+' || peek(r) == '-')
            r->at++;
        if (!digits(r))
            return wrong(r, "expected a digit in the exponent");
    }
    return OK;
}

/* The four digits of \uXXXX; -1 if they are not. */
static int32_t hex4(struct reader *r)
{
    int32_t value = 0;

    for (int i = 0; i < 4; i++) {
        const int c = peek(r);
        const int digit = c < 0 ? -1 : ascii_hex((uint8_t)c);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
        r->at++;
    }
    return value;
}

/* Behind "\u". Section 7: what is above U+FFFF is a pair of surrogates. */
static RESULT unicode_escape(struct reader *r)
{
    const int32_t unit = hex4(r);

    if (unit < 0)
        return wrong(r, "expected four hexadecimal digits behind \\u");
    if (unit < 0xd800 || unit > 0xdfff)
        return OK;
    if (unit <= 0xdbff && slice_starts(slice_from(r->text, r->at), SLICE_LIT("\\u"))) {
        r->at += 2;
        const int32_t second = hex4(r);
        if (second >= 0xdc00 && second <= 0xdfff)
            return OK;
    }
    return wrong(r, "half a surrogate pair is no character");
}

/* Behind the backslash. */
static RESULT escape(struct reader *r)
{
    switch (peek(r)) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        r->at++;
        return OK;
    case 'u':
        r->at++;
        return unicode_escape(r);
    default:
        return wrong(r, "there is no such escape");
    }
}

/* Section 7, from the opening quote on. */
static RESULT string(struct reader *r)
{
    int c;

    r->at++;
    while ((c = peek(r)) != '"') {
        if (c < 0)
            return wrong(r, "a string has no closing quote");
        if (c < 0x20)
            return wrong(r, "a control character in a string is written as an escape");
        if (c == '\\') {
            r->at++;
            TRY(escape(r));
            continue;
        }
        const size_t n = utf8_char(slice_from(r->text, r->at));
        if (n == 0)
            return wrong(r, "this is not UTF-8");
        r->at += n;
    }
    r->at++;
    return OK;
}

static RESULT scalar(struct reader *r)
{
    const int c = peek(r);

    switch (c) {
    case '"':
        return string(r);
    case 't':
        return literal(r, SLICE_LIT("true"));
    case 'f':
        return literal(r, SLICE_LIT("false"));
    case 'n':
        return literal(r, SLICE_LIT("null"));
    default:
        if (c == '-' || (c >= 0 && ascii_is_digit((uint8_t)c)))
            return number(r);
        return wrong(r, "expected a value");
    }
}

/* A member's name and its colon. */
static RESULT name(struct reader *r)
{
    skip_blanks(r);
    if (peek(r) != '"')
        return wrong(r, "expected a member's name in quotes");
    TRY(string(r));
    skip_blanks(r);
    if (peek(r) != ':')
        return wrong(r, "expected a colon");
    r->at++;
    return OK;
}

/* What is open around the reader's place: '{' or '[', the innermost last. */
struct nest {
    char open[LIMIT_JSON_DEPTH];
    size_t depth;
};

/* At '{' or '['. Sets *EMPTY if it closes at once: then it is a whole value. */
static RESULT open_one(struct reader *r, struct nest *nest, bool *empty)
{
    const char bracket = (char)peek(r);

    if (nest->depth == LIMIT_JSON_DEPTH)
        return fail(r->e, ERR_LIMIT, "the JSON is nested deeper than %d", LIMIT_JSON_DEPTH);
    r->at++;
    skip_blanks(r);
    *empty = peek(r) == (bracket == '{' ? '}' : ']');
    if (*empty) {
        r->at++;
        return OK;
    }
    nest->open[nest->depth++] = bracket;
    return bracket == '{' ? name(r) : OK;
}

/* Behind a value: closes what closes here. Sets *MORE if a comma promises another value. */
static RESULT close_all(struct reader *r, struct nest *nest, bool *more)
{
    *more = false;
    while (nest->depth != 0) {
        const bool object = nest->open[nest->depth - 1] == '{';
        skip_blanks(r);
        if (peek(r) == ',') {
            r->at++;
            *more = true;
            return object ? name(r) : OK;
        }
        if (peek(r) != (object ? '}' : ']'))
            return wrong(r, object ? "expected a comma or }" : "expected a comma or ]");
        r->at++;
        nest->depth--;
    }
    return OK;
}

struct result json_check(struct slice text, struct errinfo *e)
{
    struct reader r = {.text = text, .e = e};
    struct nest nest = {.depth = 0};
    bool more = true;

    if (text.n > LIMIT_RPC_REQUEST)
        return fail(e, ERR_LIMIT, "the JSON is longer than %d bytes", LIMIT_RPC_REQUEST);
    while (more) {
        bool whole = true;
        skip_blanks(&r);
        if (peek(&r) == '{' || peek(&r) == '[')
            TRY(open_one(&r, &nest, &whole));
        else
            TRY(scalar(&r));
        if (whole)
            TRY(close_all(&r, &nest, &more));
    }
    skip_blanks(&r);
    if (r.at != text.n)
        return wrong(&r, "something follows the value");
    return OK;
}

struct result json_parse(struct slice text, struct cJSON **out, struct errinfo *e)
{
    TRY(json_check(text, e));
    *out = cJSON_ParseWithLength((const char *)text.p, text.n);
    if (*out == NULL) /* it is JSON, so nothing else is left */
        return fail(e, ERR_NOMEM, "no memory for the JSON");
    return OK;
}

/* As deep as json_check() lets values be. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void wipe_texts(struct cJSON *json)
{
    for (; json != NULL; json = json->next) {
        if (json->valuestring != NULL)
            wipe(json->valuestring, strlen(json->valuestring));
        wipe_texts(json->child);
    }
}

void json_wipe(struct cJSON *json)
{
    wipe_texts(json);
    cJSON_Delete(json);
}
