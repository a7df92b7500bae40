/* sipsctl: shows and steers sipsd from the command line. A client of its sockets like any other. */
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"

static const struct {
    const char *name;
    ctl_command *run;
    const char *help;
} commands[] = {
    {"status", ctl_status, "the phone's accounts, their locks, and why"},
    {"watch", ctl_watch, "the same, live, until Ctrl-C"},
    {"accounts", ctl_accounts, "accounts [reconnect NUMBER]: a line each, or connect one anew"},
    {"relay", ctl_relay, "relay [--account N] [--bodies]: the SIP messages as they pass"},
    {"verify", ctl_verify, "verify CHAIN.pem: judge a chain as the handshake does; --help"},
    {"probe", ctl_probe, "probe HOST[:PORT]: make a handshake and judge it; --help"},
    {"trust", ctl_trust, "trust list|add|remove|clear: the trusted certificates"},
    {"identity", ctl_identity, "identity show|install|remove: the phone's own certificate"},
    {"provision", ctl_provision, "provision FILE...: push settings and certificates; --help"},
    {"check", ctl_check, "check FILE...: judge settings files as a phone does; --help"},
    {"rejected", ctl_rejected, "rejected list|show|trust: servers that were refused, and why"},
    {"settings", ctl_settings, "settings get|set|unset|describe: what counts, and what it can be"},
    {"reset", ctl_reset, "forget all uploaded certificates and settings"},
};

static void usage(FILE *out)
{
    (void)fputs("usage: sipsctl [--run-dir DIR] [--json] COMMAND [ARGUMENT]...\n\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        (void)fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
    (void)fputs("\n"
                "  --run-dir DIR   where sipsd's sockets are (/run/sipsd)\n"
                "  --json          JSON for scripts\n"
                "  --help, --version\n\n"
                "Exit status: 0 done, 1 refused, 2 could not run.\n",
                out);
}

/* True if the program ends here, with *STATUS. */
static bool read_options(int argc, char **argv, int *status)
{
    static const struct option options[] = {
        {"run-dir", required_argument, NULL, 'r'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    int c;
    while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        switch (c) {
        case 'r':
            ctl_options.run_dir = optarg;
            break;
        case 'j':
            ctl_options.json = true;
            break;
        case 'h':
            usage(stdout);
            *status = CTL_OK;
            return true;
        case 'v':
            (void)puts("sipsctl " SIPSD_VERSION);
            *status = CTL_OK;
            return true;
        default:
            *status = CTL_FAILED; /* getopt said why */
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    int status;
    (void)setlocale(LC_CTYPE, ""); /* whether the terminal takes UTF-8 */
    if (read_options(argc, argv, &status))
        return status;
    if (optind == argc) {
        usage(stderr);
        return CTL_FAILED;
    }
    const char *name = argv[optind];
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(name, commands[i].name) == 0) {
            argc -= optind;
            argv += optind;
            optind = 0; /* getopt begins anew in the command */
            return commands[i].run(argc, argv);
        }
    return ctl_fail(CTL_FAILED, "there is no command '%s'; sipsctl --help lists them", name);
}
