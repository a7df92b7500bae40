/*
 * unit: cmocka with what it wants to be included before it, and without its macro fail(), so that
 * fail() is that of base/errinfo.h. fail_msg() stays.
 */
#ifndef SIPSD_TESTS_TOOLS_UNIT_H
#define SIPSD_TESTS_TOOLS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#pragma push_macro("fail")
#undef fail
#include <cmocka.h>
#undef fail
#pragma pop_macro("fail")

#undef fail_msg
#define fail_msg(...)              \
    do {                           \
        print_error(__VA_ARGS__);  \
        print_error("\n");         \
        _fail(__FILE__, __LINE__); \
    } while (0)

/* Valgrind runs children too, has a limit of descriptors of its own, and knows no ptrace: tests
 * that are about those things have nothing to find there. */
#define SKIP_UNDER_VALGRIND()                                            \
    do {                                                                 \
        const char *preload_ = getenv("LD_PRELOAD");                     \
        if (preload_ != NULL && strstr(preload_, "/vgpreload_") != NULL) \
            skip();                                                      \
    } while (0)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
