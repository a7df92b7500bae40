/*
 * seal: the first line of a file that says what the rest of it hashes to, so that damage is seen.
 *
 *     # sha256 <64 lower-case hexadecimal digits>
 *
 * In PEM it is text before the first block, in settings a comment: a sealed file is read by every
 * program that reads the plain one. It guards against flash and power cuts, not against people.
 */
#ifndef SIPSD_SYS_SEAL_H
#define SIPSD_SYS_SEAL_H

#include "base/errinfo.h"
#include "base/hash.h"
#include "base/slice.h"

#define SEAL_LEN (sizeof "# sha256 " - 1 + 2 * HASH_SHA256_SIZE + 1)

/* The line for CONTENT, with its end: SEAL_LEN bytes, and a NUL behind them. */
void seal_make(struct slice content, char out[SEAL_LEN + 1]);

/*
 * *CONTENT is what is behind the line of FILE, or all of FILE if it has none. ERR_PARSE, with a
 * sentence, for a hash that does not fit, a line that is none but begins as one, a file that is
 * empty or begins with a zero byte.
 */
RESULT seal_open(struct slice file, struct slice *content, struct errinfo *e);

#endif
