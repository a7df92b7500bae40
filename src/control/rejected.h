/*
 * rejected: the last chains that were refused, kept so that an admin can look at them and decide.
 *
 * At most LIMIT_REJECTED of all accounts together, provisioning counting as account 0, the newest
 * first. A chain that is refused again
 * for the same reasons, for the same account and name, only counts up and becomes the newest. For a
 * new one the oldest of the account that has the most makes room: a server with many faces drives
 * no other account's chain out.
 *
 * Pure memory: nothing of it outlives the process.
 */
#ifndef SIPSD_CONTROL_REJECTED_H
#define SIPSD_CONTROL_REJECTED_H

#include "base/errinfo.h"
#include "link/account.h"
#include "pki/verify.h"

struct rejected;

/* ERR_NOMEM. */
RESULT rejected_new(struct rejected **out);
void rejected_free(struct rejected *r); /* NULL is fine */

/*
 * Takes note: a refused_fn, R is its ARG. Copies what it needs; without memory the chain is left
 * out, or the whole entry, which is logged.
 */
void rejected_note(void *r, const struct refused_chain *c);

/* One of them; borrowed, valid until the next call of rejected_note() or rejected_free(). */
struct rejected_entry {
    uint64_t id; /* from 1 up, never used twice in a process */
    int account;
    const char *host;
    struct wallclock first; /* when it was refused */
    struct wallclock last;
    uint64_t count;                /* how often */
    const struct verdict *verdict; /* of the last time */
    const struct slice *chain;     /* DER, as the peer sent it */
    size_t chain_len;
    bool chain_kept; /* false: it has more than LIMIT_REJECTED_BYTES, and CHAIN is empty */
};

size_t rejected_count(const struct rejected *r);
struct rejected_entry rejected_at(const struct rejected *r, size_t i); /* 0 is the newest */
bool rejected_find(const struct rejected *r, uint64_t id, struct rejected_entry *out);

enum rejected_remedy {
    REJECTED_NOTHING_HELPS,
    REJECTED_ACCEPTED_NOW, /* by the trust store and the clock of today: nothing is to be done */
    REJECTED_TRUST_ROOT,   /* the self-signed root that the peer sent */
    REJECTED_TRUST_CA,     /* the topmost CA that it sent, although that is no root */
    REJECTED_TRUST_LEAF,   /* the server's own self-signed certificate: a pin */
};

/* What could be done about a refused chain. */
struct rejected_candidate {
    enum rejected_remedy remedy;
    struct cert *cert; /* what to add to the trusted list: a reference; NULL if there is none */
    /* What it does and what to mind, or why nothing helps; never empty, UTF-8, no full stop. */
    char sentence[2 * LIMIT_TEXT];
};

/*
 * Which certificate of the chain, added to the custom ones of TRUST, would make it pass at NOW with
 * all else as it was judged (name, filter, policy). Each is tried by verify_chain() itself with a
 * store that has it, so that what is offered does help. Whether the trusted list has room for it
 * and takes it is pki/import's to say.
 *
 * ERR_NOT_FOUND for an id that is not there (any more), ERR_NOMEM.
 */
RESULT rejected_candidate(const struct rejected *r, uint64_t id, const struct trust *trust,
                          struct wallclock now, struct rejected_candidate *out, struct errinfo *e);
void rejected_candidate_clear(struct rejected_candidate *c);

/* "none", "accepted_now", "root", "ca", "leaf"; static storage. */
const char *rejected_remedy_name(enum rejected_remedy r);

#endif
