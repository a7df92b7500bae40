#include "control/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mac.h"
#include "control/command.h"
#include "control/layers.h"
#include "control/order.h"
#include "control/phone.h"

struct plan {
    struct plan_input in;
    struct layers *layers;
    struct change *change;
    struct commands commands;
    size_t done;    /* of the commands */
    bool refused;   /* whatever of it had room in the report */
    bool no_memory; /* likewise: nothing can be said then */
    struct settings *next;
};

/* --- life --- */

struct result plan_new(const struct plan_input *in, struct plan **out, struct errinfo *e)
{
    struct plan *p = calloc(1, sizeof *p);

    if (p == NULL || is_err(layers_clone(in->layers, &p->layers))) {
        free(p);
        return fail(e, ERR_NOMEM, "out of memory for a run of provisioning");
    }
    p->in = *in;
    const struct result r = change_begin(in->credentials, &p->change, e);
    if (is_err(r)) {
        plan_free(p);
        return r;
    }
    *out = p;
    return OK;
}

void plan_free(struct plan *p)
{
    if (p == NULL)
        return;
    change_free(p->change);
    layers_free(p->layers);
    settings_free(p->next);
    commands_clear(&p->commands);
    free(p);
}

/* --- settings files --- */

bool plan_is_phones(const char *name, const char *mac, bool *phones, struct errinfo *e)
{
    const char *slash = strrchr(name, '/');
    const struct slice file = slice_of_str(slash != NULL ? slash + 1 : name);
    struct mac named, own;
    char text[MAC_TEXT_SIZE];

    *phones = false;
    if (file.n < 4 || !slice_eq_nocase_str(slice_from(file, file.n - 4), ".cfg") ||
        !mac_parse(slice_first(file, file.n - 4), &named))
        return true;
    if (mac_parse(slice_of_str(mac), &own) && mac_equal(&named, &own)) {
        *phones = true;
        return true;
    }
    mac_text(&named, text);
    IGNORE(fail(e, ERR_INVALID, "the file is for the phone %s, by its name", text));
    return false;
}

static void add_item(struct plan *p, const struct provision_item *item, const char *sentence,
                     struct provision_report *r)
{
    struct provision_item own = *item;

    (void)snprintf(own.sentence, sizeof own.sentence, "%s", sentence);
    p->refused |= !own.ok;
    provision_report_item(r, &own);
}

/* A settings file while it is applied. */
struct applying {
    struct plan *plan;
    struct slice content;
    struct provision_report *report;
};

/* The key that LINE of CONTENT (from 1) sets, or what stands there for one. */
static void line_key(struct slice content, size_t line, char *out, size_t size)
{
    struct slice text = SLICE_EMPTY;

    while (line-- > 0)
        text = slice_cut(&content, '\n');
    text = slice_trim(slice_cut(&text, '='));
    if (!slice_to_str(slice_first(text, size - 1), out, size))
        out[0] = '\0';
}

static void complain(void *arg, const char *file, size_t line, bool severe, const char *text)
{
    const struct applying *a = arg;
    struct provision_item item = {.line = line, .what = PROVISION_SETTING, .ok = !severe};

    (void)snprintf(item.file, sizeof item.file, "%s", file);
    line_key(a->content, line, item.subject, sizeof item.subject);
    add_item(a->plan, &item, text, a->report);
}

/* The whole of file NAME is no good. */
static void refuse_file(struct plan *p, const char *name, const char *sentence,
                        struct provision_report *r)
{
    struct provision_item item = {.what = PROVISION_SETTING};

    (void)snprintf(item.file, sizeof item.file, "%s", name);
    add_item(p, &item, sentence, r);
}

void plan_commands(struct plan *p, const struct commands *c, struct provision_report *r)
{
    struct errinfo e = ERRINFO_INIT;
    const struct result appended = commands_append(&p->commands, c, &e);

    p->no_memory |= appended.code == ERR_NOMEM;
    if (is_err(appended) && appended.code != ERR_NOMEM)
        refuse_file(p, c->list[0].file, errinfo_text(&e, appended), r);
}

