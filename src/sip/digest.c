#include "sip/digest.h"

#include <stdio.h>
#include <string.h>

#include "base/wipe.h"
#include "sip/field.h"

#define CNONCE_LENGTH 24 /* over 120 bits: RFC 7616 section 5.12 wants it hard to guess */
#define NC_SIZE       9  /* eight hexadecimal digits (RFC 7616 section 3.4) */
#define TOKEN_SIZE    32

static const char colon_text[] = ":";
#define COLON slice_of(colon_text, 1)

/* --- lists of parameters --- */

struct param {
    struct slice name;
    struct slice value; /* as it stands, quotes and all */
};

static struct slice skip(struct slice s, const char *chars)
{
    while (s.n > 0 && s.p[0] != 0 && strchr(chars, s.p[0]) != NULL)
        s = slice_from(s, 1);
    return s;
}

/* The bytes at the front of S up to any of CHARS. */
static struct slice until(struct slice s, const char *chars)
{
    size_t n = 0;
    while (n < s.n && (s.p[n] == 0 || strchr(chars, s.p[n]) == NULL))
        n++;
    return slice_first(s, n);
}

/* The quoted string at the front of S; empty if it does not end. */
static struct slice quoted(struct slice s)
{
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == '"')
            return slice_first(s, i + 1);
        if (s.p[i] == '\\')
            i++;
    }
    return SLICE_EMPTY;
}

/*
 * The next name = value of *REST. ERR_NOT_FOUND at the end, and before the next challenge, which
 * begins with a word that no '=' follows; ERR_PARSE.
 */
static struct result next_param(struct slice *rest, struct param *out)
{
    const struct slice s = skip(*rest, " \t,");
    *rest = s;
    out->name = until(s, " \t,=\"");
    struct slice after = skip(slice_from(s, out->name.n), " \t");
    if (s.n == 0 || (sip_token_valid(out->name) && (after.n == 0 || after.p[0] != '=')))
        return err(ERR_NOT_FOUND);
    after = skip(slice_from(after, 1), " \t");
    out->value = after.n > 0 && after.p[0] == '"' ? quoted(after) : until(after, " \t,\"");
    *rest = slice_from(after, out->value.n);
    const struct slice behind = skip(*rest, " \t");
    if (!sip_token_valid(out->name) || (behind.n > 0 && behind.p[0] != ','))
        return err(ERR_PARSE);
    return OK;
}

/* Copies VALUE without its quotes and backslashes. */
static struct result unquote(struct slice value, char *out, size_t size)
{
    size_t n = 0;
    if (value.n == 0) /* of other schemes, "=" may be the end of what they send in base 64 */
        return err(ERR_PARSE);
    if (value.p[0] == '"')
        value = slice_of(value.p + 1, value.n - 2);
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '\\' && i + 1 < value.n)
            i++;
        if (n + 1 >= size)
            return err(ERR_LIMIT);
        if (value.p[i] < 0x20 || value.p[i] == 0x7f)
            return err(ERR_PARSE);
        out[n++] = (char)value.p[i];
    }
    out[n] = '\0';
    return OK;
}

struct result digest_param(struct slice list, const char *name, char *out, size_t size)
{
    struct param p;
    const struct slice word = until(list, " \t");
    if (slice_eq_nocase_str(word, "Digest"))
        list = slice_from(list, word.n);
    for (;;) {
        TRY(next_param(&list, &p));
        if (slice_eq_nocase_str(p.name, name))
            return unquote(p.value, out, size);
    }
}

/* --- challenges --- */

/* Like digest_param(), for a parameter that may be missing: OUT is empty then. */
static struct result optional(struct slice list, const char *name, char *out, size_t size)
{
    const struct result r = digest_param(list, name, out, size);
    if (r.code != ERR_NOT_FOUND)
        return r;
    out[0] = '\0';
    return OK;
}

