/*
 * complaints: what was wrong with files that were read, kept for whoever asks later, and logged
 * once. A value type of fixed size; all zero is empty.
 */
#ifndef SIPSD_CONTROL_COMPLAINTS_H
#define SIPSD_CONTROL_COMPLAINTS_H

#include <stddef.h>

#include "base/errinfo.h"
#include "base/limits.h"

struct complaint {
    char file[LIMIT_GENERATION_NAME + 1]; /* printable */
    char text[ERRINFO_TEXT_MAX];          /* a sentence, no full stop */
};

struct complaints {
    struct complaint list[LIMIT_COMPLAINTS];
    size_t count; /* what is beyond the limit is only logged */
};

/* Of FILE; AREA is the log's. */
void complaints_add(struct complaints *c, const char *area, const char *file, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
