#include "sip/auth.h"

#include "base/limits.h"

void sip_auth_begin(struct sip_auth *a)
{
    a->rounds = 0;
    a->server.fresh = false;
    a->proxy.fresh = false;
}

/* The best of the challenges in the fields called NAME: a server may offer one for each algorithm,
 * each in a field of its own (RFC 8760 section 2.3). */
static struct result choose(const struct sip_message *m, const char *name,
                            struct digest_challenge *out, struct errinfo *e)
{
    struct errinfo first = ERRINFO_INIT;
    const char *value;
    bool any = false;
    for (size_t n = 0; (value = sip_message_header(m, name, n)) != NULL; n++) {
        struct slice rest = slice_of_str(value);
        while (rest.n > 0) {
            struct digest_challenge c;
            if (is_err(digest_parse(&rest, &c, &first)) || (any && !digest_better(&c, out)))
                continue;
            *out = c;
            any = true;
        }
    }
    if (any)
        return OK;
    if (first.code == ERR_OK)
        return fail(e, ERR_PARSE, "the server asks for a password without a challenge");
    return fail(e, first.code, "%s", first.text);
}

struct result sip_auth_challenged(struct sip_auth *a, const struct sip_message *m,
                                  struct errinfo *e)
{
    const bool by_server = sip_message_status(m) == 401;
    struct sip_auth_side *side = by_server ? &a->server : &a->proxy;
    struct digest_challenge c = {0};
    TRY(choose(m, by_server ? "WWW-Authenticate" : "Proxy-Authenticate", &c, e));
    /* RFC 7616 section 3.3: without stale=true the credentials were looked at, and are wrong. But
     * many servers say nothing when a kept nonce is too old. */
    if (side->fresh && !c.stale)
        return fail(e, ERR_AUTH, "the server refused the user name or password (%d %.60s)",
                    sip_message_status(m), sip_message_reason(m));
    if (++a->rounds > LIMIT_AUTH_ROUNDS)
        return fail(e, ERR_AUTH, "the server asks for the password again and again");
    *side = (struct sip_auth_side){.known = true, .fresh = true, .challenge = c};
    return OK;
}

static struct result write_side(struct sip_auth_side *side, struct buf *out, const char *name,
                                const struct digest_credentials *cred, const char *method,
                                const char *uri, const struct rng *rng, struct errinfo *e)
{
    if (!side->known)
        return OK;
    TRY(buf_printf(out, "%s: ", name));
    TRY(digest_answer(out, &side->challenge, cred, method, uri, ++side->nc, rng, e));
    return buf_append_str(out, "\r\n");
}

struct result sip_auth_write(struct sip_auth *a, struct buf *out,
                             const struct digest_credentials *cred, const char *method,
                             const char *uri, const struct rng *rng, struct errinfo *e)
{
    TRY(write_side(&a->server, out, "Authorization", cred, method, uri, rng, e));
    return write_side(&a->proxy, out, "Proxy-Authorization", cred, method, uri, rng, e);
}

static void next_nonce(struct sip_auth_side *side, const char *info)
{
    char nonce[DIGEST_NONCE_SIZE];
    if (!side->known || info == NULL ||
        is_err(digest_param(slice_of_str(info), "nextnonce", nonce, sizeof nonce)))
        return;
    (void)slice_to_str(slice_of_str(nonce), side->challenge.nonce, sizeof side->challenge.nonce);
    side->nc = 0;
}

void sip_auth_accepted(struct sip_auth *a, const struct sip_message *m)
{
    next_nonce(&a->server, sip_message_header(m, "Authentication-Info", 0));
    next_nonce(&a->proxy, sip_message_header(m, "Proxy-Authentication-Info", 0));
}

bool sip_auth_known(const struct sip_auth *a)
{
    return a->server.known || a->proxy.known;
}

void sip_auth_reset(struct sip_auth *a)
{
    *a = (struct sip_auth){.rounds = 0};
}
