#include "ctl/offline.h"

#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "sys/entropy.h"
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

RESULT offline_new(const char *mac, int64_t now_s, struct offline **out, struct errinfo *e)
{
    struct offline *o = calloc(1, sizeof *o);
    if (o == NULL)
        return fail(e, ERR_NOMEM, "out of memory");
    o->now_s = now_s;
    const struct credentials_params params = {
        .state_dir = NOWHERE,
        .factory_dir = NOWHERE,
        .mac = mac,
        .rng = entropy_system,
        .now = now,
        .changed = changed,
        .arg = o,
    };
    log_open(LOG_SINK_NONE, LOG_LEVEL_ERROR,
             "sipsctl"); /* a phone would tell of its own troubles */
    struct result r = tls_global_init(&entropy_system, epoch_s, e); /* to try identities with */
    if (is_ok(r)) {
        r = credentials_open(&params, 0, &o->credentials, e);
        if (is_err(r))
            tls_global_free();
    }
    if (is_err(r)) {
        free(o);
        return r;
    }
    *out = o;
    return OK;
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
