/*
 * path: looks for a path from a peer's leaf to a trust anchor.
 *
 * A depth-first search from the leaf upwards, over what the peer sent and what is trusted. First
 * only steps without a fault are gone; if no path comes of that, the search is made once more and
 * goes on over faults, to find the path that came nearest, for the report.
 *
 * Whatever can be decided about one certificate, or a pair of them, is decided once; so the work
 * for a hostile list is bounded by the number of pairs, of steps, and of signature checks.
 */
#ifndef SIPSD_PKI_PATH_H
#define SIPSD_PKI_PATH_H

#include "pki/faults.h"
#include "pki/verify.h"

/* A certificate that may stand in a path. */
struct path_cert {
    struct certfields fields;
    uint8_t index;  /* among all of the search */
    uint8_t entity; /* the index of the first one with the same name and key */
    bool self_issued;
    bool anchor;
    enum trust_source source; /* of an anchor */
    struct cert *ref;         /* keeps an anchor's DER alive */
};

#define PATH_CERTS_MAX (LIMIT_PEER_CERTS + LIMIT_PATH_ANCHORS)

struct path {
    const struct path_cert *certs[LIMIT_PATH_DEPTH]; /* the leaf first */
    size_t len;
};

/* How a search ended. */
enum path_end {
    PATH_ANCHORED,  /* the last certificate is an anchor */
    PATH_NO_ISSUER, /* there is no certificate of the last one's issuer */
    PATH_TOO_LONG,  /* LIMIT_PATH_DEPTH certificates, and no anchor */
    PATH_EXHAUSTED, /* LIMIT_SIGNATURE_CHECKS, LIMIT_PATH_STEPS or LIMIT_PATH_ANCHORS */
};

struct path_search;

/*
 * A search for the judgement IN, whose chain has a leaf that certfields_read() takes. NULL without
 * memory. It borrows IN and the DER of its chain.
 */
struct path_search *path_search_new(const struct verify_input *in);
void path_search_free(struct path_search *s); /* NULL is fine */

/* The leaf, or NULL if there is none that can be read: the error says why. */
const struct path_cert *path_search_leaf(const struct path_search *s);
const struct errinfo *path_search_leaf_error(const struct path_search *s);

/* Why the first of the peer's other certificates that cannot be read cannot; NULL if all can. */
const struct errinfo *path_search_unreadable(const struct path_search *s);

/* Looks for a path without faults of its issuers (the leaf's own are not looked at); true if there
 * is one. */
bool path_search_run(struct path_search *s);

/* Looks for the path with the fewest faults. Always leaves one, if only the leaf. */
void path_search_nearest(struct path_search *s);

/* What the last of the two found; valid as long as S is. */
const struct path *path_search_found(const struct path_search *s, enum path_end *end);

/* Writes the faults of the found path's issuers into F. */
void path_search_explain(struct path_search *s, struct faults *f);

unsigned path_search_signature_checks(const struct path_search *s);

#endif
