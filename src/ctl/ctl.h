/* ctl: what sipsctl's commands have in common. Each command is a function in a file of its own. */
#ifndef SIPSD_CTL_CTL_H
#define SIPSD_CTL_CTL_H

#include <stdbool.h>

#include "sipsd/client.h"

/* Exit statuses of every command. */
enum { CTL_OK = 0, CTL_REFUSED = 1, CTL_FAILED = 2 };

struct ctl_options {
    const char *run_dir; /* where sipsd's sockets are */
    bool json;           /* for scripts: JSON instead of pictures */
};

/* Set by main before a command runs. */
extern struct ctl_options ctl_options;

/* A command: ARGV[0] is its own name. Returns the exit status. */
typedef int ctl_command(int argc, char **argv);

ctl_command ctl_status, ctl_watch, ctl_accounts, ctl_trust, ctl_identity, ctl_rejected, ctl_reset,
    ctl_settings, ctl_verify, ctl_probe, ctl_relay, ctl_provision, ctl_check;

/* `provision --make`, a command that needs no sipsd. */
ctl_command ctl_make;

/* "sipsctl: ..." to stderr; returns STATUS. */
int ctl_fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* For a command that takes no arguments: CTL_OK, or CTL_FAILED and said so. */
int ctl_no_arguments(int argc, char **argv);

/* The socket for looking (events.sock, or control.sock where only that one may be opened), and for
 * acting. */
enum sipsd_status ctl_connect_events(struct sipsd_client **out, char *error);
enum sipsd_status ctl_connect_control(struct sipsd_client **out, char *error);

/* The exit status that goes with a failed call; says why. */
int ctl_call_failed(enum sipsd_status status, const char *error);

/* One call on control.sock: its result goes to SHOW, or as it is to stdout with --json. The second
 * uses a connection that is there. Both return the exit status. */
typedef void ctl_show(const char *json);
int ctl_call_and_show(const char *method, const char *params, ctl_show *show);
int ctl_call_on(struct sipsd_client *c, const char *method, const char *params, ctl_show *show);

/* Asks the person at the terminal: CTL_OK for yes, CTL_REFUSED for no. CTL_FAILED, and says that
 * --yes is needed, where nobody can be asked. */
int ctl_confirm(const char *question);

/* Member NAME of a parsed OBJECT, as text; "" if it is none. */
struct cJSON;
const char *ctl_text(const struct cJSON *object, const char *name);

/* Makes text of PARAMS and frees them, overwriting what they have; NULL without memory. The text is
 * the caller's, for ctl_free_params(), which overwrites it too. */
char *ctl_take_params(struct cJSON *params);
void ctl_free_params(char *text);

#endif
