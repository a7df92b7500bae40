/*
 * provlab: a phone that is provisioned: the engine on a real state directory and on simulated time,
 * a provisioning server that is a table of files, and the accounts of a lab, or none.
 *
 * With LAB_LOG set in the environment, what the product logs is shown.
 */
#ifndef SIPSD_TESTS_SCENARIO_PROVLAB_H
#define SIPSD_TESTS_SCENARIO_PROVLAB_H

#include "control/change.h"
#include "control/provision.h"
#include "scenario/lab.h"
#include "tools/statedir.h"

#define PROVLAB_HEAD "#!version:1.0.0.1\n"
#define PROVLAB_MAC  "001565123456"

#define PROVLAB_HOST "prov.example.com"
#define PROVLAB_URL  "https://" PROVLAB_HOST "/phones/"

/* What the server has at URL. */
struct provlab_served {
    const char *url;
    const char *text; /* NULL: ERROR */
    const char *etag; /* or NULL */
    enum err error;
    uint32_t retry_after_s;
};

/* What was asked of it. */
struct provlab_asked {
    char url[200];
    bool login;
    char etag[32];
};

#define PROVLAB_MAX 24

struct provlab {
    struct statedir dir;
    struct lab *lab; /* NULL: there are no accounts */
    struct sim *sim;
    struct settings *base;
    struct provision *engine;
    bool no_memory_to_fetch;

    struct provlab_served served[PROVLAB_MAX];
    size_t served_count;
    struct provlab_asked asked[PROVLAB_MAX]; /* the last ones */
    size_t asked_count;
    uint64_t latency_ms;                 /* of an answer */
    const struct testpki_cert *chain[2]; /* that the server shows, verified; or NULL */
    size_t fetching;                     /* now */

    struct provision_report ended[PROVLAB_MAX]; /* copies */
    size_t ended_count;
    unsigned applied;      /* calls of the hook */
    size_t applied_custom; /* trusted certificates that counted in the last one */
    void (*on_apply)(struct provlab *w, const struct settings *old, const struct settings *now);
};

/* BASE: what the phone starts with, as lines of settings; or NULL. */
struct provlab *provlab_new(struct lab *lab, const char *base);
void provlab_free(struct provlab *w);

/* The process ends here, and another one starts. */
void provlab_restart(struct provlab *w);
void provlab_stop(struct provlab *w);
void provlab_start(struct provlab *w);

void provlab_serve(struct provlab *w, struct provlab_served s);

/* Begins a push of one file, or of N; the id, or 0 and the error in E. */
uint64_t provlab_begin(struct provlab *w, const struct provision_request *r, struct errinfo *e);
uint64_t provlab_push(struct provlab *w, const char *name, const char *lines);

/* The same, and what came of it. */
const struct provision_report *provlab_run(struct provlab *w, const struct provision_request *r);
const struct provision_report *provlab_apply(struct provlab *w, const char *name,
                                             const char *lines);
const struct provision_report *provlab_fetch(struct provlab *w);

/* The last report that was told. */
const struct provision_report *provlab_last(const struct provlab *w);

/* A request for one file, in static storage; LINES get their first line. */
struct provision_request provlab_request(const char *name, const char *lines);

/* "static.trusted_certificates.url = data:..." for a CA, or the identity of SUBJECT; to free. */
char *provlab_trust_line(const struct testpki_cert *ca);
char *provlab_identity_line(const char *subject);

/* What counts. */
size_t provlab_custom(const struct provlab *w);
const char *provlab_text(const struct provlab *w, const char *name, unsigned x, unsigned y);

/* All files in the state directory with their sizes, times and inodes: what has not changed was not
 * written. To free. */
char *provlab_flash(const struct provlab *w);

#endif
