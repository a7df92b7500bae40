#include "tools/registrar_auth.h"

#include <stdlib.h>
#include <string.h>

/* The parameters of an Authorization that matter. */
struct answer {
    char user[256];
    char realm[DIGEST_REALM_SIZE];
    char nonce[DIGEST_NONCE_SIZE];
    char uri[512];
    char response[HASH_HEX_SIZE(HASH_MAX_SIZE)];
    char algorithm[32];
    char qop[16];
    char nc[16];
    char cnonce[128];
};

static bool optional(struct slice list, const char *name, char *out, size_t size)
{
    out[0] = '\0';
    const struct result r = digest_param(list, name, out, size);
    return is_ok(r) || r.code == ERR_NOT_FOUND;
}

static bool read_answer(const char *value, struct answer *a)
{
    const struct slice v = slice_of_str(value);
    return is_ok(digest_param(v, "username", a->user, sizeof a->user)) &&
           is_ok(digest_param(v, "realm", a->realm, sizeof a->realm)) &&
           is_ok(digest_param(v, "nonce", a->nonce, sizeof a->nonce)) &&
           is_ok(digest_param(v, "uri", a->uri, sizeof a->uri)) &&
           is_ok(digest_param(v, "response", a->response, sizeof a->response)) &&
           optional(v, "algorithm", a->algorithm, sizeof a->algorithm) &&
           optional(v, "qop", a->qop, sizeof a->qop) && optional(v, "nc", a->nc, sizeof a->nc) &&
           optional(v, "cnonce", a->cnonce, sizeof a->cnonce);
}

/* Whether the response is what the password gives. */
static bool response_right(const struct registrar_auth *a, const struct answer *got,
                           const struct sip_message *m, const char *auth_user, const char *password)
{
    const bool sha256 = strcmp(got->algorithm, "SHA-256") == 0;
    const struct digest_credentials cred = {.user = auth_user, .password = password};
    struct digest_challenge c = {.alg = sha256 ? HASH_SHA256 : HASH_MD5, .qop_auth = true};
    char expected[HASH_HEX_SIZE(HASH_MAX_SIZE)];
    if (strcmp(got->realm, a->cfg->realm) != 0 || strcmp(got->user, auth_user) != 0 ||
        strcmp(got->uri, sip_message_uri(m)) != 0 || strcmp(got->qop, "auth") != 0 ||
        (sha256 ? !a->cfg->sha256 : !a->cfg->md5 || strcmp(got->algorithm, "MD5") != 0))
        return false;
    (void)slice_to_str(slice_of_str(got->realm), c.realm, sizeof c.realm);
    (void)slice_to_str(slice_of_str(got->nonce), c.nonce, sizeof c.nonce);
    digest_response(&c, &cred, sip_message_method(m), got->uri,
                    (uint32_t)strtoul(got->nc, NULL, 16), got->cnonce, expected);
    return strlen(got->response) == strlen(expected) &&
           hash_equal(got->response, expected, strlen(expected));
}

/* Whether the nonce is ours, young, and not used with this count before; uses it. */
static bool use_nonce(struct registrar_auth *a, const struct answer *got, uint64_t now_ms)
{
    const uint32_t nc = (uint32_t)strtoul(got->nc, NULL, 16);
    for (size_t i = 0; i < REGISTRAR_NONCES; i++) {
        if (a->nonces[i].text[0] == '\0' || strcmp(a->nonces[i].text, got->nonce) != 0)
            continue;
        const uint64_t life = a->cfg->nonce_lifetime_ms;
        if (nc <= a->nonces[i].nc || (life != 0 && now_ms - a->nonces[i].issued_ms >= life))
            return false;
        a->nonces[i].nc = nc;
        return true;
    }
    return false;
}

enum registrar_verdict registrar_auth_check(struct registrar_auth *a, const struct sip_message *m,
                                            const char *auth_user, const char *password,
                                            uint64_t now_ms)
{
    struct answer got;
    const char *name = a->cfg->as_proxy ? "Proxy-Authorization" : "Authorization";
    const char *value = sip_message_header(m, name, 0);
    if (value == NULL)
        return REGISTRAR_AUTH_NONE;
    if (!read_answer(value, &got) || !response_right(a, &got, m, auth_user, password))
        return REGISTRAR_AUTH_WRONG;
    return use_nonce(a, &got, now_ms) ? REGISTRAR_AUTH_RIGHT : REGISTRAR_AUTH_STALE;
}

static const char *make_nonce(struct registrar_auth *a, uint64_t now_ms)
{
    const size_t i = a->next;
    a->next = (i + 1) % REGISTRAR_NONCES;
    rng_token(a->rng, a->nonces[i].text, REGISTRAR_NONCE_LENGTH);
    a->nonces[i].issued_ms = now_ms;
    a->nonces[i].nc = 0;
    return a->nonces[i].text;
}

struct result registrar_auth_challenge(struct registrar_auth *a, bool stale, uint64_t now_ms,
                                       struct buf *out)
{
    static const char *const names[] = {"SHA-256", "MD5"};
    const bool offered[] = {a->cfg->sha256, a->cfg->md5};
    bool first = true;
    for (size_t i = 0; i < 2; i++) {
        if (!offered[i])
            continue;
        if (first || !a->cfg->one_field)
            TRY(buf_printf(out, "%s%s: ", first ? "" : "\r\n",
                           a->cfg->as_proxy ? "Proxy-Authenticate" : "WWW-Authenticate"));
        else
            TRY(buf_append_str(out, ", "));
        TRY(buf_printf(out, "Digest realm=\"%s\", nonce=\"%s\", algorithm=%s, qop=\"auth\"%s",
                       a->cfg->realm, make_nonce(a, now_ms), names[i],
                       stale && !a->cfg->silent_about_stale ? ", stale=true" : ""));
        first = false;
    }
    return buf_append_str(out, "\r\n");
}

struct result registrar_auth_next(struct registrar_auth *a, uint64_t now_ms, struct buf *out)
{
    return buf_printf(out, "%s: nextnonce=\"%s\"\r\n",
                      a->cfg->as_proxy ? "Proxy-Authentication-Info" : "Authentication-Info",
                      make_nonce(a, now_ms));
}
