#include "control/order.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "control/dataurl.h"
#include "control/weburl.h"

enum provision_what order_what(enum command_kind kind)
{
    static const enum provision_what whats[] = {
        [COMMAND_TRUST_URL] = PROVISION_TRUSTED,
        [COMMAND_TRUST_DELETE] = PROVISION_DELETE_TRUSTED,
        [COMMAND_IDENTITY_URL] = PROVISION_IDENTITY,
        [COMMAND_IDENTITY_DELETE] = PROVISION_DELETE_IDENTITY,
    };
    return whats[kind];
}

static bool is_delete(const struct command *c)
{
    return c->kind == COMMAND_TRUST_DELETE || c->kind == COMMAND_IDENTITY_DELETE;
}

bool order_is_elsewhere(const struct command *c)
{
    return !is_delete(c) && !dataurl_is(slice_of_str(c->value));
}

/* --- names --- */

void order_path(const struct command *c, char *out, size_t size)
{
    struct weburl u;

    out[0] = '\0';
    if (is_err(weburl_parse(c->value, &u, NULL)))
        return;
    (void)snprintf(out, size, "%.*s", weburl_path_len(&u), u.target);
    weburl_clear(&u);
}

/* What is behind the last slash. */
static struct slice last_part(struct slice path)
{
    size_t slash;

    while ((slash = slice_find(path, '/')) < path.n)
        path = slice_from(path, slash + 1);
    return path;
}

/* Without ".cfg" or what else is behind the last dot. */
static struct slice stem(struct slice name)
{
    size_t n = name.n;

    while (n > 0 && name.p[n - 1] != '.')
        n--;
    return n > 1 ? slice_first(name, n - 1) : name;
}

/* As the certificate's file is called; one in a data: URL by the name that this has for it, else
 * as the settings file. */
static void file_name(const struct command *c, char *out, size_t size)
{
    struct weburl u;
    struct slice name = stem(last_part(slice_of_str(c->file)));

    if (dataurl_is(slice_of_str(c->value)) && dataurl_name(slice_of_str(c->value), out, size))
        return;
    if (dataurl_is(slice_of_str(c->value)) || is_err(weburl_parse(c->value, &u, NULL))) {
        (void)snprintf(out, size, "%.*s", SLICE_FMT(name));
        return;
    }
    name = last_part(slice_of(u.target, (size_t)weburl_path_len(&u)));
    (void)snprintf(out, size, "%.*s", SLICE_FMT(name));
    if (out[0] == '\0')
        (void)snprintf(out, size, "%s", u.host.text);
    weburl_clear(&u);
}

void order_subject(const struct command *c, char *out, size_t size)
{
    char name[COMMAND_NAME_SIZE];
    bool all = false;

    if (!is_delete(c))
        file_name(c, out, size);
    else if (is_ok(command_delete_target(slice_of_str(c->value), name, &all, NULL)))
        (void)snprintf(out, size, "%s", all ? "all" : name);
    else
        out[0] = '\0';
}

/* --- to delete --- */

static RESULT delete_trusted(const char *name, bool all, struct change *ch, size_t *removed,
                             bool *there, struct errinfo *e)
{
    *there = true;
    if (all) {
        *removed = change_clear_trusted(ch);
        return OK;
    }
    const struct result r = change_remove_trusted(ch, name, removed, e);
    if (r.code != ERR_NOT_FOUND)
        return r;
    *there = false;
    errinfo_clear(e);
    return OK;
}

static RESULT carry_out_delete(const struct command *c, struct change *ch, struct order_told *told,
                               struct errinfo *e)
{
    char name[COMMAND_NAME_SIZE];
    bool all = false, there;
    size_t removed = 0;

    TRY(command_delete_target(slice_of_str(c->value), name, &all, e));
    if (c->kind == COMMAND_IDENTITY_DELETE) { /* there is one at most, whatever it is called */
        there = change_remove_identity(ch);
        removed = there;
    } else {
        TRY(delete_trusted(name, all, ch, &removed, &there, e));
    }
    if (there)
        (void)snprintf(told->sentence, sizeof told->sentence, "%zu certificate%s deleted", removed,
                       removed == 1 ? "" : "s");
    else
        (void)snprintf(told->sentence, sizeof told->sentence, "there is none of that name");
    return OK;
}

/* --- to add --- */

/* The list of trusted certificates is particular about endings, for uploads by hand. A URL need
 * not have one: what counts is what is in the file. */
static void with_ending(char *name, size_t size)
{
    static const char *const endings[] = {".pem", ".cer", ".crt", ".der"};
    const size_t n = strlen(name);

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (n > 4 && slice_eq_nocase_str(slice_of_str(name + n - 4), endings[i]))
            return;
    (void)snprintf(name + n, size - n, ".pem");
}

static RESULT add_trusted(const struct command *c, struct slice content, struct change *ch,
                          struct order_told *told, struct errinfo *e)
{
    char name[LIMIT_TEXT];
    struct change_added added;

    file_name(c, name, sizeof name - 4);
    with_ending(name, sizeof name);
    TRY(change_add_trusted(ch, name, content, &added, e));
    if (added.items.fresh > 0)
        (void)snprintf(told->sentence, sizeof told->sentence,
                       "%zu of %zu certificates new, as '%s'", added.items.fresh, added.items.count,
                       added.name);
    else
        (void)snprintf(told->sentence, sizeof told->sentence, "trusted already");
    import_clear(&added.items);
    return OK;
}

static RESULT set_identity(struct slice content, struct change *ch, struct order_told *told,
                           struct errinfo *e)
{
    const struct upload_request request = {.content = content, .now = change_now(ch)};

    TRY(change_set_identity(ch, &request, e));
    (void)snprintf(told->sentence, sizeof told->sentence, "fit to be shown");
    return OK;
}

struct result order_give(const struct command *c, struct slice content, struct change *ch,
                         struct order_told *told, struct errinfo *e)
{
    return c->kind == COMMAND_TRUST_URL ? add_trusted(c, content, ch, told, e)
                                        : set_identity(content, ch, told, e);
}

static RESULT decode_and_give(const struct command *c, struct change *ch, struct order_told *told,
                              struct errinfo *e)
{
    struct buf content;

    buf_init(&content, LIMIT_SETTINGS_LINE);
    struct result r = dataurl_decode(slice_of_str(c->value), &content, e);
    if (is_ok(r))
        r = order_give(c, buf_slice(&content), ch, told, e);
    buf_wipe(&content);
    return r;
}

struct result order_carry_out(const struct command *c, struct change *ch, struct order_told *told,
                              struct errinfo *e)
{
    return is_delete(c) ? carry_out_delete(c, ch, told, e) : decode_and_give(c, ch, told, e);
}
