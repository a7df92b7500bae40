/*
 * pemfiles: certificates and keys of files that a test program was told on its command line.
 * Nothing here fails: what cannot be read ends the process, with a sentence and status 2.
 */
#ifndef SIPSD_TESTS_TOOLS_PEMFILES_H
#define SIPSD_TESTS_TOOLS_PEMFILES_H

#include "base/buf.h"
#include "pki/identity.h"
#include "pki/trust.h"

/* What is in PATH, to be freed; nothing where PATH is NULL. */
struct buf pemfiles_read(const char *path);

/* A certificate and its key; NULL where CERT is NULL. KEY may be NULL if CERT has it. */
struct identity *pemfiles_identity(const char *cert, const char *key);

/* The certificates of PATH, PEM or DER, as custom ones; none where it is NULL. */
struct trust *pemfiles_trust(const char *path);

#endif
