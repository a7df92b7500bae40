#include "control/credentials.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/maker.h"

/* What was read, all of it at one time. */
struct state {
    uint64_t number; /* of the generation; 0: there is none */
    struct holdings held;
    struct identity_slots slots;
    struct complaints complaints;
};

struct credentials {
    struct credentials_params params;
    struct state now;
    struct trust *trust;
    uint64_t version;
    unsigned want;
    enum identity_source source; /* which of the slots is in use */
    char why[ERRINFO_TEXT_MAX];
    char held_by[ERRINFO_TEXT_MAX]; /* empty: nobody */
};

/* --- reading --- */

struct reading {
    const struct credentials_params *params;
    struct state *to;
};

static void read_file(void *arg, const char *name, struct slice content,
                      const struct errinfo *damage)
{
    const struct reading *r = arg;
    struct state *to = r->to;
    struct errinfo e = ERRINFO_INIT;
    char upload[IMPORT_NAME_MAX + 1];
    struct result result = OK;

    if (damage != NULL)
        result = fail(&e, damage->code, "%s", damage->text);
    else if (holdings_is_upload(name, upload))
        result = holdings_read_upload(&to->held, upload, content, &e);
    else if (strcmp(name, HOLDINGS_IDENTITY) == 0)
        result = holdings_read_identity(&to->held, content, &r->params->rng, &e);
    if (is_ok(result))
        return;
    if (strcmp(name, HOLDINGS_IDENTITY) == 0)
        to->slots.custom.problem = e;
    complaints_add(&to->complaints, "trust", name, "is left out: %s", errinfo_text(&e, result));
}

static void state_clear(struct state *s)
{
    holdings_clear(&s->held);
    identity_slots_clear(&s->slots);
}

/* ERR_NOMEM only; there is nothing to clear then. */
static RESULT state_read(const struct credentials_params *p, struct state *out, struct errinfo *e)
{
    struct errinfo why = ERRINFO_INIT;

    *out = (struct state){.slots = IDENTITY_SLOTS_INIT};
    struct reading reading = {p, out};
    const struct result r = generation_read(p->state_dir, read_file, &reading, &out->number, &why);
    if (r.code == ERR_NOMEM) {
        state_clear(out);
        return fail(e, ERR_NOMEM, "%s", errinfo_text(&why, r));
    }
    if (is_err(r))
        complaints_add(&out->complaints, "trust", "generations", "%s", errinfo_text(&why, r));
    maker_identities(p->factory_dir, p->mac, &p->rng, &out->slots);
    if (out->held.identity != NULL)
        out->slots.custom.identity = identity_ref(out->held.identity);
    return OK;
}

/* --- which identity --- */

static struct identity *in_use(const struct credentials *c)
{
    const struct identity_slot *slot = identity_slot_of(&c->now.slots, c->source);

    return slot != NULL ? slot->identity : NULL;
}

/* Looks again; BEFORE is what was in use. Returns whether that is another one now. */
static unsigned choose(struct credentials *c, const struct identity *before)
{
    char was[sizeof c->why];

    memcpy(was, c->why, sizeof was);
    c->source = identity_choose(&c->now.slots, (enum identity_want)c->want, c->why, sizeof c->why);
    if (strcmp(was, c->why) != 0)
        log_notice("identity", "%s", c->why);
    return identity_same(before, in_use(c)) ? 0 : CREDENTIALS_IDENTITY;
}

static void tell(const struct credentials *c, unsigned what)
{
    if (what != 0)
        c->params.changed(c->params.arg, what);
}

void credentials_want(struct credentials *c, unsigned want)
{
    const struct identity *before = in_use(c);

    c->want = want;
    tell(c, choose(c, before));
}

/* --- swapping --- */

/* NEXT, and TRUST where it is not NULL, are C's from now on. Returns what is different. */
static unsigned swap(struct credentials *c, struct state *next, struct trust *trust)
{
    struct state old = c->now;
    struct identity *before = in_use(c);
    unsigned what = 0;

    if (before != NULL)
        (void)identity_ref(before);
    if (trust != NULL) {
        trust_unref(c->trust);
        c->trust = trust;
        what = CREDENTIALS_TRUST;
    }
    c->now = *next;
    c->version++;
    what |= choose(c, before);
    identity_unref(before);
    state_clear(&old);
    return what;
}

