#include "app/provisioning.h"

#include <inttypes.h>
#include <stdlib.h>

#include "app/config.h"
#include "base/limits.h"
#include "base/log.h"
#include "control/command.h"
#include "control/fetchway.h"
#include "control/layers.h"
#include "control/phone.h"
#include "control/report_post.h"
#include "control/schedule.h"
#include "sys/entropy.h"

#define AREA "provision"

struct provisioning {
    struct provisioning_params params;
    struct settings *base;
    struct commands commands; /* of the files */
    struct fetchway fetchway;
    struct provision *engine; /* NULL before provisioning_open() */
    struct schedule *schedule;
    struct report_post *post;
};

const struct settings *provisioning_settings(const struct provisioning *p)
{
    return p->engine != NULL ? provision_settings(p->engine) : p->base;
}

struct provision *provisioning_engine(const struct provisioning *p)
{
    return p->engine;
}

/* --- what the engine asks for and tells --- */

static const struct settings *on_base(void *arg)
{
    const struct provisioning *p = arg;
    return p->base;
}

static const struct settings *on_settings(void *arg)
{
    return provisioning_settings(arg);
}

static struct wallclock on_now(void *arg)
{
    const struct provisioning *p = arg;
    return p->params.now(p->params.arg);
}

static size_t on_account_count(void *arg)
{
    const struct provisioning *p = arg;
    return p->params.accounts.count(p->params.accounts.arg);
}

static struct account *on_account_at(void *arg, size_t i)
{
    const struct provisioning *p = arg;
    return p->params.accounts.at(p->params.accounts.arg, i);
}

static void configure_schedule(struct provisioning *p, const struct settings *s)
{
    struct phone_schedule cfg;
    phone_schedule(s, &cfg);
    schedule_configure(p->schedule, &cfg);
}

static void on_apply(void *arg, const struct settings *old, const struct settings *now)
{
    struct provisioning *p = arg;
    configure_schedule(p, now);
    p->params.apply(p->params.arg, old, now);
}

/* That nothing is new, and nobody has asked, is not worth a report. */
static bool is_worth_a_report(const struct provision_report *r)
{
    return r->outcome != PROVISION_UNCHANGED || r->cause != PROVISION_PERIOD;
}

static void post_report(struct provisioning *p, const struct provision_report *r)
{
    struct errinfo e = ERRINFO_INIT;
    struct buf json;
    buf_init(&json, LIMIT_RPC_BACKLOG);
    const struct result written = provision_report_write(r, &json, &e);
    if (is_ok(written))
        report_post_send(p->post, buf_slice(&json));
    else
        log_warning(AREA, "the report cannot be sent: %s", errinfo_text(&e, written));
    buf_free(&json);
}

static void on_ended(void *arg, const struct provision_report *r)
{
    struct provisioning *p = arg;
    schedule_ended(p->schedule, r);
    if (is_worth_a_report(r))
        post_report(p, r);
    p->params.ended(p->params.arg, r);
}

/* --- the ways in --- */

static struct result begin(const struct provisioning *p, enum provision_cause cause,
                           const struct commands *commands, struct errinfo *e)
{
    const struct provision_request request = {.cause = cause, .commands = commands};
    uint64_t id;
    TRY(provision_begin(p->engine, &request, &id, e));
    log_info(AREA, "%s %" PRIu64 " is wanted", provision_cause_name(cause), id);
    return OK;
}

static struct result on_time(void *arg, enum provision_cause cause, struct errinfo *e)
{
    return begin(arg, cause, NULL, e);
}

void provisioning_check_sync(struct provisioning *p, int account)
{
    log_info(AREA, "the server of account %d says that there are new settings", account);
    schedule_check_sync(p->schedule);
}

static void carry_out_commands(const struct provisioning *p)
{
    struct errinfo e = ERRINFO_INIT;
    if (p->commands.count == 0)
        return;
    const struct result r = begin(p, PROVISION_START, &p->commands, &e);
    if (is_err(r))
        log_error(AREA, "the commands of the settings files are not carried out: %s",
                  errinfo_text(&e, r));
}

static struct result post(void *arg, struct slice json, fetch_fn *fn, void *fn_arg,
                          struct fetch **out, struct errinfo *e)
{
    const struct provisioning *p = arg;
    struct phone_schedule cfg;
    *out = NULL;
    phone_schedule(provisioning_settings(p), &cfg);
    if (cfg.report[0] == '\0')
        return OK;
    return fetchway_post(&p->fetchway, cfg.report, json, fn, fn_arg, out, e);
}

static void cancel_post(void *arg, struct fetch *f)
{
    (void)arg;
    fetch_cancel(f);
}

/* --- the files --- */

/* As they are: what is wrong in them is logged, and what is right counts. */
static struct result read_first(struct provisioning *p, struct errinfo *e)
{
    const struct options *o = p->params.options;
    unsigned refused;
    TRY(config_read(o->configs, o->configs_count, &p->base, &p->commands, &refused, e));
    if (refused != 0)
        log_warning("settings", "%u settings are refused; starting with the others", refused);
    return OK;
}

