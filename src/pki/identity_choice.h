/*
 * identity_choice: which of its own certificates the phone shows: the uploaded one, the unique one
 * that the maker gave this very phone, or the generic one that all phones have.
 */
#ifndef SIPSD_PKI_IDENTITY_CHOICE_H
#define SIPSD_PKI_IDENTITY_CHOICE_H

#include "base/errinfo.h"
#include "pki/identity.h"

enum identity_source { IDENTITY_NONE, IDENTITY_CUSTOM, IDENTITY_UNIQUE, IDENTITY_GENERIC };

/* "none", "custom", "unique", "generic"; and as part of a sentence: "uploaded" for custom. Static
 * storage. */
const char *identity_source_name(enum identity_source s);
const char *identity_source_text(enum identity_source s);

/* What the admin wants: the values of dev_cert. */
enum identity_want {
    IDENTITY_WANT_DEFAULT = 0, /* the maker's: unique, else generic */
    IDENTITY_WANT_CUSTOM = 1,  /* the uploaded one */
    IDENTITY_WANT_ANY = 2,     /* the uploaded one, else the maker's */
};

/* One place where a certificate may be. */
struct identity_slot {
    struct identity *identity; /* NULL: there is none, or none that can be used */
    struct errinfo problem;    /* ERR_OK: nothing is there, or all is well; else why what is there
                                  cannot be used */
};

/* A value type; each identity is a reference of its own. Begins as IDENTITY_SLOTS_INIT. */
struct identity_slots {
    struct identity_slot custom, unique, generic;
};
#define IDENTITY_SLOTS_INIT                                       \
    ((struct identity_slots){.custom = {.problem = ERRINFO_INIT}, \
                             .unique = {.problem = ERRINFO_INIT}, \
                             .generic = {.problem = ERRINFO_INIT}})

/* Gives the references back; SLOTS is as after IDENTITY_SLOTS_INIT. */
void identity_slots_clear(struct identity_slots *slots);

/* The slot of SOURCE; NULL for IDENTITY_NONE. Borrowed. */
const struct identity_slot *identity_slot_of(const struct identity_slots *slots,
                                             enum identity_source source);

/*
 * By WANT: DEFAULT: unique, else generic, else (where only it exists) custom. CUSTOM and ANY:
 * custom, else unique, else generic: the two differ in what is said where there is no uploaded one,
 * for CUSTOM asked for it. IDENTITY_NONE if there is none at all.
 *
 * WHY (SIZE bytes, cut if that is too little) gets one sentence, no full stop: which one it is and
 * why, with the problem of each one that would have gone before it.
 */
enum identity_source identity_choose(const struct identity_slots *slots, enum identity_want want,
                                     char *why, size_t size);

#endif
