#include "sys/generation.h"

#include <string.h>

#include "base/ascii.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "sys/generation_dir.h"
#include "sys/seal.h"

/* What may be wrong with a generation is tried so often; two are kept. */
#define UNREADABLE_MAX 4

bool generation_is_name(const char *name)
{
    size_t n = 0;
    if (name[0] == '.')
        return false;
    for (; name[n] != '\0'; n++)
        if (n == LIMIT_GENERATION_NAME ||
            (!ascii_is_alnum((uint8_t)name[n]) && strchr("._-", name[n]) == NULL))
            return false;
    return n > 0;
}

/* --- reading --- */

/* Who is told of the files. */
struct reader {
    generation_file_fn *fn;
    void *arg;
};

static void tell(const struct reader *r, const char *name, struct slice content,
                 const struct errinfo *damage)
{
    char clean[NAME_MAX + 1];
    utf8_clean(slice_of_str(name), clean, sizeof clean);
    r->fn(r->arg, clean, content, damage);
}

static RESULT read_file(const struct reader *to, const struct generation_inside *in,
                        const char *name, struct errinfo *e)
{
    struct buf file;
    struct slice content = SLICE_EMPTY;
    struct errinfo why = ERRINFO_INIT;
    buf_init(&file, LIMIT_GENERATION_BYTES + SEAL_LEN);
    struct result r = generation_dir_read(in, name, &file, &content, &why);
    if (is_err(r) && generation_dir_is_passing(r, &why)) {
        r = fail_native(e, r.code, why.native, "%s", why.text);
    } else {
        tell(to, name, content, is_err(r) ? &why : NULL);
        r = OK;
    }
    buf_wipe(&file);
    return r;
}

static RESULT read_files(const struct reader *to, const struct generation_inside *in,
                         struct errinfo *e)
{
    for (size_t i = 0; i < in->files.count; i++)
        TRY(read_file(to, in, in->files.names[i], e));
    if (in->files.total > in->files.count) {
        struct errinfo why = ERRINFO_INIT;
        errinfo_fill(&why, ERR_LIMIT, 0, "%s has %zu files; only the first %zu were read", in->path,
                     in->files.total, in->files.count);
        tell(to, strrchr(in->path, '/') + 1, SLICE_EMPTY, &why);
    }
    return OK;
}

/* Generation NUMBER. *DAMAGED: it cannot be read as a whole, and nobody was told of a file. */
static RESULT read_generation(const struct reader *to, const struct generation_dir *d,
                              uint64_t number, bool *damaged, struct errinfo *e)
{
    struct generation_inside in;
    struct errinfo why = ERRINFO_INIT;
    struct result r = generation_dir_enter(d, number, &in, &why);
    *damaged = is_err(r) && !generation_dir_is_passing(r, &why);
    if (*damaged) {
        char name[GENERATION_DIR_NAME];
        generation_dir_name(number, name);
        tell(to, name, SLICE_EMPTY, &why);
        return OK;
    }
    if (is_err(r))
        return fail_native(e, r.code, why.native, "%s", why.text);
    r = read_files(to, &in, e);
    generation_dir_leave(&in);
    return r;
}

static RESULT read_newest(const struct reader *to, const struct generation_dir *d, uint64_t below,
                          uint64_t *found, struct errinfo *e)
{
    bool damaged = true;
    *found = 0;
    for (unsigned i = 0; i < UNREADABLE_MAX && damaged; i++) {
        uint64_t number;
        TRY(generation_dir_newest(d, below, &number, e));
        if (number == 0)
            return OK;
        TRY(read_generation(to, d, number, &damaged, e));
        if (!damaged)
            *found = number;
        below = number;
    }
    return OK;
}

RESULT generation_read_before(const char *dir, uint64_t number, generation_file_fn *fn, void *arg,
                              uint64_t *found, struct errinfo *e)
{
    const struct reader to = {fn, arg};
    struct generation_dir d;
    struct errinfo why = ERRINFO_INIT;
    struct result r = generation_dir_open(dir, &d, &why);
    *found = 0;
    if (r.code == ERR_NOT_FOUND)
        return OK;
    if (is_err(r))
        return fail_native(e, r.code, why.native, "%s", why.text);
    r = read_newest(&to, &d, number, found, e);
    generation_dir_close(&d);
    return r;
}

RESULT generation_read(const char *dir, generation_file_fn *fn, void *arg, uint64_t *number,
                       struct errinfo *e)
{
    return generation_read_before(dir, UINT64_MAX, fn, arg, number, e);
}
