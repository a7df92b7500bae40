#include "control/weburl.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/wipe.h"

#define HTTP_PORT  80
#define HTTPS_PORT 443

/* curl does no TLS here and so does not know https, but it takes its URLs apart all the same. */
#define PARSE_FLAGS (CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE | CURLU_ALLOW_SPACE)

/* A part, or NULL where there is none; to be freed with curl_free(). */
static char *part(CURLU *u, CURLUPart what, unsigned flags)
{
    char *text = NULL;

    return curl_url_get(u, what, &text, flags) == CURLUE_OK ? text : NULL;
}

static struct result take_scheme(CURLU *u, struct weburl *out, struct errinfo *e)
{
    char *scheme = part(u, CURLUPART_SCHEME, 0);
    const struct slice s = slice_of_str(scheme);
    struct result r = OK;

    out->secure = slice_eq_nocase_str(s, "https");
    if (!out->secure && !slice_eq_nocase_str(s, "http"))
        r = fail(e, ERR_INVALID, "the URL begins with '%.32s:', not with https: or http:",
                 scheme != NULL ? scheme : "");
    curl_free(scheme);
    return r;
}

static struct result take_host(CURLU *u, struct weburl *out, struct errinfo *e)
{
    char *host = part(u, CURLUPART_HOST, 0);
    const struct result r = peername_parse(slice_of_str(host), &out->host, e);

    curl_free(host);
    return r;
}

static struct result take_port(CURLU *u, struct weburl *out, struct errinfo *e)
{
    char *port = part(u, CURLUPART_PORT, 0);
    const uint16_t usual = out->secure ? HTTPS_PORT : HTTP_PORT;
    uint64_t number = usual;
    const bool good =
        port == NULL || (slice_to_u64(slice_of_str(port), UINT16_MAX, &number) && number > 0);

    curl_free(port);
    if (!good)
        return fail(e, ERR_INVALID, "the port in the URL of %s is not valid", out->host.text);
    out->port = (uint16_t)number;
    const bool v6 = out->host.kind == PEERNAME_IP && out->host.ip_len == 16;
    const int n =
        snprintf(out->authority, sizeof out->authority, v6 ? "[%s]" : "%s", out->host.text);
    if (out->port != usual)
        (void)snprintf(out->authority + n, sizeof out->authority - (size_t)n, ":%u",
                       (unsigned)out->port);
    return OK;
}

static char *join(const char *path, const char *query)
{
    const size_t size = strlen(path) + (query != NULL ? strlen(query) + 1 : 0) + 1;
    char *text = malloc(size);

    if (text != NULL)
        (void)snprintf(text, size, "%s%s%s", path, query != NULL ? "?" : "",
                       query != NULL ? query : "");
    return text;
}

static struct result take_target(CURLU *u, struct weburl *out, struct errinfo *e)
{
    char *path = part(u, CURLUPART_PATH, 0);
    char *query = part(u, CURLUPART_QUERY, 0);

    out->target = join(path != NULL ? path : "/", query);
    curl_free(path);
    curl_free(query);
    return out->target != NULL ? OK : fail(e, ERR_NOMEM, "out of memory for a URL");
}

/* The URL that U holds. */
static struct result take(CURLU *u, struct weburl *out, struct errinfo *e)
{
    TRY(take_scheme(u, out, e));
    TRY(take_host(u, out, e));
    TRY(take_port(u, out, e));
    return take_target(u, out, e);
}

static struct result take_credentials(CURLU *u, struct weburl *out)
{
    char *user = part(u, CURLUPART_USER, CURLU_URLDECODE);
    char *password = part(u, CURLUPART_PASSWORD, CURLU_URLDECODE);
    const struct result r = user != NULL ? weburl_set_credentials(out, user, password) : OK;

    if (password != NULL)
        wipe(password, strlen(password));
    curl_free(user);
    curl_free(password);
    return r;
}

static struct result not_a_url(CURLUcode code, struct errinfo *e)
{
    if (code == CURLUE_OUT_OF_MEMORY)
        return fail(e, ERR_NOMEM, "out of memory for a URL");
    return fail_native(e, ERR_INVALID, (int)code,
                       "this is not a URL such as https://prov.example.com/phones/");
}

