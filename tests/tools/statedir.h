/* statedir: a state directory for one test, with files in it, and phone credentials that use it. */
#ifndef SIPSD_TESTS_TOOLS_STATEDIR_H
#define SIPSD_TESTS_TOOLS_STATEDIR_H

#include "control/credentials.h"
#include "tools/testpki.h"

#define STATEDIR_MAC "00:15:65:12:34:56"

struct statedir {
    char path[64];    /* of the state directory */
    char factory[80]; /* of the factory directory, inside it */
    struct credentials *credentials;
    unsigned changed;                   /* what was told to be new since this was last set to 0 */
    int changes;                        /* how often */
    credentials_changed_fn *on_changed; /* told besides; or NULL */
    void *on_changed_arg;
};

/* Makes the directories. */
void statedir_make(struct statedir *s);

/* Frees the credentials, and removes all of it. */
void statedir_remove(struct statedir *s);

/* Opens the credentials. */
void statedir_open(struct statedir *s, unsigned want);

/* PATH inside the directory, in a static buffer. */
const char *statedir_path(const struct statedir *s, const char *path);

/* Puts a file into the first generation by hand. */
void statedir_put(const struct statedir *s, const char *name, const char *text);
void statedir_put_ca(const struct statedir *s, const char *name, const char *subject);

/* A CA; its PEM, and a phone's identity with key, to be freed. */
const struct testpki_cert *statedir_ca(const char *subject);
char *statedir_pem(const struct testpki_cert *c);
char *statedir_identity(const char *subject);

/* The names of the files of the newest generation, with a blank behind each, in a static buffer. */
const char *statedir_files(const struct statedir *s);

#endif
