/*
 * provision_report: what came of a run of provisioning: what was read, what was wrong with it, item
 * by item, and what has changed. Names of settings are in it, never their values, and no URL with
 * more than its host and path.
 *
 * Bounded: what is beyond LIMIT_PROVISION_RECORDS files, LIMIT_PROVISION_ITEMS items and
 * LIMIT_PROVISION_NAMES names of settings is counted. As JSON it always fits into the backlog of a
 * subscriber.
 */
#ifndef SIPSD_CONTROL_PROVISION_REPORT_H
#define SIPSD_CONTROL_PROVISION_REPORT_H

#include "base/errinfo.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/slice.h"

struct buf;
struct cJSON;

enum provision_cause {
    PROVISION_START,      /* the commands of the files that sipsd was started with */
    PROVISION_PUSH,       /* files that an admin gave */
    PROVISION_ASKED,      /* a fetch that an admin asked for */
    PROVISION_POWER_ON,   /* fetches by themselves: at the start, */
    PROVISION_PERIOD,     /* from time to time, */
    PROVISION_CHECK_SYNC, /* because a SIP server said so */
    PROVISION_LOCAL,      /* settings that were set or unset on the phone itself */
};

enum provision_outcome {
    PROVISION_APPLIED,
    PROVISION_UNCHANGED,   /* the phone is as it was asked to be already: nothing was written */
    PROVISION_REFUSED,     /* judged, and not good; nothing has changed */
    PROVISION_FAILED,      /* could not be gathered, or not be written; nothing has changed */
    PROVISION_CHECKED,     /* it would be applied; only that was asked */
    PROVISION_TRIAL,       /* applied until the trial ends */
    PROVISION_KEPT,        /* that trial ended well */
    PROVISION_ROLLED_BACK, /* it did not: everything is as it was before */
};

/* "push", "rolled_back" ...: as JSON has them. Static storage. */
const char *provision_cause_name(enum provision_cause c);
const char *provision_outcome_name(enum provision_outcome o);

/* APPLIED, UNCHANGED, CHECKED, TRIAL or KEPT. */
bool provision_outcome_is_good(enum provision_outcome o);

/* Whether that cause fetches the files of the provisioning server. */
bool provision_cause_fetches(enum provision_cause c);

enum provision_fate {
    PROVISION_FILE_READ,
    PROVISION_FILE_UNCHANGED, /* the server says so */
    PROVISION_FILE_MISSING,   /* the server has none, which may be */
    PROVISION_FILE_REFUSED,   /* it cannot be had, or it is no such file */
};

/* A settings file, or one that a command named. */
struct provision_record {
    char name[LIMIT_PROVISION_NAME];
    char host[LIMIT_PROVISION_NAME]; /* where it was fetched from; "": it was not */
    size_t bytes;
    uint8_t sha256[HASH_SHA256_SIZE]; /* READ only */
    enum provision_fate fate;
    char sentence[LIMIT_TEXT]; /* "" for none */
};

enum provision_what {
    PROVISION_SETTING,
    PROVISION_TRUSTED,
    PROVISION_DELETE_TRUSTED,
    PROVISION_IDENTITY,
    PROVISION_DELETE_IDENTITY,
    PROVISION_ACCOUNT, /* whether account SUBJECT can work so, and does not lose its server */
    PROVISION_SERVER,  /* the same of the provisioning server */
};

struct provision_item {
    char file[LIMIT_PROVISION_NAME]; /* "": of none */
    size_t line;                     /* from 1; 0: of none */
    enum provision_what what;
    char subject[LIMIT_PROVISION_NAME]; /* the name of a key, a certificate's file, an account */
    bool ok;                            /* false: for this the run was refused */
    char sentence[LIMIT_TEXT];          /* "" for none */
};

/* Owns its lists: provision_report_clear() it. */
struct provision_report {
    uint64_t id;
    int64_t time_s; /* when it ended; 0: when nobody knew the time */
    enum provision_cause cause;
    enum provision_outcome outcome;
    enum err code;                   /* of REFUSED and FAILED */
    char sentence[ERRINFO_TEXT_MAX]; /* for people, never empty */
    bool lockout;                    /* REFUSED because it would lock out: force would apply it */
    bool forced;                     /* it would have been, and was applied */

    struct provision_record *records;
    size_t records_count;
    struct provision_item *items;
    size_t items_count;
    size_t items_left_out;

    char (*changed)[LIMIT_PROVISION_NAME]; /* names of settings whose value is another one now */
    size_t changed_count;
    size_t changed_left_out;
    size_t trusted_added;
    size_t trusted_removed;
    bool identity; /* another one, or none any more */

    uint64_t generation;    /* that counts now */
    int64_t trial_ends_s;   /* TRIAL only; 0 else */
    uint32_t retry_after_s; /* FAILED: what the server asked for; 0: nothing. Not in JSON */
};

void provision_report_init(struct provision_report *r, uint64_t id, enum provision_cause cause);
void provision_report_clear(struct provision_report *r); /* all zero is fine */

/* What was gathered and judged is forgotten: the run begins anew. Id and cause stay. */
void provision_report_restart(struct provision_report *r);

/* ERR_NOMEM, and OUT is as it was. */
RESULT provision_report_copy(const struct provision_report *r, struct provision_report *out);

/* How it ended. CODE is ERR_OK unless it is REFUSED or FAILED. */
void provision_report_end(struct provision_report *r, enum provision_outcome outcome, enum err code,
                          const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * Adds a file, or an item; what does not fit, or finds no memory, is left out. Where all places are
 * taken, an item that is not ok takes one from an item that is. CONTENT is hashed; names are cut
 * and made printable.
 */
void provision_report_file(struct provision_report *r, const char *name, const char *host,
                           enum provision_fate fate, struct slice content, const char *sentence);
void provision_report_item(struct provision_report *r, const struct provision_item *item);
void provision_report_changed(struct provision_report *r, const char *name);

/* Where ITEM stands, to be put before its sentence: "corp.cfg:3: ", "corp.cfg: ", or "". */
#define PROVISION_WHERE_SIZE (LIMIT_PROVISION_NAME + 24)
void provision_item_where(const struct provision_item *item, char out[PROVISION_WHERE_SIZE]);

/* The first item that is not ok; NULL if all are. */
const struct provision_item *provision_report_fault(const struct provision_report *r);
size_t provision_report_faults(const struct provision_report *r);

/* As the method provision.last and the event have it (docs/events.md); NULL on no memory. */
struct cJSON *provision_report_json(const struct provision_report *r);

/* The same, as text with a newline behind it. ERR_NOMEM. */
RESULT provision_report_write(const struct provision_report *r, struct buf *out, struct errinfo *e);

/*
 * What provision_report_write() wrote, read back; TEXT may be anything. Only what a report has is
 * taken, within its bounds. ERR_PARSE; ERR_LIMIT if it is too long; ERR_NOMEM: OUT is empty.
 */
RESULT provision_report_read(struct slice text, struct provision_report *out, struct errinfo *e);

#endif
