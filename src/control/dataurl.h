/*
 * dataurl: a file that is in the very URL (RFC 2397): data:[<media type>][;base64],<data>. So a
 * settings file can carry the certificates that it is about.
 */
#ifndef SIPSD_CONTROL_DATAURL_H
#define SIPSD_CONTROL_DATAURL_H

#include "base/buf.h"
#include "base/errinfo.h"

/* Whether URL has that scheme. */
bool dataurl_is(struct slice url);

/*
 * Appends what is in it to OUT, whose cap is the most that it may be. The media type is not looked
 * at. ERR_PARSE; ERR_LIMIT; ERR_NOMEM: OUT is as it was. Nothing of URL, which may have a key in
 * it, is in the sentence; wiping OUT is the caller's business.
 */
RESULT dataurl_decode(struct slice url, struct buf *out, struct errinfo *e);

/* What the file is called: the parameter "name" of the media type, percent-decoded, as in
 * data:application/pkix-cert;name=corp.pem;base64,MIIB... False, and NAME is empty: it has none, or
 * one that does not fit, or with a control character or a slash in it. */
bool dataurl_name(struct slice url, char *name, size_t size);

#endif
