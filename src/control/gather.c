#include "control/gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/wipe.h"
#include "control/command.h"

/* What was got in one of the two slots: in this run, and by the last one that counted. */
struct memory {
    bool valid;
    char *url;
    char *etag;
    char *last_modified;
    struct commands commands;
};

struct slot {
    struct memory now;
    struct memory kept;
    uint64_t version; /* of the settings that KEPT is part of */
};

struct gather {
    struct fetch_ops ops;
    gathered_fn *fn;
    void *arg;

    /* of this run */
    struct weburl server;
    bool has_server;
    char *base; /* the server's URL, with a slash at its end */
    uint64_t version;

    /* of what is fetched now */
    struct fetch *fetch;
    struct slot *slot; /* NULL: it is no settings file */
    char name[LIMIT_PROVISION_NAME];

    struct slot slots[GATHER_SLOTS];
    struct gather_chain seen;
};

/* --- what is remembered --- */

static void memory_clear(struct memory *m)
{
    wipe_free_str(m->url);
    free(m->etag);
    free(m->last_modified);
    commands_clear(&m->commands);
    *m = (struct memory){0};
}

static bool is_known(const struct gather *g, const struct slot *s, const char *url)
{
    return s->kept.valid && s->version == g->version && strcmp(s->kept.url, url) == 0;
}

/* The answer came from URL; without memory for it nothing is remembered. */
static void remember(struct slot *s, const struct fetch_result *r)
{
    s->now.etag = strdup(r->etag);
    s->now.last_modified = strdup(r->last_modified);
    s->now.valid = s->now.url != NULL && s->now.etag != NULL && s->now.last_modified != NULL &&
                   (r->etag[0] != '\0' || r->last_modified[0] != '\0');
}

void gather_note(struct gather *g, enum gather_slot slot, const struct commands *commands)
{
    struct memory *m = &g->slots[slot].now;

    if (m->valid && is_err(commands_append(&m->commands, commands, NULL)))
        m->valid = false;
}

static void note_server(struct gather *g, const struct fetch_result *r)
{
    const enum verdict_class class = r->verdict->class;

    if (!r->secure || !g->has_server || strcmp(r->host, g->server.authority) != 0 ||
        (class != VERDICT_VERIFIED && class != VERDICT_PROVISIONAL) || r->chain->count == 0)
        return;
    (void)snprintf(g->seen.authority, sizeof g->seen.authority, "%s", r->host);
    peerchain_set(&g->seen.chain, r->chain->certs, r->chain->count);
}

const struct gather_chain *gather_server(const struct gather *g)
{
    return &g->seen;
}

/* --- what came --- */

static enum provision_fate fate_of(const struct gather *g, const struct fetch_result *r)
{
    switch (r->outcome) {
    case FETCH_DONE:
        return PROVISION_FILE_READ;
    case FETCH_UNCHANGED:
        return PROVISION_FILE_UNCHANGED;
    case FETCH_FAILED:
        break;
    }
    return g->slot != NULL && r->error.code == ERR_NOT_FOUND ? PROVISION_FILE_MISSING
                                                             : PROVISION_FILE_REFUSED;
}

static void on_fetched(void *arg, const struct fetch_result *r)
{
    struct gather *g = arg;
    const struct slot *slot = g->slot;
    const struct gathered got = {
        .name = g->name,
        .host = r->host,
        .fate = fate_of(g, r),
        .content = r->body,
        .commands = slot != NULL ? &slot->kept.commands : NULL,
        .error = r->error,
        .retry_after_s = r->retry_after_s,
    };

    g->fetch = NULL;
    note_server(g, r);
    if (g->slot != NULL && got.fate == PROVISION_FILE_READ)
        remember(g->slot, r);
    g->fn(g->arg, &got);
}

/* --- asking --- */

static void name_it(struct gather *g, const char *name, size_t n)
{
    (void)snprintf(g->name, sizeof g->name, "%.*s", (int)n, name);
}

static RESULT ask(struct gather *g, const struct fetch_wanted *w, struct errinfo *e)
{
    return g->ops.start(g->ops.arg, w, on_fetched, g, &g->fetch, e);
}

/* The file's URL; the caller's to wipe. */
static char *url_of(const struct gather *g, const char *file)
{
    char *url;

    return asprintf(&url, "%s%s", g->base, file) < 0 ? NULL : url;
}

