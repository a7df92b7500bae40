/*
 * home: what the phone is and has, outside of its settings: its directories, its MAC address, the
 * maker's certificate.
 */
#ifndef SIPSD_APP_HOME_H
#define SIPSD_APP_HOME_H

#include <sys/types.h>

#include "base/errinfo.h"
#include "base/rng.h"
#include "pki/identity.h"

/* Makes DIR where it is missing; made by root, it is given to USER (may be NULL). */
RESULT home_make_dir(const char *dir, mode_t mode, const char *user, struct errinfo *e);

/* The MAC address of a network interface as text, into OUT of SIZE bytes. */
RESULT home_mac(const char *interface, char *out, size_t size, struct errinfo *e);

/*
 * The certificate that the maker gave the phone: DIR/unique.pem, this phone's own, else
 * DIR/generic.pem; chain and private key in one file. NULL where there is none, or none that can be
 * used, which is logged.
 */
struct identity *home_identity(const char *dir, const struct rng *rng);

#endif
