/*
 * daemon: the running program: everything put together, and what signals and the supervisor want.
 */
#ifndef SIPSD_APP_DAEMON_H
#define SIPSD_APP_DAEMON_H

#include "app/options.h"

struct daemon;

/*
 * Opens what may need root, becomes the user that the options name, then reads settings and
 * certificates. The process must be hardened and tls_global_init() done before. O is borrowed.
 */
RESULT daemon_new(const struct options *o, const char *version, struct daemon **out,
                  struct errinfo *e);

/* Runs until SIGTERM or SIGINT; the accounts are taken down in order then, at once on a second one.
 */
void daemon_run(struct daemon *d);

void daemon_free(struct daemon *d); /* NULL is fine */

#endif
