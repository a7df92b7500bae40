/* One run of provisioning, from what was asked for to how it ended: a part of control/provision. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "base/mac.h"
#include "control/lockout.h"
#include "control/provision_parts.h"

void run_clear(struct run *run)
{
    plan_free(run->plan);
    errand_clear(&run->errand);
    provision_report_clear(&run->report);
    memset(run, 0, sizeof *run);
}

/* --- the end --- */

/* The run is over, as its report says. */
static void end(struct provision *p)
{
    struct provision_report report = p->run.report;
    const unsigned trial_s = p->run.errand.trial_s;
    const bool good = report.outcome == PROVISION_APPLIED || report.outcome == PROVISION_TRIAL ||
                      report.outcome == PROVISION_UNCHANGED;

    p->run.report = (struct provision_report){0};
    gather_end(p->gather, good, p->version);
    run_clear(&p->run);
    if (report.outcome != PROVISION_TRIAL)
        provision_set_state(p, PROVISION_IDLE);
    else
        provision_begin_trial(p, &report, trial_s);
    provision_tell(p, &report);
}

/* It could not be gathered or written. */
static void fail_run(struct provision *p, enum err code, const char *sentence)
{
    provision_report_end(&p->run.report, PROVISION_FAILED, code, "%s", sentence);
    end(p);
}

/* --- judging and committing --- */

static void say_count(struct buf *b, size_t n, const char *one, const char *many)
{
    if (n > 0)
        IGNORE(buf_printf(b, "%s%zu %s", buf_len(b) > 0 ? ", " : "", n, n == 1 ? one : many));
}

/* What changes, in words; to be freed. */
static void say_changes(const struct provision_report *r, struct buf *b)
{
    buf_init(b, ERRINFO_TEXT_MAX);
    say_count(b, r->changed_count + r->changed_left_out, "setting changed", "settings changed");
    say_count(b, r->trusted_added, "trusted certificate added", "trusted certificates added");
    say_count(b, r->trusted_removed, "trusted certificate removed", "trusted certificates removed");
    if (r->identity)
        IGNORE(buf_printf(b, "%sanother server certificate", buf_len(b) > 0 ? ", " : ""));
    if (buf_len(b) == 0)
        IGNORE(buf_append_str(b, "nothing that counts now is different, but for what was said of "
                                 "settings"));
}

static void end_well(struct provision_report *r, enum provision_outcome outcome, const char *fmt)
{
    struct buf changes;

    say_changes(r, &changes);
    const char *text = buf_str(&changes);
    provision_report_end(r, outcome, ERR_OK, "%s%s", fmt, text != NULL ? text : "it is done");
    buf_free(&changes);
}

static void end_refused(struct provision_report *r, enum err code)
{
    const struct provision_item *fault = provision_report_fault(r);
    const size_t more = provision_report_faults(r) - 1;
    const char *force = r->lockout ? "; force would apply it" : "";
    char where[PROVISION_WHERE_SIZE], rest[32] = "";

    if (fault == NULL) { /* there was no memory to say which */
        provision_report_end(r, PROVISION_REFUSED, code, "something in it is not good");
        return;
    }
    provision_item_where(fault, where);
    if (more > 0)
        (void)snprintf(rest, sizeof rest, " (and %zu more)", more);
    const size_t room = sizeof r->sentence - strlen(where) - strlen(rest) - strlen(force) - 1;
    provision_report_end(r, PROVISION_REFUSED, code, "%s%.*s%s%s", where, (int)room,
                         fault->sentence, rest, force);
}

/* Whether the guard lets it pass. */
static RESULT guard(struct provision *p, struct plan *plan, bool force, struct provision_report *r,
                    bool *passed, struct errinfo *e)
{
    const struct provision_hooks *h = &p->params.hooks;
    struct lockout_input in = {
        .next = plan_settings(plan),
        .now = h->now(h->arg),
        .server = gather_server(p->gather),
        .account_count = h->account_count,
        .account_at = h->account_at,
        .arg = h->arg,
    };

    TRY(change_trust(plan_change(plan), &in.trust, e));
    const bool found = lockout_look(&in, force, r) > 0;
    r->lockout = found && !force;
    r->forced = found && force;
    *passed = !r->lockout;
    return OK;
}

