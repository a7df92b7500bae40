/*
 * keys: the one table of the settings' keys: name, type, range, default, help. All of them take
 * effect while sipsd runs.
 *
 * Names are those that admins of such phones already use. Where a phone has no name for what sipsd
 * can do, the table has one in the same manner. docs/settings.md is made from it.
 */
#ifndef SIPSD_CONTROL_KEYS_H
#define SIPSD_CONTROL_KEYS_H

#include "base/errinfo.h"
#include "base/slice.h"

enum key_type {
    KEY_BOOL,   /* 0 or 1 */
    KEY_INT,    /* decimal digits, MIN to MAX */
    KEY_TEXT,   /* UTF-8 without control characters, at most MAX bytes */
    KEY_SECRET, /* the same, and never shown or logged */
    KEY_CHOICE, /* one of CHOICES */
    KEY_COMMAND /* no value but an order, carried out when a file with it is provisioned; it may
                    stand there many times (control/command) */
};

struct key {
    const char *name; /* with X for the account, and Y for the server */
    enum key_type type;
    int64_t min, max;
    const char *const *choices; /* ends with NULL; an enum's names, in its order */
    const char *initial;        /* the default, as it would be written; "" for none */
    const char *fallback;       /* the key whose value counts while this one is not set; or NULL */
    struct result (*check)(struct slice value, struct errinfo *e); /* beyond the type; or NULL */
    const char *help; /* for the reference: what it does, one line */
};

/* "bool", "int", "text", "secret", "choice", "command". Static storage. */
const char *key_type_name(enum key_type type);

/* All of it, in the order of the reference. */
const struct key *keys_table(size_t *n);

/* The row of this NAME (X and Y as letters); NULL if there is none. */
const struct key *keys_row(const char *name);

/* Its name in a settings file, "account.3.label", with these numbers where it has an X and a Y. */
#define KEY_NAME_SIZE 80
void key_name(const struct key *k, unsigned x, unsigned y, char out[KEY_NAME_SIZE]);

/* How many accounts, and servers, a key is there for: LIMIT_ACCOUNTS and LIMIT_SERVERS where its
 * name has X and Y, else 1. */
size_t key_xs(const struct key *k);
size_t key_ys(const struct key *k);

/* A key as a settings file names it: "account.3.sip_server.1.port" is row, 3, 1. A number that the
 * name does not have is 0. */
struct key_ref {
    const struct key *key;
    unsigned x, y;
};

/* Number I, from 0, of the key_xs() * key_ys() keys that the row K stands for. */
struct key_ref key_at(const struct key *k, size_t i);

/* ERR_NOT_FOUND with a sentence if TEXT names no key, or one of an account that does not exist. */
RESULT key_find(struct slice text, struct key_ref *out, struct errinfo *e);

/* A value without the blanks around it, as a line of a file has them; empty for KEY_NULL, which
 * stands for the default. */
#define KEY_NULL "%NULL%"
struct slice key_plain(struct slice value);

/* Whether K is the key of a command. */
bool key_is_command(const struct key *k);

/* ERR_INVALID with what the value has to be, unless it is one for K. The sentence does not have a
 * secret in it. */
RESULT key_check(const struct key *k, struct slice value, struct errinfo *e);

#endif
