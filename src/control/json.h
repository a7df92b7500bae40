/*
 * json: the strict door before cJSON. cJSON accepts much that is not JSON (RFC 8259): leading
 * zeros, control characters in strings, bad escapes. One small pass decides grammar, UTF-8, depth
 * and length; what it lets through, cJSON parses.
 */
#ifndef SIPSD_CONTROL_JSON_H
#define SIPSD_CONTROL_JSON_H

#include "base/errinfo.h"
#include "base/slice.h"

struct cJSON;

/* OK if TEXT is one JSON value and blanks, nested at most LIMIT_JSON_DEPTH deep. ERR_PARSE with the
 * offset, ERR_LIMIT. */
RESULT json_check(struct slice text, struct errinfo *e);

/* Checks and parses; OUT is the caller's (cJSON_Delete). */
RESULT json_parse(struct slice text, struct cJSON **out, struct errinfo *e);

#endif
