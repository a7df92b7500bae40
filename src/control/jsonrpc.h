/*
 * jsonrpc: one line of JSON-RPC 2.0 in, one line out. No sockets: control/rpc.h has them.
 *
 * A line is a request, a notification, which is not answered, or a batch of at most
 * LIMIT_RPC_BATCH of them. What is no JSON or no request is answered with the specification's
 * errors; nothing is fatal.
 *
 * The methods "status" and "subscribe" are every service's: both answer with the snapshot. Who
 * subscribes is told of the state, and may ask for topics besides: {"topics": ["messages"]}.
 */
#ifndef SIPSD_CONTROL_JSONRPC_H
#define SIPSD_CONTROL_JSONRPC_H

#include "base/buf.h"
#include "base/errinfo.h"

struct cJSON;

/*
 * A method: PARAMS (an object, or NULL) in, *RESULT out, which the caller frees. A failure becomes
 * the JSON-RPC error with the errinfo's sentence as its message and the err code's name as its
 * data.
 */
typedef struct result jsonrpc_method_fn(void *arg, const struct cJSON *params,
                                        struct cJSON **result, struct errinfo *e);

struct jsonrpc_method {
    const char *name;
    const char *const *params; /* the names that PARAMS may have, ending with NULL: others are
                                  refused; NULL for none */
    jsonrpc_method_fn *fn;
};

struct jsonrpc_service {
    const struct jsonrpc_method *methods; /* ends with a NULL name */
    jsonrpc_method_fn *snapshot;          /* the whole state */
    const char *const *topics;            /* ends with NULL; NULL: there are none */
    void *arg;                            /* of all of them */
    const struct jsonrpc_service *more;   /* methods of another module on the same socket; its
                                             snapshot is not asked; or NULL */
};

/* What somebody has subscribed to, as a set of bits. */
#define JSONRPC_STATE    1u
#define JSONRPC_TOPIC(i) (2u << (i)) /* the service's topic number I */

/*
 * Answers LINE (without its newline): appends what has to be sent, with its newline, to REPLY;
 * nothing if there is nothing to answer. *SUBSCRIBED gets what "subscribe" was called for, if its
 * answer is in REPLY; as a notification it does nothing. ERR_NOMEM, ERR_LIMIT: not even an error
 * fits.
 */
RESULT jsonrpc_answer(const struct jsonrpc_service *service, struct slice line, struct buf *reply,
                      unsigned *subscribed);

/* Appends the line of a notification of METHOD with PARAMS (not taken over). ERR_NOMEM, ERR_LIMIT.
 */
RESULT jsonrpc_notification(const char *method, const struct cJSON *params, struct buf *out);

/* Appends the line of an error that answers no request in particular. */
RESULT jsonrpc_error(enum err code, const char *sentence, struct buf *out);

#endif
