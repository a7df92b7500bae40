/*
 * weburl: the URL of something to fetch over HTTPS or HTTP (RFC 3986, RFC 9110 section 4.2), taken
 * apart by the very parser that the HTTP library uses, so that who is asked and who is judged
 * cannot be two different hosts.
 */
#ifndef SIPSD_CONTROL_WEBURL_H
#define SIPSD_CONTROL_WEBURL_H

#include "base/errinfo.h"
#include "pki/peername.h"

/* The host with brackets, a colon, the port and NUL. */
#define WEBURL_AUTHORITY_SIZE (PEERNAME_TEXT_SIZE + 9)

/* A value type whose strings are its own: weburl_clear() it. */
struct weburl {
    bool secure; /* https */
    struct peername host;
    uint16_t port;
    char authority[WEBURL_AUTHORITY_SIZE]; /* as the Host field wants it: no default port */
    char *target;                          /* path and query, as they are asked for */
    char *user;                            /* or NULL */
    char *password;                        /* or NULL */
};

/* ERR_INVALID with what is wrong with TEXT; the sentence holds nothing of it but scheme and host.
 * User and password of the URL are decoded. */
RESULT weburl_parse(const char *text, struct weburl *out, struct errinfo *e);

/*
 * Where a redirect of FROM to LOCATION (absolute or relative) leads. Never from HTTPS down to HTTP,
 * nor to anything but the two: ERR_DENIED. User and password stay only with the same scheme, host
 * and port; those in LOCATION are the server's, not the admin's, and are dropped.
 */
RESULT weburl_follow(const struct weburl *from, const char *location, struct weburl *out,
                     struct errinfo *e);

/* Into an empty one. ERR_NOMEM. */
RESULT weburl_set_credentials(struct weburl *u, const char *user, const char *password);

void weburl_clear(struct weburl *u); /* wipes; a zeroed one is fine */

/* How much of the target is its path: what may be shown. */
int weburl_path_len(const struct weburl *u);

#endif
