#include "control/command.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/utf8.h"
#include "base/wipe.h"

static const char *const keys[] = {
    [COMMAND_TRUST_URL] = "static.trusted_certificates.url",
    [COMMAND_TRUST_DELETE] = "static.trusted_certificates.delete",
    [COMMAND_IDENTITY_URL] = "static.server_certificates.url",
    [COMMAND_IDENTITY_DELETE] = "static.server_certificates.delete",
};
#define KINDS (sizeof keys / sizeof keys[0])

const char *command_key(enum command_kind kind)
{
    return keys[kind];
}

enum command_kind command_kind(const struct key *k)
{
    size_t kind = 0;

    while (kind < KINDS && strcmp(keys[kind], k->name) != 0)
        kind++;
    assert(kind < KINDS);
    return (enum command_kind)kind;
}

/* --- lists of them --- */

static void command_clear(struct command *c)
{
    free(c->file);
    wipe_free_str(c->value);
    *c = (struct command){0};
}

struct result commands_add(struct commands *c, enum command_kind kind, const char *file,
                           size_t line, struct slice value, struct errinfo *e)
{
    if (c->count == LIMIT_COMMANDS)
        return fail(e, ERR_LIMIT,
                    "there are more than %d orders about certificates: one file can have many of "
                    "them",
                    LIMIT_COMMANDS);
    struct command *added = &c->list[c->count];
    *added = (struct command){kind, slice_dup(slice_of_str(file)), line, slice_dup(value)};
    if (added->file == NULL || added->value == NULL) {
        command_clear(added);
        return fail(e, ERR_NOMEM, "no memory for the orders of %s", file);
    }
    c->count++;
    return OK;
}

struct result commands_append(struct commands *c, const struct commands *from, struct errinfo *e)
{
    const size_t before = c->count;

    for (size_t i = 0; i < from->count; i++) {
        const struct command *one = &from->list[i];
        const struct result r =
            commands_add(c, one->kind, one->file, one->line, slice_of_str(one->value), e);
        if (is_ok(r))
            continue;
        while (c->count > before)
            command_clear(&c->list[--c->count]);
        return r;
    }
    return OK;
}

bool commands_same(const struct commands *a, const struct commands *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++)
        if (a->list[i].kind != b->list[i].kind || strcmp(a->list[i].value, b->list[i].value) != 0)
            return false;
    return a->count == b->count;
}

void commands_clear(struct commands *c)
{
    while (c->count != 0)
        command_clear(&c->list[--c->count]);
}

/* --- what to delete --- */

static bool cut_start(struct slice *url, struct slice start)
{
    if (!slice_starts_nocase(*url, start))
        return false;
    *url = slice_from(*url, start.n);
    return true;
}

/* A '?' or '#' in a name would have to be written as an escape. False for what is none. */
static bool decode(struct slice in, char *out, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < in.n && n + 1 < size; i++) {
        uint8_t c = in.p[i];
        if (c == '?' || c == '#' || c == '/')
            return false;
        if (c == '%') {
            if (i + 2 >= in.n || ascii_hex(in.p[i + 1]) < 0 || ascii_hex(in.p[i + 2]) < 0)
                return false;
            c = (uint8_t)(ascii_hex(in.p[i + 1]) * 16 + ascii_hex(in.p[i + 2]));
            i += 2;
        }
        out[n++] = (char)c;
    }
    out[n] = '\0';
    return n != 0 && n + 1 < size && utf8_is_text(slice_of(out, n));
}

struct result command_delete_target(struct slice url, char name[COMMAND_NAME_SIZE], bool *all,
                                    struct errinfo *e)
{
    if ((!cut_start(&url, SLICE_LIT("http://")) && !cut_start(&url, SLICE_LIT("https://"))) ||
        !cut_start(&url, SLICE_LIT("localhost/")) || !decode(url, name, COMMAND_NAME_SIZE))
        return fail(e, ERR_INVALID,
                    "what is to be deleted is written as http://localhost/all, or as "
                    "http://localhost/ and the name of the file that it came in, with other "
                    "characters than letters and digits as %%XX");
    *all = strcmp(name, "all") == 0;
    return OK;
}
