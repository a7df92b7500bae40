/*
 * expiry: the watch over the certificates that end: trusted ones, our own, and those of live peers.
 *
 * For each, what is left of it is told once: at 30, 7 and 1 days before its end and when it has
 * ended; and once more when there is nothing to worry about any more. A certificate is known by its
 * role and its SHA-256, so a renewed one is another one. While the clock is unset nothing is
 * judged.
 *
 * Pure: certificates and time go in, notices come out. control/expirywatch gathers them and has the
 * timer.
 */
#ifndef SIPSD_CONTROL_EXPIRY_H
#define SIPSD_CONTROL_EXPIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/result.h"

enum expiry_role {
    EXPIRY_CUSTOM,  /* on the list of custom trusted certificates */
    EXPIRY_BUILTIN, /* a built-in CA on which a peer's chain hangs */
    EXPIRY_OWN,     /* of the phone's own identity: its leaf, or a CA that it sends along */
    EXPIRY_PEER,    /* of a peer's path, without the trust anchor */
};

/* One that is watched; a value type. */
struct expiry_item {
    enum expiry_role role;
    uint32_t accounts; /* whose live connections depend on it: account number i + 1 is bit i */
    char name[96];     /* its label, for people */
    uint8_t sha256[HASH_SHA256_SIZE];
    int64_t not_after_s; /* the last second that is within */
};

/* What is left of it. */
enum expiry_stage {
    EXPIRY_FINE,
    EXPIRY_MONTH, /* 30 days or less */
    EXPIRY_WEEK,  /* 7 */
    EXPIRY_DAY,   /* 1 */
    EXPIRY_ENDED,
};

/* What is told. ITEM is borrowed. */
struct expiry_notice {
    const struct expiry_item *item;
    enum expiry_stage stage; /* FINE: what was told before is no worry any more: */
    bool gone;               /* it is not in use any more; else the clock was corrected */
    int64_t left_s;          /* negative once it has ended; meaningless if it is GONE */
};
typedef void expiry_tell_fn(void *arg, const struct expiry_notice *n);

struct expiry;

/* ERR_NOMEM; no other call needs memory. */
RESULT expiry_new(struct expiry **out);
void expiry_free(struct expiry *x); /* NULL is fine */

/*
 * All that is in use now: N ITEMS, in any order, also with the same certificate several times (its
 * accounts are added up). Of the accounts in PENDING, which have no connection just now, nothing is
 * known: what their peers had before still counts. TELL is called for each one that has to be told,
 * after X has changed as a whole; it may not call expiry_update().
 *
 * More than LIMIT_EXPIRY certificates cannot be remembered; what is beyond is left out.
 */
void expiry_update(struct expiry *x, const struct expiry_item *items, size_t n, uint32_t pending,
                   struct wallclock now, expiry_tell_fn *tell, void *arg);

/* When the next one has to be told if nothing changes, in seconds since 1970; INT64_MAX: never. */
int64_t expiry_next_s(const struct expiry *x);

/* Those that are in use and not FINE, as they were told, what is left reckoned from NOW: for a
 * snapshot. */
void expiry_each(const struct expiry *x, struct wallclock now, expiry_tell_fn *visit, void *arg);

/* "trusted", "trusted", "own", "peer"; and "valid", "replaced", "expiring", "expired". */
const char *expiry_role_name(enum expiry_role r);
const char *expiry_state_name(const struct expiry_notice *n);

/* Whole days that are left, 0 on the last one and afterwards. */
int64_t expiry_days_left(const struct expiry_notice *n);

/* One sentence that says what ends and when, and what an admin can do. */
void expiry_sentence(const struct expiry_notice *n, char *out, size_t size);

#endif
