/*
 * rpc: a JSON-RPC 2.0 server on a Unix socket: one message a line (events.sock, control.sock).
 *
 * Bounded: LIMIT_RPC_CLIENTS clients, LIMIT_RPC_REQUEST a request, LIMIT_RPC_BACKLOG waiting for a
 * slow reader. A subscriber that is too slow is never waited for: what it has not been sent is
 * thrown away, and once it reads again it gets one "snapshot" notification with the whole state, so
 * that the last thing it reads is never an old lock.
 */
#ifndef SIPSD_CONTROL_RPC_H
#define SIPSD_CONTROL_RPC_H

#include <sys/types.h>

#include "base/errinfo.h"
#include "sys/loop.h"

struct cJSON;
struct rpc_server;

/*
 * A method: PARAMS (may be NULL) in, *RESULT out (the server's from then on). A failure becomes the
 * JSON-RPC error with the errinfo's sentence as its message and the err code's name as its data.
 */
typedef struct result rpc_method_fn(void *arg, const struct cJSON *params, struct cJSON **result,
                                    struct errinfo *e);

struct rpc_method {
    const char *name;
    rpc_method_fn *fn;
};

struct rpc_params {
    const char *path;
    mode_t mode;
    gid_t gid; /* the group that may connect besides the owner; (gid_t)-1: none */
    const struct rpc_method *methods; /* ends with a NULL name; "subscribe" is the server's own */
    rpc_method_fn *
        snapshot; /* the whole state: the result of "subscribe" and "status", and after a backlog */
    void *arg;
};

RESULT rpc_server_new(struct loop *l, const struct rpc_params *p, struct rpc_server **out,
                      struct errinfo *e);

/* Ends all clients (what fits is flushed) and removes the socket. NULL is fine. */
void rpc_server_free(struct rpc_server *s);

/* Sends the notification METHOD with PARAMS (not taken over) to every subscriber. */
void rpc_notify(struct rpc_server *s, const char *method, const struct cJSON *params);

size_t rpc_clients(const struct rpc_server *s);

#endif
