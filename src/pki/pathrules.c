#include "pki/pathrules.h"

/*
 * RFC 5280 section 4.2.1.9: pathLenConstraint is the number of intermediate certificates that may
 * follow, those that are self-issued and the last certificate (the leaf) not counted.
 */
static void check_path_length(const struct path *path, const struct place *at, struct faults *f)
{
    size_t below = 0;

    if (at->cert->pathlen == CERT_NO_PATHLEN)
        return;
    for (size_t i = 1; i + 1 < path->len; i++)
        if (!certfields_self_issued(&path->certs[i]->fields))
            below++;
    if (below > at->cert->pathlen)
        fault(f, REASON_PATH_LENGTH, at, "may have at most %u CAs below it, and here there are %zu",
              (unsigned)at->cert->pathlen, below);
}

void pathrules_step(const struct verify_input *in, const struct path *path, struct faults *f)
{
    const struct path_cert *last = path->certs[path->len - 1];
    const struct place at = {&last->fields, path->len - 1, last->anchor};

    (void)in;
    check_path_length(path, &at, f);
}

void pathrules_whole(const struct verify_input *in, const struct path *path, struct faults *f)
{
    (void)in;
    (void)path;
    (void)f;
}