/* Control characters have no place in it, and the parser lets some through. */
static bool is_clean(const char *text)
{
    size_t n = 0;

    while (n < LIMIT_URL && (unsigned char)text[n] >= ' ' && text[n] != 0x7f)
        n++;
    return n < LIMIT_URL && text[n] == '\0';
}

/* The parser takes any number of slashes, as browsers do; of an admin that is a slip. */
static bool has_authority(const char *text)
{
    const char *at = strstr(text, "://");

    return at != NULL && at[strlen("://")] != '/';
}

RESULT weburl_parse(const char *text, struct weburl *out, struct errinfo *e)
{
    *out = (struct weburl){0};
    if (!is_clean(text) || !has_authority(text))
        return not_a_url(CURLUE_MALFORMED_INPUT, e);
    CURLU *u = curl_url();
    if (u == NULL)
        return not_a_url(CURLUE_OUT_OF_MEMORY, e);
    const CURLUcode code = curl_url_set(u, CURLUPART_URL, text, PARSE_FLAGS);
    struct result r = code == CURLUE_OK ? take(u, out, e) : not_a_url(code, e);
    if (is_ok(r))
        r = take_credentials(u, out);
    curl_url_cleanup(u);
    if (is_err(r))
        weburl_clear(out);
    return r;
}

/* --- redirects --- */

static struct result set_base(CURLU *u, const struct weburl *from, struct errinfo *e)
{
    const size_t size = sizeof "https://" + sizeof from->authority + strlen(from->target);
    char *text = malloc(size);

    if (text == NULL)
        return not_a_url(CURLUE_OUT_OF_MEMORY, e);
    (void)snprintf(text, size, "%s://%s%s", from->secure ? "https" : "http", from->authority,
                   from->target);
    const CURLUcode code = curl_url_set(u, CURLUPART_URL, text, PARSE_FLAGS);
    free(text);
    return code == CURLUE_OK ? OK : not_a_url(code, e);
}

static bool same_server(const struct weburl *a, const struct weburl *b)
{
    return a->secure == b->secure && a->port == b->port && strcmp(a->host.text, b->host.text) == 0;
}

static struct result resolve(CURLU *u, const struct weburl *from, const char *location,
                             struct weburl *out, struct errinfo *e)
{
    struct errinfo why = ERRINFO_INIT;

    TRY(set_base(u, from, e));
    const CURLUcode code = is_clean(location)
                               ? curl_url_set(u, CURLUPART_URL, location, PARSE_FLAGS)
                               : CURLUE_MALFORMED_INPUT;
    const struct result r = code == CURLUE_OK ? take(u, out, &why) : not_a_url(code, &why);
    if (is_err(r))
        return fail(e, r.code == ERR_NOMEM ? ERR_NOMEM : ERR_DENIED,
                    "%s redirects to where the phone does not go: %s", from->authority, why.text);
    if (from->secure && !out->secure)
        return fail(e, ERR_DENIED, "%s redirects from HTTPS down to HTTP, at %s: that is refused",
                    from->authority, out->authority);
    return same_server(from, out) && from->user != NULL
               ? weburl_set_credentials(out, from->user, from->password)
               : OK;
}

RESULT weburl_follow(const struct weburl *from, const char *location, struct weburl *out,
                     struct errinfo *e)
{
    *out = (struct weburl){0};
    CURLU *u = curl_url();
    if (u == NULL)
        return not_a_url(CURLUE_OUT_OF_MEMORY, e);
    const struct result r = resolve(u, from, location, out, e);
    curl_url_cleanup(u);
    if (is_err(r))
        weburl_clear(out);
    return r;
}

/* --- the rest --- */

RESULT weburl_set_credentials(struct weburl *u, const char *user, const char *password)
{
    u->user = strdup(user);
    u->password = strdup(password != NULL ? password : "");
    return u->user != NULL && u->password != NULL ? OK : err(ERR_NOMEM);
}

void weburl_clear(struct weburl *u)
{
    wipe_free_str(u->target); /* a query may hold a token */
    wipe_free_str(u->user);
    wipe_free_str(u->password);
    *u = (struct weburl){0};
}

int weburl_path_len(const struct weburl *u)
{
    return (int)strcspn(u->target, "?");
}