static RESULT ask_file(struct gather *g, struct slot *s, struct errinfo *e)
{
    const bool known = is_known(g, s, s->now.url);
    const struct fetch_wanted w = {
        .url = s->now.url,
        .login = true,
        .etag = known ? s->kept.etag : NULL,
        .last_modified = known ? s->kept.last_modified : NULL,
        .max_bytes = LIMIT_SETTINGS_BYTES,
    };

    return ask(g, &w, e);
}

struct result gather_file(struct gather *g, enum gather_slot slot, const char *file,
                          struct errinfo *e)
{
    struct slot *s = &g->slots[slot];

    if (!g->has_server)
        return fail(e, ERR_STATE,
                    "there is no provisioning server: set static.auto_provision.server.url");
    memory_clear(&s->now);
    s->now.url = url_of(g, file);
    if (s->now.url == NULL)
        return fail(e, ERR_NOMEM, "out of memory for a fetch");
    g->slot = s;
    name_it(g, file, strlen(file));
    return ask_file(g, s, e);
}

/* User and password go to the server itself: the very scheme, host and port. */
static bool is_server(const struct gather *g, const struct weburl *u)
{
    return g->has_server && u->secure == g->server.secure && u->port == g->server.port &&
           strcmp(u->host.text, g->server.host.text) == 0;
}

struct result gather_url(struct gather *g, const char *url, struct errinfo *e)
{
    struct weburl u;

    TRY(weburl_parse(url, &u, e));
    const struct fetch_wanted w = {
        .url = url, .login = is_server(g, &u), .max_bytes = LIMIT_CERT_FILE_BYTES};
    g->slot = NULL;
    name_it(g, u.target, (size_t)weburl_path_len(&u));
    const struct result r = ask(g, &w, e);
    weburl_clear(&u);
    return r;
}

/* --- a run --- */

/* The URL as that of a directory. */
static RESULT set_base(struct gather *g, const char *url, struct errinfo *e)
{
    const size_t n = strlen(url);

    TRY(weburl_parse(url, &g->server, e));
    g->has_server = true;
    if (strpbrk(url, "?#") != NULL)
        return fail(e, ERR_INVALID,
                    "static.auto_provision.server.url has to be a directory, without a '?' or '#'");
    if (asprintf(&g->base, "%s%s", url, n > 0 && url[n - 1] == '/' ? "" : "/") < 0) {
        g->base = NULL;
        return fail(e, ERR_NOMEM, "out of memory for a fetch");
    }
    return OK;
}

static void leave_server(struct gather *g)
{
    if (g->has_server)
        weburl_clear(&g->server);
    g->has_server = false;
    wipe_free_str(g->base);
    g->base = NULL;
}

struct result gather_begin(struct gather *g, const struct settings *s, uint64_t version,
                           struct errinfo *e)
{
    const char *url = settings_text(s, "static.auto_provision.server.url", 0, 0);

    g->version = version;
    if (url[0] == '\0')
        return OK;
    const struct result r = set_base(g, url, e);
    if (is_err(r))
        leave_server(g);
    return r;
}

static void settle(const struct gather *g, struct slot *s, bool good, uint64_t version)
{
    if (good && s->now.valid) {
        memory_clear(&s->kept);
        s->kept = s->now;
        s->now = (struct memory){0};
        s->version = version;
    } else if (good && s->now.url != NULL && is_known(g, s, s->now.url)) {
        s->version = version; /* the server said that it is as it was */
    }
    memory_clear(&s->now);
}

void gather_end(struct gather *g, bool good, uint64_t version)
{
    if (g->fetch != NULL)
        g->ops.cancel(g->ops.arg, g->fetch);
    g->fetch = NULL;
    for (size_t i = 0; i < GATHER_SLOTS; i++)
        settle(g, &g->slots[i], good, version);
    leave_server(g);
}

/* --- life --- */

struct result gather_new(const struct fetch_ops *ops, gathered_fn *fn, void *arg,
                         struct gather **out)
{
    struct gather *g = calloc(1, sizeof *g);

    if (g == NULL)
        return err(ERR_NOMEM);
    g->ops = *ops;
    g->fn = fn;
    g->arg = arg;
    *out = g;
    return OK;
}

void gather_free(struct gather *g)
{
    if (g == NULL)
        return;
    gather_end(g, false, 0);
    for (size_t i = 0; i < GATHER_SLOTS; i++)
        memory_clear(&g->slots[i].kept);
    peerchain_clear(&g->seen.chain);
    free(g);
}
