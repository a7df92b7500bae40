/* options: the command line of sipsd; sipsd(8) is its manual. */
#ifndef SIPSD_APP_OPTIONS_H
#define SIPSD_APP_OPTIONS_H

#include <stdio.h>

#include "base/errinfo.h"
#include "base/log.h"

#define OPTIONS_CONFIGS_MAX 8

enum options_action { OPTIONS_RUN, OPTIONS_CHECK, OPTIONS_VERSION, OPTIONS_HELP };

/* All strings point into argv, or are static. */
struct options {
    enum options_action action;
    const char *configs[OPTIONS_CONFIGS_MAX]; /* the later one wins */
    size_t configs_count;
    const char *state_dir;
    const char *run_dir;
    const char *factory_dir;
    const char *mac;       /* NULL: the interface's */
    const char *interface; /* NULL: mac is given */
    const char *user;      /* NULL: stay who we are */
    const char *ui_group;  /* NULL: none */
    const char *admin_group;
    const char *call_group;
    enum log_sink log_sink;
    enum log_level log_level;
};

/* ERR_INVALID with a sentence for an option that is unknown, incomplete or missing. */
RESULT options_parse(int argc, char **argv, struct options *out, struct errinfo *e);

/* What --help says. */
void options_help(FILE *to);

#endif
