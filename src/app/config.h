/* config: reads the settings files, and says what is wrong with them. */
#ifndef SIPSD_APP_CONFIG_H
#define SIPSD_APP_CONFIG_H

#include <stddef.h>

#include "base/errinfo.h"
#include "control/command.h"
#include "control/settings.h"

/*
 * Reads the N files of PATHS in order into new settings, and the commands in them into *COMMANDS,
 * which is to be cleared. Complaints are logged with file and line; *REFUSED counts the values that
 * were refused. ERR_* with a sentence if a file cannot be read or is no settings file.
 */
RESULT config_read(const char *const *paths, size_t n, struct settings **out,
                   struct commands *commands, unsigned *refused, struct errinfo *e);

/* How many accounts cannot work as they are set; which, and why, is logged. */
unsigned config_check_accounts(const struct settings *s);

/* sip.tls_listen_port as the same files set it, looked up before they are read in earnest: nothing
 * is said of what is wrong in them. 0 if they cannot be read. */
uint16_t config_peek_port(const char *const *paths, size_t n);

#endif
