/* sipsd-factory: makes the CA of a maker of phones, and the certificates that its phones are born
 * with. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "factory/factory.h"
#include "factory/validity.h"
#include "sys/entropy.h"
#include "sys/wallclock.h"

static const struct command {
    const char *name;
    factory_command *run;
    struct options_rule rule;
    bool dated; /* it makes certificates: the clock must be right */
    const char *usage, *help;
} commands[] = {
    {"ca",
     factory_ca,
     {"nreyp", 1, NO_MAC},
     true,
     "DIR",
     "make the maker's CA: a root, and the issuing CA that is used"},
    {"generic",
     factory_generic,
     {"nreyp", 2, NO_MAC},
     true,
     "DIR OUT",
     "make the identity that all phones share"},
    {"unique",
     factory_unique,
     {"mlreyp", 2, MACS_OR_LIST},
     true,
     "DIR (--mac MAC)... | --list FILE OUTDIR",
     "make an identity for each phone"},
    {"csr",
     factory_csr,
     {"mre", 2, ONE_MAC},
     false,
     "--mac MAC KEY OUT",
     "on the phone: make a key that stays there, and a request"},
    {"sign",
     factory_sign,
     {"myp", 3, ONE_MAC},
     true,
     "DIR --mac MAC CSR OUT",
     "answer a request with a certificate"},
    {"join",
     factory_join,
     {"", 3, NO_MAC},
     false,
     "KEY CHAIN OUT",
     "on the phone: make its identity of key and answer"},
    {"show", factory_show, {"", 1, NO_MAC}, false, "FILE", "show what is in a file; never the key"},
};

static void usage(FILE *out)
{
    (void)fputs("usage: sipsd-factory COMMAND [OPTION]...\n\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        (void)fprintf(out, "  %s %s\n        %s\n", commands[i].name, commands[i].usage,
                      commands[i].help);
    (void)fputs("\n"
                "  --rsa[=BITS], --ec    the kind of key; P-256, or as the CA has it\n"
                "  --years N|never       how long it is valid; 40 for a root, 20 for a phone\n"
                "  --name NAME           ca: the maker; generic: the common name\n"
                "  --password-file FILE  of the CA's keys\n"
                "  --help, --version\n\n"
                "Exit status: 0 done, 1 not done, 2 wrong usage.\n",
                out);
}

/* A failure's sentence to stderr; returns STATUS. */
static int say(int status, const struct errinfo *e, struct result r)
{
    factory_note("%s", errinfo_text(e, r));
    return status;
}

static int run(const struct command *c, int argc, char **argv)
{
    struct errinfo e = ERRINFO_INIT;
    struct options o;
    int status = FACTORY_OK;

    struct result r = options_read(argc, argv, &c->rule, &o, &e);
    o.rng = &entropy_system;
    if (is_err(r)) {
        status = say(FACTORY_USAGE, &e, r);
    } else if (o.help) {
        usage(stdout);
    } else {
        o.now_s = (int64_t)time(NULL);
        if (c->dated)
            r = validity_check_clock(o.now_s, wallclock_build_time(), &e);
        if (is_ok(r))
            r = c->run(&o, &e);
        if (is_err(r))
            status = say(FACTORY_FAILED, &e, r);
    }
    options_free(&o);
    return status;
}

int main(int argc, char **argv)
{
    const struct rlimit no_core = {0, 0}; /* it would hold the keys */

    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)umask(0077);
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        usage(stdout);
        return FACTORY_OK;
    }
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        (void)puts("sipsd-factory " SIPSD_VERSION);
        return FACTORY_OK;
    }
    if (argc < 2) {
        usage(stderr);
        return FACTORY_USAGE;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return run(&commands[i], argc - 1, argv + 1);
    factory_note("there is no command '%s'; sipsd-factory --help lists them", argv[1]);
    return FACTORY_USAGE;
}