/* RFC 7616 section 3.3 and RFC 8760 section 2.1; none is MD5. */
static struct result read_algorithm(struct slice list, struct digest_challenge *c,
                                    struct errinfo *e)
{
    static const struct {
        const char *name;
        enum hash_alg alg;
        bool sess;
    } known[] = {{"", HASH_MD5, false},
                 {"MD5", HASH_MD5, false},
                 {"MD5-sess", HASH_MD5, true},
                 {"SHA-256", HASH_SHA256, false},
                 {"SHA-256-sess", HASH_SHA256, true}};
    char name[TOKEN_SIZE];
    const struct result r = optional(list, "algorithm", name, sizeof name);
    if (is_ok(r))
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            if (slice_eq_nocase(slice_of_str(name), slice_of_str(known[i].name))) {
                c->alg = known[i].alg;
                c->sess = known[i].sess;
                return OK;
            }
    return fail(e, ERR_UNSUPPORTED,
                "the server wants a digest algorithm that is not known here%s%s",
                is_ok(r) ? ": " : "", is_ok(r) ? name : "");
}

static struct result read_qop(struct slice list, struct digest_challenge *c, struct errinfo *e)
{
    char options[128];
    TRY(optional(list, "qop", options, sizeof options));
    bool any = false;
    for (struct slice rest = slice_of_str(options); rest.n > 0;) {
        const struct slice option = slice_trim(slice_cut(&rest, ','));
        any = any || option.n > 0;
        c->qop_auth = c->qop_auth || slice_eq_nocase_str(option, "auth");
    }
    if (any && !c->qop_auth)
        return fail(e, ERR_UNSUPPORTED,
                    "the server wants a quality of protection that is not known "
                    "here: %s",
                    options);
    if (c->sess && !any) /* it needs a cnonce, and there is none without qop */
        return fail(e, ERR_UNSUPPORTED, "the server wants a session digest without qop");
    return OK;
}

static struct result read_challenge(struct slice list, struct digest_challenge *c,
                                    struct errinfo *e)
{
    char stale[TOKEN_SIZE];
    TRY(digest_param(list, "realm", c->realm, sizeof c->realm));
    TRY(digest_param(list, "nonce", c->nonce, sizeof c->nonce));
    const struct result r = digest_param(list, "opaque", c->opaque, sizeof c->opaque);
    if (is_err(r) && r.code != ERR_NOT_FOUND)
        return r;
    c->has_opaque = is_ok(r);
    c->stale = is_ok(digest_param(list, "stale", stale, sizeof stale)) &&
               slice_eq_nocase_str(slice_of_str(stale), "true");
    TRY(read_algorithm(list, c, e));
    return read_qop(list, c, e);
}

/* Cuts one challenge off *REST: its scheme, and its parameters as they stand. */
static struct result cut_challenge(struct slice *rest, struct slice *scheme, struct slice *list)
{
    struct param p;
    *rest = skip(*rest, " \t,");
    *scheme = until(*rest, " \t,");
    *list = slice_from(*rest, scheme->n);
    *rest = *list;
    struct result r;
    while (is_ok(r = next_param(rest, &p)))
        ;
    if (r.code != ERR_NOT_FOUND || !sip_token_valid(*scheme))
        return err(ERR_PARSE);
    list->n -= rest->n;
    return OK;
}

struct result digest_parse(struct slice *rest, struct digest_challenge *out, struct errinfo *e)
{
    struct slice scheme, list;
    *out = (struct digest_challenge){.alg = HASH_MD5};
    struct result r = cut_challenge(rest, &scheme, &list);
    if (is_ok(r) && !slice_eq_nocase_str(scheme, "Digest"))
        return fail(e, ERR_UNSUPPORTED,
                    "the server wants a kind of authentication that is not known "
                    "here: %.*s",
                    SLICE_FMT(slice_first(scheme, TOKEN_SIZE)));
    if (is_ok(r))
        r = read_challenge(list, out, e);
    if (is_ok(r) || r.code == ERR_UNSUPPORTED)
        return r;
    *rest = SLICE_EMPTY;
    if (r.code == ERR_LIMIT)
        return fail(e, ERR_LIMIT, "the server's challenge has a parameter that is too long");
    return fail(e, ERR_PARSE, "the server's challenge is malformed");
}

bool digest_better(const struct digest_challenge *a, const struct digest_challenge *b)
{
    if (a->alg != b->alg)
        return a->alg == HASH_SHA256;
    return a->qop_auth && !b->qop_auth;
}

/* --- answers --- */

static void hash_to_hex(enum hash_alg alg, const struct slice *parts, size_t n,
                        char out[HASH_HEX_SIZE(HASH_MAX_SIZE)])
{
    uint8_t raw[HASH_MAX_SIZE];
    hash_parts(alg, parts, n, raw);
    hash_hex(slice_of(raw, hash_size(alg)), out);
    wipe(raw, sizeof raw);
}

