/*
 * order: carries one command of a settings file (control/command) out on a change of the phone's
 * certificates (control/change).
 *
 * What is asked for may be so already: to delete what is not there, or to trust what is trusted, is
 * no failure, so that a file can be given again and again.
 */
#ifndef SIPSD_CONTROL_ORDER_H
#define SIPSD_CONTROL_ORDER_H

#include "control/change.h"
#include "control/command.h"
#include "control/provision_report.h"

/* A sentence for people: what was done, or that nothing had to be. */
struct order_told {
    char sentence[LIMIT_TEXT];
};

enum provision_what order_what(enum command_kind kind);

/* Whom it is about, for reports: the name of a file, without path and query; "all"; the name that
 * is deleted. For a data: URL the name in it (dataurl_name()), else that of the settings file. */
void order_subject(const struct command *c, char *out, size_t size);

/* The path of its URL, for reports. */
void order_path(const struct command *c, char *out, size_t size);

/* Whether it wants a file that is not in it: its value is the URL. */
bool order_is_elsewhere(const struct command *c);

/* Does it; not for one that wants a file. Errors are those of change_...() and dataurl_decode(). */
RESULT order_carry_out(const struct command *c, struct change *ch, struct order_told *told,
                       struct errinfo *e);

/* Does it, with the file that it wants. */
RESULT order_give(const struct command *c, struct slice content, struct change *ch,
                  struct order_told *told, struct errinfo *e);

#endif