RESULT credentials_reload(struct credentials *c, struct errinfo *e)
{
    struct state next;
    struct trust *trust = NULL;

    TRY(state_read(&c->params, &next, e));
    if (!holdings_same_cas(&next.held, &c->now.held)) {
        const struct result r = holdings_trust(&next.held, &trust, e);
        if (is_err(r)) {
            state_clear(&next);
            return r;
        }
    }
    tell(c, swap(c, &next, trust));
    return OK;
}

RESULT credentials_roll_back(struct credentials *c, struct errinfo *e)
{
    TRY(generation_roll_back(c->params.state_dir, c->now.number, NULL, e));
    return credentials_reload(c, e);
}

RESULT credentials_open(const struct credentials_params *p, unsigned want, struct credentials **out,
                        struct errinfo *e)
{
    struct errinfo why = ERRINFO_INIT;
    struct credentials *c = calloc(1, sizeof *c);

    if (c == NULL)
        return fail(e, ERR_NOMEM, "out of memory for the certificates");
    c->params = *p;
    c->want = want;
    struct result r = generation_clean(p->state_dir, &why);
    if (is_err(r))
        log_warning("trust", "what an interrupted write left stays: %s", errinfo_text(&why, r));
    r = state_read(p, &c->now, e);
    if (is_ok(r))
        r = holdings_trust(&c->now.held, &c->trust, e);
    if (is_err(r)) {
        credentials_free(c);
        return r;
    }
    (void)choose(c, NULL);
    *out = c;
    return OK;
}

void credentials_free(struct credentials *c)
{
    if (c == NULL)
        return;
    state_clear(&c->now);
    trust_unref(c->trust);
    free(c);
}

/* --- keeping --- */

/* The files of the present generation that the next one has to have as well. */
struct carrying {
    const struct credentials *c;
    const struct holdings_files *more; /* what takes the place of files, or NULL */
    credentials_drop_fn *drop;
    const void *arg;
    struct holdings_files *files;
    struct result result;
    struct errinfo *e;
};

/* Whether file NAME was read into what is held: then it is written anew. */
static bool is_held(const struct credentials *c, const char *name)
{
    char upload[IMPORT_NAME_MAX + 1];

    if (strcmp(name, HOLDINGS_IDENTITY) == 0)
        return c->now.held.identity != NULL;
    return holdings_is_upload(name, upload) && holdings_has_upload(&c->now.held, upload);
}

static bool is_among(const struct holdings_files *files, const char *name)
{
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->list[i].name, name) == 0)
            return true;
    return false;
}

static void carry(void *arg, const char *name, struct slice content, const struct errinfo *damage)
{
    struct carrying *k = arg;

    if (damage != NULL || is_err(k->result) || is_held(k->c, name) || is_among(k->files, name) ||
        (k->more != NULL && is_among(k->more, name)) || k->drop(k->arg, name))
        return;
    k->result = holdings_files_add(k->files, name, content, k->e);
}

static RESULT carry_over(struct carrying *k)
{
    uint64_t number;

    TRY(generation_read(k->c->params.state_dir, carry, k, &number, k->e));
    TRY(k->result);
    if (number == k->c->now.number)
        return OK;
    return fail(k->e, ERR_STATE,
                "another process has changed the certificates on flash (generation %" PRIu64
                ", not %" PRIu64 "): have sipsd read them again (SIGHUP), then try again",
                number, k->c->now.number);
}

static RESULT add_more(const struct holdings_files *more, struct holdings_files *files,
                       struct errinfo *e)
{
    for (size_t i = 0; more != NULL && i < more->count; i++)
        if (buf_slice(&more->list[i].content).n > 0)
            TRY(holdings_files_add(files, more->list[i].name, buf_slice(&more->list[i].content),
                                   e));
    return OK;
}

