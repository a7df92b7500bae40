/*
 * command: the orders that a settings file can have beside settings: trust the certificates at this
 * URL, delete those (the keys of the type KEY_COMMAND). They are carried out once, in the order of
 * lines and files, and are in no layer of the settings.
 */
#ifndef SIPSD_CONTROL_COMMAND_H
#define SIPSD_CONTROL_COMMAND_H

#include "base/limits.h"
#include "control/keys.h"

enum command_kind {
    COMMAND_TRUST_URL,       /* static.trusted_certificates.url */
    COMMAND_TRUST_DELETE,    /* static.trusted_certificates.delete */
    COMMAND_IDENTITY_URL,    /* static.server_certificates.url */
    COMMAND_IDENTITY_DELETE, /* static.server_certificates.delete */
};

/* The name of its key. Static storage. */
const char *command_key(enum command_kind kind);

/* Of a row whose type is KEY_COMMAND; others are a bug (assert). */
enum command_kind command_kind(const struct key *k);

/* VALUE is one that key_check() takes. It may have a password or a private key (in a data: URL) in
 * it: it is never logged, and wiped. */
struct command {
    enum command_kind kind;
    char *file; /* which one it stood in, for reports */
    size_t line;
    char *value;
};

/* A value type that owns its strings: commands_clear() it. All zero is empty. */
struct commands {
    struct command list[LIMIT_COMMANDS];
    size_t count;
};

/* Adds one at the end; what is borrowed is copied. ERR_LIMIT, ERR_NOMEM: C is as it was. */
RESULT commands_add(struct commands *c, enum command_kind kind, const char *file, size_t line,
                    struct slice value, struct errinfo *e);

/* Adds copies of all of FROM at the end: all, or none. */
RESULT commands_append(struct commands *c, const struct commands *from, struct errinfo *e);

/* Whether they say the same in the same order; where they stood does not count. */
bool commands_same(const struct commands *a, const struct commands *b);

void commands_clear(struct commands *c); /* wipes */

/*
 * What a URL of a delete command is about: "http://localhost/all" is ALL, "http://localhost/NAME"
 * the NAME, percent-decoded (RFC 3986 section 2.1), for change_remove_trusted(). https will do too;
 * scheme and host in any case. ERR_INVALID with a sentence.
 */
#define COMMAND_NAME_SIZE LIMIT_TEXT
RESULT command_delete_target(struct slice url, char name[COMMAND_NAME_SIZE], bool *all,
                             struct errinfo *e);

#endif
