/*
 * fetch: gets one file over HTTPS, or sends one report, on the loop; nothing blocks. The HTTP is
 * libcurl's. Connections are not: each is a link/channel, so that a provisioning server is judged
 * by the same code, and refused with the same sentences, as a SIP server. curl is built without TLS
 * and never sees a network socket, so there is no way around the judge.
 *
 *   - The name that is checked is the URL's host, after a redirect that URL's. Every connection is
 *     judged anew: none is kept for another fetch, no TLS session is resumed.
 *   - Basic and digest authentication, the stronger one that the server offers; the password is not
 *     sent before the server asks for it, nor to another server that it redirects to.
 *   - At most LIMIT_FETCH_REDIRECTS redirects, never from HTTPS to HTTP, never elsewhere. A POST is
 *     sent on only as a POST (307, 308).
 *   - Bounded while it is read: size, time, and how slow a server may be.
 *   - Plain HTTP only where the request allows it.
 */
#ifndef SIPSD_CONTROL_FETCH_H
#define SIPSD_CONTROL_FETCH_H

#include "base/errinfo.h"
#include "base/slice.h"
#include "link/refused.h"
#include "pki/peerchain.h"
#include "pki/verify.h"
#include "sys/dns.h"
#include "sys/wallclock.h"
#include "tls/session.h"

struct fetch;

/* Copied or referenced, but for what is said to be borrowed: that must outlive the fetch. */
struct fetch_params {
    struct loop *loop;                    /* borrowed */
    struct dns *dns;                      /* borrowed */
    const struct wallclock_source *clock; /* borrowed */

    /* How the server is judged, and what we are to it: the phone's certificate for mutual TLS and
     * the TLS versions are in the profile, which is a client's. */
    struct tls_profile *profile;
    struct trust *trust;
    enum trust_filter filter;
    bool check_name;
    struct verify_policy policy;
    refused_fn *on_refused; /* of a server that is refused; NULL: nobody wants to know */
    void *on_refused_arg;   /* borrowed */

    const char *url; /* may hold user and password, which USER and PASSWORD go before */
    const char *user;
    const char *password;
    bool allow_http;
    const char *user_agent; /* or NULL */

    /* Of an earlier answer, as it was given then; or NULL. With one of them the server may say that
     * nothing has changed: FETCH_UNCHANGED. */
    const char *etag;
    const char *last_modified;

    bool post; /* BODY is sent as application/json; else it is a GET */
    struct slice body;

    size_t max_bytes;  /* of the answer; 0, and at most: LIMIT_FETCH_BYTES */
    unsigned total_ms; /* likewise, LIMIT_FETCH_MS */
    unsigned slow_ms;  /* likewise, LIMIT_FETCH_SLOW_MS */
};

enum fetch_outcome { FETCH_FAILED, FETCH_DONE, FETCH_UNCHANGED };

/* Valid during the call. Texts are "" where there is nothing to tell. */
struct fetch_result {
    enum fetch_outcome outcome;
    /*
     * FAILED: ERR_CERT (the server's certificate was refused), ERR_IDENTITY (it refused ours, or
     * wanted one), ERR_TLS, ERR_DNS, ERR_TIMEOUT, ERR_CLOSED, ERR_SYSTEM, ERR_TRUNCATED (the answer
     * ended too early), ERR_LIMIT (too large, too many redirects), ERR_DENIED (a redirect that is
     * not followed, or 403), ERR_NOT_FOUND (404, 410), ERR_AUTH (401), ERR_PEER (another refusal),
     * ERR_PARSE (that was not HTTP), ERR_NOMEM; the sentence names the host.
     */
    struct errinfo error;
    int status;        /* of the last answer; 0: there was none */
    struct slice body; /* DONE; of a POST too. It may hold secrets: it is wiped after the call */
    const char *etag;
    const char *last_modified;
    const char *content_type;
    uint32_t retry_after_s; /* what the server asked for, at most LIMIT_RETRY_AFTER_S; 0: nothing */
    const char *host;       /* who answered last, with the port if it is not the usual one */
    bool secure;            /* over TLS; then VERDICT is what was decided about that server */
    const struct verdict *verdict; /* never NULL; class VERDICT_NONE where nothing was judged */
    const struct peerchain *chain; /* that was made on; never NULL, empty if it was refused */
    struct tls_session_facts facts;
};

/* Called once, from the loop; the fetch is gone after it. */
typedef void fetch_fn(void *arg, const struct fetch_result *result);

/* ERR_INVALID for a URL that is none, ERR_DENIED for HTTP that is not allowed, ERR_NOMEM; FN is not
 * called then. Else it is, unless fetch_cancel() comes first. */
RESULT fetch_start(const struct fetch_params *p, fetch_fn *fn, void *arg, struct fetch **out,
                   struct errinfo *e);
void fetch_cancel(struct fetch *f); /* at any time but inside FN or after it; NULL is fine */

#endif
