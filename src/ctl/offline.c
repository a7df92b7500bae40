#include "ctl/offline.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "sys/entropy.h"
#include "sys/generation.h"
#include "tls/profile.h"

/* Nobody can make a directory there. */
#define NOWHERE "/proc/self/sipsctl"

struct offline {
    struct credentials *credentials;
    int64_t now_s;
};

static struct wallclock now(void *arg)
{
    const struct offline *o = arg;
    return (struct wallclock){o->now_s, CLOCK_SET};
}

static int64_t epoch_s(void)
{
    return (int64_t)time(NULL);
}

static void changed(void *arg, unsigned what)
{
    (void)arg;
    (void)what;
}

/* --- what it has already --- */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static void remove_all(const char *dir)
{
    (void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* As a phone keeps them. */
static RESULT write_cas(const char *dir, const struct files *cas, struct errinfo *e)
{
    struct generation_file list[FILES_MAX];
    char names[FILES_MAX][LIMIT_GENERATION_NAME + 1], name[IMPORT_NAME_MAX + 1];

    for (size_t i = 0; i < cas->count; i++) {
        import_name(files_name(&cas->list[i]), name);
        (void)snprintf(names[i], sizeof names[i], "ca.%s.pem", name);
        list[i] = (struct generation_file){names[i], buf_slice(&cas->list[i].content)};
    }
    return generation_write(dir, list, cas->count, NULL, e);
}

/* What it has cannot be had: the first complaint. */
static RESULT check_held(const struct offline *o, struct errinfo *e)
{
    const struct complaints *said = credentials_complaints(o->credentials);

    return said->count == 0 ? OK
                            : fail(e, ERR_INVALID, "%s %s", said->list[0].file, said->list[0].text);
}

/* --- life --- */

static RESULT open_in(struct offline *o, const char *mac, const char *dir, struct errinfo *e)
{
    const struct credentials_params params = {
        .state_dir = dir,
        .factory_dir = NOWHERE,
        .mac = mac,
        .rng = entropy_system,
        .now = now,
        .changed = changed,
        .arg = o,
    };
    return credentials_open(&params, 0, &o->credentials, e);
}

/* The directory is there no longer than to be read. */
static RESULT open_with(struct offline *o, const char *mac, const struct files *cas,
                        struct errinfo *e)
{
    const char *top = getenv("TMPDIR");
    char dir[4096];
    (void)snprintf(dir, sizeof dir, "%s/sipsctl-XXXXXX", top != NULL ? top : "/tmp");
    if (mkdtemp(dir) == NULL)
        return fail_errno(e, errno, "cannot make %s", dir);
    struct result r = write_cas(dir, cas, e);
    if (is_ok(r))
        r = open_in(o, mac, dir, e);
    remove_all(dir);
    return is_ok(r) ? check_held(o, e) : r;
}

RESULT offline_new(const char *mac, int64_t now_s, const struct files *cas, struct offline **out,
                   struct errinfo *e)
{
    struct offline *o = calloc(1, sizeof *o);
    if (o == NULL)
        return fail(e, ERR_NOMEM, "out of memory");
    o->now_s = now_s;
    log_open(LOG_SINK_NONE, LOG_LEVEL_ERROR,
             "sipsctl"); /* a phone would tell of its own troubles */
    struct result r = tls_global_init(&entropy_system, epoch_s, e); /* to try identities with */
    if (is_err(r)) {
        free(o);
        return r;
    }
    r = cas != NULL && cas->count > 0 ? open_with(o, mac, cas, e) : open_in(o, mac, NOWHERE, e);
    if (is_ok(r))
        *out = o;
    else
        offline_free(o);
    return r;
}

void offline_free(struct offline *o)
{
    if (o == NULL)
        return;
    credentials_free(o->credentials);
    tls_global_free();
    free(o);
}

struct credentials *offline_credentials(const struct offline *o)
{
    return o->credentials;
}
