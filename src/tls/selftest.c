#include "tls/selftest.h"

#include "base/limits.h"
#include "tls/session.h"

/* More turns than any handshake has flights: what goes on is stuck. */
#define TURNS_MAX 16

/* One side; both show the same certificate. */
struct side {
    const struct identity *id;
    struct tls_profile *profile;
    struct tls_session *session;
    bool received; /* the other side's very chain */
};

static bool is_chain_of(const struct identity *id, const struct slice *chain, size_t n)
{
    if (n != identity_chain_len(id))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!slice_eq(chain[i], cert_der(identity_cert(id, i))))
            return false;
    return true;
}

static void judge(void *arg, const struct slice *chain, size_t n, struct verdict *out)
{
    struct side *s = arg;

    s->received = is_chain_of(s->id, chain, n);
    out->class = s->received ? VERDICT_UNVERIFIED : VERDICT_REJECTED;
}

static struct result open_side(struct side *s, enum tls_role role, enum tls_versions versions,
                               struct identity *id, const struct rng *rng, struct errinfo *e)
{
    const struct tls_profile_params profile = {
        .role = role,
        .versions = versions,
        .identity = id,
        .client_auth = role == TLS_SERVER ? TLS_CLIENT_AUTH_REQUIRE : TLS_CLIENT_AUTH_OFF,
        .rng = *rng,
    };
    const struct tls_session_params session = {.judge = judge, .judge_arg = s};

    *s = (struct side){.id = id};
    TRY(tls_profile_new(&profile, &s->profile, e));
    return tls_session_new(s->profile, &session, &s->session, e);
}

static void close_side(struct side *s)
{
    tls_session_free(s->session);
    tls_profile_unref(s->profile);
}

/* Hands over what FROM has to say; false if that is nothing. */
static bool carry(struct side *from, struct side *to)
{
    const struct slice out = tls_session_output(from->session);

    if (out.n == 0)
        return false;
    tls_session_feed(to->session, out);
    tls_session_sent(from->session, out.n);
    return true;
}

static bool is_done(const struct side *s)
{
    return tls_session_state(s->session) == TLS_ESTABLISHED && s->received;
}

/* Who failed on its own account says more than who got an alert for it. */
static const struct errinfo *first_error(const struct side *a, const struct side *b)
{
    const struct errinfo *error = tls_session_error(a->session);

    if (error != NULL && tls_session_facts(a->session).alert_received < 0)
        return error;
    return tls_session_error(b->session) != NULL ? tls_session_error(b->session) : error;
}

static struct result shake_hands(struct side *client, struct side *server, struct errinfo *e)
{
    tls_session_start(client->session);
    for (int i = 0; i < TURNS_MAX && (carry(client, server) || carry(server, client)); i++)
        ;
    if (is_done(client) && is_done(server))
        return OK;
    const struct errinfo *why = first_error(client, server);
    return fail_native(e, ERR_CRYPTO, why != NULL ? why->native : 0, "%s",
                       why != NULL ? why->text : "the handshake does not come to an end");
}

static struct result try_versions(enum tls_versions versions, const char *name, struct identity *id,
                                  const struct rng *rng, struct errinfo *e)
{
    struct side client, server = {0};
    struct errinfo why = ERRINFO_INIT;
    struct result r = open_side(&client, TLS_CLIENT, versions, id, rng, &why);

    if (is_ok(r))
        r = open_side(&server, TLS_SERVER, versions, id, rng, &why);
    if (is_ok(r))
        r = shake_hands(&client, &server, &why);
    close_side(&client);
    close_side(&server);
    if (is_err(r))
        return fail_native(e, r.code, why.native, "a trial of the certificate with %s failed: %s",
                           name, errinfo_text(&why, r));
    return OK;
}

struct result tls_selftest(struct identity *id, const struct rng *rng, struct errinfo *e)
{
    TRY(try_versions(TLS_1_2_ONLY, "TLS 1.2", id, rng, e));
    return try_versions(TLS_1_3_ONLY, "TLS 1.3", id, rng, e);
}