static RESULT put_trial_file(struct provision *p, struct change *ch, const struct errand *errand,
                             struct provision_report *r, struct errinfo *e)
{
    const struct provision_hooks *h = &p->params.hooks;
    const struct wallclock now = h->now(h->arg);
    struct buf text;

    r->trial_ends_s = now.epoch_s + errand->trial_s;
    buf_init(&text, LIMIT_REPORT_TEXT);
    struct result result = trial_write(r->id, r->trial_ends_s, &text);
    if (is_ok(result))
        result = change_set_file(ch, TRIAL_FILE, buf_slice(&text), e);
    buf_free(&text);
    return result;
}

static void prepare_trial(struct provision *p, const struct provision_report *r)
{
    const struct provision_hooks *h = &p->params.hooks;
    const struct trial_accounts accounts = {h->account_count, h->account_at, h->arg};

    trial_prepare(&p->trial, &accounts, r->identity);
}

/* Writes and swaps: settings and certificates in one step. */
static RESULT commit(struct provision *p, struct plan *plan, struct errinfo *e)
{
    p->next_layers = plan_take_layers(plan);
    p->next_settings = plan_take_settings(plan);
    if (settings_same(p->next_settings, p->settings)) {
        settings_free(p->next_settings);
        p->next_settings = NULL;
    }
    const struct result r = change_commit(plan_change(plan), e);
    if (is_ok(r)) {
        provision_take_next(p);
        return OK;
    }
    layers_free(p->next_layers);
    settings_free(p->next_settings);
    p->next_layers = NULL;
    p->next_settings = NULL;
    return r;
}

static RESULT apply(struct provision *p, struct plan *plan, const struct errand *errand,
                    struct provision_report *r, struct errinfo *e)
{
    const bool trial = errand->trial_s > 0;

    if (trial) {
        TRY(put_trial_file(p, plan_change(plan), errand, r, e));
        prepare_trial(p, r);
    }
    TRY(commit(p, plan, e));
    end_well(r, trial ? PROVISION_TRIAL : PROVISION_APPLIED, trial ? "on trial: " : "");
    return OK;
}

static RESULT judge(struct provision *p, struct plan *plan, const struct errand *errand,
                    struct provision_report *r, struct errinfo *e)
{
    enum plan_verdict verdict;
    bool passed;

    TRY(plan_judge(plan, &verdict, r, e));
    if (verdict == PLAN_REFUSED) {
        end_refused(r, ERR_INVALID);
        return OK;
    }
    if (verdict == PLAN_UNCHANGED) {
        provision_report_end(r, PROVISION_UNCHANGED, ERR_OK, "everything is so already");
        return OK;
    }
    TRY(guard(p, plan, errand->force, r, &passed, e));
    if (!passed)
        end_refused(r, ERR_CERT);
    else if (errand->check)
        end_well(r, PROVISION_CHECKED, "it would be applied: ");
    else
        TRY(apply(p, plan, errand, r, e));
    return OK;
}

struct result run_finish(struct provision *p, struct plan *plan, const struct errand *errand,
                         struct provision_report *r, struct errinfo *e)
{
    const struct result result = judge(p, plan, errand, r, e);

    if (is_err(result)) {
        r->trial_ends_s = 0;
        provision_report_end(r, PROVISION_FAILED, result.code, "%s", errinfo_text(e, result));
    }
    return result;
}

/* --- gathering --- */

static void go_on(struct provision *p);

static RESULT begin(struct provision *p, struct errinfo *e)
{
    const struct provision_hooks *h = &p->params.hooks;
    const struct plan_input in = {
        .credentials = p->params.credentials,
        .layers = p->layers,
        .base = h->base(h->arg),
        .now = p->settings,
        .mac = p->params.mac,
    };
    struct run *run = &p->run;

    run->version = credentials_version(p->params.credentials);
    run->step = provision_cause_fetches(run->errand.cause) ? RUN_COMMON : RUN_COMMANDS;
    run->missing = 0;
    TRY(plan_new(&in, &run->plan, e));
    const struct result r = gather_begin(p->gather, p->settings, p->version, e);
    return provision_cause_fetches(run->errand.cause) ? r : OK;
}

