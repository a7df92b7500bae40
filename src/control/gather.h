/*
 * gather: brings the files of a run of provisioning, one at a time, by functions for fetching that
 * it is given. It remembers, from one run to the next, what the server said of its two settings
 * files (ETag, Last-Modified), so that what has not changed is not sent again, and the certificates
 * that the server showed last, for the guard against lock-out (control/lockout).
 */
#ifndef SIPSD_CONTROL_GATHER_H
#define SIPSD_CONTROL_GATHER_H

#include "control/fetch.h"
#include "control/provision_report.h"
#include "control/settings.h"
#include "control/weburl.h"

struct gather;
struct commands;

/* What is to be fetched; all of it is borrowed during the call. */
struct fetch_wanted {
    const char *url;
    bool login; /* it is on the provisioning server itself: user and password are for it. To any
                   other host none is sent but what the URL has */
    const char *etag; /* or NULL, and "" is none: see fetch_params */
    const char *last_modified;
    size_t max_bytes;
};

/*
 * The daemon's are fetch_start() and fetch_cancel(), with the rest of fetch_params from the
 * settings and credentials that count; a test's are its own. start: FN is called once and from the
 * loop, never from inside start, unless cancel comes first. It fails as fetch_start().
 */
struct fetch_ops {
    struct result (*start)(void *arg, const struct fetch_wanted *w, fetch_fn *fn, void *fn_arg,
                           struct fetch **out, struct errinfo *e);
    void (*cancel)(void *arg, struct fetch *f);
    void *arg;
};

/* A certificate list as a server sent it, the leaf first. */
struct gather_chain {
    char authority[WEBURL_AUTHORITY_SIZE]; /* whose; "": none is known */
    struct peerchain chain;
};

/* What came, valid during the call. */
struct gathered {
    const char *name; /* of a settings file: as it is called; of another: its host and path */
    const char *host; /* "" where nobody answered */
    enum provision_fate fate;
    struct slice content;            /* READ */
    const struct commands *commands; /* UNCHANGED: what it had the last time */
    struct errinfo error;            /* MISSING, REFUSED */
    uint32_t retry_after_s;
};
typedef void gathered_fn(void *arg, const struct gathered *g);

/* OPS is copied; its ARG must outlive G. ERR_NOMEM. */
RESULT gather_new(const struct fetch_ops *ops, gathered_fn *fn, void *arg, struct gather **out);
void gather_free(struct gather *g); /* NULL is fine */

/*
 * A run begins: the server is that of S (nothing of which is kept but its URL, wiped at the end).
 * VERSION is of the settings: what was remembered with another one is not asked for by ETag.
 * ERR_INVALID for a server URL that is none, ERR_NOMEM.
 */
RESULT gather_begin(struct gather *g, const struct settings *s, uint64_t version,
                    struct errinfo *e);

/* Begins to fetch file FILE below the server's URL, or what is at URL (https or http); FN is called
 * with it from the loop, once; a failure to begin comes back at once, and FN is not called. SLOT is
 * which of the two settings files it is. */
enum gather_slot { GATHER_COMMON, GATHER_PHONE, GATHER_SLOTS };
RESULT gather_file(struct gather *g, enum gather_slot slot, const char *file, struct errinfo *e);
RESULT gather_url(struct gather *g, const char *url, struct errinfo *e);

/* The settings file that was read in SLOT in this run had these commands. ERR_NOMEM: it will be
 * asked for whole the next time. */
void gather_note(struct gather *g, enum gather_slot slot, const struct commands *commands);

/* The run is over: what was fetched counts, with the settings of VERSION, or it does not. Also
 * cancels what is under way. */
void gather_end(struct gather *g, bool good, uint64_t version);

/* What the provisioning server showed last, and was accepted and verified with; borrowed. */
const struct gather_chain *gather_server(const struct gather *g);

#endif
