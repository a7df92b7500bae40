/*
 * transfer: one HTTP request and its answer, by libcurl's multi interface on the loop. For
 * control/fetch, which says what is asked, of whom, and what the answer means.
 *
 * curl does HTTP/1.1 and authentication and nothing else. Each connection that it wants is a
 * link/channel, of which it gets the descriptor. It has no TLS, looks no name up, and does not know
 * the server's address; no connection is kept beyond the transfer.
 */
#ifndef SIPSD_CONTROL_TRANSFER_H
#define SIPSD_CONTROL_TRANSFER_H

#include "base/buf.h"
#include "control/weburl.h"
#include "link/channel.h"

struct transfer;

/* All of it is borrowed while the transfer lives. */
struct transfer_params {
    struct loop *loop;
    struct dns *dns;
    struct tls_profile *profile;
    const struct judge *judge; /* for the host of the URL */
    const struct weburl *url;
    const char *user_agent;    /* or NULL, here and below */
    const char *etag;          /* If-None-Match */
    const char *last_modified; /* If-Modified-Since */
    bool post;
    struct slice post_body;
    /* Where the body of a successful answer is put; of others it is dropped. What does not fit
     * fails the transfer. */
    struct buf *body;
    refused_fn *on_refused; /* or NULL: of a server that is refused */
    void *on_refused_arg;
    unsigned slow_ms; /* in which LIMIT_FETCH_SLOW_BYTES must come, once the server was accepted */
};

/*
 * Called once, from the loop. OK if there is a whole answer, whatever its status; else why not,
 * with a sentence that names the host, in the codes of control/fetch.h. The transfer stays
 * readable.
 */
typedef void transfer_fn(void *arg, struct result r, const struct errinfo *e);

RESULT transfer_start(const struct transfer_params *p, transfer_fn *fn, void *arg,
                      struct transfer **out, struct errinfo *e);
void transfer_free(struct transfer *t); /* at any time, also inside FN; NULL is fine */

int transfer_status(const struct transfer *t); /* 0: no answer yet */

/* A field of the answer, or "". Valid as long as the transfer is. */
const char *transfer_field(const struct transfer *t, const char *name);

/* Of the connection that was opened last. */
const struct verdict *transfer_verdict(const struct transfer *t);
const struct peerchain *transfer_chain(const struct transfer *t);
struct tls_session_facts transfer_facts(const struct transfer *t);

#endif
