#include "app/doors.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "control/phone.h"

struct doors {
    struct loop *loop;
    struct carrier *carrier;
    struct rng rng;
    struct door *of[LIMIT_ACCOUNTS]; /* account number i + 1; NULL: it has none */
};

RESULT doors_new(struct loop *l, struct carrier *k, const struct rng *rng, struct doors **out)
{
    struct doors *d = calloc(1, sizeof *d);
    if (d == NULL)
        return err(ERR_NOMEM);
    d->loop = l;
    d->carrier = k;
    d->rng = *rng;
    *out = d;
    return OK;
}

void doors_free(struct doors *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < LIMIT_ACCOUNTS; i++)
        door_free(d->of[i]);
    free(d);
}

static void open_door(struct doors *d, const struct door_config *cfg, struct door **out)
{
    struct errinfo e = ERRINFO_INIT;
    const struct result r = door_new(d->loop, d->carrier, &d->rng, cfg, out, &e);
    if (is_err(r))
        log_error("settings", "account %d has no local port: %s", cfg->account,
                  errinfo_text(&e, r));
}

/* First the old ones go: one may have the port that another is to get. */
void doors_apply(struct doors *d, const struct settings *s)
{
    struct door_config cfg;
    for (size_t i = 0; i < LIMIT_ACCOUNTS; i++) {
        const bool wanted = phone_door(s, (int)i + 1, &cfg);
        if (d->of[i] == NULL || (wanted && door_is(d->of[i], &cfg)))
            continue;
        door_free(d->of[i]);
        d->of[i] = NULL;
    }
    for (size_t i = 0; i < LIMIT_ACCOUNTS; i++)
        if (d->of[i] == NULL && phone_door(s, (int)i + 1, &cfg))
            open_door(d, &cfg, &d->of[i]);
}

void doors_each(const struct doors *d, door_visit_fn *visit, void *arg)
{
    for (size_t i = 0; i < LIMIT_ACCOUNTS; i++) {
        if (d->of[i] == NULL)
            continue;
        const struct door_status s = door_status(d->of[i]);
        visit(arg, &s);
    }
}
