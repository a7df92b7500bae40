/* wipe: overwrites a secret in a way that the compiler cannot leave out. */
#ifndef SIPSD_BASE_WIPE_H
#define SIPSD_BASE_WIPE_H

#include <stddef.h>

void wipe(void *p, size_t n);

/* Wipes the string S up to its NUL and frees it; NULL is fine. */
void wipe_free_str(char *s);

#endif
