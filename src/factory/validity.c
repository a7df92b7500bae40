#include "factory/validity.h"

#include "base/clock.h"
#include "pki/issue.h"

#define DAY_S  86400
#define YEAR_S 31556952

static struct result check_issuer(const struct certfields *issuer, int64_t now_s, struct errinfo *e)
{
    char date[CLOCK_ISO_SIZE];

    if (issuer->not_after_s <= now_s) {
        clock_to_iso(issuer->not_after_s, date);
        return fail(e, ERR_INVALID, "the CA ended on %s: make a new one", date);
    }
    if (issuer->not_before_s > now_s) {
        clock_to_iso(issuer->not_before_s, date);
        return fail(e, ERR_INVALID, "the CA begins on %s: is this machine's clock right?", date);
    }
    return OK;
}

struct result validity_make(const struct validity_wish *wish, const struct certfields *issuer,
                            struct validity *out, struct errinfo *e)
{
    const int64_t end = wish->now_s + (int64_t)wish->years * YEAR_S;

    *out = (struct validity){.not_before_s = wish->now_s - DAY_S,
                             .not_after_s = wish->no_end ? ISSUE_NO_END : end};
    if (issuer == NULL)
        return OK;
    TRY(check_issuer(issuer, wish->now_s, e));
    if (out->not_before_s < issuer->not_before_s)
        out->not_before_s = issuer->not_before_s;
    if (out->not_after_s > issuer->not_after_s) {
        out->not_after_s = issuer->not_after_s;
        out->cut = true;
    }
    return OK;
}

struct result validity_check_clock(int64_t now_s, int64_t build_s, struct errinfo *e)
{
    char date[CLOCK_ISO_SIZE];

    if (now_s >= build_s)
        return OK;
    clock_to_iso(now_s, date);
    return fail(e, ERR_STATE, "this machine's clock says %s, which is long ago: set it first",
                date);
}

unsigned validity_issuing_years(unsigned root_years)
{
    const unsigned years = root_years - root_years / 4;

    return years == root_years && years > 1 ? years - 1 : years;
}
