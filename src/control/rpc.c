#include "control/rpc.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "control/rpc_client.h"

struct rpc_server {
    struct loop *loop;
    gid_t gid;
    struct jsonrpc_service service;
    struct stream_listener *listener;
    struct rpc_client *clients[LIMIT_RPC_CLIENTS]; /* NULL: a free place */
};

static struct rpc_client **place_of(struct rpc_server *s, const struct rpc_client *c)
{
    for (size_t i = 0; i < LIMIT_RPC_CLIENTS; i++)
        if (s->clients[i] == c)
            return &s->clients[i];
    return NULL;
}

static void on_gone(void *arg, struct rpc_client *c)
{
    *place_of(arg, c) = NULL;
}

/* The kernel looked at the socket's mode; this looks at who it is. */
static bool may_connect(const struct rpc_server *s, const struct stream *accepted)
{
    struct stream_cred peer;

    if (is_err(stream_peer_cred(accepted, &peer)))
        return false;
    return peer.uid == 0 || peer.uid == geteuid() ||
           (s->gid != (gid_t)-1 && stream_peer_in_group(accepted, s->gid));
}

static void on_accept(void *arg, struct stream *accepted)
{
    struct rpc_server *s = arg;
    struct rpc_client **place = place_of(s, NULL);

    if (!may_connect(s, accepted)) {
        rpc_client_refuse(accepted, ERR_DENIED, "you are not allowed to use this socket");
        return;
    }
    if (place == NULL) {
        char sentence[80];
        (void)snprintf(sentence, sizeof sentence, "%d clients are connected, and no more can be",
                       LIMIT_RPC_CLIENTS);
        rpc_client_refuse(accepted, ERR_BUSY, sentence);
        return;
    }
    if (is_err(rpc_client_new(s->loop, accepted, &s->service, on_gone, s, place)))
        log_warning("rpc", "a client is sent away: out of memory");
}

struct result rpc_server_new(struct loop *l, const struct rpc_params *p, struct rpc_server **out,
                             struct errinfo *e)
{
    struct rpc_server *s = calloc(1, sizeof *s);

    if (s == NULL)
        return fail(e, ERR_NOMEM, "out of memory for a socket");
    *s = (struct rpc_server){.loop = l, .gid = p->gid, .service = p->service};
    const struct result r =
        stream_listen_unix(l, p->path, p->mode, p->gid, on_accept, s, &s->listener, e);
    if (is_err(r)) {
        free(s);
        return r;
    }
    *out = s;
    return OK;
}

void rpc_server_free(struct rpc_server *s)
{
    if (s == NULL)
        return;
    stream_listener_free(s->listener);
    for (size_t i = 0; i < LIMIT_RPC_CLIENTS; i++)
        rpc_client_free(s->clients[i]);
    free(s);
}

static bool wants(const struct rpc_client *c, unsigned topics, unsigned but)
{
    const unsigned has = c != NULL ? rpc_client_subscriptions(c) : 0;

    return (has & topics) == topics && (has & but) == 0;
}

void rpc_notify_topics(struct rpc_server *s, unsigned topics, unsigned but, const char *method,
                       const struct cJSON *params)
{
    struct buf line;

    if (!rpc_has_subscribers_to(s, topics, but))
        return;
    buf_init(&line, LIMIT_RPC_REPLY);
    const struct result r =
        params != NULL ? jsonrpc_notification(method, params, &line) : err(ERR_NOMEM);
    for (size_t i = 0; i < LIMIT_RPC_CLIENTS; i++) {
        if (!wants(s->clients[i], topics, but))
            continue;
        if (is_ok(r))
            rpc_client_notify(s->clients[i], buf_slice(&line));
        else
            rpc_client_miss(s->clients[i]);
    }
    buf_free(&line);
}

void rpc_notify(struct rpc_server *s, const char *method, const struct cJSON *params)
{
    rpc_notify_topics(s, JSONRPC_STATE, 0, method, params);
}

bool rpc_has_subscribers_to(const struct rpc_server *s, unsigned topics, unsigned but)
{
    for (size_t i = 0; i < LIMIT_RPC_CLIENTS; i++)
        if (wants(s->clients[i], topics, but))
            return true;
    return false;
}

bool rpc_has_subscribers(const struct rpc_server *s)
{
    return rpc_has_subscribers_to(s, JSONRPC_STATE, 0);
}

size_t rpc_clients(const struct rpc_server *s)
{
    size_t n = 0;

    for (size_t i = 0; i < LIMIT_RPC_CLIENTS; i++)
        n += s->clients[i] != NULL;
    return n;
}
