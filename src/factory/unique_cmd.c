/*
 * The command that makes unique identities, for one phone or for a production run.
 *
 * A file for each phone, named by its MAC address. What is there is left as it is, so a run that
 * was interrupted goes on where it stopped. Work is done in batches: made in memory, put on record,
 * written.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "factory/factory.h"
#include "factory/issued.h"
#include "factory/job.h"
#include "sys/store.h"

struct run {
    struct job job;
    const char *dir;
    size_t made, there;
    /* The batch: */
    struct unique {
        char *path;
        struct buf pem;
    } batch[LIMIT_FACTORY_BATCH];
    size_t count;
    struct buf rows;
};

static char *path_of(const char *dir, const struct mac *mac)
{
    char text[MAC_TEXT_SIZE];

    mac_text(mac, text);
    return factory_path(dir, text, ".pem");
}

/* --- a batch --- */

static void empty_batch(struct run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        free(run->batch[i].path);
        buf_wipe(&run->batch[i].pem);
    }
    run->count = 0;
    buf_clear(&run->rows);
}

static struct result write_one(struct run *run, const struct unique *u, struct errinfo *e)
{
    struct errinfo why = ERRINFO_INIT;
    const struct result r = store_create(u->path, 0600, buf_slice(&u->pem), &why);

    if (r.code == ERR_EXISTS) { /* made by another run, a moment ago */
        run->there++;
        return OK;
    }
    if (is_err(r))
        return fail_native(e, r.code, why.native, "%s", why.text);
    run->made++;
    return OK;
}

static struct result write_batch(struct run *run, struct errinfo *e)
{
    struct result r = OK;

    if (run->count > 0)
        r = issued_append(run->job.ca.dir, &run->rows, e);
    for (size_t i = 0; i < run->count && is_ok(r); i++)
        r = write_one(run, &run->batch[i], e);
    empty_batch(run);
    return r;
}

static struct result make_one(struct run *run, const struct mac *mac, struct errinfo *e)
{
    struct unique *u = &run->batch[run->count];
    struct phone_plan plan = job_plan(&run->job);

    plan.mac = *mac;
    u->path = path_of(run->dir, mac);
    if (u->path == NULL)
        return fail(e, ERR_NOMEM, "out of memory");
    if (is_err(factory_check_free(u->path, NULL))) {
        free(u->path);
        run->there++;
        return OK;
    }
    buf_init(&u->pem, PHONE_PEM_MAX);
    run->count++;
    return phone_make(&run->job.ca, &plan, run->job.options->rng, &u->pem, &run->rows,
                      &run->job.cut, e);
}

static struct result make_all(struct run *run, const struct maclist *macs, struct errinfo *e)
{
    for (size_t i = 0; i < macs->count; i++) {
        TRY(make_one(run, &macs->list[i].mac, e));
        if (run->count == LIMIT_FACTORY_BATCH)
            TRY(write_batch(run, e));
    }
    return write_batch(run, e);
}

/* --- the command --- */

static struct result make_run(const struct options *o, const struct maclist *macs,
                              struct errinfo *e)
{
    struct run run = {.dir = o->operands[1]};

    TRY(job_open(o, &run.job, e));
    buf_init(&run.rows, LIMIT_FACTORY_BATCH * 1024);
    struct result r = store_make_dir(run.dir, 0700, e);
    if (is_ok(r))
        r = make_all(&run, macs, e);
    empty_batch(&run);
    buf_free(&run.rows);
    job_close(&run.job);
    (void)printf("%s: made %zu, and %zu were there\n", run.dir, run.made, run.there);
    if (is_err(r))
        errinfo_context(e, "stopped after %zu of %zu", run.made + run.there, macs->count);
    return r;
}

static struct result read_list(const char *path, struct maclist *out, struct errinfo *e)
{
    struct buf content;

    buf_init(&content, LIMIT_MAC_LIST_BYTES);
    struct result r = store_read(path, &content, e);
    if (is_ok(r))
        r = maclist_read(buf_slice(&content), path, out, e);
    buf_free(&content);
    return r;
}

struct result factory_unique(const struct options *o, struct errinfo *e)
{
    struct maclist listed = {NULL, 0, 0};
    struct result r = OK;

    if (o->list != NULL)
        r = read_list(o->list, &listed, e);
    if (is_ok(r))
        r = make_run(o, o->list != NULL ? &listed : &o->macs, e);
    maclist_free(&listed);
    return r;
}
