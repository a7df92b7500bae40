/* factory: what sipsd-factory's commands have in common. */
#ifndef SIPSD_FACTORY_FACTORY_H
#define SIPSD_FACTORY_FACTORY_H

#include "base/buf.h"
#include "base/errinfo.h"
#include "factory/options.h"

/* Exit statuses of every command. */
enum { FACTORY_OK = 0, FACTORY_FAILED = 1, FACTORY_USAGE = 2 };

/* A command: does what the options say, at the time that they have. A failure has a sentence. */
typedef struct result factory_command(const struct options *o, struct errinfo *e);

factory_command factory_ca, factory_generic, factory_unique, factory_csr, factory_sign,
    factory_join, factory_show;

/* "sipsd-factory: ..." to stderr: what is worth knowing and no failure. */
void factory_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The name of a file in DIR, to free(); NULL without memory. */
char *factory_path(const char *dir, const char *name, const char *suffix);

/* ERR_EXISTS, with a sentence, if there is anything of that name: for before the work is done. */
RESULT factory_check_free(const char *path, struct errinfo *e);

/* Reads a file of at most LIMIT_CERT_FILE_BYTES into OUT (initialised here; the caller's to wipe,
 * whatever is returned). For one with a private key, others' access is noted. */
RESULT factory_read(const char *path, struct buf *out, struct errinfo *e);
RESULT factory_read_secret(const char *path, struct buf *out, struct errinfo *e);

/* The password of --password-file: its first line, without the line's end. Empty if the option was
 * not given. The same for OUT. */
RESULT factory_password(const struct options *o, struct buf *out, struct errinfo *e);

#endif
