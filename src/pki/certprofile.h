/* certprofile: the names of the profiles that certificates are held to (enum verify_profile). */
#ifndef SIPSD_PKI_CERTPROFILE_H
#define SIPSD_PKI_CERTPROFILE_H

#include "pki/verify.h"

/* "public", "compatible"; false for any other text. */
bool certprofile_from_name(const char *text, enum verify_profile *out);
const char *certprofile_name(enum verify_profile p);

#endif
