/* The command that makes the generic identity: the one that all phones of a kind share. */
#include <stdio.h>

#include "factory/factory.h"
#include "factory/job.h"

static struct result make(struct job *j, const char *path, struct errinfo *e)
{
    struct phone_plan plan = job_plan(j);
    struct buf pem, rows;

    plan.generic_name = j->options->name != NULL ? j->options->name : PHONE_GENERIC_NAME;
    buf_init(&pem, PHONE_PEM_MAX);
    buf_init(&rows, PHONE_PEM_MAX);
    struct result r = phone_make(&j->ca, &plan, j->options->rng, &pem, &rows, &j->cut, e);
    if (is_ok(r))
        r = job_deliver(j, &rows, path, 0600, &pem, e);
    buf_wipe(&pem);
    buf_free(&rows);
    return r;
}

struct result factory_generic(const struct options *o, struct errinfo *e)
{
    const char *path = o->operands[1];
    struct job j;

    TRY(factory_check_free(path, e));
    TRY(job_open(o, &j, e));
    const struct result r = make(&j, path, e);
    job_close(&j);
    if (is_ok(r))
        (void)printf("%s: made the generic identity\n", path);
    return r;
}