static RESULT take_file(struct applying *a, const char *name, struct commands *found,
                        struct errinfo *e)
{
    struct settings *said;
    bool phones;

    if (!plan_is_phones(name, a->plan->in.mac, &phones, e))
        return err(ERR_INVALID);
    TRY(settings_new(&said));
    struct result r = settings_apply(said, name, a->content, found, complain, a, e);
    if (is_ok(r))
        r = layers_merge(a->plan->layers, phones ? LAYER_PHONE : LAYER_COMMON, said, e);
    settings_free(said);
    return r;
}

bool plan_file(struct plan *p, const char *name, const char *host, struct slice content,
               struct commands *found, struct provision_report *r)
{
    struct applying applying = {p, content, r};
    struct commands commands = {0};
    struct errinfo e = ERRINFO_INIT;
    const struct result taken = take_file(&applying, name, &commands, &e);

    p->no_memory |= taken.code == ERR_NOMEM;
    if (is_ok(taken)) {
        provision_report_file(r, name, host, PROVISION_FILE_READ, content, "");
        plan_commands(p, &commands, r);
        if (found != NULL && is_err(commands_append(found, &commands, NULL)))
            p->no_memory = true;
    } else {
        provision_report_file(r, name, host, PROVISION_FILE_REFUSED, content,
                              errinfo_text(&e, taken));
        refuse_file(p, name, errinfo_text(&e, taken), r);
    }
    commands_clear(&commands);
    return is_ok(taken);
}

struct result plan_local(struct plan *p, const struct settings *set, const char *const *unset,
                         size_t unset_count, struct errinfo *e)
{
    if (set != NULL)
        TRY(layers_merge(p->layers, LAYER_LOCAL, set, e));
    for (size_t i = 0; i < unset_count; i++)
        TRY(layers_unset(p->layers, LAYER_LOCAL, unset[i], e));
    return OK;
}

/* --- commands --- */

/* What came of the command C. */
static void did(struct plan *p, const struct command *c, struct result result,
                const struct order_told *told, const struct errinfo *e, struct provision_report *r)
{
    struct provision_item item = {
        .line = c->line, .what = order_what(c->kind), .ok = is_ok(result)};

    p->no_memory |= result.code == ERR_NOMEM;
    (void)snprintf(item.file, sizeof item.file, "%s", c->file);
    order_subject(c, item.subject, sizeof item.subject);
    add_item(p, &item, is_ok(result) ? told->sentence : errinfo_text(e, result), r);
}

const char *plan_next(struct plan *p, struct provision_report *r)
{
    for (; p->done < p->commands.count; p->done++) {
        const struct command *c = &p->commands.list[p->done];
        struct order_told told = {""};
        struct errinfo e = ERRINFO_INIT;

        if (order_is_elsewhere(c))
            return c->value;
        const struct result result = order_carry_out(c, p->change, &told, &e);
        did(p, c, result, &told, &e, r);
    }
    return NULL;
}

void plan_give(struct plan *p, const char *host, struct slice content, struct provision_report *r)
{
    const struct command *c = &p->commands.list[p->done++];
    struct order_told told = {""};
    struct errinfo e = ERRINFO_INIT;
    char path[LIMIT_PROVISION_NAME];

    order_path(c, path, sizeof path);
    provision_report_file(r, path, host, PROVISION_FILE_READ, content, "");
    const struct result result = order_give(c, content, p->change, &told, &e);
    did(p, c, result, &told, &e, r);
}

void plan_deny(struct plan *p, const char *host, const char *sentence, struct provision_report *r)
{
    const struct command *c = &p->commands.list[p->done++];
    const struct order_told told = {""};
    struct errinfo e = ERRINFO_INIT;
    char path[LIMIT_PROVISION_NAME];

    order_path(c, path, sizeof path);
    provision_report_file(r, path, host, PROVISION_FILE_REFUSED, SLICE_EMPTY, sentence);
    did(p, c, fail(&e, ERR_NOT_FOUND, "%s", sentence), &told, &e, r);
}

