/*
 * json: the strict door before cJSON. cJSON accepts much that is not JSON (RFC 8259): leading
 * zeros, control characters in strings, bad escapes. One small pass decides grammar, UTF-8, depth
 * and length; what it lets through, cJSON parses.
 *
 * Stricter than the RFC's grammar in two points, which it leaves to implementations: half a
 * surrogate pair is refused (it is no character), and so is a byte-order mark (section 8.1).
 */
#ifndef SIPSD_CONTROL_JSON_H
#define SIPSD_CONTROL_JSON_H

#include "base/errinfo.h"
#include "base/slice.h"

struct cJSON;

/*
 * OK if TEXT is one JSON value with blanks around it. ERR_PARSE with what is wrong and at which
 * byte (counted from 1); ERR_LIMIT if it is longer than LIMIT_RPC_REQUEST or nested deeper than
 * LIMIT_JSON_DEPTH. One pass, no memory, no recursion.
 */
RESULT json_check(struct slice text, struct errinfo *e);

/* Checks and parses; OUT is the caller's (cJSON_Delete). ERR_NOMEM besides. */
RESULT json_parse(struct slice text, struct cJSON **out, struct errinfo *e);

/* cJSON_Delete() that overwrites every text value first: what was asked may have had secrets in it.
 * NULL is fine. */
void json_wipe(struct cJSON *json);

#endif