/* What was pushed, and the commands that came alone. */
static void take_given(struct run *run)
{
    for (size_t i = 0; i < run->errand.count; i++) {
        const struct errand_file *f = &run->errand.files[i];
        (void)plan_file(run->plan, f->name, "", buf_slice(&f->content), NULL, &run->report);
    }
    if (run->errand.commands.count > 0)
        plan_commands(run->plan, &run->errand.commands, &run->report);
}

void run_begin(struct provision *p)
{
    struct errinfo e = ERRINFO_INIT;
    struct run *run = &p->run;

    run->attempts++;
    provision_report_init(&run->report, run->errand.id, run->errand.cause);
    loop_timer_start(p->deadline, LIMIT_PROVISION_MS);
    const struct result r = begin(p, &e);
    if (is_err(r)) {
        fail_run(p, r.code, errinfo_text(&e, r));
        return;
    }
    take_given(run);
    go_on(p);
}

/* Somebody else changed certificates or settings since it began: on the new ground, once more. */
static void begin_anew(struct provision *p)
{
    if (p->run.attempts == LIMIT_PROVISION_ATTEMPTS) {
        fail_run(p, ERR_STATE,
                 "certificates or settings were changed by others meanwhile, again "
                 "and again: try again");
        return;
    }
    gather_end(p->gather, false, 0);
    plan_free(p->run.plan);
    p->run.plan = NULL;
    provision_report_clear(&p->run.report);
    run_begin(p);
}

static void finish(struct provision *p)
{
    struct errinfo e = ERRINFO_INIT;
    struct run *run = &p->run;

    if (run->version == credentials_version(p->params.credentials)) {
        IGNORE(run_finish(p, run->plan, &run->errand, &run->report, &e)); /* the report has it */
        end(p);
        return;
    }
    begin_anew(p);
}

/* "001565a1b2c3.cfg" */
static void phone_file(const struct provision *p, char *out, size_t size)
{
    struct mac mac = {{0}};
    char text[MAC_TEXT_SIZE];

    (void)mac_parse(slice_of_str(p->params.mac), &mac);
    mac_text(&mac, text);
    for (char *c = text; *c != '\0'; c++)
        *c = (char)ascii_lower((uint8_t)*c);
    (void)snprintf(out, size, "%s.cfg", text);
}

/* Asks for the file of this step; false if there is nothing to ask for in it. */
static bool ask_for_file(struct provision *p, struct result *r, struct errinfo *e)
{
    char own[MAC_TEXT_SIZE + 4];
    const char *common = settings_text(p->settings, "static.auto_provision.common_file", 0, 0);

    if (p->run.step == RUN_PHONE) {
        phone_file(p, own, sizeof own);
        *r = gather_file(p->gather, GATHER_PHONE, own, e);
        return true;
    }
    if (strcmp(common, "none") == 0) {
        p->run.missing++;
        return false;
    }
    *r = gather_file(p->gather, GATHER_COMMON, common, e);
    return true;
}

/* On to what is asked for next; true if something is. */
static bool ask(struct provision *p, struct result *r, struct errinfo *e)
{
    struct run *run = &p->run;

    *r = OK;
    while (run->step != RUN_COMMANDS) {
        if (ask_for_file(p, r, e))
            return true;
        run->step++;
    }
    const char *url = plan_next(run->plan, &run->report);
    if (url == NULL)
        return false;
    *r = gather_url(p->gather, url, e);
    return true;
}

static void go_on(struct provision *p)
{
    struct errinfo e = ERRINFO_INIT;
    struct result r;

    if (!ask(p, &r, &e)) {
        finish(p);
    } else if (is_err(r)) {
        if (p->run.step == RUN_COMMANDS)
            plan_deny(p->run.plan, "", errinfo_text(&e, r), &p->run.report);
        fail_run(p, r.code, errinfo_text(&e, r));
    }
}

