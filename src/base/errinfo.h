/*
 * errinfo: what went wrong, as a sentence, filled once at the deepest place that knows.
 *
 * A function that can fail for reasons which a person must understand takes a `struct errinfo *` as
 * its last parameter; NULL is allowed everywhere and means that nobody will read it. The first fill
 * stays: callers further up may add where it happened with errinfo_context(), never replace it.
 *
 * A value type: callers keep it on the stack or inside their own structs; it owns nothing.
 */
#ifndef SIPSD_BASE_ERRINFO_H
#define SIPSD_BASE_ERRINFO_H

#include "base/result.h"

#define ERRINFO_TEXT_MAX 320

struct errinfo {
    enum err code; /* ERR_OK while nothing was filled in */
    int native;    /* the library's or system's own code (mbedTLS, errno, c-ares), or 0 */
    int depth;     /* the certificate that it is about (0 is the leaf), or -1 */
    /* One sentence in plain English, no full stop; always terminated, always printable UTF-8. */
    char text[ERRINFO_TEXT_MAX];
};

#define ERRINFO_INIT ((struct errinfo){.code = ERR_OK, .depth = -1})

/* Makes it empty again. */
void errinfo_clear(struct errinfo *e);

/*
 * Fills E (unless it is NULL or filled already) and returns the result of CODE, so that the deepest
 * place reads `return fail(e, ERR_PARSE, "line %zu has no '='", line);`. What came in through
 * arguments and is no printable UTF-8 is replaced by '?': the text goes to terminals, logs and
 * JSON. CODE is an error, never ERR_OK; it is evaluated twice.
 */
#define fail(e, code, ...) (errinfo_fill(e, code, 0, __VA_ARGS__), err(code))

/* The same with the library's or system's own code. */
#define fail_native(e, code, native, ...) (errinfo_fill(e, code, native, __VA_ARGS__), err(code))

/* For a failed system call: ERR_SYSTEM with errno, the text followed by ": " and strerror. */
#define fail_errno(e, errnum, ...) (errinfo_fill_errno(e, errnum, __VA_ARGS__), err(ERR_SYSTEM))

/*
 * What they are made of. They are macros so that the compiler, which looks at one file at a time,
 * knows that they never return success, and does not warn of what would happen then.
 */
void errinfo_fill(struct errinfo *e, enum err code, int native, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void errinfo_fill_errno(struct errinfo *e, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "CONTEXT: " before the sentence (cut at the end if it grows too long); nothing if E is
 * empty. */
void errinfo_context(struct errinfo *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The sentence of E; the text of CODE where nobody filled E. Valid as long as E is. */
const char *errinfo_text(const struct errinfo *e, struct result r);

#endif
