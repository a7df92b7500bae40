#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "app/config.h"
#include "app/daemon.h"
#include "app/options.h"
#include "sys/entropy.h"
#include "sys/privs.h"
#include "tls/profile.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static int64_t epoch_s(void)
{
    return (int64_t)time(NULL);
}

static int check(const struct options *o)
{
    struct errinfo e = ERRINFO_INIT;
    struct settings *s;
    struct commands commands;
    unsigned refused;
    const struct result r = config_read(o->configs, o->configs_count, &s, &commands, &refused, &e);
    if (is_err(r)) {
        (void)fprintf(stderr, "sipsd: %s\n", errinfo_text(&e, r));
        return EXIT_FAILED;
    }
    refused += config_check_accounts(s);
    settings_free(s);
    commands_clear(&commands);
    if (refused != 0)
        (void)fprintf(stderr, "sipsd: %u settings are refused\n", refused);
    return refused == 0 ? EXIT_OK : EXIT_FAILED;
}

static struct result serve(const struct options *o, struct errinfo *e)
{
    struct daemon *d;
    TRY(privs_harden(e));
    TRY(tls_global_init(&entropy_system, epoch_s, e));
    TRY(daemon_new(o, SIPSD_VERSION, &d, e));
    daemon_run(d);
    daemon_free(d);
    return OK;
}

static int run(const struct options *o)
{
    struct errinfo e = ERRINFO_INIT;
    (void)umask(0077);
    (void)signal(SIGPIPE, SIG_IGN);
    const struct result r = serve(o, &e);
    tls_global_free();
    if (is_err(r))
        log_error("sipsd", "%s", errinfo_text(&e, r));
    else
        log_notice("sipsd", "stopped");
    return is_ok(r) ? EXIT_OK : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    struct options o;
    struct errinfo e = ERRINFO_INIT;
    const struct result r = options_parse(argc, argv, &o, &e);
    if (is_err(r)) {
        (void)fprintf(stderr, "sipsd: %s\nTry 'sipsd --help'\n", errinfo_text(&e, r));
        return EXIT_USAGE;
    }
    switch (o.action) {
    case OPTIONS_HELP:
        options_help(stdout);
        return EXIT_OK;
    case OPTIONS_VERSION:
        (void)printf("sipsd %s\n", SIPSD_VERSION);
        return EXIT_OK;
    case OPTIONS_CHECK:
        log_open(o.log_sink, o.log_level, "sipsd");
        return check(&o);
    default:
        log_open(o.log_sink, o.log_level, "sipsd");
        return run(&o);
    }
}