static RESULT write_files(const struct credentials *c, const struct holdings_files *files,
                          uint64_t *number, struct errinfo *e)
{
    struct generation_file list[LIMIT_GENERATION_FILES];

    for (size_t i = 0; i < files->count; i++)
        list[i] = (struct generation_file){files->list[i].name, buf_slice(&files->list[i].content)};
    const struct result r = generation_write(c->params.state_dir, list, files->count, number, e);
    if (is_err(r))
        errinfo_context(e, "the certificates cannot be kept");
    return r;
}

/* What was said of files that the new generation does not have any more goes with them. */
static void keep_complaints(struct state *next, const struct state *old,
                            const struct holdings_files *files)
{
    for (size_t i = 0; i < old->complaints.count; i++)
        if (is_among(files, old->complaints.list[i].file))
            next->complaints.list[next->complaints.count++] = old->complaints.list[i];
}

/* The state that C has once FILES are written. */
static void make_next(const struct credentials *c, const struct holdings *held,
                      const struct holdings_files *files, uint64_t number, struct state *next)
{
    *next = (struct state){.number = number, .slots = c->now.slots};
    holdings_copy(&next->held, held);
    keep_complaints(next, &c->now, files);
    next->slots.custom = (struct identity_slot){.problem = ERRINFO_INIT};
    if (held->identity != NULL)
        next->slots.custom.identity = identity_ref(held->identity);
    else if (is_among(files, HOLDINGS_IDENTITY)) /* it was left out, and stays */
        next->slots.custom.problem = c->now.slots.custom.problem;
    if (next->slots.unique.identity != NULL)
        (void)identity_ref(next->slots.unique.identity);
    if (next->slots.generic.identity != NULL)
        (void)identity_ref(next->slots.generic.identity);
}

RESULT credentials_replace(struct credentials *c, const struct holdings *next, struct trust *trust,
                           const struct holdings_files *more, credentials_drop_fn *drop,
                           const void *arg, struct errinfo *e)
{
    struct holdings_files *files = calloc(1, sizeof *files);
    struct carrying carrying = {c, more, drop, arg, files, OK, e};
    struct state state;
    uint64_t number = 0;

    if (files == NULL)
        return fail(e, ERR_NOMEM, "out of memory for the certificates");
    struct result r = holdings_write(next, files, e);
    if (is_ok(r))
        r = add_more(more, files, e);
    if (is_ok(r))
        r = carry_over(&carrying);
    if (is_ok(r))
        r = write_files(c, files, &number, e);
    if (is_ok(r))
        make_next(c, next, files, number, &state);
    holdings_files_clear(files);
    free(files);
    TRY(r);
    tell(c, swap(c, &state, trust != NULL ? trust_ref(trust) : NULL));
    return OK;
}

/* --- looking --- */

struct trust *credentials_trust(const struct credentials *c)
{
    return c->trust;
}

struct identity *credentials_identity(const struct credentials *c)
{
    return in_use(c);
}

struct identity *credentials_held_at(const struct credentials *c, size_t i)
{
    struct identity *custom = c->now.slots.custom.identity, *used = in_use(c);

    if (custom == NULL || custom == used)
        return i == 0 ? used : NULL;
    return i == 0 ? custom : i == 1 ? used : NULL;
}

enum identity_source credentials_source(const struct credentials *c)
{
    return c->source;
}

const char *credentials_why(const struct credentials *c)
{
    return c->why;
}

const struct identity_slots *credentials_slots(const struct credentials *c)
{
    return &c->now.slots;
}

const struct complaints *credentials_complaints(const struct credentials *c)
{
    return &c->now.complaints;
}

const struct credentials_params *credentials_params(const struct credentials *c)
{
    return &c->params;
}

const struct holdings *credentials_holdings(const struct credentials *c)
{
    return &c->now.held;
}

uint64_t credentials_generation(const struct credentials *c)
{
    return c->now.number;
}

void credentials_hold(struct credentials *c, const char *why)
{
    (void)snprintf(c->held_by, sizeof c->held_by, "%s", why != NULL ? why : "");
}

const char *credentials_held_by(const struct credentials *c)
{
    return c->held_by[0] != '\0' ? c->held_by : NULL;
}

uint64_t credentials_version(const struct credentials *c)
{
    return c->version;
}