void plan_pass(struct plan *p, const char *sentence, struct provision_report *r)
{
    const struct command *c = &p->commands.list[p->done++];
    struct order_told told;

    (void)snprintf(told.sentence, sizeof told.sentence, "%s", sentence);
    did(p, c, OK, &told, NULL, r);
}

/* --- the whole --- */

/* An account that cannot work refuses the plan, unless it could not work just so before. */
static void judge_account(struct plan *p, int number, struct provision_report *r)
{
    struct account_config cfg;
    struct errinfo before = ERRINFO_INIT, e = ERRINFO_INIT;
    const struct result now = phone_account(p->next, number, &cfg, &e);

    if (is_ok(now))
        return;
    const struct result was = phone_account(p->in.now, number, &cfg, &before);
    const bool as_before = was.code == now.code && strcmp(before.text, e.text) == 0;
    if (now.code == ERR_UNSUPPORTED && as_before) /* another part of the phone's, as ever */
        return;
    struct provision_item item = {.what = PROVISION_ACCOUNT,
                                  .ok = as_before || now.code == ERR_UNSUPPORTED};
    (void)snprintf(item.subject, sizeof item.subject, "%d", number);
    add_item(p, &item, errinfo_text(&e, now), r);
}

static bool note_changed(void *arg, const struct settings_item *item)
{
    provision_report_changed(arg, item->name);
    return true;
}

static RESULT judge_settings(struct plan *p, struct provision_report *r, struct errinfo *e)
{
    TRY(layers_effective(p->layers, p->in.base, &p->next, e));
    for (int number = 1; number <= LIMIT_ACCOUNTS; number++)
        judge_account(p, number, r);
    return layers_put(p->layers, p->change, e);
}

static void judge_change(struct plan *p, struct result checked, const struct errinfo *e,
                         struct provision_report *r)
{
    const struct provision_item item = {.what = PROVISION_IDENTITY};

    if (is_err(checked))
        add_item(p, &item, errinfo_text(e, checked), r);
}

/* Whether it is about this machine and moment, not about what was to be provisioned. */
static bool is_ours(struct result r)
{
    return r.code == ERR_NOMEM || r.code == ERR_BUSY || r.code == ERR_STATE;
}

static void sum_up(const struct plan *p, struct provision_report *r)
{
    const struct change_summary s = change_summary(p->change);

    settings_each_change(p->in.now, p->next, note_changed, r);
    r->trusted_added = s.trusted_added;
    r->trusted_removed = s.trusted_removed;
    r->identity = s.identity;
}

struct result plan_judge(struct plan *p, enum plan_verdict *out, struct provision_report *r,
                         struct errinfo *e)
{
    struct errinfo why = ERRINFO_INIT;

    if (p->no_memory)
        return fail(e, ERR_NOMEM, "out of memory for a run of provisioning");
    TRY(judge_settings(p, r, e));
    const struct result checked = change_check(p->change, &why);
    if (is_ours(checked))
        return fail(e, checked.code, "%s", errinfo_text(&why, checked));
    judge_change(p, checked, &why, r);
    *out = p->refused                          ? PLAN_REFUSED
           : change_summary(p->change).nothing ? PLAN_UNCHANGED
                                               : PLAN_CHANGES;
    if (*out == PLAN_CHANGES)
        sum_up(p, r);
    return OK;
}

struct change *plan_change(const struct plan *p)
{
    return p->change;
}

const struct settings *plan_settings(const struct plan *p)
{
    return p->next;
}

struct layers *plan_take_layers(struct plan *p)
{
    struct layers *layers = p->layers;

    p->layers = NULL;
    return layers;
}

struct settings *plan_take_settings(struct plan *p)
{
    struct settings *next = p->next;

    p->next = NULL;
    return next;
}
