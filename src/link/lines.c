#include "link/lines.h"

#include "base/log.h"

void lines_clear(struct lines *l)
{
    for (size_t i = 0; i < LIMIT_ACCOUNTS; i++) {
        carrier_line_free(l->of[i]);
        l->of[i] = NULL;
    }
}

struct carrier_line *lines_open(struct lines *l, const struct carrier_facts *f)
{
    struct carrier_line **line = &l->of[f->account - 1];
    if (l->carrier == NULL)
        return NULL;
    if (*line != NULL) {
        carrier_line_set(*line, f);
        return *line;
    }
    const struct result r = carrier_line_new(l->carrier, f, l->h, l->arg, line);
    if (is_err(r))
        log_error("carrier", "account %d can carry no calls: %s", f->account, err_text(r.code));
    return *line;
}

struct carrier_line *lines_find(const struct lines *l, int account)
{
    struct carrier_line *only = NULL;
    size_t count = 0;
    if (account != 0 && l->of[account - 1] != NULL)
        return l->of[account - 1];
    for (size_t i = 0; i < LIMIT_ACCOUNTS; i++)
        if (l->of[i] != NULL) {
            only = l->of[i];
            count++;
        }
    return count == 1 ? only : NULL;
}

void lines_close(struct lines *l, int account)
{
    struct carrier_line **line = &l->of[account - 1];
    if (*line == NULL || carrier_line_calls(*line) != 0)
        return;
    carrier_line_free(*line);
    *line = NULL;
}

void lines_drained(struct lines *l)
{
    for (size_t i = 0; i < LIMIT_ACCOUNTS; i++)
        if (l->of[i] != NULL)
            carrier_line_drained(l->of[i]);
}

bool lines_busy(const struct lines *l)
{
    for (size_t i = 0; i < LIMIT_ACCOUNTS; i++)
        if (l->of[i] != NULL && carrier_line_calls(l->of[i]) != 0)
            return true;
    return false;
}
