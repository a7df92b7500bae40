/* job: what the commands that issue have in common: the CA is opened, certificates are made, put on
 * record, and only then written. */
#ifndef SIPSD_FACTORY_JOB_H
#define SIPSD_FACTORY_JOB_H

#include <sys/types.h>

#include "factory/ca.h"
#include "factory/options.h"
#include "factory/phone.h"

struct job {
    const struct options *options;
    struct ca ca;
    bool cut; /* a certificate ends sooner than was asked for: said once, at the end */
};

/* The CA is the first operand. */
RESULT job_open(const struct options *o, struct job *out, struct errinfo *e);
void job_close(struct job *j);

/* A plan with the options' validity and kind of key; whose it is is left to say. */
struct phone_plan job_plan(const struct job *j);

/* Puts ROWS on record, then PEM into a new file. ERR_EXISTS. */
RESULT job_deliver(const struct job *j, const struct buf *rows, const char *path, mode_t mode,
                   const struct buf *pem, struct errinfo *e);

#endif
