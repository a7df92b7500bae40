/*
 * settings_file: writes a settings file that gives certificates to phones: as lines of comments,
 * commands and settings, in the order of the calls.
 *
 * A certificate goes by a data: URL (RFC 2397), so that the file needs nothing beside it, or by the
 * URL at which it will be published.
 */
#ifndef SIPSD_CTL_SETTINGS_FILE_H
#define SIPSD_CTL_SETTINGS_FILE_H

#include "base/buf.h"
#include "base/errinfo.h"
#include "pki/identity.h"

/* The first line. OUT is empty before, and has secrets behind it: the caller wipes it, also after a
 * failure. Here and below: ERR_LIMIT for what does not fit into a line or a file, ERR_NOMEM. */
RESULT settings_file_begin(struct buf *out, struct errinfo *e);

/* "key = value". */
RESULT settings_file_put(struct buf *out, const char *key, struct slice value, struct errinfo *e);

/* The trusted certificate itself, that came in a file of this NAME. */
RESULT settings_file_put_cert(struct buf *out, const char *name, const struct cert *cert,
                              struct errinfo *e);

/* The phone's own certificate itself, with chain and key. */
RESULT settings_file_put_identity(struct buf *out, const char *name, const struct identity *id,
                                  struct errinfo *e);

/* KEY with the URL of the file NAME below BASE, which is a directory with or without a slash at its
 * end. ERR_INVALID if that is no URL for phones. */
RESULT settings_file_put_url(struct buf *out, const char *key, const char *base, const char *name,
                             struct errinfo *e);

/* KEY with the URL that names what is to be deleted; NAME "all" is everything. */
RESULT settings_file_put_delete(struct buf *out, const char *key, const char *name,
                                struct errinfo *e);

/* "# NAME, until DATE, SHA-256 ...": which certificate the next line is about. */
RESULT settings_file_comment(struct buf *out, const struct cert *cert, struct errinfo *e);

#endif
