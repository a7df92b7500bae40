/*
 * credentials: the certificates that the phone holds, and what it makes of them: the trust store,
 * and the identity that it shows. The one place that reads them and keeps them; control/change is
 * the one that changes them.
 *
 * Trusted certificates and the uploaded identity are in the newest generation of the state
 * directory (sys/generation, control/holdings), the maker's identities in the factory directory
 * (control/maker). Each file is judged alone: one that is damaged or cannot be used is
 * complained of and left out, the others stand, and nothing of it is fatal.
 */
#ifndef SIPSD_CONTROL_CREDENTIALS_H
#define SIPSD_CONTROL_CREDENTIALS_H

#include "base/clock.h"
#include "control/complaints.h"
#include "control/holdings.h"
#include "pki/identity_choice.h"

struct credentials;

/* What a change is about. */
enum { CREDENTIALS_TRUST = 1, CREDENTIALS_IDENTITY = 2 };

/* What the getters below give is new, in these respects. From inside the calls that change
 * something, when all of it is done. */
typedef void credentials_changed_fn(void *arg, unsigned what);

/* Strings are borrowed and must outlive the credentials. */
struct credentials_params {
    const char *state_dir;
    const char *factory_dir;
    const char *mac; /* the phone's, in any usual form */
    struct rng rng;
    struct wallclock (*now)(void *arg);
    credentials_changed_fn *changed;
    void *arg; /* of both */
};

/* Reads everything; WANT as in credentials_want(). ERR_NOMEM only. CHANGED is not called. */
RESULT credentials_open(const struct credentials_params *p, unsigned want, struct credentials **out,
                        struct errinfo *e);
void credentials_free(struct credentials *c); /* NULL is fine */

/* Reads everything again, and takes what is different. ERR_NOMEM: all is as it was. */
RESULT credentials_reload(struct credentials *c, struct errinfo *e);

/* Which identity shall be shown (the setting dev_cert): see identity_choose(). */
void credentials_want(struct credentials *c, unsigned want);

/*
 * The generation before the present one counts again, with all its files: see
 * generation_roll_back(), whose errors these are. What is different is taken, and told.
 */
RESULT credentials_roll_back(struct credentials *c, struct errinfo *e);

/* The number of the generation that was read or written last; 0: there is none. */
uint64_t credentials_generation(const struct credentials *c);

/* Until it is released (WHY NULL) every commit of a change is refused with ERR_BUSY and this
 * sentence, which is copied: what is there may be rolled back soon. */
void credentials_hold(struct credentials *c, const char *why);

struct trust *credentials_trust(const struct credentials *c);       /* borrowed */
struct identity *credentials_identity(const struct credentials *c); /* borrowed; NULL: none */
enum identity_source credentials_source(const struct credentials *c);
const char *credentials_why(const struct credentials *c); /* that one: a sentence */
/* The uploaded one and the one in use, whichever there are: number I, else NULL. Borrowed. */
struct identity *credentials_held_at(const struct credentials *c, size_t i);
const struct identity_slots *credentials_slots(const struct credentials *c);
const struct complaints *credentials_complaints(const struct credentials *c);

/* --- for control/change --- */

const struct credentials_params *credentials_params(const struct credentials *c);
const struct holdings *credentials_holdings(const struct credentials *c);

/* NULL: nobody holds. */
const char *credentials_held_by(const struct credentials *c);

/* Counts up whenever something is taken: two looks with the same number saw the same. */
uint64_t credentials_version(const struct credentials *c);

/*
 * NEXT takes the place of what is held, and TRUST, made of it (may be NULL where the trusted
 * certificates are the same), that of the trust store: a new generation is written, then all is
 * swapped, then CHANGED is called. A file of the present generation that was left out stays in the
 * new one, and so does one that is not about certificates, unless DROP says that it goes, or it is
 * among MORE (may be NULL), which are further files; one of those that is empty is not written.
 * Damaged ones are set aside by sys/generation. A failure, which sys/generation tells of, or
 * ERR_STATE because another process has written, leaves everything as it was.
 */
typedef bool credentials_drop_fn(const void *arg, const char *file);
RESULT credentials_replace(struct credentials *c, const struct holdings *next, struct trust *trust,
                           const struct holdings_files *more, credentials_drop_fn *drop,
                           const void *arg, struct errinfo *e);

#endif