/* What BASE would come to with the layers. */
static struct result check_base(const struct provisioning *p, const struct settings *base,
                                unsigned refused, struct errinfo *e)
{
    struct settings *s;
    TRY(layers_effective(provision_layers(p->engine), base, &s, e));
    refused += config_check_accounts(s);
    settings_free(s);
    return refused == 0 ? OK : fail(e, ERR_INVALID, "%u settings are refused", refused);
}

static struct result swap_base(struct provisioning *p, struct settings *base, struct errinfo *e)
{
    struct settings *old = p->base;
    p->base = base;
    const struct result r = provision_reload(p->engine, e);
    if (is_err(r))
        p->base = old;
    else
        settings_free(old);
    return r;
}

RESULT provisioning_reload(struct provisioning *p, struct errinfo *e)
{
    const struct options *o = p->params.options;
    struct settings *base;
    struct commands commands;
    unsigned refused;
    TRY(config_read(o->configs, o->configs_count, &base, &commands, &refused, e));
    struct result r = check_base(p, base, refused, e);
    if (is_ok(r))
        r = swap_base(p, base, e);
    if (is_err(r)) {
        settings_free(base);
        commands_clear(&commands);
        return r;
    }
    const bool other = !commands_same(&commands, &p->commands);
    commands_clear(&p->commands);
    p->commands = commands;
    if (other)
        carry_out_commands(p);
    return OK;
}

/* --- what the daemon tells --- */

void provisioning_credentials_changed(struct provisioning *p)
{
    if (p->engine == NULL)
        return;
    provision_credentials_changed(p->engine);
    schedule_try_again(p->schedule);
}

void provisioning_account_changed(struct provisioning *p)
{
    if (p->engine != NULL)
        provision_account_changed(p->engine);
}

void provisioning_clock_changed(struct provisioning *p)
{
    schedule_try_again(p->schedule);
}

/* --- life --- */

static struct result make_parts(struct provisioning *p, struct errinfo *e)
{
    const struct report_post_ops ops = {post, cancel_post, p};
    struct loop *loop = p->params.loop;
    if (is_err(schedule_new(loop, &entropy_system, on_time, p, &p->schedule)) ||
        is_err(report_post_new(loop, &entropy_system, &ops, &p->post)))
        return fail(e, ERR_NOMEM, "out of memory for provisioning");
    provision_recover(p->params.options->state_dir);
    return read_first(p, e);
}

RESULT provisioning_new(const struct provisioning_params *params, struct provisioning **out,
                        struct errinfo *e)
{
    struct provisioning *p = calloc(1, sizeof *p);
    if (p == NULL)
        return fail(e, ERR_NOMEM, "out of memory for provisioning");
    p->params = *params;
    const struct result r = make_parts(p, e);
    if (is_err(r)) {
        provisioning_free(p);
        return r;
    }
    *out = p;
    return OK;
}

static void make_fetchway(struct provisioning *p, const struct credentials *c)
{
    p->fetchway = (struct fetchway){
        .loop = p->params.loop,
        .dns = p->params.dns,
        .clock = p->params.clock,
        .rng = &entropy_system,
        .credentials = c,
        .settings = on_settings,
        .settings_arg = p,
        .on_refused = p->params.on_refused,
        .on_refused_arg = p->params.on_refused_arg,
        .agent = p->params.agent,
        .mac = p->params.mac,
    };
}

RESULT provisioning_open(struct provisioning *p, struct credentials *c, struct errinfo *e)
{
    make_fetchway(p, c);
    const struct provision_params params = {
        .loop = p->params.loop,
        .credentials = c,
        .state_dir = p->params.options->state_dir,
        .mac = p->params.mac,
        .hooks =
            {
                .base = on_base,
                .apply = on_apply,
                .ended = on_ended,
                .account_count = on_account_count,
                .account_at = on_account_at,
                .now = on_now,
                .arg = p,
                .fetch = fetchway_ops(&p->fetchway),
            },
    };
    TRY(provision_new(&params, &p->engine, e));
    const unsigned refused = config_check_accounts(provisioning_settings(p));
    if (refused != 0)
        log_warning("settings", "%u accounts cannot work; starting with the others", refused);
    return OK;
}

static bool was_provisioned(const struct provisioning *p)
{
    const struct layers *l = provision_layers(p->engine);
    return !settings_is_empty(layers_at(l, LAYER_COMMON)) ||
           !settings_is_empty(layers_at(l, LAYER_PHONE));
}

void provisioning_start(struct provisioning *p)
{
    configure_schedule(p, provisioning_settings(p));
    carry_out_commands(p);
    /* A new phone on somebody's desk need not wait for a street that has its power back. */
    schedule_power_on(p->schedule, was_provisioned(p));
}

void provisioning_free(struct provisioning *p)
{
    if (p == NULL)
        return;
    report_post_free(p->post);
    schedule_free(p->schedule);
    provision_free(p->engine);
    settings_free(p->base);
    commands_clear(&p->commands);
    free(p);
}
