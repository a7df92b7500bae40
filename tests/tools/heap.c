#include "tools/heap.h"

#include <malloc.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifdef SANITIZED
size_t __sanitizer_get_current_allocated_bytes(void); /* NOLINT: the sanitizer's name */

size_t heap_bytes(void)
{
    return __sanitizer_get_current_allocated_bytes();
}
#else
size_t heap_bytes(void)
{
    const struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}
#endif
