#include "sys/entropy.h"

#include <errno.h>
#include <sys/random.h>

static int fill(void *ctx, unsigned char *out, size_t n)
{
    (void)ctx;
    while (n > 0) {
        const ssize_t got = getrandom(out, n, 0);
        if (got < 0 && errno != EINTR)
            return -1;
        if (got > 0) {
            out += got;
            n -= (size_t)got;
        }
    }
    return 0;
}

const struct rng entropy_system = {.fill = fill};
