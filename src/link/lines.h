/*
 * lines: an inbound connection's part in calls: a line of the carrier (link/carrier) for each
 * account that it has carried a request for.
 */
#ifndef SIPSD_LINK_LINES_H
#define SIPSD_LINK_LINES_H

#include "base/limits.h"
#include "link/carrier.h"

/* A value type, to be embedded; zeroed but for the first three, it has no lines. */
struct lines {
    struct carrier *carrier; /* NULL: nobody takes calls, and there are never any */
    const struct carrier_line_handlers *h;
    void *arg;                               /* of H, for all of them */
    struct carrier_line *of[LIMIT_ACCOUNTS]; /* account number i + 1 */
};

void lines_clear(struct lines *l);

/* The line of F's account, made if there is none, with these facts from now on; NULL if it cannot
 * be made, which is logged. */
struct carrier_line *lines_open(struct lines *l, const struct carrier_facts *f);

/* The line of ACCOUNT (0: none), or the only one that there is; else NULL. */
struct carrier_line *lines_find(const struct lines *l, int account);

/* Closes that of ACCOUNT, unless calls hang on it. */
void lines_close(struct lines *l, int account);

void lines_drained(struct lines *l);
bool lines_busy(const struct lines *l); /* whether calls hang on any of them */

#endif
