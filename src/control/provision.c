#include "control/provision.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/provision_parts.h"
#include "sys/store.h"

#define REPORT_FILE "provision.json"

/* --- states --- */

#define BIT(s) (1u << (s))

static const struct {
    const char *name;
    unsigned next;
} states[] = {
    [PROVISION_IDLE] = {"idle", BIT(PROVISION_GATHERING) | BIT(PROVISION_TRYING)},
    [PROVISION_GATHERING] = {"gathering", BIT(PROVISION_IDLE) | BIT(PROVISION_TRYING)},
    [PROVISION_TRYING] = {"trial", BIT(PROVISION_IDLE)},
};

void provision_set_state(struct provision *p, enum provision_state to)
{
    assert((states[p->state].next & BIT(to)) != 0);
    log_debug("provision", "%s -> %s", states[p->state].name, states[to].name);
    p->state = to;
    loop_timer_stop(p->deadline);
    if (to == PROVISION_IDLE)
        provision_wake(p);
}

void provision_wake(struct provision *p)
{
    loop_timer_start(p->turn, 0);
}

/* --- how runs ended --- */

static bool differs_from_last(const struct provision *p, const struct provision_report *r)
{
    return p->last.outcome != r->outcome || strcmp(p->last.sentence, r->sentence) != 0;
}

/* A phone that fails each hour for the same reason need not write that to its flash each hour; and
 * what changes nothing costs nothing. */
static bool is_worth_keeping(const struct provision *p, const struct provision_report *r)
{
    switch (r->outcome) {
    case PROVISION_UNCHANGED:
    case PROVISION_CHECKED:
        return false;
    case PROVISION_FAILED:
    case PROVISION_REFUSED:
        return differs_from_last(p, r);
    default:
        return true;
    }
}

static RESULT report_path(const struct provision *p, char *out, size_t size, struct errinfo *e)
{
    const int n = snprintf(out, size, "%s/" REPORT_FILE, p->params.state_dir);

    return n > 0 && (size_t)n < size ? OK : fail(e, ERR_INVALID, "the path is too long");
}

static RESULT keep_on_flash(const struct provision *p, const struct provision_report *r,
                            struct errinfo *e)
{
    char path[4096];
    struct buf text;

    TRY(report_path(p, path, sizeof path, e));
    buf_init(&text, LIMIT_RPC_REQUEST);
    struct result result = provision_report_write(r, &text, e);
    if (is_ok(result))
        result = store_write(path, 0600, buf_slice(&text), e);
    buf_free(&text);
    return result;
}

static void log_report(const struct provision_report *r)
{
    const bool good = provision_outcome_is_good(r->outcome);
    char where[PROVISION_WHERE_SIZE];

    log_write(good ? LOG_LEVEL_NOTICE : LOG_LEVEL_ERROR, "provision", "%s %" PRIu64 " %s: %s",
              provision_cause_name(r->cause), r->id, provision_outcome_name(r->outcome),
              r->sentence);
    for (size_t i = 0; i < r->items_count; i++) {
        if (r->items[i].ok && !r->forced)
            continue;
        provision_item_where(&r->items[i], where);
        log_write(good ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, "provision", "%s%s", where,
                  r->items[i].sentence);
    }
}

void provision_tell(struct provision *p, struct provision_report *r)
{
    struct errinfo e = ERRINFO_INIT;
    const struct wallclock now = p->params.hooks.now(p->params.hooks.arg);
    const bool keep = is_worth_keeping(p, r);

    r->time_s = now.state == CLOCK_UNSET ? 0 : now.epoch_s;
    r->generation = credentials_generation(p->params.credentials);
    provision_report_clear(&p->last);
    p->last = *r;
    *r = (struct provision_report){0};
    log_report(&p->last);
    if (keep) {
        const struct result kept = keep_on_flash(p, &p->last, &e);
        if (is_err(kept))
            log_warning("provision", "the report cannot be kept: %s", errinfo_text(&e, kept));
    }
    p->params.hooks.ended(p->params.hooks.arg, &p->last);
}

/* The report of the last run, of a process before this one. */
static void read_last(struct provision *p)
{
    char path[4096];
    struct buf text;

    if (is_err(report_path(p, path, sizeof path, NULL)))
        return;
    buf_init(&text, LIMIT_RPC_REQUEST);
    if (is_ok(store_read(path, &text, NULL)))
        IGNORE(provision_report_read(buf_slice(&text), &p->last, NULL)); /* empty then */
    buf_free(&text);
    p->last_id = p->last.id;
}

const struct provision_report *provision_last(const struct provision *p)
{
    return p->last.id != 0 ? &p->last : NULL;
}

/* --- what counts --- */

void provision_take_next(struct provision *p)
{
    struct settings *old = p->settings, *now = p->next_settings;

    if (p->next_layers != NULL) {
        layers_free(p->layers);
        p->layers = p->next_layers;
        p->next_layers = NULL;
        p->version++;
    }
    if (now == NULL)
        return;
    p->next_settings = NULL;
    p->settings = now;
    p->params.hooks.apply(p->params.hooks.arg, old, now);
    settings_free(old);
}

