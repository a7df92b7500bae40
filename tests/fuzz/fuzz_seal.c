/* A file on flash: what is behind a line of its hash, which must fit, or all of it. */
#include <stdlib.h>

#include "sys/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice file = slice_of(data, size);
    struct slice content = SLICE_EMPTY;
    struct errinfo e = ERRINFO_INIT;
    char line[SEAL_LEN + 1];
    const struct result r = seal_open(file, &content, &e);

    if (is_err(r)) {
        if (e.text[0] == '\0')
            abort();
        return 0;
    }
    seal_make(content, line);
    const bool sealed = size >= SEAL_LEN && slice_starts(file, slice_of(line, SEAL_LEN)) &&
                        content.n == size - SEAL_LEN;
    if (content.p + content.n != data + size || (!sealed && content.n != size))
        abort();
    return 0;
}
