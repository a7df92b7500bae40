#include "base/result.h"

#include <stddef.h>

static const struct {
    const char *name;
    const char *text;
} table[] = {
#define ERR_ROW_(name, text) {#name, text},
    ERR_TABLE(ERR_ROW_)
#undef ERR_ROW_
};

const char *err_name(enum err code)
{
    return (size_t)code < ERR_COUNT ? table[code].name : "unknown";
}

const char *err_text(enum err code)
{
    return (size_t)code < ERR_COUNT ? table[code].text : "unknown";
}
