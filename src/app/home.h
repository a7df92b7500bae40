/* home: what the phone is, outside of its settings: its directories, its MAC address. */
#ifndef SIPSD_APP_HOME_H
#define SIPSD_APP_HOME_H

#include <sys/types.h>

#include "base/errinfo.h"

/* Makes DIR where it is missing; made by root, it is given to USER (may be NULL). */
RESULT home_make_dir(const char *dir, mode_t mode, const char *user, struct errinfo *e);

/* The MAC address of a network interface as text, into OUT of SIZE bytes. */
RESULT home_mac(const char *interface, char *out, size_t size, struct errinfo *e);

#endif
