#include "base/wipe.h"

#include <stdlib.h>
#include <string.h>

void wipe(void *p, size_t n)
{
    explicit_bzero(p, n);
}

void wipe_free_str(char *s)
{
    if (s == NULL)
        return;
    wipe(s, strlen(s));
    free(s);
}
