/* Trials of what was provisioned, and how they end: a part of control/provision. */
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "control/provision_parts.h"
#include "sys/generation.h"

static struct trial_accounts accounts_of(const struct provision *p)
{
    const struct provision_hooks *h = &p->params.hooks;

    return (struct trial_accounts){h->account_count, h->account_at, h->arg};
}

static void hold(struct provision *p)
{
    char why[ERRINFO_TEXT_MAX];

    (void)snprintf(why, sizeof why,
                   "run %" PRIu64 " of provisioning is on trial: confirm it or roll it back first",
                   p->trial.report.id);
    credentials_hold(p->params.credentials, why);
}

void provision_begin_trial(struct provision *p, const struct provision_report *r, unsigned seconds)
{
    /* Without memory for a copy: its last word says no more than how it ended. */
    if (is_err(provision_report_copy(r, &p->trial.report)))
        provision_report_init(&p->trial.report, r->id, r->cause);
    provision_set_state(p, PROVISION_TRYING);
    loop_timer_start(p->deadline, (uint64_t)seconds * 1000);
    hold(p);
    provision_wake(p);
}

/* The trial is over, and this is its last word. */
static void end_trial(struct provision *p, enum provision_outcome outcome, const char *sentence)
{
    struct provision_report r = p->trial.report;

    p->trial.report = (struct provision_report){0};
    trial_clear(&p->trial);
    r.trial_ends_s = 0;
    provision_report_end(&r, outcome, ERR_OK, "%s", sentence);
    if (p->state == PROVISION_TRYING)
        provision_set_state(p, PROVISION_IDLE);
    provision_tell(p, &r);
}

/* The same generation once more, without the file that says that it is on trial. */
static RESULT commit_trial(struct provision *p, struct errinfo *e)
{
    struct change *ch;

    TRY(change_begin(p->params.credentials, &ch, e));
    struct result r = change_set_file(ch, TRIAL_FILE, SLICE_EMPTY, e);
    if (is_ok(r))
        r = change_commit(ch, e);
    change_free(ch);
    return r;
}

static RESULT keep_trial(struct provision *p, const char *sentence, struct errinfo *e)
{
    credentials_hold(p->params.credentials, NULL);
    const struct result r = commit_trial(p, e);
    if (is_err(r)) {
        hold(p);
        return r;
    }
    end_trial(p, PROVISION_KEPT, sentence);
    return OK;
}

static RESULT undo_trial(struct provision *p, const char *sentence, struct errinfo *e)
{
    credentials_hold(p->params.credentials, NULL);
    p->rolling_back = true;
    struct result r = credentials_roll_back(p->params.credentials, e);
    if (is_ok(r) && p->rolling_back) /* no certificate is another one: nobody has called us */
        r = provision_reload(p, e);
    p->rolling_back = false;
    if (is_err(r)) {
        hold(p);
        return r;
    }
    end_trial(p, PROVISION_ROLLED_BACK, sentence);
    return OK;
}

static void retry_trial(struct provision *p, const char *what, struct result r,
                        const struct errinfo *e)
{
    log_error("provision", "the trial cannot be %s: %s; trying again in %d s", what,
              errinfo_text(e, r), LIMIT_TRIAL_RETRY_MS / 1000);
    p->trial.failed = true;
    loop_timer_start(p->deadline, LIMIT_TRIAL_RETRY_MS);
}

void provision_look_at_trial(struct provision *p)
{
    const struct trial_accounts accounts = accounts_of(p);
    struct errinfo e = ERRINFO_INIT;

    if (p->trial.failed || !trial_has_proved(&p->trial, &accounts, p->settings))
        return;
    const struct result r =
        keep_trial(p, "the accounts are locked again: what was on trial is kept", &e);
    if (is_err(r)) /* the next change of an account, or the end of the trial, has it tried again */
        log_error("provision", "the trial cannot be kept: %s", errinfo_text(&e, r));
}

void provision_trial_over(struct provision *p)
{
    const struct trial_accounts accounts = accounts_of(p);
    struct errinfo e = ERRINFO_INIT;
    const bool proved = !p->trial.failed && trial_has_proved(&p->trial, &accounts, p->settings);
    const struct result r =
        proved ? keep_trial(p, "the accounts are locked: what was on trial is kept", &e)
               : undo_trial(p,
                            "nobody confirmed the trial, and not all accounts came back: "
                            "everything is as it was before",
                            &e);

    if (is_err(r))
        retry_trial(p, proved ? "kept" : "rolled back", r, &e);
}

struct result provision_confirm(struct provision *p, struct errinfo *e)
{
    if (p->state != PROVISION_TRYING)
        return fail(e, ERR_STATE, "there is no trial to confirm");
    return keep_trial(p, "the trial was confirmed", e);
}

struct result provision_roll_back(struct provision *p, struct errinfo *e)
{
    if (p->state != PROVISION_TRYING)
        return fail(e, ERR_STATE, "there is no trial to roll back");
    return undo_trial(p, "the trial was rolled back as asked: everything is as it was before", e);
}

void provision_account_changed(struct provision *p)
{
    if (p->state == PROVISION_TRYING)
        provision_wake(p); /* not from inside the account */
}

/* --- a trial that a process before this one left --- */

void provision_recover(const char *state_dir)
{
    struct errinfo e = ERRINFO_INIT;
    uint64_t number = 0;

    if (!trial_is_open(state_dir, &number))
        return;
    const struct result r = generation_roll_back(state_dir, number, NULL, &e);
    if (is_err(r))
        log_error("provision", "a trial that did not end cannot be rolled back: %s",
                  errinfo_text(&e, r));
    else
        log_warning("provision", "a trial that did not end was rolled back");
}

/* LAST was on trial: nobody has told yet how that ended. */
void provision_recall_trial(struct provision *p)
{
    uint64_t number;
    const bool open = trial_is_open(p->params.state_dir, &number);

    if (!open && p->last.outcome != PROVISION_TRIAL)
        return;
    if (p->last.outcome == PROVISION_TRIAL)
        p->trial.report = p->last;
    else /* its report is lost */
        provision_report_init(&p->trial.report, ++p->last_id, PROVISION_START);
    p->last = (struct provision_report){0};
    p->trial.failed = true;
    if (open) {
        provision_set_state(p, PROVISION_TRYING);
        loop_timer_start(p->deadline, 0);
        hold(p);
    } else {
        p->last_to_tell = true;
    }
}

void provision_tell_recovered(struct provision *p)
{
    const bool kept = trial_was_kept(p->params.state_dir);

    p->last_to_tell = false;
    end_trial(p, kept ? PROVISION_KEPT : PROVISION_ROLLED_BACK,
              kept ? "the trial ended well, just before sipsd was restarted"
                   : "sipsd was restarted before the trial had ended: everything is as it was "
                     "before");
}
