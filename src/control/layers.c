#include "control/layers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define COUNT (LAYER_LOCAL - LAYER_COMMON + 1)

static const char *const names[] = {"default", "base", "common", "phone", "local"};
static const char *const files[COUNT] = {"common.cfg", "phone.cfg", "local.cfg"};

/* Of a layer as a file: what is on flash. All zero: it is damaged there. */
struct print {
    uint8_t sha256[HASH_SHA256_SIZE];
};

struct layers {
    struct settings *list[COUNT];
    struct print kept[COUNT];
};

const char *layer_name(enum layer layer)
{
    return names[layer];
}

static size_t index_of(enum layer which)
{
    assert(which >= LAYER_COMMON && which <= LAYER_LOCAL);
    return (size_t)(which - LAYER_COMMON);
}

/* --- as files --- */

/* The caller wipes TEXT, also on failure. */
static RESULT write_layer(const struct settings *s, struct buf *text, struct print *print,
                          struct errinfo *e)
{
    buf_init(text, LIMIT_SETTINGS_BYTES);
    if (!settings_is_empty(s))
        TRY(settings_write(s, text, e));
    hash_sha256(buf_slice(text), print->sha256);
    return OK;
}

static RESULT print_of(const struct settings *s, struct print *out, struct errinfo *e)
{
    struct buf text;
    const struct result r = write_layer(s, &text, out, e);

    buf_wipe(&text);
    return r;
}

static bool is_damaged(const struct print *p)
{
    static const struct print none;

    return memcmp(p, &none, sizeof none) == 0;
}

bool layers_is_in_danger(const struct layers *l)
{
    for (size_t i = 0; i < COUNT; i++)
        if (is_damaged(&l->kept[i]))
            return true;
    return false;
}

static RESULT put(const struct layers *l, size_t i, struct change *ch, struct print *print,
                  struct errinfo *e)
{
    struct buf text;
    struct result r = write_layer(l->list[i], &text, print, e);

    if (is_ok(r) && memcmp(print, &l->kept[i], sizeof *print) != 0)
        r = change_set_file(ch, files[i], buf_slice(&text), e);
    buf_wipe(&text);
    return r;
}

RESULT layers_put(struct layers *l, struct change *ch, struct errinfo *e)
{
    for (size_t i = 0; i < COUNT; i++) {
        struct print print;
        TRY(put(l, i, ch, &print, e));
        l->kept[i] = print;
    }
    return OK;
}

/* --- reading --- */

struct reading {
    struct layers *to;
    struct complaints *complaints;
    const char *file; /* that is being read */
    struct errinfo
        damage[COUNT]; /* of the newest generation's; ERR_OK: it is sound, or not there */
    bool again;        /* the generation before: for the damaged ones alone */
    bool found[COUNT]; /* there */
    struct result result;
    struct errinfo *e;
};

static void complain(void *arg, const char *file, size_t line, bool severe, const char *text)
{
    struct reading *r = arg;

    (void)file;
    (void)severe;
    complaints_add(r->complaints, "settings", r->file, "line %zu: %s", line, text);
}

/* ERR_PARSE, ERR_LIMIT: it is no settings file. */
static RESULT read_layer(struct reading *r, size_t i, struct slice content, struct errinfo *why)
{
    struct settings *s;

    TRY(settings_new(&s));
    r->file = files[i];
    struct result res = settings_apply(s, "its content", content, NULL, complain, r, why);
    if (is_ok(res))
        res = print_of(s, &r->to->kept[i], why);
    if (is_err(res)) {
        settings_free(s);
        return res;
    }
    settings_free(r->to->list[i]);
    r->to->list[i] = s;
    return OK;
}

static void take(struct reading *r, size_t i, struct slice content, const struct errinfo *damage)
{
    struct errinfo why = ERRINFO_INIT;
    const struct result res = damage != NULL ? err(damage->code) : read_layer(r, i, content, &why);

    if (damage == NULL && res.code == ERR_NOMEM) {
        r->result = fail(r->e, ERR_NOMEM, "no memory for the settings");
        return;
    }
    if (r->again)
        r->found[i] = is_ok(res);
    else if (is_err(res))
        r->damage[i] = damage != NULL ? *damage : why;
}

static void on_file(void *arg, const char *name, struct slice content, const struct errinfo *damage)
{
    struct reading *r = arg;

    for (size_t i = 0; i < COUNT && is_ok(r->result); i++)
        if (strcmp(name, files[i]) == 0 && (!r->again || r->damage[i].code != ERR_OK))
            take(r, i, content, damage);
}

/* What is damaged is looked for in the generation before NUMBER. */
static RESULT read_before(struct reading *r, const char *state_dir, uint64_t number)
{
    bool damaged = false;
    uint64_t ignored;

    for (size_t i = 0; i < COUNT; i++)
        damaged = damaged || r->damage[i].code != ERR_OK;
    if (!damaged)
        return OK;
    r->again = true;
    TRY(generation_read_before(state_dir, number, on_file, r, &ignored, r->e));
    return r->result;
}