/* --- what comes --- */

/* False: the run has ended. */
static bool take_file(struct provision *p, const struct gathered *g)
{
    struct run *run = &p->run;
    const enum gather_slot slot = run->step == RUN_COMMON ? GATHER_COMMON : GATHER_PHONE;
    struct commands found = {0};

    switch (g->fate) {
    case PROVISION_FILE_READ:
        if (plan_file(run->plan, g->name, g->host, g->content, &found, &run->report))
            gather_note(p->gather, slot, &found);
        commands_clear(&found);
        break;
    case PROVISION_FILE_UNCHANGED:
        provision_report_file(&run->report, g->name, g->host, g->fate, SLICE_EMPTY, "");
        plan_commands(run->plan, g->commands, &run->report);
        break;
    case PROVISION_FILE_MISSING:
    case PROVISION_FILE_REFUSED:
        provision_report_file(&run->report, g->name, g->host, g->fate, SLICE_EMPTY, g->error.text);
        run->missing++;
        if (g->fate == PROVISION_FILE_REFUSED || run->missing == GATHER_SLOTS) {
            fail_run(p, g->error.code, g->error.text);
            return false;
        }
        break;
    }
    run->step++;
    return true;
}

static bool take_certificate(struct provision *p, const struct gathered *g)
{
    struct run *run = &p->run;

    if (g->fate == PROVISION_FILE_READ) {
        plan_give(run->plan, g->host, g->content, &run->report);
        return true;
    }
    plan_deny(run->plan, g->host, g->error.text, &run->report);
    fail_run(p, g->error.code, g->error.text);
    return false;
}

void run_on_gathered(void *arg, const struct gathered *g)
{
    struct provision *p = arg;

    p->run.report.retry_after_s = g->retry_after_s;
    const bool more = p->run.step != RUN_COMMANDS ? take_file(p, g) : take_certificate(p, g);
    if (more)
        go_on(p);
}

void run_on_deadline(struct provision *p)
{
    fail_run(p, ERR_TIMEOUT, "the files could not be gathered within 15 minutes");
}

/* --- what is set on the phone itself --- */

static RESULT set_local(struct provision *p, const struct settings *changes,
                        const char *const *unset, size_t unset_count, const struct errand *errand,
                        struct provision_report *r, struct errinfo *e)
{
    const struct provision_hooks *h = &p->params.hooks;
    const struct plan_input in = {
        .credentials = p->params.credentials,
        .layers = p->layers,
        .base = h->base(h->arg),
        .now = p->settings,
        .mac = p->params.mac,
    };
    struct plan *plan;

    TRY(plan_new(&in, &plan, e));
    struct result result = plan_local(plan, changes, unset, unset_count, e);
    if (is_ok(result))
        result = run_finish(p, plan, errand, r, e);
    plan_free(plan);
    return result;
}

struct result provision_set_local(struct provision *p, const struct settings *changes,
                                  const char *const *unset, size_t unset_count, bool force,
                                  const struct provision_report **report, struct errinfo *e)
{
    const struct errand errand = {.cause = PROVISION_LOCAL, .force = force};
    struct provision_report r;

    if (p->state == PROVISION_TRYING)
        return fail(e, ERR_BUSY,
                    "run %" PRIu64 " of provisioning is on trial: confirm it or roll it back first",
                    p->trial.report.id);
    provision_report_init(&r, ++p->last_id, PROVISION_LOCAL);
    const struct result result = set_local(p, changes, unset, unset_count, &errand, &r, e);
    if (is_err(result) && r.sentence[0] == '\0') { /* there is no such key: nothing to report */
        provision_report_clear(&r);
        return result;
    }
    const enum provision_outcome outcome = r.outcome;
    const enum err code = r.code;
    provision_tell(p, &r);
    if (report != NULL)
        *report = &p->last;
    return outcome == PROVISION_REFUSED ? fail(e, code, "%s", p->last.sentence) : result;
}
