/* Going back to the generation before: the last part of sys/generation.h. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "sys/generation.h"

/* The files of a generation, all at once in memory. */
struct copies {
    struct copy {
        char name[LIMIT_GENERATION_NAME + 1];
        struct buf content;
    } list[LIMIT_GENERATION_FILES];
    size_t count;
    struct result result;
};

static void take(void *arg, const char *name, struct slice content, const struct errinfo *damage)
{
    struct copies *c = arg;
    if (damage != NULL || is_err(c->result) || c->count == LIMIT_GENERATION_FILES)
        return;
    struct copy *copy = &c->list[c->count];
    if (!slice_to_str(slice_of_str(name), copy->name, sizeof copy->name))
        return;
    buf_init(&copy->content, LIMIT_GENERATION_BYTES);
    c->count++;
    c->result = buf_append(&copy->content, content);
}

static void free_copies(struct copies *c)
{
    for (size_t i = 0; i < c->count; i++)
        buf_wipe(&c->list[i].content);
    free(c);
}

static void note_nothing(void *arg, const char *name, struct slice content,
                         const struct errinfo *damage)
{
    (void)arg;
    (void)name;
    (void)content;
    (void)damage;
}

static RESULT check_newest(const char *dir, uint64_t number, struct errinfo *e)
{
    uint64_t newest;
    TRY(generation_read(dir, note_nothing, NULL, &newest, e));
    if (newest == number)
        return OK;
    return fail(e, ERR_STATE, "generation %" PRIu64 " is not the newest one, %" PRIu64 " is",
                number, newest);
}

static RESULT copy_back(const char *dir, uint64_t number, struct copies *c, uint64_t *written,
                        struct errinfo *e)
{
    struct generation_file files[LIMIT_GENERATION_FILES];
    uint64_t before;
    TRY(generation_read_before(dir, number, take, c, &before, e));
    if (is_err(c->result))
        return fail(e, c->result.code, "no memory for the files of generation %" PRIu64, before);
    for (size_t i = 0; i < c->count; i++)
        files[i] = (struct generation_file){c->list[i].name, buf_slice(&c->list[i].content)};
    return generation_write(dir, files, c->count, written, e);
}

RESULT generation_roll_back(const char *dir, uint64_t number, uint64_t *written, struct errinfo *e)
{
    TRY(check_newest(dir, number, e));
    struct copies *c = calloc(1, sizeof *c);
    if (c == NULL)
        return fail(e, ERR_NOMEM, "no memory for the files of a generation");
    const struct result r = copy_back(dir, number, c, written, e);
    free_copies(c);
    return r;
}
