/*
 * result: what every function that can fail returns.
 *
 * A result is a struct of one member, so that it cannot be mistaken for a bool, a count or an
 * errno, and functions that return it are declared with RESULT, so that the compiler refuses a
 * caller that does not look. The codes are few and say what a caller can do about it; what exactly
 * went wrong is a sentence in `struct errinfo` (base/errinfo.h).
 *
 *     RESULT store_read(...);
 *
 *     TRY(store_read(...));                          hand a failure on to the caller
 *     if (is_err(r = store_read(...))) { ... }       handle it
 *     IGNORE(store_read(...));                       say that it does not matter, and why, beside
 * it
 */
#ifndef SIPSD_BASE_RESULT_H
#define SIPSD_BASE_RESULT_H

#include <stdbool.h>

/* X(name, text): the one table of codes; the text completes "failed: ...". */
#define ERR_TABLE(X)                                  \
    X(OK, "no error")                                 \
    X(NOMEM, "out of memory")                         \
    X(LIMIT, "a limit was reached")                   \
    X(INVALID, "an argument or a value is not valid") \
    X(PARSE, "the input is malformed")                \
    X(TRUNCATED, "the input ends too early")          \
    X(NOT_FOUND, "not found")                         \
    X(EXISTS, "exists already")                       \
    X(STATE, "not possible in this state")            \
    X(DENIED, "not permitted")                        \
    X(UNSUPPORTED, "not supported")                   \
    X(BUSY, "busy")                                   \
    X(AGAIN, "nothing to do now, call again later")   \
    X(CLOSED, "the other side closed")                \
    X(TIMEOUT, "timed out")                           \
    X(SYSTEM, "a system call failed")                 \
    X(DNS, "the name could not be resolved")          \
    X(CRYPTO, "a cryptographic operation failed")     \
    X(TLS, "the TLS protocol failed")                 \
    X(CERT, "a certificate was refused")              \
    X(IDENTITY, "our own certificate was refused")    \
    X(AUTH, "authentication failed")                  \
    X(PEER, "the other side answered with an error")

enum err {
#define ERR_ENUM_(name, text) ERR_##name,
    ERR_TABLE(ERR_ENUM_)
#undef ERR_ENUM_
        ERR_COUNT
};

struct result {
    enum err code;
};

/* Declares a function whose result must be looked at. */
#define RESULT __attribute__((warn_unused_result)) struct result

#define OK ((struct result){ERR_OK})

static inline RESULT err(enum err code)
{
    return (struct result){code};
}

static inline bool is_ok(struct result r)
{
    return r.code == ERR_OK;
}

static inline bool is_err(struct result r)
{
    return r.code != ERR_OK;
}

/* Returns the caller's function with the failure of EXPR; goes on if it did not fail. */
#define TRY(expr)                                 \
    do {                                          \
        const struct result try_result_ = (expr); \
        if (try_result_.code != ERR_OK)           \
            return try_result_;                   \
    } while (0)

/* Says that a failure of EXPR is of no consequence here. */
#define IGNORE(expr)                                  \
    do {                                              \
        const struct result ignored_result_ = (expr); \
        (void)ignored_result_;                        \
    } while (0)

/* The code's name ("NOT_FOUND") and its text; static storage, never NULL, "unknown" for others. */
const char *err_name(enum err code);
const char *err_text(enum err code);

#endif
