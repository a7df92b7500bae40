/*
 * change: a transaction on the phone's credentials: several changes that count together, or not at
 * all.
 *
 *     TRY(change_begin(c, &change, e));
 *     r = change_add_trusted(change, "corp.pem", content, &added, e);
 *     if (is_ok(r))
 *         r = change_commit(change, e);
 *     change_free(change);
 *
 * Each step judges what it gets, against what the steps before made, and a step that fails leaves
 * the change as it was. Nothing counts before the commit: it tries a new identity with a handshake
 * in memory, writes a new generation to flash, and swaps. Whatever fails before the swap leaves
 * everything as it was.
 *
 * It must not outlive the credentials; two at a time are refused at the commit of the second.
 */
#ifndef SIPSD_CONTROL_CHANGE_H
#define SIPSD_CONTROL_CHANGE_H

#include "control/credentials.h"
#include "pki/upload.h"

struct change;

RESULT change_begin(struct credentials *c, struct change **out, struct errinfo *e);
void change_free(struct change *ch); /* NULL is fine */

/*
 * The certificates of a file that an admin calls FILENAME: see import_trusted(), whose errors these
 * are. What is new of them is kept as the upload NAME, made of FILENAME. ITEMS is what was found,
 * to be cleared by the caller after success, and valid no longer than CH.
 */
struct change_added {
    char name[IMPORT_NAME_MAX + 1]; /* empty if nothing was new */
    struct import items;
};
RESULT change_add_trusted(struct change *ch, const char *filename, struct slice content,
                          struct change_added *out, struct errinfo *e);

/* A certificate that is in hand already, to be kept under a name made of WANTED: judged as if it
 * had come in a file. */
RESULT change_add_cert(struct change *ch, const char *wanted, struct slice der,
                       struct change_added *out, struct errinfo *e);

/*
 * Removes the upload with this name, or the one certificate whose SHA-256 begins with WHICH: at
 * least 8 hexadecimal digits, in any case, with or without colons. REMOVED (may be NULL) is how
 * many certificates that are; 0 for a file that could not be read. ERR_NOT_FOUND; ERR_INVALID if
 * several certificates begin so, or for one that is built in.
 */
RESULT change_remove_trusted(struct change *ch, const char *which, size_t *removed,
                             struct errinfo *e);

/* Removes all uploads, those that could not be read too. Returns how many certificates those were.
 */
size_t change_clear_trusted(struct change *ch);

/* The identity of an upload takes the place of the one before: see upload_identity(), whose errors
 * these are. */
RESULT change_set_identity(struct change *ch, const struct upload_request *upload,
                           struct errinfo *e);

/* False if there was none, not even one that could not be read. */
bool change_remove_identity(struct change *ch);

/*
 * The file NAME of the generation has this CONTENT then, which is copied; an empty one goes. For
 * files that are not about certificates: it is not asked what was in it, so a change with one is
 * always written. The last word on a name counts. ERR_LIMIT, ERR_NOMEM.
 */
RESULT change_set_file(struct change *ch, const char *name, struct slice content,
                       struct errinfo *e);

/* The time by which it judges. */
struct wallclock change_now(const struct change *ch);

/* What it would come to. */
struct change_summary {
    size_t trusted_added, trusted_removed; /* certificates */
    bool identity;                         /* the uploaded one is another, or gone */
    bool nothing;                          /* a commit would not write */
};
struct change_summary change_summary(const struct change *ch);

/* The trust store as it would be: borrowed, until the next step. ERR_NOMEM. */
RESULT change_trust(struct change *ch, struct trust **out, struct errinfo *e);

/* The uploaded identity as it would be: borrowed, until the next step; NULL: none. */
struct identity *change_identity(const struct change *ch);

/* All that a commit judges before it writes: ERR_BUSY and ERR_STATE too. */
RESULT change_check(struct change *ch, struct errinfo *e);

/* Makes it count; nothing is written where nothing is different. ERR_BUSY while somebody holds
 * (credentials_hold()), ERR_STATE if the credentials were changed meanwhile, else the errors of
 * tls_selftest() and credentials_replace(). */
RESULT change_commit(struct change *ch, struct errinfo *e);

#endif
