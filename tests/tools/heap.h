/*
 * heap: what the program holds of the heap, with and without the sanitizers.
 */
#ifndef SIPSD_TESTS_TOOLS_HEAP_H
#define SIPSD_TESTS_TOOLS_HEAP_H

#include <stddef.h>

/* Bytes that were given out and not given back; what the allocator keeps for itself is not in it.
 * 0 where that cannot be known (valgrind). */
size_t heap_bytes(void);

#endif
