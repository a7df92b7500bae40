/*
 * rpc_client: one client of an rpc_server: its lines in, and what waits for it to read.
 */
#ifndef SIPSD_CONTROL_RPC_CLIENT_H
#define SIPSD_CONTROL_RPC_CLIENT_H

#include "control/jsonrpc.h"
#include "sys/stream.h"

struct rpc_client;

/* It has gone by itself, and is freed after this call. Comes from the loop. */
typedef void rpc_client_gone_fn(void *arg, struct rpc_client *c);

/* Takes S, an accepted stream, over: also on failure (ERR_NOMEM). SERVICE must outlive the client.
 */
RESULT rpc_client_new(struct loop *l, struct stream *s, const struct jsonrpc_service *service,
                      rpc_client_gone_fn *gone, void *arg, struct rpc_client **out);

/* What was begun to be sent is finished, if that takes no longer than LIMIT_CLOSE_MS. */
void rpc_client_free(struct rpc_client *c);

/* LINE has its newline. Nothing if the client has not subscribed. */
void rpc_client_notify(struct rpc_client *c, struct slice line);

/* There was no memory for the line: a snapshot takes its place. */
void rpc_client_miss(struct rpc_client *c);

/* To what, as jsonrpc_answer() says; 0: to nothing. */
unsigned rpc_client_subscriptions(const struct rpc_client *c);

/* Tells an accepted stream that is not wanted why, and ends it. */
void rpc_client_refuse(struct stream *s, enum err code, const char *sentence);

#endif
