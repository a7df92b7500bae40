/*
 * request_file: a file that a request brings: with it, or staged before (control/staging).
 *
 *     {"name": "corp.pem", "content": "-----BEGIN ..."}        text
 *     {"name": "corp.der", "base64": "MII..."}                 anything
 *     {"name": "large.pem", "staged": 7}                       what was uploaded as number 7
 *     {"name": "b.pem", "staged": 7, "offset": 900, "size": 800}   a part of it
 */
#ifndef SIPSD_CONTROL_REQUEST_FILE_H
#define SIPSD_CONTROL_REQUEST_FILE_H

#include "base/buf.h"
#include "control/staging.h"

struct cJSON;

/* A value type; borrows from the request and the staged file. */
struct request_file {
    const char *name;
    struct slice content;
    uint64_t staged;    /* the number of the upload; 0: it came with the request */
    struct buf decoded; /* what CONTENT points into, where it came as Base64 */
};

/* The names of all members, ending with NULL, for tables of methods. */
#define REQUEST_FILE_MEMBERS "name", "content", "base64", "staged", "offset", "size"

/* Reads the members of O, others are not looked at. ERR_INVALID, or as staging_get(): nothing to
 * clear. */
RESULT request_file_read(const struct cJSON *o, const struct staging *staging,
                         struct request_file *out, struct errinfo *e);

/* The same of an object that may have no other members; WHAT names it in sentences. */
RESULT request_file_read_strict(const struct cJSON *o, const char *what,
                                const struct staging *staging, struct request_file *out,
                                struct errinfo *e);

void request_file_clear(struct request_file *f); /* wipes; all zero is fine */

/* Member NAME of PARAMS: a whole number of at least 0 into *OUT, which stays as it is without one.
 * ERR_INVALID. */
RESULT request_number(const struct cJSON *params, const char *name, uint64_t *out,
                      struct errinfo *e);

/* The same for text, and for true and false. */
RESULT request_text(const struct cJSON *params, const char *name, const char **out,
                    struct errinfo *e);
RESULT request_bool(const struct cJSON *params, const char *name, bool *out, struct errinfo *e);

#endif
