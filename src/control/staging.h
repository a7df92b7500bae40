/*
 * staging: a file on its way in, in pieces, because it is too large for one line of a request.
 *
 * One at a time: a new one takes the place of the one before, whose pieces are refused from then
 * on, because each has a number of its own that never comes again. Its memory is its exact size,
 * taken once when it begins, and given back, wiped, when it was used, when a piece does not fit, or
 * after LIMIT_STAGING_MS without a piece.
 */
#ifndef SIPSD_CONTROL_STAGING_H
#define SIPSD_CONTROL_STAGING_H

#include "base/errinfo.h"
#include "base/slice.h"
#include "sys/loop.h"

struct staging;

RESULT staging_new(struct loop *l, struct staging **out);
void staging_free(struct staging *s); /* NULL is fine */

/* A value type. */
struct staging_piece {
    uint64_t number; /* of the file, as the first piece's answer told it; 0: this is the first */
    size_t size;     /* of the whole file; looked at in the first piece */
    size_t offset;   /* of this piece: where the one before it ended */
    struct slice base64;
};

/*
 * Takes a piece. *NUMBER is the file's, *RECEIVED how much of it is there. ERR_INVALID for a piece
 * that does not fit or is no Base64, ERR_NOT_FOUND for one of a file that is no longer there,
 * ERR_LIMIT over LIMIT_CERT_FILE_BYTES, ERR_NOMEM: the file that was being staged is gone then,
 * unless it is another one.
 */
RESULT staging_put(struct staging *s, const struct staging_piece *p, uint64_t *number,
                   size_t *received, struct errinfo *e);

/* The whole file NUMBER, until the next call. ERR_NOT_FOUND, ERR_STATE if a part is missing. */
RESULT staging_get(const struct staging *s, uint64_t number, struct slice *out, struct errinfo *e);

/* The file NUMBER is not needed any more; nothing if it is another one. */
void staging_drop(struct staging *s, uint64_t number);

#endif
