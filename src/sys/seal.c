#include "sys/seal.h"

#include <stdio.h>
#include <string.h>

#define MARK "# sha256 "

void seal_make(struct slice content, char out[SEAL_LEN + 1])
{
    uint8_t hash[HASH_SHA256_SIZE];
    char hex[HASH_HEX_SIZE(HASH_SHA256_SIZE)];
    hash_sha256(content, hash);
    hash_hex(slice_of(hash, sizeof hash), hex);
    (void)snprintf(out, SEAL_LEN + 1, MARK "%s\n", hex);
}

struct result seal_open(struct slice file, struct slice *content, struct errinfo *e)
{
    char expected[SEAL_LEN + 1];
    if (file.n == 0)
        return fail(e, ERR_PARSE, "it is empty, which no file here is");
    if (file.p[0] == '\0')
        return fail(e, ERR_PARSE, "it begins with a zero byte: it was never written to its end");
    if (!slice_starts(file, SLICE_LIT(MARK))) {
        *content = file;
        return OK;
    }
    seal_make(slice_from(file, SEAL_LEN), expected);
    if (!slice_starts(file, slice_of(expected, SEAL_LEN)))
        return fail(e, ERR_PARSE, "its content does not fit the hash in its first line");
    *content = slice_from(file, SEAL_LEN);
    return OK;
}