static void tell_damage(struct reading *r)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (r->damage[i].code == ERR_OK)
            continue;
        if (r->found[i])
            r->to->kept[i] = (struct print){0};
        complaints_add(r->complaints, "settings", files[i], "%s: %s", r->damage[i].text,
                       r->found[i] ? "what the generation before has of it counts instead"
                                   : "what it set does not count any more, for the generation "
                                     "before has no sound one");
    }
}

static RESULT read_all(struct layers *l, const char *state_dir, struct complaints *complaints,
                       struct errinfo *e)
{
    struct reading r = {.to = l, .complaints = complaints, .result = OK, .e = e};
    uint64_t number;

    TRY(generation_read(state_dir, on_file, &r, &number, e));
    TRY(r.result);
    TRY(read_before(&r, state_dir, number));
    tell_damage(&r);
    return OK;
}

RESULT layers_read(struct layers *l, const char *state_dir, struct complaints *complaints,
                   struct errinfo *e)
{
    struct layers *next;
    struct layers old = *l;

    if (is_err(layers_new(&next)))
        return fail(e, ERR_NOMEM, "no memory for the settings");
    const struct result r = read_all(next, state_dir, complaints, e);
    if (is_ok(r)) {
        *l = *next;
        *next = old;
    }
    layers_free(next);
    return r;
}

/* --- the object --- */

RESULT layers_new(struct layers **out)
{
    struct layers *l = calloc(1, sizeof *l);
    struct result r = l != NULL ? OK : err(ERR_NOMEM);

    for (size_t i = 0; i < COUNT && is_ok(r); i++)
        r = settings_new(&l->list[i]);
    for (size_t i = 0; i < COUNT && is_ok(r); i++)
        r = print_of(l->list[i], &l->kept[i], NULL);
    if (is_err(r)) {
        layers_free(l);
        return r;
    }
    *out = l;
    return OK;
}

void layers_free(struct layers *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0; i < COUNT; i++)
        settings_free(l->list[i]);
    free(l);
}

RESULT layers_clone(const struct layers *l, struct layers **out)
{
    struct layers *copy = calloc(1, sizeof *copy);
    struct result r = copy != NULL ? OK : err(ERR_NOMEM);

    for (size_t i = 0; i < COUNT && is_ok(r); i++) {
        copy->kept[i] = l->kept[i];
        r = settings_clone(l->list[i], &copy->list[i]);
    }
    if (is_err(r)) {
        layers_free(copy);
        return r;
    }
    *out = copy;
    return OK;
}

RESULT layers_merge(struct layers *l, enum layer which, const struct settings *file,
                    struct errinfo *e)
{
    if (is_err(settings_overlay(l->list[index_of(which)], file)))
        return fail(e, ERR_NOMEM, "no memory for the settings");
    return OK;
}

RESULT layers_unset(struct layers *l, enum layer which, const char *key, struct errinfo *e)
{
    return settings_unset(l->list[index_of(which)], key, e);
}

void layers_clear(struct layers *l)
{
    for (size_t i = 0; i < COUNT; i++)
        settings_clear(l->list[i]);
}

const struct settings *layers_at(const struct layers *l, enum layer which)
{
    return l->list[index_of(which)];
}

bool layers_same(const struct layers *a, const struct layers *b, enum layer which)
{
    return settings_same(layers_at(a, which), layers_at(b, which));
}

/* --- together --- */

RESULT layers_effective(const struct layers *l, const struct settings *base, struct settings **out,
                        struct errinfo *e)
{
    struct settings *s = NULL;
    struct result r = settings_clone(base, &s);

    for (size_t i = 0; i < COUNT && is_ok(r); i++)
        r = settings_overlay(s, l->list[i]);
    if (is_err(r)) {
        settings_free(s);
        return fail(e, ERR_NOMEM, "no memory for the settings");
    }
    *out = s;
    return OK;
}

/* The last that speaks of this very key; DEFAULT: none does. */
static enum layer speaker(const struct layers *l, const struct settings *base, const char *name,
                          unsigned x, unsigned y)
{
    for (size_t i = COUNT; i-- > 0;)
        if (settings_says(l->list[i], name, x, y) != SETTINGS_NOTHING)
            return (enum layer)(LAYER_COMMON + i);
    return settings_says(base, name, x, y) != SETTINGS_NOTHING ? LAYER_BASE : LAYER_DEFAULT;
}

enum layer layers_source(const struct layers *l, const struct settings *base, const char *name,
                         unsigned x, unsigned y)
{
    enum layer from = LAYER_DEFAULT;

    while (name != NULL && from == LAYER_DEFAULT) {
        const struct key *k = keys_row(name);
        assert(k != NULL);
        from = speaker(l, base, name, x, y);
        name = k->fallback;
    }
    return from;
}