/* H(A1) of RFC 7616 section 3.4.2; OUT is as good as the password. */
static void make_ha1(const struct digest_challenge *c, const struct digest_credentials *cred,
                     const char *cnonce, char out[HASH_HEX_SIZE(HASH_MAX_SIZE)])
{
    const struct slice a1[] = {slice_of_str(cred->user), COLON, slice_of_str(c->realm), COLON,
                               slice_of_str(cred->password)};
    hash_to_hex(c->alg, a1, 5, out);
    if (!c->sess)
        return;
    char first[HASH_HEX_SIZE(HASH_MAX_SIZE)];
    memcpy(first, out, sizeof first);
    const struct slice sess[] = {slice_of_str(first), COLON, slice_of_str(c->nonce), COLON,
                                 slice_of_str(cnonce)};
    hash_to_hex(c->alg, sess, 5, out);
    wipe(first, sizeof first);
}

static void make_nc(uint32_t nc, char out[NC_SIZE])
{
    (void)snprintf(out, NC_SIZE, "%08x", (unsigned)nc);
}

void digest_response(const struct digest_challenge *c, const struct digest_credentials *cred,
                     const char *method, const char *uri, uint32_t nc, const char *cnonce,
                     char out[HASH_HEX_SIZE(HASH_MAX_SIZE)])
{
    char ha1[HASH_HEX_SIZE(HASH_MAX_SIZE)], ha2[HASH_HEX_SIZE(HASH_MAX_SIZE)], count[NC_SIZE];
    const struct slice a2[] = {slice_of_str(method), COLON, slice_of_str(uri)};
    make_ha1(c, cred, cnonce, ha1);
    hash_to_hex(c->alg, a2, 3, ha2);
    make_nc(nc, count);
    const struct slice with_qop[] = {slice_of_str(ha1),   COLON, slice_of_str(c->nonce), COLON,
                                     slice_of_str(count), COLON, slice_of_str(cnonce),   COLON,
                                     SLICE_LIT("auth"),   COLON, slice_of_str(ha2)};
    const struct slice without[] = {slice_of_str(ha1), COLON, slice_of_str(c->nonce), COLON,
                                    slice_of_str(ha2)};
    if (c->qop_auth)
        hash_to_hex(c->alg, with_qop, sizeof with_qop / sizeof with_qop[0], out);
    else
        hash_to_hex(c->alg, without, sizeof without / sizeof without[0], out);
    wipe(ha1, sizeof ha1);
}

/* name="value", with backslashes where they must be. */
static struct result write_quoted(struct buf *out, const char *name, const char *value)
{
    TRY(buf_printf(out, "%s=\"", name));
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\')
            TRY(buf_append_str(out, "\\"));
        TRY(buf_append(out, slice_of(value, 1)));
    }
    return buf_append_str(out, "\"");
}

static bool has_controls(const char *s)
{
    for (; *s != '\0'; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return true;
    return false;
}

struct result digest_answer(struct buf *out, const struct digest_challenge *c,
                            const struct digest_credentials *cred, const char *method,
                            const char *uri, uint32_t nc, const struct rng *rng, struct errinfo *e)
{
    if (has_controls(cred->user) || has_controls(uri))
        return fail(e, ERR_INVALID,
                    "the user name has a character that cannot stand in a SIP message");
    char cnonce[CNONCE_LENGTH + 1], count[NC_SIZE], response[HASH_HEX_SIZE(HASH_MAX_SIZE)];
    rng_token(rng, cnonce, CNONCE_LENGTH);
    make_nc(nc, count);
    digest_response(c, cred, method, uri, nc, cnonce, response);
    TRY(write_quoted(out, "Digest username", cred->user));
    TRY(write_quoted(out, ", realm", c->realm));
    TRY(write_quoted(out, ", nonce", c->nonce));
    TRY(write_quoted(out, ", uri", uri));
    TRY(buf_printf(out, ", response=\"%s\", algorithm=%s%s", response,
                   c->alg == HASH_MD5 ? "MD5" : "SHA-256", c->sess ? "-sess" : ""));
    if (c->has_opaque)
        TRY(write_quoted(out, ", opaque", c->opaque));
    if (c->qop_auth)
        TRY(buf_printf(out, ", qop=auth, nc=%s, cnonce=\"%s\"", count, cnonce));
    return OK;
}
