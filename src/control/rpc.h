/*
 * rpc: a JSON-RPC 2.0 server on a Unix socket: one message a line (events.sock, control.sock).
 *
 * Who may connect: root, the daemon's own user, and the members of one group. The socket's mode
 * says so, and the peer's credentials are looked at again; who may not, or is one too many, is told
 * so in one line.
 *
 * Bounded: LIMIT_RPC_CLIENTS clients, LIMIT_RPC_REQUEST a request; one request of a client a turn
 * of the loop, and the next only when the client has taken the answer; LIMIT_RPC_BACKLOG of
 * notifications waiting for a slow reader. A subscriber that is too slow is never waited for: the
 * notifications that it has not been sent are thrown away, and once it reads again it gets one
 * "snapshot" notification with the whole state of that moment, so that the last thing it reads is
 * never an old lock. The line whose first bytes it was sent already is always finished first.
 */
#ifndef SIPSD_CONTROL_RPC_H
#define SIPSD_CONTROL_RPC_H

#include <sys/types.h>

#include "base/errinfo.h"
#include "control/jsonrpc.h"
#include "sys/loop.h"

struct rpc_server;

struct rpc_params {
    const char *path;
    mode_t mode;
    gid_t gid; /* the group that may connect besides the owner; (gid_t)-1: none */
    struct jsonrpc_service service;
};

RESULT rpc_server_new(struct loop *l, const struct rpc_params *p, struct rpc_server **out,
                      struct errinfo *e);

/* Ends all clients (what fits is flushed) and removes the socket. NULL is fine. Not from inside a
 * method. */
void rpc_server_free(struct rpc_server *s);

/* Sends the notification METHOD with PARAMS (not taken over) to every subscriber. Where there was
 * no memory for PARAMS (NULL), they get a snapshot instead. Also from inside a method. */
void rpc_notify(struct rpc_server *s, const char *method, const struct cJSON *params);

/* The same to those alone who have subscribed to all of TOPICS and to none of BUT. */
void rpc_notify_topics(struct rpc_server *s, unsigned topics, unsigned but, const char *method,
                       const struct cJSON *params);

/* Whether they would reach anybody. */
bool rpc_has_subscribers(const struct rpc_server *s);
bool rpc_has_subscribers_to(const struct rpc_server *s, unsigned topics, unsigned but);

size_t rpc_clients(const struct rpc_server *s);

#endif
