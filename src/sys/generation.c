#include "sys/generation.h"

bool generation_is_name(const char *name)
{
    return name[0] != '\0';
}

RESULT generation_write(const char *dir, const struct generation_file *files, size_t n,
                        uint64_t *number, struct errinfo *e)
{
    (void)dir, (void)files, (void)n, (void)number;
    return fail(e, ERR_UNSUPPORTED, "generations are not written yet");
}

RESULT generation_read(const char *dir, generation_file_fn *fn, void *arg, uint64_t *number,
                       struct errinfo *e)
{
    return generation_read_before(dir, UINT64_MAX, fn, arg, number, e);
}

RESULT generation_read_before(const char *dir, uint64_t number, generation_file_fn *fn, void *arg,
                              uint64_t *found, struct errinfo *e)
{
    (void)dir, (void)number, (void)fn, (void)arg, (void)found;
    return fail(e, ERR_UNSUPPORTED, "generations are not read yet");
}

RESULT generation_clean(const char *dir, struct errinfo *e)
{
    (void)dir;
    return fail(e, ERR_UNSUPPORTED, "generations are not cleaned yet");
}
