#include "app/options.h"

#include <getopt.h>
#include <string.h>

enum {
    CONFIG = 256, /* behind the characters of short options */
    STATE_DIR,
    RUN_DIR,
    FACTORY_DIR,
    MAC,
    INTERFACE,
    USER,
    UI_GROUP,
    ADMIN_GROUP,
    CALL_GROUP,
    LOG,
    LOG_LEVEL,
    CHECK,
};

static const struct option longs[] = {
    {"config", required_argument, NULL, CONFIG},
    {"state-dir", required_argument, NULL, STATE_DIR},
    {"run-dir", required_argument, NULL, RUN_DIR},
    {"factory-dir", required_argument, NULL, FACTORY_DIR},
    {"mac", required_argument, NULL, MAC},
    {"interface", required_argument, NULL, INTERFACE},
    {"user", required_argument, NULL, USER},
    {"ui-group", required_argument, NULL, UI_GROUP},
    {"admin-group", required_argument, NULL, ADMIN_GROUP},
    {"call-group", required_argument, NULL, CALL_GROUP},
    {"log", required_argument, NULL, LOG},
    {"log-level", required_argument, NULL, LOG_LEVEL},
    {"check", no_argument, NULL, CHECK},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

void options_help(FILE *to)
{
    (void)fputs(
        "usage: sipsd --config FILE (--mac ADDRESS | --interface NAME) [OPTION]...\n"
        "       sipsd --check --config FILE\n"
        "\n"
        "The SIPS daemon of an IP phone: registers its accounts over TLS and says when the\n"
        "lock icon may show. It stays in the foreground.\n"
        "\n"
        "  --config FILE        settings; given again, the later file wins\n"
        "  --mac ADDRESS        the phone's MAC address, or\n"
        "  --interface NAME     ... the network interface that has it\n"
        "  --state-dir DIR      what survives a restart (/var/lib/sipsd)\n"
        "  --run-dir DIR        where events.sock, control.sock and relay.sock are (/run/sipsd)\n"
        "  --factory-dir DIR    the maker's certificates (/etc/sipsd/factory)\n"
        "  --user NAME          started as root: become this user\n"
        "  --ui-group NAME      who may open events.sock\n"
        "  --admin-group NAME   who may open control.sock\n"
        "  --call-group NAME    who may open relay.sock\n"
        "  --log stderr|syslog  where to log (stderr)\n"
        "  --log-level LEVEL    error, warning, notice, info or debug (notice)\n"
        "  --check              read the settings, say what is wrong with them, exit\n"
        "  --version, -V        print the version, exit\n"
        "  --help, -h           print this, exit\n"
        "\n"
        "SIGHUP reads the settings again, SIGTERM ends it in order. Exit status: 0 ended as\n"
        "asked, 1 could not run, 2 wrong options. More in sipsd(8).\n",
        to);
}

static struct result set_log(const char *value, struct options *o, struct errinfo *e)
{
    if (strcmp(value, "stderr") == 0)
        o->log_sink = LOG_SINK_STDERR;
    else if (strcmp(value, "syslog") == 0)
        o->log_sink = LOG_SINK_SYSLOG;
    else
        return fail(e, ERR_INVALID, "--log is stderr or syslog, not '%s'", value);
    return OK;
}

static struct result take(int option, const char *value, struct options *o, struct errinfo *e)
{
    switch (option) {
    case CONFIG:
        if (o->configs_count == OPTIONS_CONFIGS_MAX)
            return fail(e, ERR_INVALID, "--config is given more than %d times",
                        OPTIONS_CONFIGS_MAX);
        o->configs[o->configs_count++] = value;
        return OK;
    case STATE_DIR:
        o->state_dir = value;
        return OK;
    case RUN_DIR:
        o->run_dir = value;
        return OK;
    case FACTORY_DIR:
        o->factory_dir = value;
        return OK;
    case MAC:
        o->mac = value;
        return OK;
    case INTERFACE:
        o->interface = value;
        return OK;
    case USER:
        o->user = value;
        return OK;
    case UI_GROUP:
        o->ui_group = value;
        return OK;
    case ADMIN_GROUP:
        o->admin_group = value;
        return OK;
    case CALL_GROUP:
        o->call_group = value;
        return OK;
    case LOG:
        return set_log(value, o, e);
    case LOG_LEVEL:
        if (!log_level_from_name(value, &o->log_level))
            return fail(e, ERR_INVALID,
                        "--log-level is error, warning, notice, info or debug, not '%s'", value);
        return OK;
    case CHECK:
        o->action = OPTIONS_CHECK;
        return OK;
    default:
        return err(ERR_INVALID);
    }
}

/* What the options must be together. */
static struct result complete(const struct options *o, struct errinfo *e)
{
    if (o->configs_count == 0)
        return fail(e, ERR_INVALID, "--config is missing");
    if (o->action == OPTIONS_CHECK)
        return OK;
    if (o->mac == NULL && o->interface == NULL)
        return fail(e, ERR_INVALID,
                    "--mac or --interface is missing: the phone's identity at its "
                    "servers is made of its MAC address");
    if (o->mac != NULL && o->interface != NULL)
        return fail(e, ERR_INVALID, "give --mac or --interface, not both");
    return OK;
}

RESULT options_parse(int argc, char **argv, struct options *out, struct errinfo *e)
{
    *out = (struct options){
        .state_dir = "/var/lib/sipsd",
        .run_dir = "/run/sipsd",
        .factory_dir = "/etc/sipsd/factory",
        .log_level = LOG_LEVEL_NOTICE,
    };
    optind = 0; /* from the start, whatever was parsed before */
    opterr = 0; /* the sentences are ours */
    int option;
    while ((option = getopt_long(argc, argv, ":hV", longs, NULL)) != -1) {
        if (option == 'h' || option == 'V') { /* at once: what else is there does not matter */
            out->action = option == 'h' ? OPTIONS_HELP : OPTIONS_VERSION;
            return OK;
        }
        if (option == ':')
            return fail(e, ERR_INVALID, "%s wants a value", argv[optind - 1]);
        if (option == '?' && optopt > 0 && optopt < CONFIG)
            return fail(e, ERR_INVALID, "there is no option -%c", optopt);
        if (option == '?')
            return fail(e, ERR_INVALID, "there is no option %s", argv[optind - 1]);
        TRY(take(option, optarg, out, e));
    }
    if (optind < argc)
        return fail(e, ERR_INVALID, "'%s' is not an option", argv[optind]);
    return complete(out, e);
}