/* The layers as they are on flash, and what counts with them. */
static RESULT read_layers(struct provision *p, struct layers **layers, struct settings **settings,
                          struct errinfo *e)
{
    const struct settings *base = p->params.hooks.base(p->params.hooks.arg);
    struct complaints complaints = {0};

    TRY(layers_new(layers));
    struct result r = layers_read(*layers, p->params.state_dir, &complaints, e);
    if (is_ok(r))
        r = layers_effective(*layers, base, settings, e);
    if (is_err(r))
        layers_free(*layers);
    else
        p->complaints = complaints;
    return r;
}

struct result provision_reload(struct provision *p, struct errinfo *e)
{
    struct layers *layers;
    struct settings *settings;

    TRY(read_layers(p, &layers, &settings, e));
    layers_free(p->next_layers);
    settings_free(p->next_settings);
    p->next_layers = layers;
    p->next_settings = settings;
    if (settings_same(settings, p->settings)) {
        settings_free(settings);
        p->next_settings = NULL;
    }
    provision_take_next(p);
    return OK;
}

void provision_credentials_changed(struct provision *p)
{
    struct errinfo e = ERRINFO_INIT;

    if (p->rolling_back) {
        p->rolling_back = false;
        const struct result r = provision_reload(p, &e);
        if (is_err(r))
            log_error("provision", "the settings cannot be read: %s", errinfo_text(&e, r));
    }
    provision_take_next(p);
}

const struct settings *provision_settings(const struct provision *p)
{
    return p->settings;
}

const struct settings *provision_base(const struct provision *p)
{
    return p->params.hooks.base(p->params.hooks.arg);
}

const struct layers *provision_layers(const struct provision *p)
{
    return p->layers;
}

const struct complaints *provision_complaints(const struct provision *p)
{
    return &p->complaints;
}

bool provision_in_trial(const struct provision *p)
{
    return p->state == PROVISION_TRYING;
}

bool provision_is_busy(const struct provision *p)
{
    return p->state == PROVISION_GATHERING || p->queued > 0;
}

/* --- the queue --- */

void errand_clear(struct errand *e)
{
    for (size_t i = 0; i < e->count; i++)
        buf_wipe(&e->files[i].content);
    commands_clear(&e->commands);
    memset(e, 0, sizeof *e);
}

static size_t waiting_bytes(const struct provision *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->queued; i++)
        for (size_t k = 0; k < p->queue[i].count; k++)
            n += buf_len(&p->queue[i].files[k].content);
    return n;
}

static RESULT check_file(const struct provision_file *f, struct errinfo *e)
{
    if (f->name == NULL || f->name[0] == '\0' || strlen(f->name) >= LIMIT_PROVISION_NAME)
        return fail(e, ERR_INVALID, "a settings file has to have a name of 1 to %d bytes",
                    LIMIT_PROVISION_NAME - 1);
    if (f->content.n > LIMIT_SETTINGS_BYTES)
        return fail(e, ERR_LIMIT, "%s has more than %d bytes", f->name, LIMIT_SETTINGS_BYTES);
    return OK;
}

static RESULT check_trial(const struct provision_request *r, struct errinfo *e)
{
    if (r->trial_s == 0 || (r->trial_s >= LIMIT_TRIAL_MIN_S && r->trial_s <= LIMIT_TRIAL_MAX_S))
        return OK;
    return fail(e, ERR_INVALID, "a trial takes %d to %d seconds", LIMIT_TRIAL_MIN_S,
                LIMIT_TRIAL_MAX_S);
}

static RESULT check_request(const struct provision *p, const struct provision_request *r,
                            struct errinfo *e)
{
    if (r->cause == PROVISION_PUSH && (r->count == 0 || r->count > LIMIT_PROVISION_FILES))
        return fail(e, ERR_INVALID, "a push has 1 to %d settings files, not %zu",
                    LIMIT_PROVISION_FILES, r->count);
    for (size_t i = 0; i < r->count; i++)
        TRY(check_file(&r->files[i], e));
    TRY(check_trial(r, e));
    if (provision_cause_fetches(r->cause) &&
        settings_text(p->settings, "static.auto_provision.server.url", 0, 0)[0] == '\0')
        return fail(e, ERR_STATE,
                    "there is no provisioning server: set static.auto_provision.server.url");
    return OK;
}

static RESULT check_room(const struct provision *p, const struct provision_request *r,
                         struct errinfo *e)
{
    size_t bytes = waiting_bytes(p);

    for (size_t i = 0; i < r->count; i++)
        bytes += r->files[i].content.n;
    if (p->queued == LIMIT_PROVISION_QUEUE || bytes > LIMIT_PROVISION_WAITING)
        return fail(e, ERR_BUSY,
                    "%zu runs of provisioning wait already, with as much as may wait: try again "
                    "when they are done",
                    p->queued);
    return OK;
}

