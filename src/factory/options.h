/* options: the command line of sipsd-factory. */
#ifndef SIPSD_FACTORY_OPTIONS_H
#define SIPSD_FACTORY_OPTIONS_H

#include "base/errinfo.h"
#include "base/rng.h"
#include "factory/maclist.h"

#define OPTIONS_OPERANDS_MAX 3

/* Kinds of key: what --ec and --rsa say. */
enum key_kind { KEY_AS_CA, KEY_EC, KEY_RSA };

/* Borrowed from the command line, but for MACS. */
struct options {
    const char *operands[OPTIONS_OPERANDS_MAX]; /* as many as the command takes */
    const char *name;                           /* NULL: not given */
    const char *list;
    const char *password_file;
    struct maclist macs; /* of --mac */
    enum key_kind key_kind;
    unsigned rsa_bits; /* 0: not given */
    unsigned years;    /* 0: not given */
    bool no_end;       /* --years never */
    bool help;         /* and nothing else counts */

    const struct rng *rng; /* the main program's to set */
    int64_t now_s;
};

/* What a command takes. */
enum options_macs { NO_MAC, ONE_MAC, MACS_OR_LIST };
struct options_rule {
    const char *allowed; /* letters of the table in options.c */
    unsigned operands;
    enum options_macs macs;
};

/* ARGV[0] is the command's name. ERR_INVALID with a sentence; OUT needs options_free() in any case.
 */
RESULT options_read(int argc, char **argv, const struct options_rule *rule, struct options *out,
                    struct errinfo *e);
void options_free(struct options *o);

/* How many bits an RSA key is to have, 0 for EC: what was asked for, else what the CA's key is (AS
 * RSA), of DEFAULT_BITS. */
unsigned options_rsa_bits(const struct options *o, bool ca_is_rsa, unsigned default_bits);

#endif