/* A fetch that waits, and will do what R asks for; NULL if there is none. */
static const struct errand *find_same_fetch(const struct provision *p,
                                            const struct provision_request *r)
{
    for (size_t i = 0; provision_cause_fetches(r->cause) && i < p->queued; i++) {
        const struct errand *e = &p->queue[i];
        if (provision_cause_fetches(e->cause) && e->force == r->force && e->check == r->check &&
            e->trial_s == r->trial_s)
            return e;
    }
    return NULL;
}

static RESULT copy_request(const struct provision_request *r, struct errand *out)
{
    out->cause = r->cause;
    out->force = r->force;
    out->check = r->check;
    out->trial_s = r->check ? 0 : r->trial_s;
    for (size_t i = 0; i < r->count; i++) {
        struct errand_file *f = &out->files[out->count++];
        (void)snprintf(f->name, sizeof f->name, "%s", r->files[i].name);
        buf_init(&f->content, LIMIT_SETTINGS_BYTES);
        TRY(buf_append(&f->content, r->files[i].content));
    }
    return r->commands != NULL ? commands_append(&out->commands, r->commands, NULL) : OK;
}

struct result provision_begin(struct provision *p, const struct provision_request *r, uint64_t *id,
                              struct errinfo *e)
{
    assert(r->cause != PROVISION_LOCAL);
    TRY(check_request(p, r, e));
    const struct errand *same = find_same_fetch(p, r);
    if (same != NULL) {
        *id = same->id;
        return OK;
    }
    TRY(check_room(p, r, e));
    struct errand *errand = &p->queue[p->queued];
    const struct result copied = copy_request(r, errand);
    if (is_err(copied)) {
        errand_clear(errand);
        return fail(e, copied.code, "out of memory for a run of provisioning");
    }
    p->queued++;
    *id = errand->id = ++p->last_id;
    if (p->state == PROVISION_IDLE)
        provision_wake(p);
    return OK;
}

static void begin_next(struct provision *p)
{
    if (p->queued == 0)
        return;
    p->run.errand = p->queue[0];
    p->queued--;
    memmove(&p->queue[0], &p->queue[1], p->queued * sizeof p->queue[0]);
    memset(&p->queue[p->queued], 0, sizeof p->queue[0]);
    p->run.attempts = 0;
    provision_set_state(p, PROVISION_GATHERING);
    run_begin(p);
}

/* --- the loop --- */

/* A layer that is only in the generation before is lost with the next write of anything. */
static void mend(struct provision *p)
{
    struct errinfo e = ERRINFO_INIT;
    struct change *ch = NULL;

    if (!layers_is_in_danger(p->layers))
        return;
    struct result r = change_begin(p->params.credentials, &ch, &e);
    if (is_ok(r))
        r = layers_put(p->layers, ch, &e);
    if (is_ok(r))
        r = change_commit(ch, &e);
    change_free(ch);
    if (is_err(r))
        log_error("provision", "damaged settings cannot be replaced: %s", errinfo_text(&e, r));
}

static void on_turn(void *arg)
{
    struct provision *p = arg;

    if (p->last_to_tell)
        provision_tell_recovered(p);
    if (p->state == PROVISION_TRYING)
        provision_look_at_trial(p);
    if (p->state != PROVISION_IDLE)
        return;
    mend(p);
    begin_next(p);
}

static void on_deadline(void *arg)
{
    struct provision *p = arg;

    if (p->state == PROVISION_TRYING)
        provision_trial_over(p);
    else if (p->state == PROVISION_GATHERING)
        run_on_deadline(p);
}

/* --- life --- */

static RESULT set_up(struct provision *p, struct errinfo *e)
{
    p->turn = loop_timer_new(p->params.loop, on_turn, p);
    p->deadline = loop_timer_new(p->params.loop, on_deadline, p);
    if (p->turn == NULL || p->deadline == NULL ||
        is_err(gather_new(&p->params.hooks.fetch, run_on_gathered, p, &p->gather)))
        return fail(e, ERR_NOMEM, "out of memory for provisioning");
    TRY(read_layers(p, &p->layers, &p->settings, e));
    read_last(p);
    provision_recall_trial(p);
    provision_wake(p);
    return OK;
}

struct result provision_new(const struct provision_params *params, struct provision **out,
                            struct errinfo *e)
{
    struct provision *p = calloc(1, sizeof *p);

    if (p == NULL)
        return fail(e, ERR_NOMEM, "out of memory for provisioning");
    p->params = *params;
    const struct result r = set_up(p, e);
    if (is_err(r)) {
        provision_free(p);
        return r;
    }
    *out = p;
    return OK;
}

void provision_free(struct provision *p)
{
    if (p == NULL)
        return;
    run_clear(&p->run);
    for (size_t i = 0; i < p->queued; i++)
        errand_clear(&p->queue[i]);
    gather_free(p->gather);
    loop_timer_free(p->turn);
    loop_timer_free(p->deadline);
    trial_clear(&p->trial);
    provision_report_clear(&p->last);
    layers_free(p->layers);
    settings_free(p->settings);
    free(p);
}
